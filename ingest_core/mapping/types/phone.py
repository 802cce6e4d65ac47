"""Phone numbers: E.164, read by the phonenumbers library with a default country."""

from __future__ import annotations

import re

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pycountry
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult, phonenumberutil

from ingest_core.mapping.types.base import HIDDEN, DataType, Format, Unfit
from ingest_core.mapping.types.phone_fast import ENDLESS, FEWEST, MOST, SCIENTIFIC, decide
from ingest_core.models import Converted, TypeContext

_MARKS = r" \-().\[\]/\u00a0\u00ad\u2010-\u2015\u2212\u200b\u2060\u3000\u30fc\uff08\uff09\uff0d-\uff0f\uff3b\uff3d"
_WRITTEN = re.compile(rf"[(\[\uff08]?(?:[+\uff0b][{_MARKS}]*)?\d[\d{_MARKS}]*")
"""Digits of any script, a plus in front, punctuation: no letters, no extension, nothing the library would skip."""

_E164 = re.compile(r"\+[1-9][0-9]{2,18}")


class Phone(DataType):
    """The format is the default country, before that of the context. Numbers must be possible, not proven to exist.

    Extensions and letters are refused rather than dropped, and so are numbers that can only be dialled locally: they
    do not name one line in the world.
    """

    name = "phone"
    label = "Phone number"
    reason = "not_a_phone"
    formats = tuple(
        Format(
            region,
            getattr(pycountry.countries.get(alpha_2=region), "name", region),
            f"+{phonenumberutil.country_code_for_region(region)}",
        )
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    )

    def check_format(self, fmt: str | None) -> str | None:
        """The country in upper case; InputError ``unknown_format`` when no phone country is called that."""
        return super().check_format(fmt.upper() if fmt else fmt)

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        if re.fullmatch(SCIENTIFIC, text):
            raise Unfit("spreadsheet_damage")
        written = text[4:].strip() if text[:4].lower() == "tel:" else text
        if not _WRITTEN.fullmatch(written):
            raise Unfit(self.reason)
        country = self._country(fmt, context)
        digits = phonenumberutil.normalize_digits_only(written)
        if len(digits) > ENDLESS:
            raise Unfit(self.reason)
        if "+" in written or "\uff0b" in written:
            return self._e164(written, country)
        if country is not None:
            try:
                return self._e164(written, country)
            except Unfit:
                if not digits.startswith("00"):
                    raise
        if digits.startswith("00"):
            return self._e164("+" + digits[2:], None)
        raise Unfit("phone_needs_country" if FEWEST <= len(digits) <= MOST else self.reason)

    def _country(self, fmt: str | None, context: TypeContext) -> str | None:
        country = fmt or context.phone_country
        return self.check_format(country)

    def _e164(self, written: str, country: str | None) -> str:
        number = self._parsed(written, country)
        # A number that would be read differently the second time (a prefix in front of a prefix) has no canonical form.
        if not _E164.fullmatch(number) or self._parsed(number, None) != number:
            raise Unfit(self.reason)
        return number

    def _parsed(self, written: str, country: str | None) -> str:
        try:
            number = phonenumbers.parse(written, country)
        except NumberParseException:
            raise Unfit(self.reason) from None
        if number.extension or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
            raise Unfit(self.reason)
        return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides ASCII numbers in international and national form, except rare prefixes."""
        return decide(values, self._country(fmt, context))

    def candidates(self, values: pa.StringArray) -> dict[str, int]:
        """Only {"": numbers in international form}: which country a national number belongs to, no value can tell."""
        return {"": int(pc.sum(self.fits(values, None)).as_py() or 0)}

    def mask(self, text: str) -> str:
        """``+919876544412`` → ``+91 •••••• 4412``."""
        if not _E164.fullmatch(text):
            return HIDDEN
        try:
            code = f"+{phonenumbers.parse(text, None).country_code}"
        except NumberParseException:
            return HIDDEN
        rest = text[len(code) :]
        return f"{code} {'•' * max(3, len(rest) - 4)} {rest[-4:]}" if len(rest) > 6 else f"{code} {HIDDEN}"
