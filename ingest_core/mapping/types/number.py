"""Decimal numbers: canonical plain notation that fits DECIMAL(38,10)."""

from __future__ import annotations

import re
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Format, Unfit, codes_where, nulls, text_where
from ingest_core.models import Converted, TypeContext

DIGITS_BEFORE = 28
DIGITS_AFTER = 10

CANONICAL = r"^(?:0|-?[1-9][0-9]{0,27}|-?(?:0|[1-9][0-9]{0,27})\.[0-9]{0,9}[1-9])$"
"""Canonical text, for RE2: decimal point, no plus, no needless zeros, no "-0"."""

_SPACES = " \u00a0\u2007\u2009\u202f"  # space, no-break, figure, thin and narrow no-break space
_GROUPING = {".": ",'’" + _SPACES, ",": ".'’" + _SPACES}
"""Decimal sign → characters that may group digits."""


def _patterns(sign: str) -> tuple[re.Pattern[str], str]:
    """The exact grammar for ``re`` and, for RE2, the part of it that is common (one kind of grouping)."""
    dot, marks = re.escape(sign), re.escape(_GROUPING[sign])
    western = rf"[0-9]{{1,3}}(?P<mark>[{marks}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    indian = r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    whole = rf"{western}|{indian}|[0-9]+" if sign == "." else rf"{western}|[0-9]+"
    body = rf"(?P<whole>{whole})(?:{dot}(?P<part>[0-9]*))?|{dot}(?P<only>[0-9]+)"
    exact = rf"(?P<sign>[+-]?)(?:{body})(?P<exp>[eE][+-]?[0-9]+)?"
    mark = re.escape(_GROUPING[sign][0])
    grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+" + (f"|{indian}" if sign == "." else "")
    common = rf"^[+-]?(?:(?:[0-9]+|{grouped})(?:{dot}[0-9]*)?|{dot}[0-9]+)$"
    return re.compile(exact), common


_PLAIN_SIGNS = r"^[0-9.,+\-]*$"
"""Over these characters alone the common part is the whole grammar."""

_FOREIGN = rf"[^0-9eE+\-.,'’{_SPACES}]|[^eE][+-]"
"""A character that no number holds, or a sign where none can be."""

_EXACT, _COMMON = zip(*(_patterns(sign) for sign in ".,"), strict=True)


FAR = 10**6
"""An exponent so far out that no sign of it matters."""


def parse(text: str, sign: str) -> Decimal | None:
    """The value of a written number, None when it is none. Digits are ASCII; groups are of three or Indian."""
    found = _EXACT[".,".index(sign)].fullmatch(text)
    if found is None:
        return None
    whole = re.sub("[^0-9]", "", found["whole"] or "")
    part = found["part"] or found["only"] or ""
    digits = (whole + part).strip("0")
    if not digits:
        return Decimal(0)
    written = (found["exp"] or "e0")[1:]
    exponent = max(-FAR, min(FAR, int(written))) if len(written) < 1000 else FAR
    shift = exponent - len(part) + len(whole + part) - len((whole + part).rstrip("0"))
    return Decimal((int(found["sign"] == "-"), tuple(map(int, digits)), shift))


def plain(value: Decimal) -> str:
    """Canonical text of a value without trailing zeros; ``Unfit`` when DECIMAL(38,10) cannot hold it."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if value and (len(digits) + exponent > DIGITS_BEFORE or -exponent > DIGITS_AFTER):
        raise Unfit("number_out_of_range")
    return format(value, "f")


class Number(DataType):
    """A decimal number. The format is the decimal sign; scientific notation is taken, currency and percent are not."""

    name = "number"
    label = "Number"
    sql_type = "DECIMAL(38,10)"
    reason = "not_a_number"
    is_ordered = True
    can_sum = True
    formats = (Format(".", "Decimal point", "1,234.56"), Format(",", "Decimal comma", "1.234,56"))

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        value = parse(text, fmt or ".")
        if value is None:
            raise Unfit(self.reason)
        return plain(value)

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides plain and commonly grouped numbers, and whatever holds a character no number has."""
        sign = fmt or "."
        if sign == ",":
            return self._decide(values, sign)
        is_other = pc.invert(pc.match_substring_regex(values, self._canonical))
        if not pc.any(is_other).as_py():
            return Converted(values)
        rest = self._decide(values.filter(is_other), sign)
        code = pc.replace_with_mask(nulls(len(values)), is_other, rest.code)
        return Converted(pc.replace_with_mask(values, is_other, rest.text), code)

    def _decide(self, values: pa.StringArray, sign: str) -> Converted:
        is_common = pc.match_substring_regex(values, _COMMON[".,".index(sign)])
        text = _tidied(text_where(is_common, values), sign)
        is_bad = pc.and_(
            pc.invert(is_common),
            pc.or_(pc.match_substring_regex(values, _PLAIN_SIGNS), pc.match_substring_regex(values, _FOREIGN)),
        )
        is_bad = pc.or_kleene(is_bad, pc.match_substring_regex(text, self._impossible))
        is_good = pc.match_substring_regex(text, self._canonical)
        return Converted(text_where(is_good, text), codes_where(is_bad, self.reason))

    _canonical = CANONICAL
    _impossible = r"[^\s\S]"  # tidied text that cannot be of this type: none

    def mask(self, text: str) -> str:
        """Nothing of a number is shown."""
        return HIDDEN


def _tidied(text: pa.StringArray, sign: str) -> pa.StringArray:
    """Numbers of the common grammar without plus, grouping and needless zeros, with a decimal point."""
    text = pc.replace_substring(text, _GROUPING[sign][0], "")
    if sign == ",":
        text = pc.replace_substring(text, ",", ".")
    if pc.all(pc.match_substring_regex(text, CANONICAL)).as_py():
        return text
    text = pc.replace_substring_regex(text, r"^\+", "")
    text = pc.replace_substring_regex(text, r"^(-?)\.", r"\10.")
    text = pc.replace_substring_regex(text, r"^(-?)0+([0-9])", r"\1\2")
    text = pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1")
    text = pc.replace_substring_regex(text, r"\.$", "")
    return pc.replace_substring_regex(text, "^-0$", "0")
