"""Yes or no."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, decided, look_up
from ingest_core.models import Converted, TypeContext

_WORDS = {
    **dict.fromkeys(("true", "yes", "y", "t", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "n", "f", "off", "0"), "false"),
}


class Boolean(DataType):
    """true/false, yes/no, y/n, t/f, on/off, 1/0 in any case; canonical ``true`` and ``false``."""

    name = "boolean"
    label = "Yes or no"
    sql_type = "BOOLEAN"
    reason = "not_a_boolean"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        word = _WORDS.get(text.lower())
        if word is None:
            raise Unfit(self.reason)
        return word

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides ASCII."""
        return decided(values, look_up(pc.ascii_lower(values), _WORDS), pc.string_is_ascii(values), self.reason)

    def mask(self, text: str) -> str:
        """Nothing is shown."""
        return HIDDEN
