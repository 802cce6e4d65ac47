"""Currencies by ISO 4217."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pycountry

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, decided, look_up
from ingest_core.models import Converted, TypeContext


@cache
def _codes() -> dict[str, str]:
    return {currency.alpha_3: currency.alpha_3 for currency in pycountry.currencies}


class Currency(DataType):
    """A code in current use, in capitals. Signs such as $ name no currency and are refused."""

    name = "currency"
    label = "Currency code"
    reason = "not_a_currency"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        code = _codes().get(text.upper()) if text.isascii() else None
        if code is None:
            raise Unfit(self.reason)
        return code

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides ASCII."""
        return decided(values, look_up(pc.ascii_upper(values), _codes()), pc.string_is_ascii(values), self.reason)

    def mask(self, text: str) -> str:
        """Nothing is shown."""
        return HIDDEN
