"""Names of exported files and of their transfer-control files (spec §3.5–3.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from ingest_core.audience_manager.name_types import InfoName, NameProblem, OutboundName, Root

_TYPE = "(?P<sync_type>[Ff][Tt][Pp]|[Ss]3|[Hh][Tt][Tt][Pp])"
_MASTER = "(?P<master>0|[1-9][0-9]*)"
_ALIAS = "(?:_(?P<alias>[A-Za-z0-9][A-Za-z0-9.-]*(?:_[A-Za-z0-9.-]+)*))?"
_IDS = {
    "default": f"(?P<order>[1-9][0-9]*)_{_MASTER}",
    "order_dpid_master": f"(?P<order>[1-9][0-9]*)_(?P<dpid>0|[1-9][0-9]*)_{_MASTER}",
}
_PART = r"(?:(?P<split>(?!000)[0-9]{3}|[1-9][0-9]{3,})|-(?P<dash>[1-9][0-9]*))?"
_STAMPS = {
    13: f"(?:(?P<s>[0-9]{{10}})|(?P<ms>[0-9]{{13}}){_PART})",
    10: f"(?P<s>[0-9]{{10}}){_PART}(?P<ms>(?!))?",
}
_EXTENSION = r"\.(?P<ext>sync|csv)(?P<gz>\.gz)?"
_MOST_DIGITS = 4_000  # of one number: Python refuses to convert longer ones
_NUMBER_RUN = re.compile(f"[0-9]{{{_MOST_DIGITS + 1}}}")

Template = Literal["default", "order_dpid_master"]


@dataclass(frozen=True, slots=True)
class OutboundOptions:
    """How a destination's names are made. ``timestamp_digits``: 10 when its stamps are seconds with a part behind."""

    template: Template = "default"
    timestamp_digits: Literal[10, 13] = 13


def parse_outbound(name: str, options: OutboundOptions = OutboundOptions()) -> OutboundName | InfoName | NameProblem:
    """An exported file's or control file's name under its destination's template; else ``bad_outbound_name``."""
    ids, stamp = _IDS[options.template], _STAMPS[options.timestamp_digits]
    head = f"{_TYPE}_{ids}{_ALIAS}_(?P<mode>iter|full)_"
    if _NUMBER_RUN.search(name) is not None:
        return NameProblem("bad_outbound_name", 0, len(name), "A number in the name is too long.")
    if name.endswith(".info"):
        found = re.fullmatch(rf"{head}(?:(?P<ms>[0-9]{{13}})|(?P<s>[0-9]{{10}}))\.info", name)
        return InfoName(_root(found)) if found else _problem(name)
    found = re.fullmatch(f"{head}{stamp}{_EXTENSION}", name)
    if found is None:
        return _problem(name)
    digits, dash = found["split"], found["dash"]
    return OutboundName(
        _root(found),
        int(digits or dash) if digits or dash else None,
        "digits" if digits else "dash" if dash else None,
        cast(Literal["sync", "csv"], found["ext"]),
        "gz" if found["gz"] else None,
    )


def _root(found: re.Match[str]) -> Root:
    groups = found.groupdict()
    dpid = groups.get("dpid")
    return Root(
        cast(Literal["ftp", "s3", "http"], groups["sync_type"].lower()),
        int(groups["order"]),
        int(groups["master"]),
        cast(Literal["full", "iter"], groups["mode"]),
        int(groups["ms"] or groups["s"]),
        "ms" if groups["ms"] else "s",
        groups["alias"],
        None if dpid is None else int(dpid),
    )


_STEPS = (
    (_TYPE, "It has to begin with ftp_, s3_ or http_."),
    ("_[1-9][0-9]*", "After the type has to stand the order id (a number from 1)."),
    ("_(?:0|[1-9][0-9]*)", "After the order id has to stand the master DPID."),
    ("(?:_[A-Za-z0-9.-]+)*_(?:iter|full)", "Before the timestamp has to stand iter or full, in lower case."),
    (
        "_(?:[0-9]{13}(?:[0-9]{3,}|-[1-9][0-9]*)?|[0-9]{10})(?![0-9-])",
        "The timestamp is 13 digits (milliseconds), perhaps with a part of three or more, or 10 (seconds).",
    ),
)


def _problem(name: str) -> NameProblem:
    """The first place from which no reading of the name goes on."""
    read = ""
    for pattern, why in _STEPS:
        longer = read + pattern
        if re.match(longer, name) is None:
            found = re.match(read, name)
            return NameProblem("bad_outbound_name", found.end() if found else 0, len(name), why)
        read = longer
    found = re.match(read, name)
    why = "After timestamp and part has to stand .sync or .csv, perhaps with .gz, or .info alone."
    return NameProblem("bad_outbound_name", found.end() if found else 0, len(name), why)
