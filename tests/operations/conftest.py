"""The kernel's fixtures, and workspaces to back up and restore."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_core.operations.restore import restore
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]

COLUMNS = {"crmid": "crmid", "email": "email", "first_name": "first_name", "city": "city"}


def people(*rows: str) -> str:
    """Rows with ``|`` where the file has tabs."""
    return "crmid\temail\tfirst_name\tcity\n" + "".join(row.replace("|", "\t") + "\n" for row in rows)


FIRST = people("C1|anna@example.com|Anna|Bonn", "C2|ben@example.com|Ben|Oslo", "C3|no address|Cleo|Rome", "")
SECOND = people("C1|anna@example.com|Anne|Kiel", "C4|dora@example.com|Dora|Lyon")


@pytest.fixture
def filled(kernel: Kernel) -> Kernel:
    """A workspace with two people and a rejected row."""
    assert kernel.load(FIRST, COLUMNS, segment="create:FIRST").stored == 2
    return kernel


@pytest.fixture
def opened(home: Path, tmp_path: Path):
    """Opens a workspace like ``filled`` as a command does, one after the other: each may exchange the file."""
    folder = tmp_path / "files"
    folder.mkdir()

    @contextmanager
    def opening():
        with Workspace.open(home, user="asha") as workspace:
            yield Kernel(workspace, folder)

    with opening() as kernel:
        assert kernel.load(FIRST, COLUMNS, segment="create:FIRST").stored == 2
    return opening


@pytest.fixture
def restored(tmp_path: Path):
    """Restores a backup into a new folder; returns the folder."""
    count = iter(range(9))

    def restoring(archive: Path, **options) -> Path:
        home = tmp_path / f"restored{next(count)}"
        restore(archive, home, "bina", **options)
        return home

    return restoring


def tables(home: Path) -> dict[str, object]:
    """The content of every table as numbers, without what an opening writes."""
    with Workspace.open(home, user="asha") as workspace:
        return tables_of(workspace)


def tables_of(workspace: Workspace) -> dict[str, object]:
    with workspace.engine.session() as session:
        names = [name for (name,) in session.rows("SELECT table_name FROM duckdb_tables()")]
        return {
            name: session.row(f'SELECT count(*), bit_xor(hash(t)) FROM "{name}" AS t')
            for name in names
            if name not in ("audit", "migration")
        }
