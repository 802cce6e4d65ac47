"""Countries by ISO 3166."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pycountry

from ingest_core.mapping.types.base import HIDDEN, DataType, Unfit, decided, look_up
from ingest_core.models import Converted, TypeContext

_ALIASES = {
    "AE": "UAE",
    "BO": "Bolivia",
    "BN": "Brunei",
    "CD": "DR Congo, DRC, Congo-Kinshasa, Democratic Republic of the Congo",
    "CG": "Congo-Brazzaville, Republic of the Congo",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "FM": "Micronesia",
    "GB": "UK, U.K., Great Britain, Britain, England, Scotland, Wales, Northern Ireland",
    "IR": "Iran",
    "KP": "North Korea",
    "KR": "South Korea",
    "LA": "Laos",
    "MD": "Moldova",
    "MK": "Macedonia",
    "MM": "Burma",
    "NL": "Holland, The Netherlands",
    "PS": "Palestine",
    "RU": "Russia",
    "SY": "Syria",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "TR": "Turkey",
    "TW": "Taiwan",
    "TZ": "Tanzania",
    "US": "U.S., U.S.A., United States of America",
    "VA": "Vatican, Vatican City",
    "VE": "Venezuela",
    "VN": "Vietnam",
}
"""Names in daily use that ISO does not have."""


_LONGEST = 100
"""Characters of the longest text that is looked at."""


def _key(name: str) -> str:
    """Letters only, without accents and case: ``Côte d'Ivoire`` and ``COTE D IVOIRE`` are one."""
    plain = unicodedata.normalize("NFKD", name).replace("&", " and ")
    return re.sub(r"[^\w]|_", "", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


@cache
def _codes() -> dict[str, str]:
    """Key of every code and name → alpha-2."""
    names: dict[str, str] = {}
    for country in pycountry.countries:
        for field in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            if hasattr(country, field):
                names[_key(getattr(country, field))] = country.alpha_2
    for code, aliases in _ALIASES.items():
        for alias in aliases.split(", "):
            names.setdefault(_key(alias), code)
    return names


class Country(DataType):
    """Canonical is the alpha-2 code; alpha-3 codes and English names are understood."""

    name = "country"
    label = "Country"
    reason = "not_a_country"

    def exact(self, text: str, fmt: str | None, context: TypeContext) -> str:
        """See ``DataType.exact``."""
        code = _codes().get(_key(text)) if len(text) <= _LONGEST else None
        if code is None:
            raise Unfit(self.reason)
        return code

    def fast(self, values: pa.StringArray, fmt: str | None, context: TypeContext) -> Converted:
        """Decides ASCII, with the same key as ``_key``."""
        keys = pc.replace_substring_regex(pc.replace_substring(pc.ascii_lower(values), "&", "and"), "[^a-z0-9]+", "")
        is_sure = pc.and_(pc.string_is_ascii(values), pc.less_equal(pc.binary_length(values), _LONGEST))
        return decided(values, look_up(keys, _codes()), is_sure, self.reason)

    def mask(self, text: str) -> str:
        """Nothing is shown."""
        return HIDDEN
