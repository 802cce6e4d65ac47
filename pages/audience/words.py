"""Audience Manager's counters, kinds of files and codes as marketers read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.models import Source

# Where a record can go, in the order in which it is told, with the same colour everywhere.
FATES: tuple[tuple[str, str, str], ...] = (
    ("stored_records", "Stored", "#0ca678"),
    ("no_trait_realized", "No trait realized", "#9775fa"),
    ("no_matching_aam_id", "No matching AAM ID", "#f08c00"),
    ("format_errors", "Format errors", "#e03131"),
    ("invalid_aam_id", "Invalid AAM ID", "#c2255c"),
    ("invalid_device_id", "Invalid device ID", "#862e9c"),
    ("lines_over_user_cap", "Over 200 lines of a user", "#868e96"),
    ("lines_too_long", "Too long", "#495057"),
)
# What a line is, read by itself; the same thing has the colour that it has above.
CATEGORIES: tuple[tuple[str, str, str], ...] = (
    ("ok", "Well formed", "#0ca678"),
    ("format_error", "Format errors", "#e03131"),
    ("invalid_aam_id", "Invalid AAM ID", "#c2255c"),
    ("invalid_device_id", "Invalid device ID", "#862e9c"),
    ("excluded_too_long", "Too long", "#495057"),
    ("blank", "Blank", "#ced4da"),
)
LABELS: dict[str, str] = {
    "records_received": "Records received",
    "format_errors": "Format errors",
    "invalid_aam_id": "Invalid AAM ID",
    "invalid_device_id": "Invalid device ID",
    "no_matching_aam_id": "No matching AAM ID",
    "no_trait_realized": "No trait realized",
    "records_processed": "Records processed",
    "stored_records": "Stored records",
    "total_devices": "Total devices",
    "total_signals": "Total signals",
    "total_unused_signals": "Total unused signals",
    "total_realized_traits": "Total realized traits",
    "total_removed_traits": "Total removed traits",
    "traits_failed_validation": "Total traits failed validation",
    "users_failed_validation": "Total users with traits that failed validation",
    "lines_too_long": "Lines too long",
    "lines_over_user_cap": "Lines over the 200 of one user",
    "unmatched_stored": "Stored without a known device",
    "used_signals": "Signals that led to a trait",
    "ignored_signals": "Signals ignored (removals of an overwrite file)",
    "failed_signals": "Signals that named a trait of another source",
}
"""Label of every counter of a receipt, in Audience Manager's order; the last ones are ours."""


def what(name: Mapping[str, Any] | None, kind: str | None, sources: Mapping[int, Source]) -> str:
    """A file in a sentence, from the parts of its name. Plain text."""
    if name is None:
        return "Its name cannot be read."
    if kind == "id_sync":
        columns = [_source(dpid, sources) for dpid in (name.get("master"), *name.get("dpids", ()))]
        return f"An ID sync: ids of {' and '.join(columns)}." if columns else "An ID sync."
    if kind == "data":
        target = name.get("target")
        whose = f"for the traits of {_source(target, sources)}" if target else "and their traits"
        mode = (
            "replaces what each user of the file has" if name.get("mode") == "overwrite" else "adds and removes traits"
        )
        return f"A data file with ids of {_source(name['dpid'], sources)} {whose}. It {mode}."
    return "A file that leaves, not one that comes in."


VERDICTS = {"fine": "Can be sent", "ask": "Look at the warnings first", "blocked": "Not to be sent"}
"""What a pre-flight says, in the words of its badge."""


def source_name(dpid: int, sources: Mapping[int, Source]) -> str:
    """A data source by name and number, a shared namespace by its own."""
    if dpid in GLOBAL_SOURCES:
        return f"{GLOBAL_SOURCES[dpid].name}, {GLOBAL_SOURCES[dpid].platform} ({dpid})"
    return _source(dpid, sources)


def _source(dpid: Any, sources: Mapping[int, Source]) -> str:
    if dpid is None:
        return "an unknown source"
    if int(dpid) == 0:
        return "Audience Manager (UUIDs)"
    known = sources.get(int(dpid))
    return f"{known.name} ({dpid})" if known is not None else f"data source {dpid}"


def title(code: str) -> str:
    """A code in words."""
    return AM_REASONS[code].title if code in AM_REASONS else code.replace("_", " ").capitalize()


def fix(code: str) -> str:
    """What to do about it."""
    return AM_REASONS[code].fix if code in AM_REASONS else ""
