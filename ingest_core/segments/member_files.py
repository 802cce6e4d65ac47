"""The people of a segment as a file, personal data masked: machine-exact, or safe for spreadsheets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ingest_core.engine import Session, quote
from ingest_core.files.table_file import TableFile
from ingest_core.models import Attribute
from ingest_core.segments import masked
from ingest_core.segments.compiling import Condition
from ingest_core.vault import Keyset


def write(
    out: Path | IO[str], session: Session, keyset: Keyset, attributes: Sequence[Attribute], condition: Condition,
    *, is_spreadsheet: bool,
) -> int:  # fmt: skip
    """One person a line, in the order of their ids; returns how many.

    Columns: ``profile_id`` and every attribute that somebody in the segment has. Both are CSV in UTF-8. Exact: values
    as they are. For spreadsheets: with a byte order mark, and cells that would run as formulas made harmless.
    """
    shown = filled(session, attributes, condition)

    def lines(file: IO[str]) -> int:
        table = TableFile(file, "spreadsheet" if is_spreadsheet else "csv")
        table.header(["profile_id", *(one.name for one in shown)])
        count = 0
        for people in masked.batches(session, keyset, shown, condition):
            for person in people:
                values = person["attributes"]
                table.row([person["profile_id"], *(values.get(one.name, "") for one in shown)])
            count += len(people)
        return count

    if isinstance(out, Path):
        private = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(private, "w", encoding="utf-8", newline="") as file:
            return lines(file)
    return lines(out)


def filled(session: Session, attributes: Sequence[Attribute], condition: Condition) -> list[Attribute]:
    """The attributes that somebody has for whom the condition is true."""
    counts = ", ".join(f"count(p.{quote(one.column)})" for one in attributes)
    (found,) = session.rows(f"SELECT {counts} FROM profile AS p WHERE {condition.sql}", condition.parameters)
    return [one for one, many in zip(attributes, found, strict=True) if many]
