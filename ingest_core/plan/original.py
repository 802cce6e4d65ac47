"""The original text of rows that were parsed: exact for unquoted dialects, equal up to optional quotes for CSV."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.models import Dialect


def join_cells(table: pa.Table, dialect: Dialect) -> list[str]:
    """One line of text per row, without line end. Of lines with a grammar of their own: the row that was made of it."""
    columns = [pc.fill_null(column, "").to_pylist() for column in table.columns]
    rows = zip(*columns, strict=True)
    if not dialect.quoting:
        return [dialect.delimiter.join(row) for row in rows]
    special = (dialect.delimiter, '"', "\n", "\r")
    return [dialect.delimiter.join(_quoted(cell, special) for cell in row) for row in rows]


def _quoted(cell: str, special: tuple[str, ...]) -> str:
    if any(mark in cell for mark in special):
        return '"' + cell.replace('"', '""') + '"'
    return cell
