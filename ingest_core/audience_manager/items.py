"""One item of a data line: a trait to add or remove, a bare number, or a signal (spec §5.2–5.5).

Items know nothing of the line around them: the exact parser and the one for whole blocks read them with this same
function, and what one item means is decided here only. Results are tuples: they are made by the hundred thousand, and
tuples are made in a third of the time.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

OpKind = Literal["add_trait", "remove_trait", "bare", "signal"]

OP_KINDS: tuple[OpKind, ...] = ("add_trait", "remove_trait", "bare", "signal")


class Op(NamedTuple):
    """What an item asks for. ``trait`` of the trait kinds, ``value`` of *bare* and *signal*, ``key`` of *signal*."""

    kind: OpKind
    trait: int | None = None
    key: str | None = None
    value: str | None = None


class ItemError(NamedTuple):
    """Why an item is refused: code, offset in the item (characters) and why."""

    code: str
    at: int
    why: str


class Item(NamedTuple):
    """One item that is well formed; ``op`` is None for an empty one."""

    op: Op | None
    warnings: tuple[str, ...] = ()


_BARE = re.compile("[0-9]+")
_REMOVAL = re.compile("([0-9]+):(?:0|-1)")
_LIKE_REMOVAL = re.compile("[0-9]+ *:.*", re.DOTALL)
_TRAIT = re.compile("[0-9]{1,18}")
_ADDRESSABLE = re.compile("[0-9]*[A-Za-z][A-Za-z0-9_-]*")
_DIRECTIVES: dict[str, OpKind] = {"d_sid": "add_trait", "d_unsid": "remove_trait"}
_MOST_DIGITS = 4_000  # of a trait id in a removal: Python converts no longer ones

_EMPTY = Item(None, ("empty_item",))


def parse_item(text: str) -> Item | ItemError:
    """What stands between two commas outside quotes."""
    item = text.strip(" ")
    if not item:
        return _EMPTY
    at = len(text) - len(text.lstrip(" "))
    if item[0] == '"':
        return _quoted_key(item, at)
    sign = item.find("=")
    if sign < 0:
        return _no_pair(item, at)
    quote = item.find('"', 0, sign)
    if quote >= 0:
        return ItemError("stray_quote", at + quote, "A quote stands inside a key that does not begin with one.")
    return _pair(item[:sign], item, sign, at)


def _no_pair(item: str, at: int) -> Item | ItemError:
    if _BARE.fullmatch(item):
        return Item(Op("bare", value=item))
    removal = _REMOVAL.fullmatch(item)
    if removal is not None and len(digits := removal[1].lstrip("0")) <= _MOST_DIGITS:
        return Item(Op("remove_trait", int(digits or "0")))
    quote = item.find('"')
    if quote >= 0:
        return ItemError("stray_quote", at + quote, "A quote stands inside a text that does not begin with one.")
    if _LIKE_REMOVAL.fullmatch(item):
        why = "After a trait's colon stands 0 or -1, without spaces."
        return ItemError("bad_removal_suffix", at + item.index(":"), why)
    return ItemError("bad_item", at, "It is no number, no removal (28:0) and no key=value.")


def _quoted_key(item: str, at: int) -> Item | ItemError:
    close = item.find('"', 1)
    if close < 0:
        return ItemError("unbalanced_quote", at, "The quote is not closed.")
    rest = item[close + 1 :].lstrip(" ")
    if not rest:
        return ItemError("bad_item", at, "A quoted text alone is no item; a key needs = and a value.")
    sign = len(item) - len(rest)
    if rest[0] != "=":
        return ItemError("junk_after_quote", at + sign, "After the closing quote of a key has to stand =.")
    return _pair(item[1:close], item, sign, at)


def _pair(raw_key: str, item: str, sign: int, at: int) -> Item | ItemError:
    trimmed = raw_key.strip(" ")
    key = trimmed.lstrip("- ")
    if not key:
        return ItemError("empty_key", at, "Nothing but spaces and dashes stands before the =.")
    read = _value(item, sign + 1, at)
    if isinstance(read, ItemError):
        return read
    value, value_at = read
    warnings: tuple[str, ...] = ("dash_stripped",) if key != trimmed else ()
    directive = _DIRECTIVES.get(key.lower())
    if directive is not None:
        if _TRAIT.fullmatch(value) is None:
            return ItemError("bad_trait_id", value_at, f"{key} takes a trait id: 1 to 18 digits.")
        return Item(Op(directive, int(value)), warnings)
    if _ADDRESSABLE.fullmatch(key) is None:
        warnings += ("key_not_addressable",)
    if not value:
        warnings += ("empty_value",)
    return Item(Op("signal", key=key, value=value), warnings)


def _value(item: str, begin: int, at: int) -> tuple[str, int] | ItemError:
    """(value, its offset). Inside quotes everything counts; outside, spaces at the ends do not."""
    value = item[begin:].lstrip(" ")
    value_at = at + len(item) - len(value)
    if value.startswith('"'):
        close = value.find('"', 1)
        if close < 0:
            return ItemError("unbalanced_quote", value_at, "The quote is not closed.")
        if value[close + 1 :].strip(" "):
            why = "After the closing quote of a value has to stand a comma or the end of the line."
            return ItemError("junk_after_quote", value_at + close + 1, why)
        return value[1:close], value_at
    if value.startswith("="):
        return ItemError("double_equals", value_at, "The value begins with =; == belongs to rules, not to data.")
    quote = value.find('"')
    if quote >= 0:
        return ItemError("stray_quote", value_at + quote, "A quote stands inside a value that does not begin with one.")
    return value, value_at
