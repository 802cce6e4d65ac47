"""What people are told of a delivery that failed: no personal data, no content."""

from __future__ import annotations

from ingest_core.deliveries.order import Delivery
from ingest_core.ledger.outbox import Event, Letter

KINDS = {
    "segment": "The people of a segment",
    "upload": "The stored rows of an upload",
    "rejects": "The rejected rows of an upload",
    "file": "A file",
}


def failed_event(delivery: Delivery) -> Event:
    """One event for each time a delivery failed."""
    error = delivery.error or {}
    rows = [
        ("What", f"{KINDS[delivery.order.kind]}: {delivery.label}"),
        ("Where to", delivery.order.destination),
        ("Attempts", str(delivery.attempts)),
    ]
    letter = Letter(
        subject=f"Not delivered: {delivery.label} to {delivery.order.destination}",
        title="A delivery failed",
        tone="bad",
        sentences=(str(error.get("message", "")), str(error.get("hint", ""))),
        rows=tuple(rows),
        path=f"/deliveries?delivery={delivery.delivery_id}",
        action="Look at the delivery",
    )
    data = {
        "delivery_id": delivery.delivery_id, "kind": delivery.order.kind, "label": delivery.label,
        "destination": delivery.order.destination, "attempts": delivery.attempts, "code": error.get("code"),
    }  # fmt: skip
    return Event(
        key=f"delivery_failed {delivery.delivery_id} {delivery.finished_at}",
        kind="delivery_failed",
        letter=letter,
        data=data,
        recipients=delivery.order.notify,
    )
