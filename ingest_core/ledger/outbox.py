"""The outbox: what happened and who is to be told, written with what happened; notices/ sends it later.

It is down here so that whoever writes an end state writes its notice, too, and cannot forget it.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ingest_core.clock import now
from ingest_core.engine import Session
from ingest_core.models import Model

WEBHOOK = "webhook"
"""Key in ``meta``: there while somebody listens to every notice by HTTP."""

Tone = Literal["good", "warning", "bad", "info"]


class LetterReason(Model):
    """Rows that have one problem in common, and what to do about it."""

    title: str
    count: int
    fix: str


class Letter(Model):
    """A message before it becomes text and HTML. Everything in it is plain text; no PII, no content of a file.

    ``rows`` are (label, value), a heading where the value is empty; ``path`` is where its link leads, below the address
    of the app, such as ``upload?upload=ID``.
    """

    subject: str
    title: str
    tone: Tone = "info"
    sentences: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    reasons: tuple[LetterReason, ...] = ()
    path: str | None = None
    action: str = "Open it in Onramp"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once. ``key`` names it: told twice under the same key, it is one notice.

    ``kind`` is snake_case (``schedule_failed``). ``data`` is JSON for the webhook and never holds PII. ``letter`` is
    what a person reads; only kinds that notices/ knows how to write may leave it out. ``recipients`` are e-mail
    addresses; the webhook, where one is set, is told in any case.
    """

    key: str
    kind: str
    letter: Letter | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()
    request_id: str | None = None
    source_id: int | None = None


def tell(session: Session, event: Event) -> str | None:
    """Puts a notice into the outbox, inside the caller's transaction; returns its id.

    None where there is nothing to send: it was told already, or nobody listens. What becomes of the transaction becomes
    of the notice; sending it is somebody else's work and never fails the caller.
    """
    has_webhook = is_heard(session)
    if not event.recipients and not has_webhook:
        return None
    if session.row("SELECT 1 FROM notice WHERE key = ?", [event.key]):
        return None
    notice_id, moment = new_notice_id(), now()
    session.run(
        "INSERT INTO notice VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
        [
            notice_id, event.key, event.kind, event.request_id, event.source_id, moment,
            json.dumps(dict(event.data), ensure_ascii=False, default=str),
            event.letter.model_dump_json() if event.letter else None,
        ],
    )  # fmt: skip
    listeners: list[tuple[str, str | None]] = [("mail", address) for address in dict.fromkeys(event.recipients)]
    for channel, recipient in [*listeners, *([("webhook", None)] if has_webhook else [])]:
        session.run(
            "INSERT INTO notice_sending VALUES (?, ?, ?, 'waiting', ?, 0, ?, NULL, NULL)",
            [notice_id, channel, recipient, moment, moment],
        )
    return notice_id


def is_heard(session: Session) -> bool:
    """Whether there is a webhook."""
    return bool(session.value("SELECT count(*) FROM meta WHERE key = ?", [WEBHOOK]))


def hear(session: Session, *, is_heard: bool) -> None:
    """Notes whether there is a webhook, so that ``tell`` knows it without the settings."""
    session.run("DELETE FROM meta WHERE key = ?", [WEBHOOK])
    if is_heard:
        session.run("INSERT INTO meta VALUES (?, 'on')", [WEBHOOK])


def keep_waiting(session: Session) -> None:
    """Sends nothing of what waits before a person says so."""
    session.run("UPDATE notice_sending SET state = 'kept', next_try = NULL WHERE state = 'waiting'")


def new_notice_id() -> str:
    """Date and eight random letters, as of a Request ID, with an N before them."""
    return f"N{now():%Y%m%d}-{base64.b32encode(secrets.token_bytes(5)).decode()}"
