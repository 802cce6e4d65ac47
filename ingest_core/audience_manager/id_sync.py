"""Rows of ID sync files: one id per data source of the name, in its order (spec §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ingest_core.audience_manager.data_sources import HASH_FORM, IdRule, colon_at, email_at, escape_at, id_rule
from ingest_core.audience_manager.lines import (
    BOM,
    MAX_LINE_BYTES,
    Category,
    LineProblem,
    readable,
    wrong_form,
)
from ingest_core.audience_manager.name_types import IdSyncName

MOST_HASHES = 10  # in one row and per customer


class ParsedRow(NamedTuple):
    """One row. ``ids``: (dpid, id) per column, of an ok row only."""

    category: Category
    ids: tuple[tuple[int, str], ...] = ()
    warnings: tuple[str, ...] = ()
    problem: LineProblem | None = None


@dataclass(frozen=True, slots=True)
class RowContext:
    """What the file's name says about its rows."""

    name: IdSyncName
    strict_alnum: bool = False
    max_line_bytes: int = MAX_LINE_BYTES

    @property
    def is_c2c(self) -> bool:
        """Whether the other columns are hashed e-mail addresses."""
        return self.name.prefix == "c2c_id"


def parse_row(raw: bytes, context: RowContext, *, is_first: bool = False) -> ParsedRow:
    """One row with or without its end. ``is_first``: a byte order mark before it is dropped. Never raises."""
    body = raw[:-1] if raw.endswith(b"\n") else raw
    body = body[:-1] if body.endswith(b"\r") else body
    warnings: tuple[str, ...] = ()
    if is_first and body.startswith(BOM):
        body, warnings = body[len(BOM) :], ("bom",)
    if not body:
        return ParsedRow("blank")
    if len(body) > context.max_line_bytes:
        why = f"The row has {len(body):,} bytes; {context.max_line_bytes:,} are taken."
        problem = LineProblem("line_too_long", context.max_line_bytes + 1, why)
        return ParsedRow("excluded_too_long", warnings=warnings, problem=problem)
    text = readable(body)
    if isinstance(text, LineProblem):
        return ParsedRow("format_error", warnings=warnings, problem=text)
    return _row(text, context)._replace(warnings=warnings)


def _row(text: str, context: RowContext) -> ParsedRow:
    cells = text.split("\t")
    dpids = _dpids(len(cells), context)
    if dpids is None:
        wanted = f"2 to {MOST_HASHES + 1}" if context.is_c2c else str(len(context.name.columns))
        why = f"The row has {len(cells)} columns; the name asks for {wanted}."
        return ParsedRow("format_error", problem=LineProblem("column_count", 1, why))
    rules = [id_rule(dpid, strict_alnum=context.strict_alnum) for dpid in dpids]
    places, at = [], 1
    for cell in cells:
        places.append(at)
        at += len(cell.encode()) + 1
    for cell, rule, place in zip(cells, rules, places, strict=True):
        problem = _wrong_cell(cell, rule, place)
        if problem is not None:
            return ParsedRow("format_error", problem=problem)
    for cell, place in zip(cells[1:], places[1:], strict=True) if context.is_c2c else ():
        problem = _wrong_hash(cell, place)
        if problem is not None:
            return ParsedRow("format_error", problem=problem)
    return _judged(cells, dpids, rules, places)


def _dpids(cells: int, context: RowContext) -> tuple[int, ...] | None:
    """The data source of each column; None when there are too few or too many."""
    columns = context.name.columns
    if not context.is_c2c:
        return columns if cells == len(columns) else None
    return (columns[0], *(columns[1:] * (cells - 1))) if 2 <= cells <= MOST_HASHES + 1 else None


def _wrong_cell(cell: str, rule: IdRule, place: int) -> LineProblem | None:
    if not cell:
        return LineProblem("empty_id", place, "The id is empty.")
    if cell[0] == " " or cell[-1] == " ":
        return LineProblem("whitespace_around_id", place, "A space stands before or after the id.")
    checks = [
        ("pii_in_id", email_at(cell), "The id holds an e-mail address."),
        ("url_encoded_id", escape_at(cell), "Ids are not percent-encoded in files."),
        ("colon_in_id", colon_at(cell) if rule.kind == "customer" else None, "A customer id may hold no colon."),
    ]
    for code, offset, why in checks:
        if offset is not None:
            return LineProblem(code, place + len(cell[:offset].encode()), why)
    return None


def _wrong_hash(cell: str, place: int) -> LineProblem | None:
    if HASH_FORM.fits(cell):
        return None
    return LineProblem("bad_hash", place, f"The column has to hold {HASH_FORM.words}.")


def _judged(cells: list[str], dpids: tuple[int, ...], rules: list[IdRule], places: list[int]) -> ParsedRow:
    """Checks 6 and 7: UUIDs before device ids, whatever the order of the columns."""
    classes: tuple[tuple[str, Category], ...] = (("uuid", "invalid_aam_id"), ("device", "invalid_device_id"))
    for kind, category in classes:
        for cell, rule, place in zip(cells, rules, places, strict=True):
            problem = wrong_form(cell, rule, place) if rule.kind == kind else None
            if problem is not None:
                return ParsedRow(category, problem=problem)
    return ParsedRow("ok", tuple(zip(dpids, cells, strict=True)))
