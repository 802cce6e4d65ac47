"""Makes the bytes of a delivery, once: encrypted in the workspace, until they have arrived or are given up.

All of it is of one moment of the store. The state that the receiver will have, the checksums and the entry in the audit
log are committed together, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest_core.clock import now
from ingest_core.deliveries import records
from ingest_core.deliveries.columns import plain_columns
from ingest_core.deliveries.contents import Content, IsEnding, Writing
from ingest_core.deliveries.file_names import control_name, file_name
from ingest_core.deliveries.order import OF_PEOPLE, Delivery
from ingest_core.deliveries.packing import Packed
from ingest_core.deliveries.selection import Selection, find_again
from ingest_core.engine import Engine, Session
from ingest_core.errors import StateError
from ingest_core.faults import abort_point
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.history import History
from ingest_core.models import Attribute
from ingest_core.segments.known import Known
from ingest_core.transport.openpgp import PublicKey, encrypted
from ingest_core.transport.port import BLOCK_BYTES
from ingest_core.vault import Keyset, LandingZone


@dataclass(slots=True)
class Made:
    """A file that is ready, and what is to be remembered of it."""

    landing: str
    file: Packed
    lines: int
    content: Content
    selection: Selection
    known: dict[str, Attribute]


@dataclass(frozen=True, slots=True)
class Preparing:
    """Makes files of one workspace; ``zone`` holds them encrypted."""

    engine: Engine
    keyset: Keyset
    zone: LandingZone
    history: History
    recipients: Callable[[Sequence[str]], Sequence[PublicKey]]

    def prepare(self, delivery: Delivery, is_ending: IsEnding) -> None:
        """Makes the bytes ready; none where nothing changed since the last delivery.

        InputError and StateError of ``find_again``; InputError ``personal_reason``; Stopped when ``is_ending``.
        """
        with self.engine.session() as session:
            with session.transaction():
                made = self._make(session, delivery, is_ending)
            try:
                abort_point("prepare", "before")
                with self.engine.write, session.transaction():
                    self._keep(session, delivery, made)
            except BaseException:
                self.zone.delete(made.landing)
                raise
        abort_point("prepare", "after")
        used = {made.landing} if not made.content.is_empty else set()
        for landing in {made.landing, delivery.landing} - used - {None}:
            self.zone.delete(str(landing))

    def _make(self, session: Session, delivery: Delivery, is_ending: IsEnding) -> Made:
        selection = find_again(session, delivery.order.kind, delivery.object_id)
        known = {one.name: one for one in Known.of(session).attributes.values()}
        source = self._given(delivery)
        writer = self.zone.create(delivery.label)
        try:
            file = Packed(writer, is_gzip=delivery.order.gzip)
            writing = Writing(session, self.keyset, self.history, delivery, selection, known, is_ending)
            content = writing.write(file, source)
            file.close()
            writer.finish()
        except BaseException:
            writer.finish()
            self.zone.delete(writer.landing_id)
            raise
        landing, sealed = writer.landing_id, file
        if delivery.order.pgp and not content.is_empty:
            landing, sealed = self._encrypted(landing, delivery.order.pgp)
        return Made(landing, sealed, file.lines, content, selection, known)

    def _encrypted(self, plain: str, names: Sequence[str]) -> tuple[str, Packed]:
        """The file in the place of the plain one, encrypted for these keys. InputError ``no_such_key``, …"""
        writer = None
        try:
            with encrypted(self.zone.open(plain), self.recipients(names), self.zone.folder) as message:
                writer = self.zone.create(message.name)
                file = Packed(writer, is_gzip=False)
                with message.open() as stream:
                    while block := stream.read(BLOCK_BYTES):
                        file.bytes.write(block)
                file.close()
                writer.finish()
        except BaseException:
            if writer is not None:
                writer.finish()
                self.zone.delete(writer.landing_id)
            raise
        finally:
            self.zone.delete(plain)
        return writer.landing_id, file

    def _given(self, delivery: Delivery) -> Any:
        """The plain file that a person gave, as it was received."""
        if delivery.order.kind != "file":
            return None
        if delivery.landing is None or delivery.landing not in self.zone.ids():
            raise StateError(
                "The file is not here any more. Nothing was sent.", code="no_such_file", hint="Give the file again."
            )
        return self.zone.open(delivery.landing)

    def _keep(self, session: Session, delivery: Delivery, made: Made) -> None:
        moment, order = now(), delivery.order
        records.forget_state(session, delivery.delivery_no)
        if made.content.comparison is not None:
            made.content.comparison.keep(delivery.delivery_no)
        _remember_uploads(session, delivery, made.selection)
        facts: dict[str, object] = {**made.content.counts, "prepared_at": moment, "landing": None}
        if not made.content.is_empty:
            name = file_name(
                order, delivery.label, delivery.delivery_id, moment,
                lambda name: records.is_taken(session, order.destination, name, delivery.delivery_no),
            )  # fmt: skip
            facts |= {
                "file": name, "landing": made.landing, "bytes": made.file.size, "lines": made.lines,
                "md5": made.file.md5, "sha256": made.file.sha256,
                "control_file": control_name(name) if order.control_file else None,
            }  # fmt: skip
        records.change(session, delivery.delivery_no, facts)
        self._audit(session, delivery, made)

    def _audit(self, session: Session, delivery: Delivery, made: Made) -> None:
        order, people = delivery.order, made.content.counts.get("people", 0)
        told: dict[str, Any] = {"what": order.kind, "destination": order.destination, "people": people}
        told["columns"] = {one.name: f"{one.attribute}:{one.recipe}" for one in order.columns}
        write_audit(session, delivery.requested_by, "deliver", delivery.delivery_id, told)
        plain = plain_columns(order.columns, made.known) if order.kind in OF_PEOPLE else ["original rows"]
        if plain and order.kind != "file":
            why = {"by": "delivery", "people": people, "columns": plain, "reason": order.reason}
            write_audit(session, delivery.requested_by, "reveal", delivery.delivery_id, why)


_UPLOADS = """
INSERT INTO delivery_upload
SELECT DISTINCT ?::BIGINT, CAST(rid >> 32 AS INTEGER) FROM resolution
WHERE pid IN (SELECT p.pid FROM profile AS p WHERE {condition})"""


def _remember_uploads(session: Session, delivery: Delivery, selection: Selection) -> None:
    """The uploads whose rows somebody in the file has: an undo of one of them has to name this delivery."""
    session.run("DELETE FROM delivery_upload WHERE delivery_no = ?", [delivery.delivery_no])
    if selection.condition is not None:
        sql = _UPLOADS.format(condition=selection.condition.sql)
        session.run(sql, [delivery.delivery_no, *selection.condition.parameters])
    elif delivery.order.kind == "rejects":
        session.run(
            "INSERT INTO delivery_upload SELECT ?::BIGINT, upload_no FROM upload WHERE request_id = ?",
            [delivery.delivery_no, selection.object],
        )
