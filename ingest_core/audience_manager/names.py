"""One way in for every file name of Audience Manager: read it, ask the registry, look twice (spec §3).

Reading is syntax and what can be known from the name alone. Whether a data source exists and may be fed is asked of a
``Registry`` apart; what is merely odd is ``lint_name``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.name_types import (
    DataName,
    IdSyncName,
    InfoName,
    Name,
    NameProblem,
    OutboundName,
    Root,
    S3Key,
    Tail,
)
from ingest_core.audience_manager.names_inbound import parse_base, parse_data, parse_id_sync, parse_s3_key
from ingest_core.audience_manager.names_outbound import OutboundOptions, parse_outbound
from ingest_core.clock import to_utc

__all__ = [
    "DataName", "IdSyncName", "InfoName", "Name", "NameOptions", "NameProblem", "OutboundName", "OutboundOptions",
    "Registry", "Root", "S3Key", "Tail", "Transport", "check_registry", "inner_name", "lint_name", "parse_base",
    "parse_data", "parse_id_sync", "parse_name", "parse_outbound", "parse_s3_key",
]  # fmt: skip

Transport = Literal["s3", "ftp", "id_sync", "outbound"]
"""Where a name is met: a whole S3 key, a base name in an inbound folder, one that must be an ID sync, an export."""


@dataclass(frozen=True, slots=True)
class NameOptions:
    """``lenient_timestamp``: nine digits pass with a warning (D-01). ``outbound``: the destination's template."""

    lenient_timestamp: bool = False
    outbound: OutboundOptions = field(default_factory=OutboundOptions)


def parse_name(name: str, transport: Transport, options: NameOptions = NameOptions()) -> Name | NameProblem:
    """What a name says, or the first thing that is wrong with it. Never raises."""
    lenient = options.lenient_timestamp
    if transport == "s3":
        return parse_s3_key(name, lenient_timestamp=lenient)
    if transport == "id_sync":
        return parse_id_sync(name, lenient_timestamp=lenient)
    if transport == "outbound":
        return parse_outbound(name, options.outbound)
    return parse_base(name, lenient_timestamp=lenient)


def inner_name(name: Name) -> DataName | IdSyncName | OutboundName | InfoName:
    """The file's own name, also of an S3 key."""
    return name.name if isinstance(name, S3Key) else name


@dataclass(frozen=True, slots=True)
class Registry:
    """The data sources that are known here: DPID → whether it is ours. ``granted``: targets open to the sender."""

    is_ours: Mapping[int, bool]
    granted: frozenset[int] = frozenset()


def check_registry(name: Name, registry: Registry) -> NameProblem | None:
    """The first data source of the name that is unknown or may not be fed (spec §3.2); None when all may."""
    own = inner_name(name)
    if not isinstance(own, DataName | IdSyncName):
        return None
    dpids = own.columns if isinstance(own, IdSyncName) else tuple(x for x in (own.dpid, own.target) if x is not None)
    text = str(own)
    for dpid in dpids:
        if not is_device(dpid) and dpid not in registry.is_ours:
            return _at(text, dpid, "unknown_data_source", f"There is no data source {dpid} here.")
    if isinstance(own, DataName) and not (registry.is_ours[own.owner] or own.owner in registry.granted):
        return _at(text, own.owner, "target_not_owned", f"Data source {own.owner} is not the sender's.")
    return None


def _at(text: str, dpid: int, code: str, why: str) -> NameProblem:
    start = text.find(f"_{dpid}_") + 1
    return NameProblem(code, start, start + len(str(dpid)), why)


def lint_name(name: Name, now: datetime, is_used: Callable[[int], bool] = lambda _: False) -> tuple[str, ...]:
    """Warnings about a valid name: odd timestamps, another day in the S3 folder (spec §3.3, §17).

    ``now``: UTC, naive. ``is_used``: whether a timestamp was sent before.
    """
    own = inner_name(name)
    found = list(own.warnings)
    if not isinstance(own, DataName | IdSyncName):
        return tuple(found)
    stamp = to_utc(datetime.fromtimestamp(own.timestamp, UTC))
    if stamp > now + timedelta(days=1):
        found.append("timestamp_in_future")
    if stamp.date() < date(2005, 1, 1):
        found.append("timestamp_before_2005")
    if is_used(own.timestamp):
        found.append("timestamp_used_before")
    if isinstance(name, S3Key) and name.day != now.date():
        found.append("date_folder_not_today")
    return tuple(found)
