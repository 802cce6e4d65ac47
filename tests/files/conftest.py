"""Files from bytes, and a whole reading of them in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ingest_core import files
from ingest_core.models import Dialect, FileFacts, FileLimits, LineReject


@dataclass(frozen=True)
class Reading:
    facts: FileFacts
    dialect: Dialect
    rows: list[tuple[str, ...]]
    lines: list[int]
    blank: int
    rejects: list[LineReject]
    lines_seen: int
    physical_lines: int

    @property
    def codes(self) -> list[tuple[int, str]]:
        return [(reject.line, reject.code) for reject in self.rejects]


@pytest.fixture(scope="session")
def source_of(tmp_path_factory) -> Callable[..., files.PathSource]:
    folder = tmp_path_factory.mktemp("files")

    def source(data: bytes, name: str = "people.tsv") -> files.PathSource:
        path: Path = folder / "data"
        path.write_bytes(data)
        return files.PathSource(path, name)

    return source


@pytest.fixture(scope="session")
def read(source_of) -> Callable[..., Reading]:
    """Receive, sniff and read all of some bytes; checks the account of every slice on the way."""

    def reading(data, *, limits=None, slice_bytes=8 << 20, encoding=None, columns=None, **chosen) -> Reading:
        source = data if isinstance(data, files.PathSource) else source_of(data)
        limits = limits or FileLimits()
        facts = files.receive(source, limits, encoding=encoding)
        dialect = files.sniff(source, facts, limits=limits, **chosen)
        if columns is not None:
            dialect = replace(dialect, columns=tuple(columns))
        rows, lines, rejects = [], [], []
        blank = seen = physical = 0
        for part in files.read_slices(source, facts, dialect, limits, slice_bytes=slice_bytes):
            assert part.lines_seen == part.table.num_rows + part.blank + len(part.rejects)
            assert part.table.column_names == [f"c{index}" for index in range(len(dialect.columns))]
            rows += zip(*(column.to_pylist() for column in part.table.columns), strict=True)
            lines += part.lines.to_pylist()
            rejects += part.rejects
            blank, seen, physical = blank + part.blank, seen + part.lines_seen, physical + part.physical_lines
        return Reading(facts, dialect, rows, lines, blank, rejects, seen, physical)

    return reading
