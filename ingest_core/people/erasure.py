"""Erasing a person: their rows leave the log, what nobody else holds leaves the vault, and they do not come back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ingest_core.catalog import Attributes
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, must_be
from ingest_core.errors import OnrampError
from ingest_core.faults import abort_point
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.live import fold_without
from ingest_core.ledger.rules_of import rules_of
from ingest_core.models import SegmentChange, StepReport
from ingest_core.people import erasing, suppressions
from ingest_core.people.ids import profile_id
from ingest_core.people.people import People, Whom
from ingest_core.people.texts import checked_reason
from ingest_core.segments import counting
from ingest_core.settings import Settings
from ingest_core.vault import Keyset
from ingest_core.vault.upkeep import blank_texts, drop_dead, find_dead_among


@dataclass(frozen=True)
class Erased:
    """What an erasure took, or would take; all are counts.

    ``rows`` of the log in ``uploads``; ``values`` of the vault that nobody else holds, ``kept_values`` that somebody
    does; ``rejected_rows`` whose text is gone; ``suppressed`` identifiers whose rows are left out of later files.
    """

    profile_id: str
    rows: int
    uploads: int
    values: int
    kept_values: int
    rejected_rows: int
    suppressed: int
    segments: tuple[SegmentChange, ...]
    steps: tuple[StepReport, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("segments", "steps")}
        told = ("segments", "steps")
        return plain | {name: [one.model_dump() for one in getattr(self, name)] for name in told}


@dataclass(frozen=True)
class Erasure:
    """Erases people. One transaction each: a kill leaves the person whole or gone."""

    engine: Engine
    keyset: Keyset
    settings: Settings
    attributes: Attributes
    people: People
    user: str

    def preview(self, by: str, value: str) -> Erased:
        """What erasing the one whom a value names would take; raises as ``People.show``."""
        return self._run(self.people.whom(by, value), None, is_preview=True)

    def preview_of(self, public_id: str) -> Erased:
        """The same by profile id."""
        return self._run(self.people.whom_of(public_id), None, is_preview=True)

    def erase(self, by: str, value: str, *, reason: str | None = None) -> Erased:
        """Erases the one whom a value names; on the audit log with the ``reason``. Raises as ``People.show``."""
        return self._run(self.people.whom(by, value), reason)

    def erase_of(self, public_id: str, *, reason: str | None = None) -> Erased:
        """The same by profile id."""
        return self._run(self.people.whom_of(public_id), reason)

    def erased(self) -> dict[str, Any]:
        """The list of erased identifiers, for a restore of an older backup; as ``suppressions.export``."""
        with self.engine.session() as session:
            return suppressions.export(session)

    def _run(self, whom: Whom, reason: str | None, *, is_preview: bool = False) -> Erased:
        why = checked_reason(reason)
        with self.engine.write, self.engine.session() as session:
            session.run("BEGIN")
            try:
                erased = self._take(session, whom(session), why)
                if is_preview:
                    session.run("ROLLBACK")
                    return erased
                abort_point("commit", "before")
                session.run("COMMIT")
            except BaseException:
                with suppress(OnrampError):  # the engine may have rolled back already
                    session.run("ROLLBACK")
                raise
        abort_point("commit", "after")
        with suppress(OnrampError):  # the person is gone, whatever becomes of the tidying
            self.engine.compact(("profile", "identity", "resolution"))
        return erased

    def _take(self, session: Session, pid: int, why: str | None) -> Erased:
        runner, fields = Runner(session), Fields.of(self.attributes.list())
        counted = counting.counts(session)
        session.run(erasing.ROWS, [pid])
        taken = take(runner, self.keyset, fields, self.settings.shared_limit)
        after = counting.keep_counts(session, "erase")
        told = {name: taken[name] for name in ("rows", "values", "rejected_rows", "suppressed")}
        write_audit(session, self.user, "erase", profile_id(pid), {**told, **({"reason": why} if why else {})})
        return Erased(
            profile_id=profile_id(pid), **taken, segments=counting.changes(counted, after), steps=tuple(runner.reports)
        )


def apply_list(
    session: Session, keyset: Keyset, fields: Fields, shared_limit: int, listed: suppressions.Listed
) -> dict[str, int]:
    """Erases everybody on a list, in the caller's transaction; the counts of ``Erased`` and ``people``."""
    runner = Runner(session)
    suppressions.find_rows(runner, keyset, fields, listed)
    people = int(session.value("SELECT count(DISTINCT pid) FROM resolution SEMI JOIN erased_row USING (rid)"))
    taken = take(runner, keyset, fields, shared_limit)
    suppressions.add(session, listed, now())
    return {"people": people, **taken}


def take(runner: Runner, keyset: Keyset, fields: Fields, shared_limit: int) -> dict[str, int]:
    """Erases the people of the rows in ``erased_row``, in the caller's transaction; the counts of ``Erased``."""
    session = runner.session
    rows = erasing.complete_rows(runner, fields)
    uploads = int(session.value("SELECT count(DISTINCT rid >> 32) FROM erased_row"))
    erasing.list_values(session, fields)
    alone = erasing.identifiers_alone(session, keyset, fields)
    texts = erasing.take_rejects(session)
    fold_without(runner, fields, rules_of(session, fields), shared_limit)
    must_be(int(session.value(erasing.LEFT)), 0, "traces of the person")
    values = _drop_values(runner, keyset, fields, texts)
    held = int(session.value("SELECT count(*) FROM erased_value"))
    return {
        "rows": rows,
        "uploads": uploads,
        "values": values,
        "kept_values": held - values,
        "rejected_rows": len(texts),
        "suppressed": erasing.suppress(session, keyset, alone, now()),
    }


def _drop_values(runner: Runner, keyset: Keyset, fields: Fields, texts: list[tuple[int, int]]) -> int:
    """Seals the touched pages again without the values that nobody holds any more; returns how many these were."""
    session, columns = runner.session, {a.attribute_id: a.column for a in fields.attributes if a.pii}
    with runner.timed("vault", "Seal the touched pages again without what nobody else holds.") as done:
        values = find_dead_among(session, columns, "erased_value")
        drop_dead(session, keyset, columns)
        blank_texts(session, keyset, texts)
        done(values)
    return values
