"""Deliveries as rows: made once for a key, claimed by one worker at a time, ended once."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest_core.clock import now
from ingest_core.deliveries.file_names import control_name
from ingest_core.deliveries.order import Delivery, Order
from ingest_core.engine import Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.uploads import utc

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    """``D`` and twelve letters and digits that nobody mixes up."""
    return "D" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def channel_of(order: Order, object_: str, where: str) -> str | None:
    """The same for deliveries of one selection by the same columns to one place; None where nothing is kept."""
    if order.key is None:
        return None
    columns = [[one.name, one.attribute, one.recipe] for one in order.columns]
    said = json.dumps([order.kind, object_, where, columns, order.key])
    return hashlib.sha256(said.encode()).hexdigest()


def insert(
    session: Session, order: Order, object_: str, label: str, user: str, *, channel: str | None,
    idempotency_key: str | None = None, again_of: str | None = None, landing: str | None = None,
) -> str:  # fmt: skip
    """A waiting delivery that is due; returns its id. Inside the caller's transaction, under the queue's lock."""
    moment, delivery_id = now(), new_id()
    session.run(
        "INSERT INTO delivery (delivery_no, delivery_id, idempotency_key, kind, object, label, destination, channel, "
        "content, requested_by, again_of, status, created_at, due_at, attempts, landing) "
        "SELECT coalesce(max(delivery_no), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, 0, ? FROM delivery",
        [
            delivery_id, idempotency_key, order.kind, object_, label, order.destination, channel,
            order.model_dump_json(), user, again_of, moment, moment, landing,
        ],
    )  # fmt: skip
    return delivery_id


def known_key(session: Session, key: str | None) -> str | None:
    """The delivery that was ordered with this key."""
    if key is None:
        return None
    found = session.value("SELECT delivery_id FROM delivery WHERE idempotency_key = ?", [key])
    return None if found is None else str(found)


def deliveries(
    session: Session,
    where: str = "true",
    parameters: Sequence[object] = (),
    *,
    limit: int | None = None,
    offset: int = 0,
) -> list[Delivery]:
    """Newest first. ``where``: SQL of ours."""
    rows = session.records(
        "SELECT * EXCLUDE (idempotency_key, kind, destination, object), object AS object_id "
        f"FROM delivery WHERE {where} ORDER BY delivery_no DESC LIMIT ? OFFSET ?",
        [*parameters, 1_000_000_000 if limit is None else limit, offset],
    )
    return [_delivery(row) for row in rows]


def get(session: Session, delivery_id: str) -> Delivery:
    """InputError ``no_such_delivery``."""
    found = deliveries(session, "delivery_id = ?", [delivery_id.strip().upper()])
    if not found:
        raise InputError(
            "There is no delivery with this id. Nothing was changed.",
            code="no_such_delivery",
            hint="See: delivery list",
        )
    return found[0]


def change(session: Session, delivery_no: int, values: Mapping[str, object]) -> None:
    """Sets columns of ours."""
    columns = ", ".join(f"{quote(name)} = ?" for name in values)
    session.run(f"UPDATE delivery SET {columns} WHERE delivery_no = ?", [*values.values(), delivery_no])


_FREE = """
status = 'waiting' AND due_at <= ?
AND NOT EXISTS (
    SELECT 1 FROM delivery AS other
    WHERE (other.channel = delivery.channel AND other.delivery_no < delivery.delivery_no
           AND other.status = 'waiting') OR (other.channel = delivery.channel AND other.status = 'running')
)"""
"""Deliveries of one channel go out one after the other: each says what changed since the one before."""


def claim(session: Session, delivery_id: str | None = None) -> Delivery | None:
    """The oldest delivery that is due (or this one, if it is), running from now on; None when there is none."""
    moment = now()
    only = "true" if delivery_id is None else "delivery_id = ?"
    given = [] if delivery_id is None else [delivery_id]
    found = session.value(f"SELECT min(delivery_no) FROM delivery WHERE {_FREE} AND {only}", [moment, *given])
    if found is None:
        return None
    session.run(
        "UPDATE delivery SET status = 'running', attempts = attempts + 1, error = NULL, "
        "started_at = coalesce(started_at, ?) WHERE delivery_no = ?",
        [moment, found],
    )
    return deliveries(session, "delivery_no = ?", [found])[0]


def next_due(session: Session) -> datetime | None:
    """When the next waiting delivery is due (UTC, without a zone), None when nothing waits."""
    found: datetime | None = session.value("SELECT min(due_at) FROM delivery WHERE status = 'waiting'")
    return found


def let_go(session: Session) -> int:
    """At opening: nobody works on what was running, so it waits again. Returns how many."""
    return session.run("UPDATE delivery SET status = 'waiting', due_at = ? WHERE status = 'running'", [now()]) or 0


def wait(session: Session, delivery_no: int, error: Mapping[str, object] | None, seconds: float) -> None:
    """Tried again after so many seconds."""
    values = {"status": "waiting", "due_at": now() + timedelta(seconds=seconds)}
    change(session, delivery_no, {**values, "error": json.dumps(error) if error else None})


def fail(session: Session, delivery_no: int, error: Mapping[str, object]) -> None:
    """The end, until somebody tries again."""
    change(session, delivery_no, {"status": "failed", "finished_at": now(), "error": json.dumps(error)})


def confirm(session: Session, delivery: Delivery, location: str | None) -> None:
    """It arrived: from now on this is what the receiver has; what was known of it before is forgotten."""
    values = {"status": "delivered", "finished_at": now(), "error": None, "location": location, "landing": None}
    change(session, delivery.delivery_no, values)
    if delivery.channel is not None:
        session.run(
            "DELETE FROM delivery_state WHERE delivery_no IN "
            "(SELECT delivery_no FROM delivery WHERE channel = ? AND delivery_no < ?)",
            [delivery.channel, delivery.delivery_no],
        )


def forget_state(session: Session, delivery_no: int) -> None:
    """What was prepared before is prepared again."""
    session.run("DELETE FROM delivery_state WHERE delivery_no = ?", [delivery_no])


def is_taken(session: Session, destination: str, name: str, delivery_no: int) -> bool:
    """Whether another delivery to this destination has this name, for its file or its control file."""
    names = [name.lower(), control_name(name).lower()]
    return bool(
        session.value(
            "SELECT count(*) > 0 FROM delivery WHERE lower(destination) = lower(?) AND delivery_no <> ? "
            "AND (list_contains(?::VARCHAR[], lower(file)) OR list_contains(?::VARCHAR[], lower(control_file)))",
            [destination, delivery_no, names, names],
        )
    )


def is_outdated(session: Session, delivery: Delivery) -> bool:
    """Whether its bytes must not be sent any more: a later one was made for the receiver, or somebody was erased."""
    later = delivery.channel is not None and session.value(
        "SELECT count(*) > 0 FROM delivery WHERE channel = ? AND delivery_no > ? AND prepared_at IS NOT NULL",
        [delivery.channel, delivery.delivery_no],
    )
    return bool(later) or was_erased_since(session, delivery)


def was_erased_since(session: Session, delivery: Delivery) -> bool:
    """Whether somebody was erased after its bytes were made."""
    if delivery.prepared_at is None or delivery.order.kind == "file":
        return False
    erased = session.value("SELECT max(erased_at) FROM suppression")
    return erased is not None and erased >= delivery.prepared_at.replace(tzinfo=None)


def landings(session: Session) -> set[str]:
    """The files of ours that a delivery still needs."""
    return {one for (one,) in session.rows("SELECT landing FROM delivery WHERE landing IS NOT NULL")}


def _delivery(row: dict[str, Any]) -> Delivery:
    times = {name: utc(row[name]) for name in row if name.endswith("_at")}
    order = Order.model_validate_json(row.pop("content"))
    error = row.pop("error")
    return Delivery(**{**row, **times}, order=order, error=json.loads(error) if error else None)


def let_bytes_go(session: Session, days: int) -> None:
    """What failed so long ago is made anew if somebody tries again."""
    session.run(
        "UPDATE delivery SET landing = NULL WHERE status = 'failed' AND landing IS NOT NULL AND finished_at < ?",
        [now() - timedelta(days=days)],
    )
