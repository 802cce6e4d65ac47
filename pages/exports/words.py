"""Orders in words. Plain text; pages escape it."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.models import Source
from pages.ui.text import count

WHAT = {
    "segments": ("Segments", "Who is in which segment over traits."),
    "traits": ("Traits", "Who has which trait."),
    "ids": ("Ids", "A table of ids: Audience Manager's own beside those of the data source."),
}
MODES = {"iter": "What changed", "full": "Everything"}
SCOPES = {
    "profile_only": "Each profile by itself",
    "device_plus_last_authenticated": "A device with the customer synced to it last",
}
NEVER = "Never run"
UNDER_WAY = "Under way"
PHASES = {
    "": "Waiting for its turn",
    "people": "Working out who has what",
    "rows": "Writing the rows",
    "send": "Sending the files",
}


def data_source(dpid: int, sources: Mapping[int, Source]) -> str:
    """Whose ids key the rows."""
    if dpid == UUID_DPID:
        return "Audience Manager UUIDs (0)"
    if dpid in sources:
        return f"{sources[dpid].name} ({dpid})"
    if dpid in GLOBAL_SOURCES:
        return f"{GLOBAL_SOURCES[dpid].name}, {GLOBAL_SOURCES[dpid].platform} ({dpid})"
    return f"Data source {dpid}"


def place(order: Order) -> str:
    """Where its files go."""
    return order.destination or f"Folder {order.folder}"


def items(order: Order) -> str:
    """How many segments or traits are told."""
    if order.what == "ids":
        return ""
    if not order.items:
        return f"All {order.what}"
    return count(len(order.items), order.what.removesuffix("s"))


def runs_of(orders: list[Order]) -> dict[str, str]:
    """Definition of runs → what it is called, also where the receiver's state was forgotten."""
    names = {str(order.order_id): called(order) for order in orders}
    return names | {f"{number} (before)": f"{name}, before a change" for number, name in names.items()}


def called(order: Order) -> str:
    """Name and id."""
    return f"{order.name} ({order.order_id})"
