"""The data sources of a workspace as Audience Manager sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ingest_core.audience_manager.data_sources import UUID_DPID, IdRule, id_rule, is_global
from ingest_core.audience_manager.names import Registry
from ingest_core.clock import now
from ingest_core.models import Source

Kind = Literal["uuid", "device", "cross_device", "cookie"]

UUID_TYPES = ("aam_uuid", "uuid", "audience_manager_id")
"""Inbound id types of a source whose files hold Audience Manager's own ids."""

DEVICE_DAYS = 120
"""After which a device profile without any activity is gone (spec §14)."""

SAMPLING_DAYS = 14
"""For how long faulty lines are sampled once that is switched on (spec §11)."""


def sampling_until() -> datetime:
    """When sampling that is switched on now ends by itself (UTC, naive)."""
    return now() + timedelta(days=SAMPLING_DAYS)


@dataclass(frozen=True)
class Registered:
    """All data sources with a DPID, by it."""

    sources: dict[int, Source]

    @classmethod
    def of(cls, sources: Iterable[Source]) -> Registered:
        """Those that have a DPID."""
        return cls({source.dpid: source for source in sources if source.dpid is not None})

    @property
    def registry(self) -> Registry:
        """For checks of file names."""
        granted = frozenset(dpid for dpid, source in self.sources.items() if source.settings.access_mapping)
        return Registry({dpid: source.owner != "other" for dpid, source in self.sources.items()}, granted)

    def id_rule(self, dpid: int) -> IdRule:
        """What ids of a file of this data source look like."""
        source = self.sources.get(dpid)
        return id_rule(dpid, holds_uuids=source is not None and source.inbound_id_type in UUID_TYPES)

    def kind(self, dpid: int) -> Kind:
        """Which profile an id of this data source stands for (spec §9.2)."""
        if self.id_rule(dpid).kind == "uuid":
            return "uuid"
        source = self.sources.get(dpid)
        if is_global(dpid) or (source is not None and source.id_type == "device"):
            return "device"
        return "cookie" if source is not None and source.id_type == "cookie" else "cross_device"

    def profile_dpid(self, dpid: int) -> int:
        """The namespace of the profiles that ids of this data source name."""
        return UUID_DPID if self.kind(dpid) == "uuid" else dpid

    @property
    def cookies(self) -> list[int]:
        """Data sources whose ids are those of cookies."""
        return [dpid for dpid in self.sources if self.kind(dpid) == "cookie"]

    @property
    def people(self) -> dict[int, int]:
        """Cross-device data sources: DPID → days after which a profile without any activity is gone."""
        found = {dpid: source.settings.profile_days for dpid, source in self.sources.items()}
        return {dpid: days for dpid, days in found.items() if self.kind(dpid) == "cross_device"}
