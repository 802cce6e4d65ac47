"""Whole numbers that fit BIGINT."""

from __future__ import annotations

from ingest_core.mapping.types.base import Unfit
from ingest_core.mapping.types.number import Number, parse
from ingest_core.models import TypeContext

SMALLEST, LARGEST = -(2**63), 2**63 - 1


class Integer(Number):
    """Written like a number; a fraction may only consist of zeros (``12.0`` → ``12``)."""

    name = "integer"
    label = "Whole number"
    sql_type = "BIGINT"
    reason = "not_an_integer"

    # Up to 18 digits always fit BIGINT; longer ones are left to ``exact``.
    _canonical = r"^(?:0|-?[1-9][0-9]{0,17})$"
    _impossible = r"\.[0-9]*[1-9]$"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        value = parse(text, fmt or ".")
        if value is None:
            raise Unfit(self.reason)
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        if exponent < 0:
            raise Unfit(self.reason)
        if value.adjusted() > 18 or not SMALLEST <= int(value) <= LARGEST:
            raise Unfit("number_out_of_range")
        return str(int(value))
