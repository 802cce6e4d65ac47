"""Files that a person sent or picked, looked at before they are processed as one batch, and the queue behind that.

A basket of files is *chosen* until somebody says that it is to be processed; then it is *waiting*, *processing*, and
*done* or *failed*. What it leads to is written in the transaction of the batch: killed at any moment, it is processed
once. What is put right, renamed or split takes the place of the file it was made of, which stays until the basket goes.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from ingest_core.audience_manager.check_report import CheckReport
from ingest_core.audience_manager.checking import CheckOptions, check_files
from ingest_core.audience_manager.originals import files_of_originals
from ingest_core.audience_manager.registered import UUID_TYPES, Registered
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, StateError
from ingest_core.models import Model, Progress
from ingest_core.vault import LandingSource, LandingZone

State = Literal["chosen", "waiting", "processing", "done", "failed"]
Made = Literal["fixed", "renamed", "split"]
Environment = Literal["production", "beta"]

KEPT_DAYS = 30
"""Baskets that nobody touched for longer go, with their files."""

MOST_DEATHS = 3
_OPEN = "('chosen', 'waiting', 'processing')"

NEW = "INSERT INTO am_inbound VALUES (?, 'chosen', '[]', 'production', ?, ?, NULL, NULL, NULL, 0)"
SELECT = "SELECT * FROM am_inbound WHERE inbound_id = ?"
OPEN = f"SELECT * FROM am_inbound WHERE state IN {_OPEN} ORDER BY created_at DESC"
FILES = "UPDATE am_inbound SET files = ? WHERE inbound_id = ? AND state = 'chosen'"
WAIT = """
UPDATE am_inbound SET state = 'waiting', environment = ?, created_by = ?
WHERE inbound_id = ? AND state = 'chosen' AND files <> '[]'
"""
NEXT = "SELECT inbound_id FROM am_inbound WHERE state = 'waiting' ORDER BY created_at, inbound_id LIMIT 1"
TAKE = """
UPDATE am_inbound SET state = 'processing', attempts = attempts + 1 WHERE inbound_id = ? AND state = 'waiting'
"""
LEFT = f"""
UPDATE am_inbound SET state = CASE WHEN attempts < {MOST_DEATHS} THEN 'waiting' ELSE 'failed' END, outcome = ?
WHERE state = 'processing'
"""
END = "UPDATE am_inbound SET state = ?, request_id = ?, outcome = ?, finished_at = ? WHERE inbound_id = ?"
GO = "DELETE FROM am_inbound WHERE inbound_id = ?"
NAMED = f"SELECT files FROM am_inbound WHERE state IN {_OPEN}"


class EarlierFile(Model):
    """What a file was made of, and how. ``changes``: what was put right → lines."""

    landing_id: str
    name: str
    size: int
    made: Made
    changes: dict[str, int] = {}


class ReceivedFile(Model):
    """One file in the landing zone, by the name it has now. ``earlier``: what it was before, the first one first."""

    landing_id: str
    name: str
    size: int
    earlier: tuple[EarlierFile, ...] = ()

    @property
    def landings(self) -> set[str]:
        """Every landing file that belongs to it."""
        return {self.landing_id, *(one.landing_id for one in self.earlier)}

    def before(self, made: Made, changes: dict[str, int] | None = None) -> tuple[EarlierFile, ...]:
        """What the file that is made of this one was before."""
        this = EarlierFile(landing_id=self.landing_id, name=self.name, size=self.size, made=made, changes=changes or {})
        return (*self.earlier, this)


class Received(Model):
    """Files that are one batch. ``outcome``: of the beta environment the receipts, of a failure the error."""

    inbound_id: str
    state: State
    files: tuple[ReceivedFile, ...]
    environment: Environment
    created_at: datetime
    created_by: str
    finished_at: datetime | None = None
    request_id: str | None = None
    outcome: dict[str, Any] | None = None
    attempts: int = 0


class ReceivedFiles:
    """Baskets of files, and what becomes of them."""

    def __init__(self, engine: Engine, landing: LandingZone, user: str) -> None:
        self._engine = engine
        self._landing = landing
        self._user = user

    def begin(self) -> Received:
        """An empty basket."""
        inbound_id = secrets.token_hex(8)
        with self._engine.write, self._engine.session() as session:
            session.run(NEW, [inbound_id, now(), self._user])
        return self.get(inbound_id)

    def get(self, inbound_id: str) -> Received:
        """InputError ``no_such_batch``."""
        with self._engine.session() as session:
            found = session.records(SELECT, [inbound_id])
        if not found:
            raise InputError(
                "These files are not here any more.", code="no_such_batch", hint="Look at the receipts of the files."
            )
        return _received(found[0])

    def open(self) -> list[Received]:
        """Baskets that have files and are not processed yet, the newest first."""
        with self._engine.session() as session:
            found = [_received(row) for row in session.records(OPEN)]
        return [one for one in found if one.files]

    def add(self, inbound_id: str, file: ReceivedFile) -> Received:
        """Puts a file in; one of the same name takes the place of the other. StateError ``batch_begun``."""
        return self._change(inbound_id, lambda held: [*(one for one in held if one.name != file.name), file])

    def remove(self, inbound_id: str, landing_id: str) -> Received:
        """Takes a file out and deletes it. StateError ``batch_begun``."""
        return self._change(inbound_id, lambda held: [one for one in held if one.landing_id != landing_id])

    def replace(self, inbound_id: str, landing_id: str, made: Sequence[ReceivedFile]) -> Received:
        """Puts what was made of a file in its place. ``landing_id``: of the file as it was.

        StateError ``batch_begun``, ``file_replaced`` (by another window); InputError ``name_in_batch``.
        """

        def swapped(held: list[ReceivedFile]) -> list[ReceivedFile]:
            at = next((n for n, one in enumerate(held) if one.landing_id == landing_id), None)
            if at is None:
                raise _was_replaced()
            others = {one.name for n, one in enumerate(held) if n != at}
            if others & {one.name for one in made}:
                raise _name_is_here()
            return [*held[:at], *made, *held[at + 1 :]]

        return self._change(inbound_id, swapped)

    def rename(self, inbound_id: str, landing_id: str, name: str) -> Received:
        """Gives a file another name. Raises as ``replace``, and InputError ``no_name``."""
        if not name or "/" in name:
            raise InputError("This is no name of a file.", code="no_name", hint="Give a name without a folder.")
        file = self.file(self.get(inbound_id), landing_id)
        if file.name == name:
            return self.get(inbound_id)
        new = file.model_copy(update={"name": name, "earlier": file.before("renamed")})
        return self.replace(inbound_id, landing_id, [new])

    def discard(self, inbound_id: str) -> None:
        """Deletes a basket and its files. StateError ``batch_begun``."""
        self._change(inbound_id, lambda _: [])
        with self._engine.write, self._engine.session() as session:
            session.run(GO, [inbound_id])

    def file(self, held: Received, landing_id: str) -> ReceivedFile:
        """One of its files as it is now. StateError ``file_replaced``."""
        found = next((one for one in held.files if one.landing_id == landing_id), None)
        if found is None:
            raise _was_replaced()
        return found

    def source(self, file: ReceivedFile | EarlierFile) -> LandingSource:
        """The bytes of a file, under the name it has here."""
        opened = self._landing.open(file.landing_id)
        opened.name = file.name
        return opened

    def sources(self, held: Received) -> list[LandingSource]:
        """The bytes of the files."""
        return [self.source(file) for file in held.files]

    def check(self, held: Received, registered: Registered, progress: Progress = ignore_progress) -> CheckReport:
        """The files as they will be read: names, compression, every line."""
        uuids = (dpid for dpid, source in registered.sources.items() if source.inbound_id_type in UUID_TYPES)
        return check_files(self.sources(held), now(), CheckOptions(uuid_sources=frozenset(uuids)), progress)

    def process(self, inbound_id: str, environment: Environment = "production") -> Received:
        """Says that the files are to be processed; a second call is the same one. InputError ``no_file``."""
        held = self.get(inbound_id)
        if not held.files:
            raise InputError("There is no file to process. Nothing was changed.", code="no_file", hint="Drop a file.")
        with self._engine.write, self._engine.session() as session:
            session.run(WAIT, [environment, self._user, inbound_id])
        return self.get(inbound_id)

    # ── for the round ───────────────────────────────────────────────────────────────────────────────────────

    def take_next(self) -> Received | None:
        """The one that has waited longest, which is being processed from now on."""
        with self._engine.write, self._engine.session() as session:
            inbound_id = session.value(NEXT)
            if inbound_id is None:
                return None
            session.run(TAKE, [inbound_id])
        return self.get(str(inbound_id))

    def take_up(self) -> None:
        """What a process that ended left in the middle waits again; old baskets go. Once, when work begins."""
        gave_up = StateError(
            f"The files were given up: the process that read them ended {MOST_DEATHS} times. Nothing was stored.",
            code="gave_up",
            hint="The log may say why, such as too little memory or a full disk.",
        )
        with self._engine.write, self._engine.session() as session:
            session.run(LEFT, [json.dumps({"error": gave_up.as_dict()})])
            old = [row for row in session.records(OPEN) if row["created_at"] < now() - timedelta(days=KEPT_DAYS)]
            old = [row for row in old if row["state"] == "chosen"]
            for row in old:
                session.run(GO, [row["inbound_id"]])
        for row in old:
            self.let_go(_received(row))

    def end(
        self, session: Session, held: Received, state: State, request_id: str | None, outcome: dict[str, Any] | None
    ) -> None:
        """Writes how it ended, in the caller's transaction where there is one."""
        text = None if outcome is None else json.dumps(outcome, default=str)
        session.run(END, [state, request_id, text, now(), held.inbound_id])

    def _change(self, inbound_id: str, work: Callable[[list[ReceivedFile]], list[ReceivedFile]]) -> Received:
        """Other files in a basket, whoever changes it at the same moment; what is in none of them is deleted."""
        with self._engine.write, self._engine.session() as session:
            held = self.get(inbound_id)
            files = work(list(held.files))
            text = json.dumps([file.model_dump() for file in files])
            if not session.run(FILES, [text, inbound_id]):
                raise StateError(
                    "These files are being processed already. Nothing was changed.",
                    code="batch_begun",
                    hint="Send the other files as a batch of their own.",
                )
        for landing_id in landings(held.files) - landings(files):
            self._landing.delete(landing_id)
        return held.model_copy(update={"files": tuple(files)})

    def let_go(self, held: Received) -> None:
        """Deletes the bytes of all its files, but for those that are kept with their batch."""
        with self._engine.session() as session:
            kept = files_of_originals(session)
        for landing_id in landings(held.files) - kept:
            self._landing.delete(landing_id)


def landings(files: Sequence[ReceivedFile]) -> set[str]:
    """Every landing file that these files need."""
    return {landing_id for file in files for landing_id in file.landings}


def files_of_received(session: Session) -> set[str]:
    """Landing ids of files that are still to be processed."""
    texts = [json.loads(text) for (text,) in session.rows(NAMED)]
    return {landing_id for files in texts for landing_id in landings([ReceivedFile(**file) for file in files])}


def _was_replaced() -> StateError:
    return StateError(
        "This file is not in the batch any more: it was changed or taken out in the meantime. Nothing was changed.",
        code="file_replaced",
        hint="Look at the files as they are now.",
    )


def _name_is_here() -> InputError:
    return InputError(
        "Another file of the batch has this name. Nothing was changed.",
        code="name_in_batch",
        hint="Choose another name, or take the other file out.",
    )


def _received(row: dict[str, Any]) -> Received:
    outcome = row["outcome"]
    return Received(
        **row | {"files": json.loads(row["files"]), "outcome": None if outcome is None else json.loads(outcome)}
    )
