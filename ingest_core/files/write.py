"""A table as RFC 4180 CSV in UTF-8."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa

_BOM = "\ufeff"


def write_csv(path: str | os.PathLike[str], header: Sequence[str] | None, slices: Iterator[pa.Table]) -> None:
    """Write text tables one after another: CRLF, quotes only where reading back needs them.

    ``header``: column names, or None for no header line. A row that is one cell of white space is quoted, for such a
    line would be blank; so is a first cell that would be taken for a byte order mark.
    """
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        rows = _Rows(stream)
        if header is not None:
            rows.write([tuple(header)])
        for table in slices:
            columns = [column.to_pylist() for column in table.columns]
            rows.write(list(zip(*columns, strict=True)))


class _Rows:
    def __init__(self, stream: IO[str]) -> None:
        self._minimal = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
        self._quoted = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        self._is_first = True

    def write(self, rows: list[tuple[str, ...]]) -> None:
        """Append rows, each quoted as it needs."""
        if rows and self._is_first:
            self._is_first = False
            self._write_one(rows[0], is_first=True)
            rows = rows[1:]
        if rows and len(rows[0]) == 1:
            for row in rows:
                self._write_one(row)
        else:
            self._minimal.writerows(rows)

    def _write_one(self, row: tuple[str, ...], *, is_first: bool = False) -> None:
        needs_quotes = (len(row) == 1 and not row[0].strip()) or (is_first and row[0].startswith(_BOM))
        (self._quoted if needs_quotes else self._minimal).writerow(row)
