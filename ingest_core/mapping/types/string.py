"""Text: any Unicode in NFC, without invisible control characters."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, codes_where, text_where
from ingest_core.models import Converted, TypeContext

LIMIT = 65_536
"""Characters of one text."""

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_WORD = re.compile(r"\S+")


def _nfc(values: pa.StringArray) -> pa.StringArray:
    """Always Arrow's NFC: Python's knows an older Unicode, and equal text must give equal tokens everywhere."""
    return pc.utf8_normalize(values, "NFC")


class String(DataType):
    """NFC, trimmed of Unicode white space, at most 65,536 characters; TAB, LF and CR are the only C0 controls."""

    name = "string"
    label = "Text"
    reason = "too_long"
    is_ordered = True

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        if re.search(_CONTROL, text):
            raise Unfit("control_character")
        normal = str(_nfc(pa.array([text]))[0]).strip()  # a lone surrogate is no text: a ValueError here
        if len(normal) > LIMIT:
            raise Unfit("too_long")
        return normal

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """ASCII passes through; the rest is normalised by Arrow. A cell of white space alone is blank."""
        text = pc.utf8_trim_whitespace(values)
        if not pc.all(pc.string_is_ascii(text)).as_py():
            text = pc.utf8_trim_whitespace(_nfc(text))
        has_control = pc.match_substring_regex(text, _CONTROL)
        is_long = pc.greater(pc.utf8_length(text), LIMIT)
        is_blank = pc.equal(text, "")
        code = pc.coalesce(codes_where(has_control, "control_character"), codes_where(is_long, "too_long"))
        return Converted(text_where(pc.invert(pc.or_(is_blank, pc.is_valid(code))), text), code)

    def mask(self, text: str) -> str:
        """``Anna Maria`` → ``A••• M•••``: first letters, lengths hidden."""
        return _WORD.sub(lambda word: word[0][0] + HIDDEN, text)
