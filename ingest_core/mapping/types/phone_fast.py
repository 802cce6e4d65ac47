"""Phone numbers of a whole column at once: bring each to ``+digits`` where the way is certain, then judge all.

Follows the library step by step (see phone_rules.py); whatever is not certain stays open.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import codes_where, nulls, text_where
from ingest_core.mapping.types.phone_rules import Plan, international, main_plan, plan_of
from ingest_core.models import Converted

SCIENTIFIC = r"^[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]{1,4}$"
"""What a spreadsheet makes of a long number."""

FEWEST, MOST = 4, 17
"""Digits of something that could be a number if only its country were known."""

ENDLESS = 30
"""More digits than any prefixes and number together."""

_SHAPE = r"^\(?(?:\+\(?)?[0-9][0-9 ().\-/]*$"
_FOREIGN = r"[^0-9+ ().\-/\[\]]"
_MARKS = r"[ ().\-/]+"
_LONGEST = 64


def decide(values: pa.StringArray, country: str | None) -> Converted:
    """Canonical numbers and reasons; both null where the value is left to the library."""
    plain = _judge(values, has_country=True)
    if plain.text.null_count == values.null_count:  # canonical as they stand
        return Converted(plain.text)
    is_shaped = pc.match_substring_regex(values, _SHAPE)
    code = nulls(len(values))
    if not pc.all(is_shaped).as_py():
        code = pc.replace_with_mask(code, pc.invert(is_shaped), _refused(values.filter(pc.invert(is_shaped))))
    digits = text_where(pc.and_(is_shaped, pc.less_equal(pc.binary_length(values), _LONGEST)), values)
    if pc.any(pc.match_substring_regex(digits, _MARKS)).as_py():
        digits = pc.replace_substring_regex(digits, _MARKS, "")
    judged = _judge(_with_plus(digits, country), has_country=country is not None)
    if country is None:
        judged = _without_country(digits, judged)
    is_endless = codes_where(pc.greater(pc.binary_length(digits), ENDLESS), "not_a_phone")
    return Converted(judged.text, pc.coalesce(code, is_endless, judged.code))


def _refused(values: pa.StringArray) -> pa.StringArray:
    """The reason for cells that are hopeless, else null.

    Hopeless is scientific notation, and ASCII without any digit or with foreign characters (``tel:`` may be in front).
    """
    has_foreign = pc.and_(
        pc.match_substring_regex(values, _FOREIGN), pc.invert(pc.starts_with(values, "tel:", ignore_case=True))
    )
    has_no_digit = pc.invert(pc.match_substring_regex(values, "[0-9]"))
    is_bad = pc.and_(pc.string_is_ascii(values), pc.or_(has_foreign, has_no_digit))
    is_damaged = pc.match_substring_regex(values, SCIENTIFIC)
    return pc.coalesce(codes_where(is_damaged, "spreadsheet_damage"), codes_where(is_bad, "not_a_phone"))


def _with_plus(digits: pa.StringArray, country: str | None) -> pa.StringArray:
    """International form, unchecked; null where it is uncertain. ``digits`` may begin with a plus."""
    has_plus = pc.starts_with(digits, "+")
    if country is None:
        return text_where(
            pc.or_(has_plus, pc.starts_with(digits, "00")), pc.replace_substring_regex(digits, "^00", "+")
        )
    plan = plan_of(country)
    abroad = text_where(pc.starts_with(digits, "00"), pc.replace_substring_regex(digits, "^00", "+"))
    if plan.abroad != "00":
        abroad = nulls(len(digits))
    is_home = pc.invert(
        pc.or_(has_plus, pc.or_(pc.starts_with(digits, "00"), pc.match_substring_regex(digits, f"^(?:{plan.abroad})")))
    )
    result = pc.coalesce(text_where(has_plus, _trunk_dropped(digits, main_plan(country))), abroad)
    if pc.any(is_home).as_py():
        result = pc.coalesce(result, _from_home(text_where(is_home, digits), plan))
    return result


def _trunk_dropped(digits: pa.StringArray, plan: Plan) -> pa.StringArray:
    """``+44020…`` (written "+44 (0)20 …") without the trunk prefix, for the calling code of the plan."""
    start = f"+{plan.code}"
    is_trunk = pc.and_(
        pc.starts_with(digits, start), pc.match_substring_regex(digits, rf"^\+{plan.code}(?:{plan.prefix[1:]})")
    )
    if not pc.any(is_trunk).as_py():
        return digits
    rest = pc.utf8_slice_codeunits(text_where(is_trunk, digits), len(start))
    return pc.coalesce(_prefixed(start, _dropped(rest, plan)), digits)


def _from_home(digits: pa.StringArray, plan: Plan) -> pa.StringArray:
    """Numbers as written inside the country, in international form; null where uncertain."""
    start = f"+{plan.code}"
    is_general = pc.and_(pc.match_substring_regex(digits, plan.general), _is_short(digits, plan))
    may_hold_code = pc.and_(pc.starts_with(digits, plan.code), pc.invert(is_general))
    rest = pc.utf8_slice_codeunits(text_where(may_hold_code, digits), len(plan.code))
    is_clear = pc.invert(_has_prefix(rest, plan))
    holds_code = pc.or_(pc.match_substring_regex(rest, plan.general), pc.invert(_is_short(digits, plan)))
    with_code = _prefixed("+", text_where(pc.and_(is_clear, holds_code), digits))
    at_home = text_where(
        pc.or_(pc.invert(may_hold_code), pc.fill_null(pc.and_(is_clear, pc.invert(holds_code)), False)), digits
    )
    plain = text_where(pc.invert(_has_prefix(at_home, plan)), at_home)
    return pc.coalesce(with_code, _prefixed(start, pc.coalesce(plain, _dropped(at_home, plan))))


def _dropped(digits: pa.StringArray, plan: Plan) -> pa.StringArray:
    """The number without its national prefix where the library is certain to drop it, else null."""
    has_prefix = _has_prefix(digits, plan)
    if plan.rewrites:
        rewriting = pc.replace_substring_regex(digits, plan.prefix + "[0-9]*", rf"\{plan.rewrites}")
        is_rewritten = pc.and_(has_prefix, pc.not_equal(rewriting, ""))
        rewritten = pc.replace_substring_regex(digits, plan.prefix, plan.rule, max_replacements=1)
        rest = pc.if_else(is_rewritten, rewritten, _without_prefix(digits, plan))
    else:
        rest = _without_prefix(digits, plan)
    rest = text_where(has_prefix, rest)
    return text_where(pc.match_substring_regex(rest, plan.general), rest)


def _has_prefix(digits: pa.StringArray, plan: Plan) -> pa.BooleanArray:
    if plan.is_hollow:
        return pc.not_equal(_without_prefix(digits, plan), digits)
    return pc.match_substring_regex(digits, plan.prefix)


def _without_prefix(digits: pa.StringArray, plan: Plan) -> pa.StringArray:
    return pc.replace_substring_regex(digits, plan.prefix, "", max_replacements=1)


def _is_short(digits: pa.StringArray, plan: Plan) -> pa.BooleanArray:
    return pc.less_equal(pc.binary_length(digits), plan.longest)


def _prefixed(start: str, digits: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise(pa.scalar(start), digits, "")


def _judge(numbers: pa.StringArray, *, has_country: bool) -> Converted:
    rules = international()
    is_certain = pc.invert(pc.match_substring_regex(numbers, rules.prefixed))
    for plan in rules.hollow:
        is_its = pc.starts_with(numbers, f"+{plan.code}")
        if pc.any(is_its).as_py():
            rest = pc.utf8_slice_codeunits(numbers, len(plan.code) + 1)
            is_certain = pc.and_(is_certain, pc.invert(pc.and_(is_its, _has_prefix(rest, plan))))
    is_good = pc.and_(is_certain, pc.match_substring_regex(numbers, rules.possible))
    is_bad = pc.and_(is_certain, pc.invert(is_good))
    if has_country and pc.any(is_bad).as_py():  # the library then tries the digits as a national number
        is_bad = pc.and_(is_bad, pc.match_substring_regex(numbers, rules.known))
    return Converted(text_where(is_good, numbers), codes_where(is_bad, "not_a_phone"))


def _without_country(digits: pa.StringArray, judged: Converted) -> Converted:
    """Adds the reason for national numbers when there is no country to read them by."""
    is_home = pc.match_substring_regex(digits, "^(?:[1-9]|0[1-9])")
    length = pc.binary_length(digits)
    is_number = pc.and_(is_home, pc.and_(pc.greater_equal(length, FEWEST), pc.less_equal(length, MOST)))
    return Converted(judged.text, pc.coalesce(judged.code, codes_where(is_number, "phone_needs_country")))
