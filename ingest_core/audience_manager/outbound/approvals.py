"""The second look: a large run of a build waits until a person says yes to exactly what would be sent.

Nothing is made or kept of such a run but its figures and a fingerprint of its lines; the files are made when it is
approved, from the profiles as they are then. If that is not what was looked at any more, it waits anew. A build has at
most one run that waits: asked for again with other content, or changed, the earlier one is withdrawn.

Whoever asked does not approve: somebody else does. Where the workspace knows nobody else, the same person may confirm
with a written reason. The user is a name (``Workspace.user``), so this keeps from mistakes, not from a person who takes
another name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ingest_core.audience_manager.outbound import build_sets
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.uploads import new_request_id, utc
from ingest_core.models import Model

NEEDS_LOOK, DECLINED, WITHDRAWN = "needs a second look", "declined", "withdrawn"
Answer = Literal["waiting", "approved", "declined", "withdrawn"]
MOST_NOTE = 500
KNOWN_DAYS = 90


class Approval(Model):
    """One run that has or had to be looked at. ``counts``: rows, removals and what else the preview said."""

    run_no: int
    run_id: str
    definition: str
    status: str
    fingerprint: str
    is_full: bool
    counts: dict[str, Any]
    requested_by: str
    requested_at: datetime
    answer: Answer
    answered_by: str | None = None
    answered_at: datetime | None = None
    note: str = ""


Names = list[str]
Listed = list[Approval]
"""Inside the class, ``list`` is its method."""

_SELECT = """
SELECT run_no, run_id, definition, status, fingerprint, is_full, counts, requested_by, created_at AS requested_at,
       answer, answered_by, answered_at, note
FROM am_approval JOIN am_run USING (run_no)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a build: who, everything or not, and, as a confirmation, rows and a reason."""

    user: str
    is_full: bool = False
    confirmed: int | None = None
    note: str = ""

    @property
    def reason(self) -> str:
        """The note; a number of rows that was written out by hand stands for one."""
        confirmed = "" if self.confirmed is None else f"Confirmed {self.confirmed:,} rows by their number."
        return checked_note(self.note) or confirmed


class Approvals:
    """What waits for a second look, what was answered, and who may answer."""

    def __init__(self, engine: Engine, alone: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine = engine
        self._alone = alone

    def list(self, *, answer: Answer | None = None, definition: str | None = None, limit: int = 100) -> Listed:
        """The newest first."""
        where = "(?::VARCHAR IS NULL OR answer = ?) AND (?::VARCHAR IS NULL OR definition = ?)"
        with self._engine.session() as session:
            return [
                _made(row)
                for row in session.records(
                    f"{_SELECT} WHERE {where} ORDER BY run_no DESC LIMIT ?",
                    [answer, answer, definition, definition, limit],
                )
            ]

    def get(self, run_id: str) -> Approval:
        """By the id of its run. InputError ``no_such_run``."""
        with self._engine.session() as session:
            return one(session, run_id)

    def refusal(self, run_id: str, user: str, note: str = "") -> InputError | StateError | None:
        """Why this person cannot approve it like this; None: may. As ``refusal_of``."""
        with self._engine.session() as session:
            return refusal_of(session, one(session, run_id).requested_by, user, note)

    def decline(self, run_id: str, user: str, note: str) -> Approval:
        """Nothing is sent, and why; also for whoever asked. InputError ``no_such_run``, ``note_needed``;
        StateError ``not_waiting``, ``export_runs``.
        """
        note = checked_note(note)
        if not note:
            raise note_needed("Say why it is declined. It waits still.")
        with self._alone(), self._engine.queue, self._engine.session() as session, session.transaction():
            waiting = still_waiting(one(session, run_id))
            answer(session, waiting, "declined", user, note)
        return self.get(run_id)


def one(session: Session, run_id: str) -> Approval:
    """InputError ``no_such_run``."""
    found = session.records(f"{_SELECT} WHERE run_id = ?", [run_id])
    if not found:
        raise InputError(
            "There is no such run that wanted a second look. Nothing was changed.",
            code="no_such_run",
            hint="See what waits with: am approvals",
        )
    return _made(found[0])


def still_waiting(approval: Approval) -> Approval:
    """StateError ``not_waiting`` when it was answered."""
    if approval.answer != "waiting":
        raise StateError(
            f"This run does not wait for a second look any more: it was {approval.answer}. Nothing was changed.",
            code="not_waiting",
            hint="See what waits with: am approvals",
        )
    return approval


def waiting_of(session: Session, definition: str) -> Approval | None:
    """What waits of a build, by the name of its runs."""
    found = session.records(f"{_SELECT} WHERE answer = 'waiting' AND definition = ? ORDER BY run_no DESC", [definition])
    return _made(found[0]) if found else None


def is_large(build: Build, counts: dict[str, Any]) -> bool:
    """Whether a person has to look: more rows or removals than the definition lets pass."""
    return bool(counts["rows"] > build.look_above_rows or counts["removals"] > build.look_above_removals)


def fingerprint(session: Session, build: Build) -> str:
    """SHA-256 in hexadecimal of the definition (name and limits apart) and of all lines, after ``build_sets.fill``."""
    about = build.model_dump(mode="json", exclude={"name", "look_above_rows", "look_above_removals"})
    seen = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for table in ("am_sending", "am_leaving"):
        seen.update(f"\n{table}\n".encode())
        for batch in session.batches(build_sets.lines_sql(session, build, table)):
            seen.update("".join(batch.column(0).to_pylist()).encode())
    return seen.hexdigest()


def look(
    session: Session, build: Build, counts: dict[str, Any], wish: Wish, held: Approval | None
) -> tuple[Approval | None, OnrampError | None]:
    """What a run has to wait for, after ``build_sets.fill``: (the approved run or None, why it may not be made).

    ``held``: what somebody approves now, ``wish.user``. Everything is written down in the caller's transaction, the
    refusal is raised after it.
    """
    if not is_large(build, counts):
        withdraw(session, build.definition, wish.user)
        return None, None if held is None else _no_look_needed(build)
    by = wish if held is None else Wish(held.requested_by, held.is_full)
    asked = ask(session, build, counts, fingerprint(session, build), by)
    if held is not None and asked.run_no != held.run_no:
        return None, other_content(asked)
    if held is None and wish.confirmed != counts["rows"]:
        return None, needs_look(asked)
    if refusal := refusal_of(session, asked.requested_by, wish.user, wish.reason):
        return None, refusal
    answer(session, asked, "approved", wish.user, wish.reason)
    return asked, None


def ask(session: Session, build: Build, counts: dict[str, Any], content: str, wish: Wish) -> Approval:
    """What waits now, in the caller's transaction: the run that waited already where it would send the very same.

    One with other content is withdrawn; who had asked for it still counts as having asked.
    """
    waiting = waiting_of(session, build.definition)
    if waiting is not None:
        if (waiting.fingerprint, waiting.is_full) == (content, wish.is_full):
            return waiting
        withdraw(session, build.definition, wish.user)
    number = int(session.value("SELECT coalesce(max(run_no), 0) + 1 FROM am_run"))
    run_id = new_request_id()
    session.run(
        "INSERT INTO am_run VALUES (?, ?, 'build', ?, ?, ?, ?, ?, ?, '[]', NULL, ?, NULL, NULL, NULL)",
        [
            number, run_id, build.definition, build.mode, wish.user, now(), NEEDS_LOOK,
            json.dumps({"folder": build.folder} if build.folder else {"destination": build.destination}),
            json.dumps(counts),
        ],
    )  # fmt: skip
    session.run("INSERT INTO am_approval VALUES (?, ?, ?, 'waiting', NULL, NULL, '')", [number, content, wish.is_full])
    write_audit(session, wish.user, "ask for a second look", run_id, _about(build.definition, counts, content))
    return one(session, run_id)


def withdraw(session: Session, definition: str, user: str) -> None:
    """What waits of a build needs no answer any more, in the caller's transaction."""
    waiting = waiting_of(session, definition)
    if waiting is not None:
        answer(session, waiting, "withdrawn", user, "")


def answer(session: Session, approval: Approval, said: Answer, user: str, note: str) -> None:
    """Writes down an answer, in the caller's transaction; of an approved run its maker writes the new state."""
    session.run(
        "UPDATE am_approval SET answer = ?, answered_by = ?, answered_at = ?, note = ? WHERE run_no = ?",
        [said, user, now(), note, approval.run_no],
    )
    if said != "approved":
        session.run("UPDATE am_run SET status = ? WHERE run_no = ?", [said, approval.run_no])
    detail = _about(approval.definition, approval.counts, approval.fingerprint)
    by_itself = same_person(user, approval.requested_by)
    write_audit(
        session, user, f"second look: {said}", approval.run_id, {**detail, "note": note, "by_who_asked": by_itself}
    )


def refusal_of(session: Session, asked_by: str, user: str, note: str) -> InputError | StateError | None:
    """Why somebody cannot approve what ``asked_by`` asked for; None: may.

    StateError ``same_person`` where others are known, InputError ``note_needed`` where nobody is.
    """
    if not same_person(asked_by, user):
        return None
    others = known_others(session, user)
    if others:
        return StateError(
            "Who asked for a run does not approve it. It waits still; nothing was sent.",
            code="same_person",
            hint=f"Somebody else looks at it, such as {', '.join(others[:3])}: am approve RUN",
            facts={"asked_by": asked_by, "others": others},
        )
    if not note:
        return note_needed("Nobody else is known here, so you may confirm it yourself, with a written reason.")
    return None


def known_others(session: Session, user: str) -> Names:
    """Who else has done something here in the last ninety days, by the audit log, the latest first."""
    rows = session.rows(
        "SELECT actor, max(seq) AS latest FROM audit WHERE happened_at > ? GROUP BY actor ORDER BY latest DESC",
        [now() - timedelta(days=KNOWN_DAYS)],
    )
    return [str(actor) for actor, _ in rows if not same_person(actor, user)]


def same_person(one_name: str, other: str) -> bool:
    """Names without regard to case and spaces around them."""
    return one_name.strip().casefold() == other.strip().casefold()


def checked_note(note: str) -> str:
    """One line of text. InputError ``bad_note``."""
    note = " ".join(note.split())
    if len(note) > MOST_NOTE or not note.isprintable():
        raise InputError(
            f"A note has at most {MOST_NOTE} characters, without control characters. Nothing was changed.",
            code="bad_note",
            hint="Keep personal data out of it: it stands in the audit log.",
        )
    return note


def note_needed(what: str) -> InputError:
    """The note is missing."""
    return InputError(what, code="note_needed", hint="Write it with: --note TEXT")


def needs_look(approval: Approval) -> StateError:
    """A run that waits, as the answer to whoever asked for it."""
    rows, removals = int(approval.counts["rows"]), int(approval.counts["removals"])
    return StateError(
        f"This would send {rows:,} rows and {removals:,} removals, so a second person has to look first. "
        "It waits; nothing was sent.",
        code="needs_second_look",
        hint=f"Let somebody else look and say: am approve {approval.run_id}",
        facts={
            "rows": rows, "removals": removals, "run": approval.run_id, "fingerprint": approval.fingerprint,
            "asked_by": approval.requested_by,
        },
    )  # fmt: skip


def _no_look_needed(build: Build) -> StateError:
    return StateError(
        "The profiles changed since: what would be sent now is small enough to go without a second look. "
        "Nothing was sent.",
        code="no_look_needed",
        hint=f"Run it again: am build {build.name}",
    )


def other_content(approval: Approval) -> StateError:
    """The profiles changed since somebody looked; ``approval`` is the run that waits instead."""
    return StateError(
        f"What would be sent is not what was looked at: it would be {int(approval.counts['rows']):,} rows and "
        f"{int(approval.counts['removals']):,} removals now. Nothing was sent.",
        code="other_content",
        hint=f"Look at it again, then say: am approve {approval.run_id}",
        facts={"run": approval.run_id, "rows": approval.counts["rows"], "removals": approval.counts["removals"]},
    )


def _about(definition: str, counts: dict[str, Any], content: str) -> dict[str, Any]:
    return {"build": definition, "rows": counts["rows"], "removals": counts["removals"], "fingerprint": content}


def _made(row: dict[str, Any]) -> Approval:
    times = {name: utc(row[name]) for name in ("requested_at", "answered_at")}
    return Approval(**{**row, **times, "counts": json.loads(row["counts"])})
