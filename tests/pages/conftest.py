"""A fresh workspace per test and the app's script opened on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ingest_core.files import PathSource
from ingest_core.models import Mapping, Options
from pages.ui import state

MAIN = Path(__file__).parents[2] / "pages" / "main.py"

FILE = (
    "cust_id\temail_addr\tfname\tdob\tcity\n"
    "C1\tasha@example.com\tAsha\t25/04/1990\tMumbai\n"
    "C2\trahul@example.com\tRahul\t13/11/1984\tPune\n"
    "C3\tnot an address\tMeera\t01/02/1991\tChennai\n"
    "\t\tNobody\t01/02/1991\tDelhi\n"
    "C1\tasha@example.com\tAsha\t25/04/1990\tThane\n"
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Opened the way the pages open it: one per process and folder."""
    monkeypatch.setenv("ONRAMP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONRAMP_USER", "Asha Menon")
    yield state.workspace()
    state.close_workspaces()


@pytest.fixture
def source(workspace):
    return workspace.sources.add("CRM contacts", description="Nightly export")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "contacts.tsv"
    path.write_text(FILE, "utf-8")
    return PathSource(path)


def day_first(mapping: Mapping) -> Mapping:
    """The suggested mapping with the date question answered."""
    columns = [c.model_copy(update={"format": "DD/MM/YYYY"}) if c.column == "dob" else c for c in mapping.columns]
    return mapping.model_copy(update={"columns": tuple(columns)})


@pytest.fixture
def receipt(workspace, source, file):
    """One upload: 5 lines = 2 stored + 2 rejected + 1 duplicate."""
    mapping = day_first(workspace.suggest(workspace.inspect(file, source), source))
    return workspace.loads.load(workspace.plan(file, source, mapping, Options()))


@pytest.fixture
def draft_id(workspace, source, file):
    """A draft whose file has arrived."""
    writer = workspace.landing.create(file.name, file.size)
    writer.write(FILE.encode())
    draft_id = workspace.drafts.create(source.source_id)
    workspace.drafts.save(draft_id, {"landing_id": writer.finish(), "file": file.name, "size": file.size})
    return draft_id


@pytest.fixture
def open_page(workspace):
    """open_page("source", source="1") → the page, run once, without an exception."""

    def opened(name: str = "sources", **params: str) -> AppTest:
        page = AppTest.from_file(str(MAIN), default_timeout=20)
        if name != "sources":  # pages are known after the first run
            page.run().switch_page(f"{name}.py")
        for key, value in params.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        return page

    return opened
