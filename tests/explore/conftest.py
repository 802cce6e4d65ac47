"""Sessions over a small file: one for tests that only ask, new ones for those that end it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_core.explore.from_file import FileMaterial
from ingest_core.explore.sandbox import Limits
from ingest_core.explore.session import ExploreSession
from ingest_core.files import PathSource
from ingest_core.models import FileLimits, TypeContext
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]  # fixtures

SECRET = "zaunkoenig.wren@example.com"
"""A value of the data: no error may quote it."""

FILE = (
    "crmid\temail\tsigned up\tamount\tcity\n"
    f"C1\t{SECRET}\t2027-01-05\t10.50\tPune\n"
    "C2\tben@example.com\t2027-01-16\t7\tGoa\n"
    "C3\tcleo@example.com\t2027-02-17\t\tPune\n"
    "C4 and no more\n"
    "C5\tdora@example.com\t2027-02-18\t0.25\tOslo\n"
)

Opener = Callable[..., ExploreSession]


def session_over(path: Path, *, file_rows: int = 1_000, file_bytes: int = 1 << 24, **limits: Any) -> ExploreSession:
    """A session over a file, outside of any workspace."""
    given = {"seconds": 60.0, "memory": 256 << 20, "idle_seconds": 600.0, **limits}
    material = FileMaterial(PathSource(path), FileLimits(), TypeContext(), file_rows, file_bytes)
    return ExploreSession(material, Limits(**given), lambda: None)


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> Iterator[ExploreSession]:
    """One session for all tests of a module; none of them may end it."""
    path = tmp_path_factory.mktemp("asked") / "people.tsv"
    path.write_text(FILE, encoding="utf-8")
    session = session_over(path)
    yield session
    session.close()


@pytest.fixture
def opened(tmp_path) -> Iterator[Opener]:
    """Makes sessions over a text with limits of their own."""
    made: list[ExploreSession] = []

    def make(text: str = FILE, **limits: Any) -> ExploreSession:
        path = tmp_path / f"file{len(made)}.tsv"
        path.write_text(text, encoding="utf-8")
        made.append(session_over(path, **limits))
        return made[-1]

    yield make
    for session in made:
        session.close()
