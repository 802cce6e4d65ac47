"""Takes a batch back, as if it had never come, and takes that back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from ingest_core.audience_manager import sampling
from ingest_core.audience_manager.refold import FOLDS, refold
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.signal_loads import signal_loads
from ingest_core.audience_manager.state import digest
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, ignore_progress
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.faults import abort_point
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model, Progress, StepReport

Action = Literal["undo", "redo"]

TWIN = """
SELECT later.request_id FROM am_file AS mine
JOIN am_file AS other ON other.name = mine.name AND other.sha256 = mine.sha256 AND other.code IS NULL
JOIN am_batch AS later ON later.batch_no = other.batch_no
WHERE mine.batch_no = ? AND mine.code IS NULL AND other.batch_no <> mine.batch_no AND later.undone_at IS NULL LIMIT 1
"""


class BatchUndo(Model):
    """What taking a batch back (or that back again) changes. ``*_before``, ``*_after``: counts of the whole state."""

    request_id: str
    action: Action
    is_preview: bool
    files: tuple[str, ...]
    qualifications_before: int
    qualifications_after: int
    profiles_before: int
    profiles_after: int
    mappings_before: int
    mappings_after: int
    uploads: tuple[str, ...] = ()  # of signals of these files: what is undone or redone apart
    steps: tuple[StepReport, ...] = ()


@dataclass(frozen=True)
class BatchUndoing:
    """The batch stays in the log; what counts is folded again. StateError where it cannot be done."""

    engine: Engine
    user: str

    def run(
        self,
        request_id: str,
        action: Action,
        registered: Registered,
        *,
        is_preview: bool = False,
        progress: Progress = ignore_progress,
    ) -> BatchUndo:
        """Codes: InputError ``no_such_batch``; StateError ``already_undone``, ``not_undone``, ``log_cut``,
        ``loaded_since``.
        """
        with self.engine.write, self.engine.session() as session:
            batch = _batch(session, request_id)
            _check(session, batch, action)
            session.run("BEGIN")
            try:
                done = self._change(Runner(session, progress), batch, action, registered, is_preview=is_preview)
                if is_preview:
                    session.run("ROLLBACK")
                    return done
                abort_point("commit", "before")
                session.run("COMMIT")
            except BaseException:
                with suppress(OnrampError):  # it has ended already, or the engine has
                    session.run("ROLLBACK")
                raise
        abort_point("commit", "after")
        with suppress(OnrampError):  # the undo is done, whatever becomes of the tidying
            self.engine.compact(FOLDS)
        return done

    def _change(
        self, runner: Runner, batch: dict[str, Any], action: Action, registered: Registered, *, is_preview: bool
    ) -> BatchUndo:
        session = runner.session
        before = digest(session)
        is_undo = action == "undo"
        session.run(
            "UPDATE am_batch SET undone_at = ?, undone_by = ? WHERE batch_no = ?",
            [now() if is_undo else None, self.user if is_undo else None, batch["batch_no"]],
        )
        if is_undo:
            files = session.rows("SELECT file_no FROM am_file WHERE batch_no = ?", [batch["batch_no"]])
            sampling.forget(session, [file_no for (file_no,) in files])
        refold(runner, registered)
        after = digest(session)
        counts = {
            f"{name}_{when}": state[name]
            for name in ("qualifications", "profiles", "mappings")
            for when, state in (("before", before), ("after", after))
        }
        write_audit(session, self.user, f"am {action}", batch["request_id"], counts)
        names = session.rows("SELECT name FROM am_file WHERE batch_no = ? AND code IS NULL", [batch["batch_no"]])
        return BatchUndo(
            request_id=batch["request_id"],
            action=action,
            is_preview=is_preview,
            files=tuple(name for (name,) in names),
            uploads=_uploads(session, batch["request_id"], action),
            steps=tuple(runner.reports),
            **counts,
        )


def _uploads(session: Session, request_id: str, action: Action) -> tuple[str, ...]:
    """Uploads with signals of the batch's own files that still are (undo: count) as the batch was."""
    made = [one for one in signal_loads(session, request_id) if one.state == "submitted" and one.status == "Completed"]
    return tuple(str(one.request_id) for one in made if one.is_undone == (action == "redo"))


def _batch(session: Session, request_id: str) -> dict[str, Any]:
    found = session.records("SELECT * FROM am_batch WHERE request_id = ?", [request_id])
    if not found:
        raise InputError(
            "There is no batch of Audience Manager files with this Request ID. Nothing was changed.",
            code="no_such_batch",
            hint="See: am receipts",
        )
    return found[0]


def _check(session: Session, batch: dict[str, Any], action: Action) -> None:
    if batch["cut_at"] is not None:
        raise _refused(
            "The lines of this batch were removed for their age; what they did cannot be told apart any more.",
            "log_cut",
            "Send a file that states what should count instead.",
        )
    if action == "undo" and batch["undone_at"] is not None:
        raise _refused("This batch was undone already.", "already_undone", "am redo lets it count again.")
    if action == "redo":
        if batch["undone_at"] is None:
            raise _refused("This batch is not undone.", "not_undone", "There is nothing to take back.")
        twin = session.value(TWIN, [batch["batch_no"]])
        if twin is not None:
            raise _refused(
                "The same file was loaded since.", "loaded_since", "Undo that batch first.", {"request_id": twin}
            )


def _refused(what: str, code: str, hint: str, facts: dict[str, Any] | None = None) -> StateError:
    return StateError(f"{what} Nothing was changed.", code=code, hint=hint, facts=facts or {})
