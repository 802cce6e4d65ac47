"""One line of a data file, exactly (spec §5): what it asks for, or where and why it is refused.

``parse_line`` is the truth; ``line_blocks`` reads whole blocks faster and is held to it by tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ingest_core.audience_manager.data_sources import CUSTOMER, IdRule, colon_at, email_at, id_rule
from ingest_core.audience_manager.items import Item, ItemError, Op, parse_item

MAX_LINE_BYTES = 102_400
"""Of a line without its end; a longer one is left out of the transfer."""

BOM = b"\xef\xbb\xbf"

Category = Literal["ok", "blank", "excluded_too_long", "format_error", "invalid_aam_id", "invalid_device_id"]

CATEGORIES: tuple[Category, ...] = (
    "ok", "blank", "excluded_too_long", "format_error", "invalid_aam_id", "invalid_device_id",
)  # fmt: skip

WARNINGS = ("bom", "smart_quotes", "empty_item", "dash_stripped", "key_not_addressable", "empty_value")
"""What an accepted line may be warned of, in the order in which a line names them."""

ODC_TYPES = {
    "idfa": 20915,
    "gaid": 20914,
    "android": 20914,
    "android_device_id": 20914,
    "android device id": 20914,
}
"""First column of an ODC file, in lower case → DPID of its ids (D-27)."""


@dataclass(frozen=True, slots=True)
class LineContext:
    """What the file's name and settings say about its lines. ``odc_dpid``: the type an ODC file's first row has set."""

    ids: IdRule = CUSTOMER
    mode: Literal["sync", "overwrite"] = "sync"
    variant: Literal["standard", "odc"] = "standard"
    odc_dpid: int | None = None
    strict_alnum: bool = False
    max_line_bytes: int = MAX_LINE_BYTES


class LineProblem(NamedTuple):
    """Why a line is no record: code, column (bytes from 1) and why, without any content of the line."""

    code: str
    column: int
    why: str


class ParsedLine(NamedTuple):
    """One line. ``user_id`` where the line is well formed, also with an invalid id; ``ops`` of an ok line only.

    ``id_dpid``: of an ODC line, the namespace of its id. Removals of an overwrite file are there and mean nothing:
    ``is_ignored``.
    """

    category: Category
    user_id: str | None = None
    ops: tuple[Op, ...] = ()
    warnings: tuple[str, ...] = ()
    problem: LineProblem | None = None
    id_dpid: int | None = None


def is_ignored(op: Op, mode: str) -> bool:
    """Whether an operation counts for nothing: removals in an overwrite file (D-24)."""
    return mode == "overwrite" and op.kind == "remove_trait"


def parse_line(raw: bytes, context: LineContext, *, is_first: bool = False) -> ParsedLine:
    """One line with or without its end. ``is_first``: a byte order mark before it is dropped with a warning.

    Never raises.
    """
    body = raw[:-1] if raw.endswith(b"\n") else raw
    body = body[:-1] if body.endswith(b"\r") else body
    if is_first and body.startswith(BOM):
        line = parse_body(body[len(BOM) :], context)
        return line if line.category == "blank" else line._replace(warnings=("bom", *line.warnings))
    return parse_body(body, context)


def parse_body(body: bytes, context: LineContext) -> ParsedLine:
    """One line without its end, through the checks of spec §5.1 in their order."""
    if not body:
        return ParsedLine("blank")
    if len(body) > context.max_line_bytes:
        why = f"The line has {len(body):,} bytes; {context.max_line_bytes:,} are taken."
        return ParsedLine("excluded_too_long", problem=LineProblem("line_too_long", context.max_line_bytes + 1, why))
    text = readable(body)
    if isinstance(text, LineProblem):
        return ParsedLine("format_error", problem=text)
    cells = _cells(text, context)
    if isinstance(cells, LineProblem):
        return ParsedLine("format_error", problem=cells)
    user_id, payload, rule = cells
    at = len(text) - len(payload)
    items = _items(payload)
    if isinstance(items, ItemError):
        problem = LineProblem(items.code, _column(text, at + items.at), items.why)
        return ParsedLine("format_error", problem=problem)
    ops, warnings = items
    if not ops:
        return ParsedLine("format_error", problem=LineProblem("no_items", _column(text, at), "No item is left."))
    dpid = rule.dpid if context.variant == "odc" else None
    wrong = wrong_form(user_id, rule, _column(text, at - 1 - len(user_id)))
    if wrong is not None:
        category: Category = "invalid_aam_id" if rule.kind == "uuid" else "invalid_device_id"
        return ParsedLine(category, user_id, warnings=warnings, problem=wrong, id_dpid=dpid)
    return ParsedLine("ok", user_id, ops, warnings, id_dpid=dpid)


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def readable(body: bytes) -> str | LineProblem:
    """The text of a line, or checks 3 to 5: UTF-8, control characters, white space at the end."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return LineProblem("bad_utf8", error.start + 1, "The bytes here are no UTF-8.")
    control = _CONTROL.search(text)
    if control is not None:
        why = f"U+{ord(control[0]):04X} is a control character."
        return LineProblem("control_char", _column(text, control.start()), why)
    if text[-1] in "\t ":
        what = "a tab" if text[-1] == "\t" else "a space"
        return LineProblem("trailing_whitespace", len(body), f"The line ends with {what}.")
    return text


def _cells(text: str, context: LineContext) -> tuple[str, str, IdRule] | LineProblem:
    """(user id, payload, rule for the id), or checks 6 to 9."""
    is_odc = context.variant == "odc"
    wanted = 2 if is_odc else 1
    *before, payload = text.split("\t")
    if len(before) < wanted:
        why = f"There have to be {wanted} tabs; there are {len(before)}." if is_odc else "There is no tab."
        return LineProblem("no_tab", len(text.encode()), why)
    if len(before) > wanted:
        place = _column(text, sum(len(cell) + 1 for cell in before[: wanted + 1]) - 1)
        return LineProblem("extra_tab", place, f"There may be {wanted} {'tabs' if is_odc else 'tab'}, here is another.")
    rule = _odc_rule(before[0], context) if is_odc else context.ids
    if isinstance(rule, LineProblem):
        return rule
    at = len(before[0]) + 1 if is_odc else 0
    wrong = _wrong_user_id(before[-1], rule)
    if wrong is not None:
        code, offset, why = wrong
        return LineProblem(code, _column(text, at + offset), why)
    return before[-1], payload, rule


def _odc_rule(kind: str, context: LineContext) -> IdRule | LineProblem:
    dpid = ODC_TYPES.get(kind.lower())
    if dpid is None:
        return LineProblem("odc_bad_id_type", 1, f"The id type has to be one of {', '.join(ODC_TYPES)}.")
    if context.odc_dpid not in (None, dpid):
        return LineProblem("odc_mixed_id_types", 1, f"The file began with ids of {context.odc_dpid}.")
    return id_rule(dpid, strict_alnum=context.strict_alnum)


def _wrong_user_id(user_id: str, rule: IdRule) -> tuple[str, int, str] | None:
    """(code, offset, why) of checks 7 to 9; the last two are for customer ids."""
    if not user_id:
        return "empty_user_id", 0, "The user id is empty."
    if user_id[0] == " " or user_id[-1] == " ":
        offset = 0 if user_id[0] == " " else len(user_id) - 1
        return "whitespace_around_user_id", offset, "A space stands before or after the user id."
    if rule.kind != "customer":
        return None
    colon = colon_at(user_id)
    if colon is not None:
        return "colon_in_user_id", colon, "A user id may hold no colon, nor %3A."
    email = email_at(user_id)
    if email is not None:
        return "pii_in_user_id", email, "The user id holds an e-mail address."
    return None


_CURLY = str.maketrans("\u201c\u201d", '""')


def _items(payload: str) -> tuple[tuple[Op, ...], tuple[str, ...]] | ItemError:
    """(operations, warnings each once), or the first item that is refused; checks 10 and 11."""
    plain = payload.translate(_CURLY) if "\u201c" in payload or "\u201d" in payload else payload
    parts, is_open = split_items(plain)
    ops: list[Op] = []
    found = set() if plain is payload else {"smart_quotes"}
    at = 0
    for index, part in enumerate(parts, 1):
        item: Item | ItemError = parse_item(part)
        if is_open and index == len(parts):
            item = _open_item(item, part)
        if isinstance(item, ItemError):
            return item._replace(at=at + item.at)
        if item.op is not None:
            ops.append(item.op)
        if item.warnings:
            found.update(item.warnings)
        at += len(part) + 1
    return tuple(ops), tuple(name for name in WARNINGS if name in found) if found else ()


def _open_item(item: Item | ItemError, text: str) -> ItemError:
    """Why an item with an odd number of quotes is refused: text after its closing quote, else the quote itself."""
    if isinstance(item, ItemError) and item.code == "junk_after_quote":
        return item
    return ItemError("unbalanced_quote", text.rindex('"'), "There is an odd number of quotes on the line.")


def split_items(payload: str) -> tuple[list[str], bool]:
    """(texts between the commas that stand outside quotes, whether the last one has a quote without partner)."""
    parts = payload.split(",")
    if '"' not in payload:
        return parts, False
    joined: list[str] = []
    open_parts: list[str] = []
    for part in parts:
        is_odd = part.count('"') % 2 == 1
        if not open_parts and not is_odd:
            joined.append(part)
            continue
        closes = bool(open_parts) and is_odd
        open_parts.append(part)
        if closes:
            joined.append(",".join(open_parts))
            open_parts = []
    if open_parts:
        joined.append(",".join(open_parts))
    return joined, bool(open_parts)


def wrong_form(identifier: str, rule: IdRule, column: int) -> LineProblem | None:
    """The problem of an id that has not the form of its namespace (check 13)."""
    if rule.form is None or rule.form.fits(identifier):
        return None
    if rule.kind == "uuid":
        return LineProblem("invalid_aam_id", column, f"An Audience Manager id is {rule.form.words}.")
    return LineProblem("invalid_device_id", column, f"An id of data source {rule.dpid} is {rule.form.words}.")


def _column(text: str, offset: int) -> int:
    """Bytes from 1 of a place given in characters."""
    return 1 + (offset if text.isascii() else len(text[:offset].encode()))
