"""Which signs occur in a column at all: what cannot be there without a missing sign is not even tried.

Reading a column in each of fifty formats costs more than everything else; most formats fall out by one look.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_SIGNS = {
    "@": "[@＠]",
    "://": "://",
    ":": ":",
    "/": "/",
    "-": "-",
    ".": r"\.",
    "digit": r"[0-9\x{80}-\x{10FFFF}]",
    "letter": "[A-Za-z]",
    "eight digits": "[0-9]{8}",
}

_OF_TYPES = {
    "email": {"@"},
    "url": {"://"},
    "phone": {"digit"},
    "number": {"digit"},
    "integer": {"digit"},
    "date": {"digit"},
    "datetime": {"digit", ":"},
}


def signs_in(values: pa.StringArray) -> frozenset[str]:
    """The signs that occur in any of the values; "digit" also where only letters beyond ASCII may be digits."""
    return frozenset(
        name for name, pattern in _SIGNS.items() if pc.any(pc.match_substring_regex(values, pattern)).as_py()
    )


def signs_of(type_name: str, fmt: str | None) -> frozenset[str]:
    """The signs that every value of this type and format holds."""
    needed = set(_OF_TYPES.get(type_name, ()))
    if type_name in ("date", "datetime") and fmt:
        day = fmt.removesuffix(" HH:MM")
        needed |= {sign for sign in "/-." if sign in day}
        needed |= {"letter"} if "Mon" in day else {"eight digits"} if day == "YYYYMMDD" else set()
    return frozenset(needed)
