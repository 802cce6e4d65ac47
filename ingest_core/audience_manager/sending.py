"""Files that were judged leave for a destination as they are, each under its own name (spec §17).

Errors block and warnings ask: blocked files go only for a reason, which the audit log keeps. The same bytes at the same
place are one delivery; other bytes never get a name that was used there.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ingest_core.audience_manager.batches import fingerprint
from ingest_core.audience_manager.preflight import PreflightFile, Verdict
from ingest_core.audience_manager.report_samples import mask
from ingest_core.clock import now, to_utc
from ingest_core.deliveries.deliveries import KEEP_BYTES_DAYS
from ingest_core.deliveries.order import Delivery, Order
from ingest_core.engine import Engine
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import ByteSource, Model
from ingest_core.people.texts import checked_reason

_DATE = "date="


class Sent(Model):
    """What became of files that were sent."""

    verdict: Verdict
    deliveries: tuple[Delivery, ...]


class Delivering(Protocol):
    """What is asked of the deliveries."""

    def order(self, order: Order, *, idempotency_key: str | None, file: ByteSource | None) -> str:
        """Lets a file wait for its turn; returns the id of the delivery."""

    def get(self, delivery_id: str, /) -> Delivery:
        """One delivery."""

    def retry(self, delivery_id: str, /) -> Delivery:
        """Another try of one that failed."""

    def sent_as(self, destination: str, name: str, /) -> list[Delivery]:
        """Deliveries to a destination that had this name, the newest first."""

    def ordered_with(self, idempotency_key: str, /) -> Delivery | None:
        """The delivery that was ordered with this key."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where files go. ``place``: the folder there (see ``place_given``), empty: none.

    ``has_seen_warnings``: a person has said so. ``reason``: why blocked files go all the same.
    """

    destination: str
    place: str = ""
    has_seen_warnings: bool = False
    reason: str | None = None


def place_given(text: str, at: datetime) -> str:
    """A folder in the bucket: ``partner/date=YYYY-MM-DD``; today (UTC) is added where no day is named. Empty: none."""
    parts = [part for part in text.strip().strip("/").split("/") if part]
    if parts and not parts[-1].startswith(_DATE):
        parts.append(f"{_DATE}{at:%Y-%m-%d}")
    return "/".join(parts)


def key_of(place: str, name: str) -> str:
    """The whole name of a file there."""
    return f"{place}/{name}" if place else name


class Sending:
    """Sends files that a pre-flight has judged."""

    def __init__(self, engine: Engine, deliveries: Delivering, user: str) -> None:
        self._engine = engine
        self._deliveries = deliveries
        self._user = user

    def send(self, files: Sequence[tuple[ByteSource, PreflightFile]], way: Way) -> list[Delivery]:
        """A waiting delivery for each file, or the one there is already, in this order; all of them or none.

        InputError ``no_file``, ``bad_reason``, ``personal_reason`` and those of ``Deliveries.order``; StateError
        ``blocked`` (an error, and no reason), ``unseen_warnings``, ``name_was_used`` (with other bytes).
        """
        if not files:
            raise InputError("No file was chosen. Nothing was sent.", code="no_file", hint="Choose a file.")
        reason = _allowed([file for _, file in files], way)
        hashed = [(source, file, fingerprint(source)) for source, file in files]
        for source, _, sha256 in hashed:
            self._refuse_other_bytes(way.destination, key_of(way.place, source.name), sha256)
        return [self._one(source, file, sha256, way, reason) for source, file, sha256 in hashed]

    def _one(
        self, source: ByteSource, file: PreflightFile, sha256: str, way: Way, reason: str | None
    ) -> Delivery:  # fmt: skip
        kept_since = now() - timedelta(days=KEEP_BYTES_DAYS)
        for attempt in itertools.count():
            key = _once(way, source.name, sha256, attempt)
            known = self._deliveries.ordered_with(key)
            if known is None:
                break
            if known.status != "failed":
                return known
            if known.finished_at is None or to_utc(known.finished_at) > kept_since:
                return self._deliveries.retry(known.delivery_id)
        order = Order(
            kind="file", object=source.name, destination=way.destination, keeps_name=True, control_file=False,
            file_name=key_of(way.place, source.name), reason=reason if file.verdict == "blocked" else None,
        )  # fmt: skip
        self._write_down(file, order, sha256)
        return self._deliveries.get(self._deliveries.order(order, idempotency_key=key, file=source))

    def _write_down(self, file: PreflightFile, order: Order, sha256: str) -> None:
        """Before the file is ordered: that it leaves, and with what against it."""
        problems = [*file.check.problems, *file.remarks]
        codes = {level: [one.code for one in problems if one.level == level] for level in ("error", "warning")}
        told: dict[str, Any] = {
            "file": order.file_name, "sha256": sha256, "destination": order.destination, "verdict": file.verdict,
            "errors": codes["error"], "warnings": codes["warning"], "reason": order.reason,
        }  # fmt: skip
        with self._engine.write, self._engine.session() as session, session.transaction():
            write_audit(session, self._user, "am send", order.object, told)

    def _refuse_other_bytes(self, destination: str, name: str, sha256: str) -> None:
        """A receiver may have taken a file away; its name was used all the same, but for one that never set out."""
        sent = [one for one in self._deliveries.sent_as(destination, name) if one.tried_at is not None]
        if any(one.sha256 not in (None, sha256) for one in sent):
            raise StateError(
                "A file of this name with other bytes was sent there before. Nothing was sent.",
                code="name_was_used",
                hint="Give the file another name: with the timestamp of now.",
                facts={"file": name},
            )


def _allowed(files: Sequence[PreflightFile], way: Way) -> str | None:
    """The reason as it is kept."""
    verdicts = {file.verdict for file in files}
    reason = checked_reason(way.reason)
    if reason is not None and mask(reason) != reason:
        raise InputError(
            "The reason holds personal data. Nothing was sent.",
            code="personal_reason",
            hint="Say why without naming anybody.",
        )
    if "blocked" in verdicts and reason is None:
        raise StateError(
            "There are errors: the receiver would refuse the file or leave lines out. Nothing was sent.",
            code="blocked",
            hint="Correct them, or say why it has to go as it is (--reason TEXT).",
            facts={"files": [file.check.file for file in files if file.verdict == "blocked"]},
        )
    if "ask" in verdicts and not way.has_seen_warnings:
        raise StateError(
            "There are warnings. Nothing was sent.",
            code="unseen_warnings",
            hint="Look at them, then send again and say that you did (--yes).",
            facts={"files": [file.check.file for file in files if file.verdict == "ask"]},
        )
    return reason


def _once(way: Way, name: str, sha256: str, attempt: int) -> str:
    """The same for the same bytes at the same place; another one once those that failed are not kept any more."""
    said = f"{way.destination.casefold()}\n{key_of(way.place, name)}\n{sha256}\n{attempt}"
    return f"am-{hashlib.sha256(said.encode()).hexdigest()}"
