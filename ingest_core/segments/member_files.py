"""The people of a segment as a file, personal data masked: machine-exact, or safe for spreadsheets."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ingest_core.engine import Session, quote
from ingest_core.ledger.reject_files import neutral
from ingest_core.models import Attribute
from ingest_core.segments import masked
from ingest_core.segments.compiling import Condition
from ingest_core.vault import Keyset

BATCH = 5_000
"""People whose sealed values are opened at once."""


def write(
    out: Path | IO[str], session: Session, keyset: Keyset, attributes: Sequence[Attribute], condition: Condition,
    *, is_spreadsheet: bool,
) -> int:  # fmt: skip
    """One person a line, in the order of their ids; returns how many.

    Columns: ``profile_id`` and every attribute that somebody in the segment has. Both are CSV in UTF-8. Exact: values
    as they are. For spreadsheets: with a byte order mark, and cells that would run as formulas made harmless.
    """
    shown = _filled(session, attributes, condition)
    people = _people(session, keyset, shown, condition)
    if isinstance(out, Path):
        private = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(private, "w", encoding="utf-8", newline="") as file:
            return _lines(file, shown, people, is_spreadsheet=is_spreadsheet)
    return _lines(out, shown, people, is_spreadsheet=is_spreadsheet)


def _lines(file: IO[str], shown: Sequence[Attribute], people: Iterator[dict[str, Any]], *, is_spreadsheet: bool) -> int:
    cell = neutral if is_spreadsheet else str
    file.write("\ufeff" if is_spreadsheet else "")
    writer = csv.writer(file, lineterminator="\r\n" if is_spreadsheet else "\n")
    writer.writerow(["profile_id", *(cell(one.name) for one in shown)])
    count = 0
    for person in people:
        values = person["attributes"]
        writer.writerow([person["profile_id"], *(cell(values.get(one.name, "")) for one in shown)])
        count += 1
    return count


def _filled(session: Session, attributes: Sequence[Attribute], condition: Condition) -> list[Attribute]:
    counts = ", ".join(f"count(p.{quote(one.column)})" for one in attributes)
    (filled,) = session.rows(f"SELECT {counts} FROM profile AS p WHERE {condition.sql}", condition.parameters)
    return [one for one, many in zip(attributes, filled, strict=True) if many]


def _people(
    session: Session, keyset: Keyset, attributes: Sequence[Attribute], condition: Condition
) -> Iterator[dict[str, Any]]:
    last = -1
    while pids := masked.pids(session, condition, BATCH, after=last):
        yield from masked.profiles(session, keyset, attributes, pids)
        last = pids[-1]
