"""Workspaces for commands: copies of one, because making one takes longer than copying it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.onramp import Onramp

ATTRIBUTES = (
    ("slot_num", "integer"),
    ("preferences", "string"),
    ("last_purchase", "date"),
    ("amount", "number"),
)


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory) -> Path:
    """A workspace with two sources and the attributes of the samples; to be copied, never used."""
    onramp = Onramp(tmp_path_factory.mktemp("prepared") / "home")
    for source in ("CRM", "Shop"):
        onramp.json("source", "add", source)
    for name, kind in ATTRIBUTES:
        onramp.json("attribute", "add", name, "--type", kind)
    return onramp.home


@pytest.fixture
def onramp(prepared_home, tmp_path) -> Onramp:
    """Commands on a fresh copy of the prepared workspace."""
    shutil.copytree(prepared_home, tmp_path / "home")
    return Onramp(tmp_path / "home")


@pytest.fixture
def people(tmp_path) -> Path:
    """Six lines: three good ones, a duplicate, a blank one, a reject."""
    path = tmp_path / "people.tsv"
    path.write_text(
        "crmid\temail\tfirst_name\tcity\n"
        "C1\tanna@example.com\tAnna\tBonn\n"
        "C2\tben@example.com\tBen\tOslo\n"
        "\n"
        "C3\tnot an address\tCleo\tRome\n"
        "C1\tanna@example.com\tAnna\tKiel\n"
        "C4\tdora@example.com\tDora\tLyon\n",
        encoding="utf-8",
    )
    return path
