"""People as lines for Audience Manager, each read again by the product's own parser before it is kept.

A line that would not be read back as exactly what was meant, or only with a warning, is left out and counted by the
code that says why. So what is built is taken without a word by whoever checks it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ingest_core.audience_manager.data_sources import PHONE_VALUE_PATTERN, email_at
from ingest_core.audience_manager.id_sync import RowContext, parse_row
from ingest_core.audience_manager.items import Op
from ingest_core.audience_manager.lines import LineContext, parse_line
from ingest_core.audience_manager.name_types import IdSyncName
from ingest_core.audience_manager.outbound.build import Build, ItemRule
from ingest_core.audience_manager.registered import Registered
from ingest_core.deliveries import people_rows
from ingest_core.engine import Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.models import Attribute, Progress
from ingest_core.segments import counting
from ingest_core.segments.compiling import Condition
from ingest_core.vault import Keyset

STAGE = "CREATE OR REPLACE TEMP TABLE am_staged (n BIGINT, id VARCHAR, items VARCHAR[])"
PHONE = "phone_in_value"
LOOKED_AT = 20_000
"""People of whom a preview of the first lines looks at most."""


@dataclass
class Staging:
    """Fills ``am_staged`` (n, id, items): what everybody has, items as they stand in a line."""

    session: Session
    keyset: Keyset
    build: Build
    registered: Registered
    known: Mapping[str, Attribute]
    refused: Counter[str] = field(default_factory=Counter)
    people: int = 0
    without_id: int = 0

    def stage(self, condition: Condition, progress: Progress = ignore_progress) -> None:
        """All people of a condition; tells how many of them were read."""
        self.session.run(STAGE)
        total = counting.count(self.session, condition)
        columns = self.build.columns()
        for batch in people_rows.rows(self.session, self.keyset, columns, self.known, condition):
            kept = [row for row in map(self._row, batch) if row is not None]
            self.people += len(batch)
            if kept:
                self._append(kept)
            progress("people", self.people, total)

    def preview(self, condition: Condition, limit: int) -> list[str]:
        """The first lines as they would be, of the first people only; ids as they are: none is personal data."""
        lines: list[str] = []
        for batch in people_rows.rows(self.session, self.keyset, self.build.columns(), self.known, condition):
            rows = [row for row in map(self._row, batch) if row is not None and row[1]]
            lines += [line_of(self.build, *row) for row in rows[: limit - len(lines)]]
            self.people += len(batch)
            if len(lines) == limit or self.people >= LOOKED_AT:
                return lines
        return lines

    def _row(self, cells: Sequence[str]) -> tuple[str, list[str]] | None:
        identifier, *values = cells
        if not identifier:
            self.without_id += 1
            return None
        row = self._sync(identifier, values) if self.build.kind == "id_sync" else self._line(identifier, values)
        if isinstance(row, str):
            self.refused[row] += 1
            return None
        return row

    def _line(self, identifier: str, values: Sequence[str]) -> tuple[str, list[str]] | str | None:
        meant: dict[str, Op] = {}
        reading = iter(values)
        for rule in self.build.items:
            found = _item(rule, next(reading) if rule.attribute else "")
            if isinstance(found, str):
                return found
            if found is not None:
                meant.setdefault(found[0], found[1])
        if not meant:
            return identifier, []
        items = sorted(meant)
        context = LineContext(self.registered.id_rule(self.build.dpid))
        read = parse_line(f"{identifier}\t{','.join(items)}".encode("utf-8", "replace"), context)
        if read.category != "ok":
            return read.problem.code if read.problem is not None else read.category
        if read.warnings:
            return read.warnings[0]
        return (identifier, items) if list(read.ops) == [meant[one] for one in items] else "not_writable"

    def _sync(self, identifier: str, values: Sequence[str]) -> tuple[str, list[str]] | str | None:
        if not all(values):
            self.without_id += 1
            return None
        name = self.build.file_name(0)
        assert isinstance(name, IdSyncName)
        read = parse_row("\t".join([identifier, *values]).encode("utf-8", "replace"), RowContext(name))
        if read.category != "ok":
            return read.problem.code if read.problem is not None else read.category
        return identifier, list(values)

    def _append(self, rows: Sequence[tuple[str, list[str]]]) -> None:
        table = pa.table({
            "n": pa.array(range(self.people - len(rows), self.people), pa.int64()),
            "id": pa.array([identifier for identifier, _ in rows], pa.string()),
            "items": pa.array([items for _, items in rows], pa.list_(pa.string())),
        })  # fmt: skip
        self.session.register("am_people", table)
        try:
            self.session.run("INSERT INTO am_staged SELECT n, id, items FROM am_people")
        finally:
            self.session.unregister("am_people")


def line_of(build: Build, identifier: str, items: Sequence[str]) -> str:
    """A line without its end."""
    return "\t".join([identifier, *items]) if build.kind == "id_sync" else f"{identifier}\t{','.join(items)}"


def _item(rule: ItemRule, value: str) -> tuple[str, Op] | str | None:
    """An item as it is written and what it means; None where there is nothing; a code where it may not leave."""
    if rule.trait is not None:
        return _trait(rule.trait)
    if not value:
        return None
    if rule.traits:
        folded = {text.casefold(): trait for text, trait in rule.traits.items()}
        trait = folded.get(value.casefold())
        return None if trait is None else _trait(trait)
    if email_at(value) is not None:
        return "email_in_value"
    if re.fullmatch(PHONE_VALUE_PATTERN, value):
        return PHONE
    assert rule.key is not None
    return f"{rule.key}={quoted(value)}", Op("signal", key=rule.key, value=value)


def _trait(trait: int) -> tuple[str, Op]:
    return f"d_sid={trait}", Op("add_trait", trait)


def quoted(value: str) -> str:
    """A value as it has to stand behind ``key=``; whether it can stand there at all, the parser says."""
    is_raw = not ({'"', ","} & set(value)) and value == value.strip() and not value.startswith("=")
    return value if is_raw else f'"{value}"'
