"""The fields of an order while somebody types them: what is wrong is said at each, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest_core.audience_manager.name_types import NameProblem
from ingest_core.audience_manager.names import parse_outbound
from ingest_core.audience_manager.outbound.exports import control_name, file_names
from ingest_core.audience_manager.outbound.orders import Order, check_content, check_file_name, check_header
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.errors import OnrampError

WORDS = {
    "order_id": "An id is a whole number of 1 to 18 digits.",
    "name": "Give the order a name.",
    "master": "Choose whose ids key the rows.",
    "pid": "Up to 18 digits.",
    "pid_alias": "Letters, digits, full stops and hyphens; single underscores between them.",
    "dpid": "A data source has 1 to 10 digits.",
    "split_bytes": "From 1,000 bytes to 1 TB.",
    "keep_days": "From 0 to 3,650 days.",
}
NO_PLACE = "Say where its files go: a destination, or a folder."
Problems = dict[str, str]


def read_order(
    fields: Mapping[str, Any], others: Sequence[Order] = (), *, destinations: Sequence[str] = ()
) -> tuple[Order | None, Problems]:
    """(order, problems by field); no order while its fields mean nothing. Plain text, nothing is kept.

    ``others``: orders whose id and name are taken; ``destinations``: those that there are.
    """
    try:
        order = Order.model_validate(dict(fields))
    except ValidationError as error:
        names = [str(one["loc"][0]) for one in error.errors() if one["loc"]]
        found = {name: WORDS.get(name, "This cannot be used.") for name in names}
        if not str(fields.get("name") or "").strip():
            found.setdefault("name", WORDS["name"])
        if fields.get("destination") is None and fields.get("folder") is None:
            found.setdefault("place", NO_PLACE)
        return None, found
    found = {}
    if any(one.order_id == order.order_id for one in others):
        found["order_id"] = "Another order has this id."
    if any(one.name.lower() == order.name.strip().lower() for one in others):
        found["name"] = "Another order has this name."
    if problem := _place(order, destinations):
        found["place"] = problem
    for field, check in _CHECKS:
        if problem := _said(check, order):
            found.setdefault(field, problem)
    return order, found


def _place(order: Order, destinations: Sequence[str]) -> str:
    if (order.destination is None) == (order.folder is None):
        return NO_PLACE
    if order.folder is not None:
        return "" if Path(order.folder).is_absolute() else "A folder is a whole path, such as /srv/exchange/partner."
    return "" if order.destination in destinations else "This destination is not there any more."


def _names(order: Order) -> None:
    file_names(order, "iter", now(), 2)
    control_name(order, "iter", now())


_CHECKS: tuple[tuple[str, Callable[[Order], object]], ...] = (
    ("name", lambda order: check_name(order.name, "an order")),
    ("content", check_content),
    ("header", check_header),
    ("file_name", check_file_name),
    ("file_name", _names),
)


def _said(check: Callable[[Order], object], order: Order) -> str:
    try:
        check(order)
    except OnrampError as error:
        return error.message.partition(" Nothing was ")[0]
    return ""


def remarks(order: Order) -> Problems:
    """What can be kept and is worth a second look, by field."""
    found: Problems = {}
    if isinstance(parse_outbound(file_names(order, "iter", now(), 1)[0]), NameProblem):
        found["file_name"] = "Receivers that read names by Audience Manager's scheme will not understand this one."
    if order.content and not any(f"<{name}" in order.content for name in ("DP_UUID", "UUID", "DPUUIDS")):
        found["content"] = "No id of a person stands in the row."
    if order.what != "ids" and order.content and "REMOVED_" not in order.content:
        found.setdefault("content", "Rows of what changed will not say what somebody lost: add <REMOVED_SEGMENT_LIST>."
                         if order.what == "segments" else
                         "Rows of what changed will not say what somebody lost: add <REMOVED_TRAIT_LIST>.")  # fmt: skip
    return found
