"""Builds in words: whose, by which id, what they carry, where to. Plain text; pages escape it."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.outbound.build import HASHED, Build, ItemRule
from ingest_core.models import Source
from pages.ui.text import count

KINDS = {"data": "Data file", "id_sync": "ID sync"}
MODES = {
    "sync": ("Sync", "Adds the traits of each line to what somebody has, and takes away those it removes."),
    "overwrite": (
        "Overwrite",
        "Everybody named in the file has exactly these traits of the data source afterwards; the rest of them goes.",
    ),
}
ENVIRONMENTS = {
    "production": ("Production", "Files are processed: ids are matched, traits are stored."),
    "beta": ("Beta", "Names and contents are checked only. What beta was sent, production does not have."),
}
SHOWN = 3
"""Items that are named in a list; the rest is counted."""


def who(build: Build) -> str:
    """Whose profiles."""
    if build.segment is not None:
        return f"Segment {build.segment}"
    return f"Source {build.source}" if build.source is not None else "Everybody"


def data_source(dpid: int | None, sources: Mapping[int, Source]) -> str:
    """A data source by name and DPID, also one that everybody shares."""
    if dpid is None:
        return ""
    if dpid == UUID_DPID:
        return "Audience Manager UUIDs (0)"
    if dpid in GLOBAL_SOURCES:
        shared = GLOBAL_SOURCES[dpid]
        return f"{shared.name}, {shared.platform} ({dpid})"
    return f"{sources[dpid].name} ({dpid})" if dpid in sources else f"Data source {dpid}"


def id_of(attribute: str, recipe: str) -> str:
    """How an id is taken from profiles."""
    return f"{attribute}, hashed" if recipe == HASHED else attribute


def item(rule: ItemRule, traits: Mapping[int, str]) -> str:
    """What one item gives."""
    if rule.trait is not None:
        return f"{trait(rule.trait, traits)} for everybody"
    if rule.key is not None:
        return f"{rule.attribute} as {rule.key}"
    return f"{rule.attribute}: a trait for {count(len(rule.traits), 'value')}"


def trait(number: int, traits: Mapping[int, str]) -> str:
    """A trait by name and id."""
    return f"{traits[number]} ({number})" if number in traits else f"Trait {number}"


def carries(build: Build, traits: Mapping[int, str], sources: Mapping[int, Source]) -> list[str]:
    """The items of a data file, or the other columns of an ID sync."""
    if build.kind == "id_sync":
        return [f"{id_of(one.attribute, one.recipe)}: {data_source(one.dpid, sources)}" for one in build.others]
    return [item(one, traits) for one in build.items]


def mode(build: Build) -> str:
    """Kind, mode and how much."""
    kind = "ID sync" if build.kind == "id_sync" else MODES[build.mode][0]
    return f"{kind}, only changes" if build.changed else kind


def place(build: Build) -> str:
    """Where its files go."""
    beta = " (beta)" if build.environment == "beta" else ""
    if build.destination is not None:
        return build.destination + beta
    return f"Folder {build.folder}{beta}" if build.folder is not None else "Nowhere yet"
