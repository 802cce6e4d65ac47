"""Undo takes one upload out of the log's live part and folds again what it touched; redo takes that back.

Both have a preview: the change itself, rolled back, so that its figures are exact.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from ingest_core.catalog import Attributes
from ingest_core.clock import now
from ingest_core.deliveries.went_out import went_out
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, must_be
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.faults import abort_point
from ingest_core.ledger import uploads
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.live import decide_live, fold_again
from ingest_core.ledger.rules_of import rules_of
from ingest_core.models import UndoReceipt
from ingest_core.segments import counting, segments
from ingest_core.settings import Settings

_TOLD_AS = {"undo": "upload_undone", "redo": "upload_redone"}


@dataclass(frozen=True)
class Undo:
    """Takes uploads back, and takes that back. StateError where it cannot be done; nothing is changed then."""

    engine: Engine
    settings: Settings
    attributes: Attributes
    user: str

    def preview(self, request_id: str) -> UndoReceipt:
        """What undoing this upload would change."""
        return self._run(request_id, is_undo=True, is_preview=True)

    def undo(self, request_id: str, user: str | None = None) -> UndoReceipt:
        """Takes the upload back: all is as if it had never been loaded, later uploads keep their values."""
        return self._run(request_id, is_undo=True, user=user)

    def preview_redo(self, request_id: str, *, again: bool = False) -> UndoReceipt:
        """What taking the undo back would change."""
        return self._run(request_id, is_undo=False, is_preview=True, again=again)

    def redo(self, request_id: str, user: str | None = None, *, again: bool = False) -> UndoReceipt:
        """Lets an undone upload count again. ``again``: also when the same bytes were loaded since."""
        return self._run(request_id, is_undo=False, user=user, again=again)

    def _run(
        self, request_id: str, *, is_undo: bool, is_preview: bool = False, user: str | None = None, again: bool = False
    ) -> UndoReceipt:
        with self.engine.write, self.engine.session() as session:
            upload = _upload(session, request_id)
            (_check_undo if is_undo else _check_redo)(upload)
            if not is_undo and not again:
                _refuse_twin(session, upload)
            session.run("BEGIN")
            try:
                receipt = self._change(session, upload, user or self.user, is_undo=is_undo)
                if is_preview:
                    session.run("ROLLBACK")
                    return receipt
                abort_point("commit", "before")
                session.run("COMMIT")
            except BaseException:
                _roll_back(session)
                raise
        abort_point("commit", "after")
        with suppress(OnrampError):  # the undo is done, whatever becomes of the tidying
            self.engine.compact(("profile", "identity", "resolution"))
        return receipt

    def _change(self, session: Session, upload: dict[str, Any], user: str, *, is_undo: bool) -> UndoReceipt:
        runner = Runner(session)
        action: Literal["undo", "redo"] = "undo" if is_undo else "redo"
        before = _standing(session)
        with runner.timed("segments before", "Count every segment as it is.") as done:
            counted = segments.counts(session)
            done(len(counted))
        _mark(session, upload, user if is_undo else None)
        fields = Fields.of(self.attributes.list())
        fold_again(runner, fields, rules_of(session, fields), self.settings.shared_limit)
        after = _standing(session)
        moved = _moved(session)
        _check(before, after, moved)
        with runner.timed("segments", "Count every segment as it is now.") as done:
            (segments.hide_with if is_undo else segments.show_with)(session, upload["request_id"])
            changed = counting.changes(counted, segments.keep_counts(session, action, upload["request_id"]))
            done(len(changed))
        write_audit(session, user, action, upload["request_id"], {"profiles_after": after["profiles"], **moved})
        uploads.tell_of(session, upload["request_id"], _TOLD_AS[action], again=now().isoformat())
        return UndoReceipt(
            request_id=upload["request_id"],
            action=action,
            source=upload["source"],
            file=upload["file"],
            user=user,
            rows=_rows(session, upload["upload_no"]),
            uploads_ended=_ids(session, "gone"),
            uploads_back=_ids(session, "back"),
            profiles_before=before["profiles"],
            profiles_after=after["profiles"],
            memberships_before=before["memberships"],
            memberships_after=after["memberships"],
            segments=changed,
            went_out=went_out(session, upload["upload_no"]) if is_undo else (),
            steps=tuple(runner.reports),
            **moved,
        )


def _mark(session: Session, upload: dict[str, Any], user: str | None) -> None:
    """Undone by ``user``, or no longer undone; what counts for the source follows."""
    session.run(
        "UPDATE upload SET undone_at = ?, undone_by = ? WHERE request_id = ?",
        [now() if user else None, user, upload["request_id"]],
    )
    decide_live(session, upload["source_id"])


def _upload(session: Session, request_id: str) -> dict[str, Any]:
    found = session.records(
        "SELECT upload.*, source.name AS source FROM upload JOIN source USING (source_id) WHERE request_id = ?",
        [request_id],
    )
    if not found:
        raise InputError("There is no upload with this Request ID.", code="no_such_upload", hint="See: history")
    return found[0]


def _check_undo(upload: dict[str, Any]) -> None:
    if upload["status"] != "Completed":
        raise StateError(
            f"This upload is {upload['status']}: it stored nothing that could be undone. Nothing was changed.",
            code="nothing_to_undo",
            hint="Stop it while it runs; a Failed upload has left nothing.",
        )
    if upload["undone_at"] is not None:
        raise StateError(
            "This upload was undone already. Nothing was changed.",
            code="already_undone",
            hint="redo lets it count again.",
            facts={"undone_by": upload["undone_by"]},
        )


def _check_redo(upload: dict[str, Any]) -> None:
    if upload["undone_at"] is None:
        raise StateError(
            "This upload is not undone. Nothing was changed.",
            code="not_undone",
            hint="Only an undone upload comes back.",
        )
    if upload.get("purged_at") is not None:
        raise StateError(
            "The rows of this upload were removed after its retention. Nothing was changed.",
            code="purged",
            hint="Load the file again.",
        )


def _refuse_twin(session: Session, upload: dict[str, Any]) -> None:
    twin = session.row(
        "SELECT request_id FROM upload WHERE source_id = ? AND sha256 = ? AND is_live",
        [upload["source_id"], upload["sha256"]],
    )
    if twin is not None:
        raise StateError(
            "The same file was loaded since. Nothing was changed.",
            code="already_loaded",
            hint="Undo that upload first, or say --again.",
            facts={"request_id": twin[0]},
        )


def _standing(session: Session) -> dict[str, int]:
    row = session.rows("SELECT (SELECT count(*) FROM profile), (SELECT count(*) FROM membership)")[0]
    return {"profiles": int(row[0]), "memberships": int(row[1])}


def _moved(session: Session) -> dict[str, int]:
    """removed, returned, merged, came_apart, changed: what became of the touched profiles."""
    names = ("removed", "returned", "merged", "came_apart", "changed")
    return dict(zip(names, map(int, session.rows(_MOVED)[0]), strict=True))


_MOVED = """
WITH edge AS (
    SELECT DISTINCT old_pid, pid FROM refold_row
    WHERE old_pid IN (SELECT pid FROM refold_profile) AND rid NOT IN (SELECT rid FROM back_row)
), stays AS (
    SELECT any_value(edge.old_pid) AS old_pid, edge.pid FROM edge GROUP BY edge.pid HAVING count(*) = 1
), same AS (
    SELECT pid, COLUMNS(p.* EXCLUDE (pid)) FROM profile AS p SEMI JOIN stays USING (pid)
    INTERSECT
    SELECT stays.pid, COLUMNS(o.* EXCLUDE (pid)) FROM refold_profile AS o JOIN stays ON stays.old_pid = o.pid
)
SELECT (SELECT count(*) FROM refold_profile) - (SELECT count(DISTINCT old_pid) FROM edge),
       (SELECT count(DISTINCT pid) FROM refold_row) - (SELECT count(DISTINCT pid) FROM edge),
       (SELECT count(*) - count(DISTINCT pid) FROM edge),
       (SELECT count(*) - count(DISTINCT old_pid) FROM edge),
       (SELECT count(*) FROM stays) - (SELECT count(*) FROM same)"""


def _check(before: dict[str, int], after: dict[str, int], moved: dict[str, int]) -> None:
    change = moved["returned"] - moved["removed"] + moved["came_apart"] - moved["merged"]
    must_be(after["profiles"], before["profiles"] + change, "profiles")


def _rows(session: Session, upload_no: int) -> int:
    low = upload_no << 32
    return int(session.value("SELECT count(*) FROM record WHERE rid >= ? AND rid < ?", [low, low + (1 << 32)]))


def _ids(session: Session, table: str) -> tuple[str, ...]:
    rows = session.rows(f"SELECT request_id FROM upload SEMI JOIN {table} USING (upload_no) ORDER BY upload_no")
    return tuple(row[0] for row in rows)


def _roll_back(session: Session) -> None:
    try:
        session.run("ROLLBACK")
    except OnrampError:
        pass  # the engine has rolled back already
