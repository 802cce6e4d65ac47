"""Deliveries of a workspace: ordered, previewed, sent, listed, tried again."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ingest_core.catalog.addresses import check_addresses
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now, to_utc
from ingest_core.deliveries import columns, people_rows, records
from ingest_core.deliveries.changes import possible_states
from ingest_core.deliveries.contents import IsEnding
from ingest_core.deliveries.file_names import check_template
from ingest_core.deliveries.order import OF_PEOPLE, Delivery, Kind, Order
from ingest_core.deliveries.preparing import Preparing
from ingest_core.deliveries.recipes import default_recipe, fitting
from ingest_core.deliveries.selection import Selection, find
from ingest_core.deliveries.sending import Connecting, Sending
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, OnrampError, StateError, Stopped
from ingest_core.ledger import outbox
from ingest_core.ledger.history import History
from ingest_core.ledger.outbox import Event
from ingest_core.models import Attribute, ByteSource
from ingest_core.people.texts import checked_reason
from ingest_core.segments.counting import count
from ingest_core.segments.known import Known
from ingest_core.transport.presets import refuse_unreadable
from ingest_core.vault import Keyset, LandingZone

_BLOCK = 1 << 20
KEEP_BYTES_DAYS = 14
"""Days that the bytes of a failed delivery are kept for another try."""


class Destinations(Connecting, Protocol):
    """What is asked of the destinations."""

    def get(self, key: int | str, /) -> Any:
        """One with ``destination_id``, ``name`` and ``place``. InputError ``no_such_destination``."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be sent of a selection: its name, how many people, and what each attribute may be written as."""

    label: str
    people: int | None
    attributes: tuple[Attribute, ...]
    recipes: Mapping[str, tuple[str, ...]]
    defaults: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Preview:
    """How a file would begin, masked, and what it would be."""

    order: Order
    label: str
    people: int | None
    rows: tuple[tuple[str, ...], ...]
    plain: tuple[str, ...]
    last: datetime | None


class Deliveries:
    """Everything that leaves by a destination. What is sent is made when its turn comes, not when it is ordered."""

    def __init__(
        self, home: Path, engine: Engine, keyset: Keyset, history: History, destinations: Destinations,
        pgp_keys: PgpKeys, user: str, tell: Callable[[Session, Event], object] = outbox.tell,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._keyset = keyset
        self._destinations = destinations
        self._user = user
        self._zone = LandingZone(home / "outgoing", keyset)
        self._recipients = pgp_keys.recipients
        preparing = Preparing(engine, keyset, self._zone, history, pgp_keys.recipients)
        self._sending = Sending(engine, self._zone, preparing, destinations, tell)
        self.on_ordered: Callable[[], None] = lambda: None

    def offer(self, kind: Kind, given: str) -> Offer:
        """What can be sent of it. Raises as ``selection.find``."""
        with self._engine.session() as session, session.transaction():
            found = find(session, kind, given)
            attributes = found.attributes
            return Offer(
                found.label,
                None if found.condition is None else count(session, found.condition),
                attributes,
                {one.name: tuple(recipe.name for recipe in fitting(one)) for one in attributes},
                {one.name: default_recipe(one) for one in attributes},
            )

    def preview(self, order: Order, limit: int = 5) -> Preview:
        """The first rows as they would be, personal data masked, hashes cut off; nothing is kept. Raises as ``order``.

        Personal data that would go out as it is needs no word for a preview. ``last``: when the receiver was sent the
        same the last time.
        """
        with self._engine.session() as session, session.transaction():
            checked, found, where = self._checked(session, order.model_copy(update={"is_plain": True}))
            if found.condition is None:
                return Preview(checked, found.label, None, (), (), None)
            known = _attributes(session)
            rows = people_rows.preview(session, self._keyset, checked.columns, known, found.condition, limit)
            channel = records.channel_of(checked, found.object, where)
            return Preview(
                checked,
                found.label,
                count(session, found.condition),
                tuple(tuple(row) for row in rows),
                tuple(columns.plain_columns(checked.columns, known)),
                _last(session, channel),
            )

    def order(
        self, order: Order, *, idempotency_key: str | None = None, file: ByteSource | None = None,
        user: str | None = None,
    ) -> str:  # fmt: skip
        """Lets it wait for its turn; returns its id. The same key twice is one delivery.

        ``file``: the bytes of a plain file. InputError and StateError of ``selection.find`` and ``columns.checked``;
        ``no_such_destination``, ``bad_file_name``, ``bad_reason``, ``needs_reason``, ``bad_scope``, ``no_file``.
        """
        with self._engine.session() as session, session.transaction():
            if known := records.known_key(session, idempotency_key):
                return known
            checked, found, where = self._checked(session, order)
            _refuse_without_reason(checked, _attributes(session))
        if (checked.kind == "file") != (file is not None):
            raise InputError("There is no file to send.", code="no_file", hint="Name a file, a segment or an upload.")
        landing = self._received(file) if file is not None else None
        channel = records.channel_of(checked, found.object, where)
        with self._engine.queue, self._engine.session() as session, session.transaction():
            delivery_id = records.known_key(session, idempotency_key) or records.insert(
                session, checked, found.object, found.label, user or self._user, channel=channel,
                idempotency_key=idempotency_key, landing=landing,
            )  # fmt: skip
        self.on_ordered()
        return delivery_id

    def deliver(
        self, order: Order, *, idempotency_key: str | None = None, file: ByteSource | None = None,
        user: str | None = None,
    ) -> Delivery:  # fmt: skip
        """As ``order``, and sends it at once, in this thread; what became of it."""
        return self.send(self.order(order, idempotency_key=idempotency_key, file=file, user=user))

    def send(self, delivery_id: str) -> Delivery:
        """Tries a waiting delivery now, in this thread, if it is its turn; what became of it."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            claimed = records.claim(session, delivery_id)
        if claimed is not None:
            self._sending.attempt(claimed)
        return self.get(delivery_id)

    def send_due(self, is_ending: IsEnding = lambda: False) -> int:
        """Sends everything that is due, one after the other; returns how many attempts there were."""
        attempts = 0
        while not is_ending():
            with self._engine.queue, self._engine.session() as session, session.transaction():
                claimed = records.claim(session)
            if claimed is None:
                break
            self._sending.attempt(claimed, is_ending)
            attempts += 1
        return attempts

    def seconds_to_next(self) -> float:
        """Until the next waiting delivery is due; a day when nothing waits."""
        with self._engine.session() as session:
            due = records.next_due(session)
        return 86_400.0 if due is None else max((due - now()).total_seconds(), 0.5)

    def get(self, delivery_id: str) -> Delivery:
        """InputError ``no_such_delivery``."""
        with self._engine.session() as session:
            return records.get(session, delivery_id)

    def list(
        self, *, status: str | None = None, destination: str | None = None, kind: str | None = None,
        user: str | None = None, search: str | None = None, since: datetime | None = None,
        until: datetime | None = None, upload: str | None = None, limit: int | None = None, offset: int = 0,
    ) -> builtins.list[Delivery]:  # fmt: skip
        """Newest first. ``search``: a part of what was sent, the file or the id; ``upload``: people of it are in it."""
        where, values = _where(status, destination, kind, user, search, since, until, upload)
        with self._engine.session() as session:
            return records.deliveries(session, where, values, limit=limit, offset=offset)

    def count(self, **filters: Any) -> int:
        """How many ``list`` would give. ``filters``: as of ``list``."""
        names = ("status", "destination", "kind", "user", "search", "since", "until", "upload")
        where, values = _where(*(filters.get(name) for name in names))
        with self._engine.session() as session:
            return int(session.value(f"SELECT count(*) FROM delivery WHERE {where}", values))

    def sent_as(self, destination: str, name: str) -> builtins.list[Delivery]:
        """Deliveries to a destination whose file had this name, the newest first."""
        with self._engine.session() as session:
            where = "lower(destination) = lower(?) AND file = ?"
            return records.deliveries(session, where, [destination, name])

    def ordered_with(self, idempotency_key: str) -> Delivery | None:
        """The delivery that was ordered with this key."""
        with self._engine.session() as session:
            found = records.known_key(session, idempotency_key)
            return None if found is None else records.get(session, found)

    def retry(self, delivery_id: str) -> Delivery:
        """Lets a failed delivery wait for its turn again, or one that waits for another try; its bytes are the same.

        Where they may not be sent any more (see ``records.is_outdated``) or are gone, a new delivery of the same order
        is made instead. StateError ``not_failed``.
        """
        with self._engine.queue, self._engine.session() as session, session.transaction():
            found = records.get(session, delivery_id)
            if found.status not in ("failed", "waiting"):
                raise StateError(
                    f"This delivery is {found.status}. Nothing was changed.",
                    code="not_failed",
                    hint="Order a new delivery to send it once more.",
                )
            has_bytes = found.prepared_at is None or found.landing in self._zone.ids()
            if found.tried_at is not None and (not has_bytes or records.is_outdated(session, found)):
                again = self._again(session, found)
            else:
                again = found.delivery_id
                values = {"status": "waiting", "due_at": now(), "attempts": 0, "error": None, "finished_at": None}
                records.change(session, found.delivery_no, values)
        self.on_ordered()
        return self.get(again)

    def cancel(self, delivery_id: str) -> Delivery:
        """Ends a delivery that waits. StateError ``not_waiting``."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            found = records.get(session, delivery_id)
            if found.status != "waiting":
                raise StateError(
                    f"This delivery is {found.status}. Nothing was changed.",
                    code="not_waiting",
                    hint="Only what waits can be stopped.",
                )
            error = Stopped().as_dict() | {"message": "A person stopped it before it was sent."}
            records.fail(session, found.delivery_no, error)
        return self.get(delivery_id)

    def _again(self, session: Session, found: Delivery) -> str:
        order = found.order
        destination = self._destinations.get(order.destination_id or order.destination)
        channel = records.channel_of(order, found.object_id, _where_of(destination))
        return records.insert(
            session, order, found.object_id, found.label, self._user, channel=channel, again_of=found.delivery_id,
            landing=found.landing if order.kind == "file" else None,
        )  # fmt: skip

    def _checked(self, session: Session, order: Order) -> tuple[Order, Selection, str]:
        """The order with everything decided, whom it means, and where to."""
        check_template(order.file_name)
        destination = self._destinations.get(order.destination)
        refuse_unreadable(destination.place)
        check_addresses(order.notify)
        self._recipients(order.pgp)
        named = {"destination": destination.name, "destination_id": destination.destination_id}
        order = order.model_copy(update={**named, "reason": checked_reason(order.reason)})
        found = find(session, order.kind, order.object)
        order = order.model_copy(update={"object": found.label if order.kind == "segment" else found.object})
        if order.kind in OF_PEOPLE:
            order = columns.checked(order, _attributes(session), found.attributes)
        else:
            _check_other(order)
        return order, found, _where_of(destination)

    def _received(self, file: ByteSource) -> str:
        writer = self._zone.create(file.name, file.size)
        with file.open() as stream:
            while block := stream.read(_BLOCK):
                writer.write(block)
        return writer.finish()

    def take_up(self) -> None:
        """At opening, and only then: what was under way waits again; files that no delivery needs go."""
        with self._engine.queue, self._engine.session() as session, session.transaction():
            records.let_go(session)
            records.let_bytes_go(session, KEEP_BYTES_DAYS)
            needed = records.landings(session)
        with suppress(OSError, OnrampError):
            for landing in set(self._zone.ids()) - needed:
                self._zone.delete(landing)


def _attributes(session: Session) -> dict[str, Attribute]:
    return {one.name: one for one in Known.of(session).attributes.values()}


def _refuse_without_reason(order: Order, known: Mapping[str, Attribute]) -> None:
    if order.reason is None and (order.kind == "rejects" or columns.plain_columns(order.columns, known)):
        raise InputError(
            "Personal data goes out as it is only for a reason, which the audit log keeps. Nothing was sent.",
            code="needs_reason",
            hint="Say why without naming anybody (--reason TEXT).",
        )


def _where_of(destination: Any) -> str:
    """The place that a destination is now: what a receiver has is remembered for it alone."""
    how = {"access_key", "addressing", "encryption", "kms_key", "acl", "certificate", "host_key", "plain"}
    return f"{destination.destination_id} {destination.place.model_dump_json(exclude=how)}"


def _last(session: Session, channel: str | None) -> datetime | None:
    if channel is None:
        return None
    numbers = possible_states(session, channel, 1 << 62)
    if numbers.may_be_empty:
        return None
    found = records.deliveries(session, "delivery_no = ?", [numbers.numbers[0]])
    return found[0].finished_at


def _check_other(order: Order) -> None:
    """Rejected rows and files go out whole, as they came."""
    if order.keeps_name and (order.kind != "file" or order.gzip or order.pgp):
        raise InputError(
            "Only a file that goes out as it is keeps its name. Nothing was sent.",
            code="bad_file_name",
            hint="Send it without gzip and OpenPGP, or let the name be made.",
        )
    if order.scope == "changed" or order.columns:
        raise InputError(
            "Only people can be sent in chosen columns, or only what changed. Nothing was sent.",
            code="bad_scope",
            hint="Rejected rows and files go out as they are.",
        )
    if order.kind == "rejects" and not order.is_plain:
        raise InputError(
            "Rejected rows hold personal data as it came in the file. Nothing was sent.",
            code="plain_personal_data",
            hint="Say that they may go out as they are, and why (--plain --reason TEXT).",
        )


def _where(
    status: str | None, destination: str | None, kind: str | None, user: str | None, search: str | None,
    since: datetime | None, until: datetime | None, upload: str | None,
) -> tuple[str, Sequence[object]]:  # fmt: skip
    """SQL and what is bound in it."""
    conditions = [
        ("status = ?", status),
        ("lower(destination) = lower(?)", destination),
        ("kind = ?", kind),
        ("requested_by = ?", user),
        ("contains(lower(label || chr(10) || coalesce(file, '') || chr(10) || delivery_id), ?)",
         search and search.strip().lower()),
        ("created_at >= ?", since and to_utc(since)),
        ("created_at < ?", until and to_utc(until)),
        ("delivery_no IN (SELECT delivery_no FROM delivery_upload JOIN upload USING (upload_no) WHERE request_id = ?)",
         upload),
    ]  # fmt: skip
    used = [(sql, value) for sql, value in conditions if value]
    return " AND ".join(sql for sql, _ in used) or "true", [value for _, value in used]
