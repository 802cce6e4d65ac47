"""Builds: files for Audience Manager from profiles, whole or what changed, delivered and remembered (spec §17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ingest_core.audience_manager.outbound import approvals, build_names, build_sets
from ingest_core.audience_manager.outbound.approvals import Approval, Wish
from ingest_core.audience_manager.outbound.build import GB, Build
from ingest_core.audience_manager.outbound.build_check import checked
from ingest_core.audience_manager.outbound.build_place import Remark, against, settled
from ingest_core.audience_manager.outbound.build_rows import Staging, line_of
from ingest_core.audience_manager.outbound.build_sources import people_of
from ingest_core.audience_manager.outbound.parts import Part, Parts
from ingest_core.audience_manager.outbound.runs import NOTHING, Run, RunFile, Runs, named
from ingest_core.audience_manager.registered import Registered
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, StateError
from ingest_core.files.in_memory import InMemory
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model, Progress
from ingest_core.segments.known import Known
from ingest_core.transport.openpgp import encrypted
from ingest_core.vault import Keyset

SHOWN = 5
TRIED_BYTES = 20_000_000


class BuildPreview(Model):
    """What a build would send; nothing is kept. ``lines``: the first ones as they would stand in the file.

    ``bytes``: of all files, not packed. ``fingerprint``: of all lines, where a second person has to look at them; None:
    the run would go at once.
    """

    name: str
    counts: dict[str, Any]
    files: tuple[str, ...]
    lines: tuple[str, ...]
    bytes: int = 0
    fingerprint: str | None = None
    remarks: tuple[Remark, ...] = ()


Listed = list[Build]
Parted = list[Part]
Tried = list[InMemory]
"""Inside the class, ``list`` is its method."""


class Builds:
    """Keeps definitions, makes their runs and brings them to their places."""

    def __init__(
        self, engine: Engine, keyset: Keyset, runs: Runs, pgp_keys: PgpKeys,
        registered: Callable[[], Registered], user: str,
    ) -> None:  # fmt: skip
        self._engine = engine
        self._keyset = keyset
        self._runs = runs
        self._pgp_keys = pgp_keys
        self._registered = registered
        self._user = user

    def list(self) -> Listed:
        """Kept definitions by name."""
        with self._engine.session() as session:
            rows = session.rows("SELECT content FROM am_build ORDER BY lower(name)")
        return [Build.model_validate_json(content) for (content,) in rows]

    def get(self, name: str) -> Build:
        """InputError ``no_such_build``."""
        for build in self.list():
            if build.name.lower() == name.lower():
                return build
        raise InputError("There is no such build. Nothing was changed.", code="no_such_build", hint="See: am builds")

    def keep(self, build: Build) -> Build:
        """Keeps a definition, in the place of one of the same name. InputError as ``checked`` and ``settled``.

        Where its ids or its data source change, what was sent before is forgotten: the next run is whole.
        """
        build = self._settled(build)
        with self._engine.write, self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            before = session.value("SELECT content FROM am_build WHERE lower(name) = lower(?)", [build.name])
            session.run("DELETE FROM am_build WHERE lower(name) = lower(?)", [build.name])
            session.run("INSERT INTO am_build VALUES (?, ?, ?, ?)",
                        [build.name, build.model_dump_json(), now(), self._user])  # fmt: skip
            old = None if before is None else Build.model_validate_json(before)
            if old is not None and old != build:
                for one in {old.definition, build.definition}:
                    approvals.withdraw(session, one, self._user)
                if old.remembered_by != build.remembered_by:
                    self._forget(session, build)
            write_audit(session, self._user, "keep build", build.name, {"dpid": build.dpid, "kind": build.kind})
        return build

    def remove(self, name: str) -> Build:
        """Its runs stay in the history; what was sent is forgotten. InputError ``no_such_build``."""
        build = self.get(name)
        with self._engine.write, self._engine.session() as session, session.transaction():
            session.run("DELETE FROM am_build WHERE name = ?", [build.name])
            approvals.withdraw(session, build.definition, self._user)
            self._forget(session, build)
            write_audit(session, self._user, "remove build", build.name, {})
        return build

    def preview(self, build: Build, *, is_full: bool = False) -> BuildPreview:
        """What the next run would send. Raises as ``run``, but for the second look."""
        build = self._settled(build)
        remarks = () if build.destination is None else against(self._runs.destinations.get(build.destination).place)
        with self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            staging = self._stage(session, build)
            counts = build_sets.fill(session, build, self._told(session, build, is_full))
            files, size = build_names.previewed(session, build)
            lines = session.rows(f"SELECT id, items FROM am_sending ORDER BY id LIMIT {SHOWN}")
            content = approvals.fingerprint(session, build) if approvals.is_large(build, counts) else None
        shown = tuple(line_of(build, identifier, items) for identifier, items in lines)
        counts |= _about(staging)
        return BuildPreview(
            name=build.name, counts=counts, files=tuple(files), lines=shown, bytes=size, fingerprint=content,
            remarks=tuple(remarks),
        )  # fmt: skip

    def tried(self, build: Build, *, is_full: bool = False, most: int = TRIED_BYTES) -> Tried | None:
        """The files of the next run as they would be, plain, in memory only; None where they are larger than ``most``.

        Their names may begin with folders. Raises as ``preview``.
        """
        plain = build.model_copy(update={"gzip": False, "pgp": (), "split_bytes": GB})
        files = []
        with self._engine.session() as session, session.transaction():
            plain = self._checked(session, plain)
            self._stage(session, plain)
            build_sets.fill(session, plain, self._told(session, plain, is_full))
            names, size = build_names.previewed(session, plain)
            if size > most:
                return None
            for name in names:
                is_beside = build.mode == "overwrite" and name.endswith(".sync")
                table = "am_leaving" if is_beside else "am_sending"
                batches = session.batches(build_sets.lines_sql(session, plain, table))
                text = "".join("".join(batch.column(0).to_pylist()) for batch in batches)
                files.append(InMemory(name, text.encode()))
        return files

    def run(
        self, name: str, *, is_full: bool = False, confirmed: int | None = None, note: str = "", user: str,
        after: int | None = None, progress: Progress = ignore_progress,
    ) -> Run:  # fmt: skip
        """Makes one run of a kept definition and delivers it, if it says where to.

        ``is_full``: everything, also where only what changed is wanted. A large run waits for a second look
        (approvals.py): ``confirmed`` approves it at once where so many rows would be sent. A run that is not delivered
        yet is delivered first, as it was made. ``after``: the number of the newest run that somebody saw, 0 for none:
        StateError ``ran_meanwhile`` where there is a newer one. InputError ``no_such_build``, ``no_place``,
        ``note_needed``; StateError ``needs_second_look``, ``same_person``, ``needs_full``, ``export_runs``;
        DeliveryError.
        """
        return self._bring(self.get(name), Wish(user, is_full, confirmed, note), after=after, progress=progress)

    def approve(
        self, run_id: str, user: str, *, note: str = "", content: str | None = None,
        progress: Progress = ignore_progress,
    ) -> Run:  # fmt: skip
        """Makes and delivers a run that waits for a second look. ``content``: the fingerprint of what was looked at.

        InputError ``no_such_run``, ``note_needed``; StateError ``not_waiting``, ``same_person``, ``other_content``
        where something else would be sent by now, ``no_look_needed``; else as ``run``.
        """
        with self._engine.session() as session:
            held = approvals.still_waiting(approvals.one(session, run_id))
        if content is not None and content != held.fingerprint:
            raise approvals.other_content(held)
        build = next((one for one in self.list() if one.definition == held.definition), None)
        if build is None:
            raise StateError(
                "The build of this run is not there any more. Nothing was sent.", code="not_waiting",
                hint="See: am builds",
            )  # fmt: skip
        return self._bring(build, Wish(user, held.is_full, note=note), held, progress=progress)

    def _bring(
        self, build: Build, wish: Wish, held: Approval | None = None, *, after: int | None = None, progress: Progress
    ) -> Run:  # fmt: skip
        if build.destination is None and build.folder is None:
            raise InputError(
                "This build does not say where its files go. Nothing was built.", code="no_place",
                hint="Give it a destination or a folder.",
            )  # fmt: skip
        build = self._settled(build)
        with self._runs.alone():
            self._refuse_newer(build, after)
            if waiting := self._runs.waiting("build", build.definition):
                self._runs.deliver(waiting, progress)
            run = self._runs.get(self._prepare(build, wish, held, progress))
            return run if run.status == NOTHING else self._runs.deliver(run, progress)

    def _refuse_newer(self, build: Build, after: int | None) -> None:
        newest = self._runs.list("build", build.definition, 1)
        if after is not None and newest and newest[0].run_no > after:
            raise StateError(
                "A run of this build was made meanwhile, in another window or by somebody else. Nothing was sent.",
                code="ran_meanwhile",
                hint="Look at it first, then say it again.",
                facts={"run": newest[0].run_id},
            )

    def _prepare(self, build: Build, wish: Wish, held: Approval | None, progress: Progress) -> int:
        """The number of the run that was made; what has to be looked at first is written down and refused."""
        with self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            staging = self._stage(session, build, progress)
            counts = build_sets.fill(session, build, self._told(session, build, wish.is_full))
            progress("rows", 0, counts["rows"])
            about = counts | _about(staging) | {"environment": build.environment}
            with self._engine.queue:
                if held is not None:
                    approvals.still_waiting(approvals.one(session, held.run_id))
                approved, refusal = approvals.look(session, build, about, wish, held)
            if refusal is None:
                return self._keep_made(session, build, about, wish, approved)
        raise refusal

    def _keep_made(
        self, session: Session, build: Build, counts: dict[str, Any], wish: Wish, approved: Approval | None
    ) -> int:  # fmt: skip
        place = {"folder": build.folder} if build.folder else {"destination": str(build.destination)}
        made: Parted = []
        with Parts(self._runs.zone, most=build.split_bytes, is_gzip=build.gzip) as parts:
            files = self._make(session, build, parts, made)
            with self._engine.queue:
                if approved is not None:
                    number = self._runs.prepare(session, approved.run_no, files, counts)
                else:
                    number = self._runs.insert(
                        session, "build", build.definition, build.mode, wish.user, place, files=files, counts=counts
                    )
                if files:
                    build_sets.keep_sent(session, number)
        return number

    def _make(self, session: Session, build: Build, parts: Parts, made: Parted) -> tuple[RunFile, ...]:
        """The main file in parts, then the removals of people whom an overwrite cannot empty (spec §9.5)."""
        stamp = build_names.timestamp(session, build)
        parts.add_all(session.batches(build_sets.lines_sql(session, build, "am_sending")))
        made += parts.finish()
        files = list(named(made, build_names.names(build, stamp, len(made))))
        if build.mode == "overwrite" and session.value("SELECT count(*) FROM am_leaving"):
            extra = Parts(self._runs.zone, most=build.split_bytes, is_gzip=build.gzip)
            extra.add_all(session.batches(build_sets.lines_sql(session, build, "am_leaving")))
            leaving = extra.finish()
            files += named(leaving, build_names.names(build_names.removals_of(build), stamp, len(leaving)))
        return tuple(self._encrypted(build, file) for file in files)

    def _encrypted(self, build: Build, file: RunFile) -> RunFile:
        if not build.pgp:
            return file
        recipients = self._pgp_keys.recipients(build.pgp)
        with encrypted(self._runs.zone.open(file.landing), recipients, self._runs.zone.folder) as sealed:
            parts = Parts.copied(self._runs.zone, sealed)
        self._runs.zone.delete(file.landing)
        update = {name: getattr(parts, name) for name in ("landing", "size", "md5", "sha256")}
        return file.model_copy(update=update)

    def _stage(self, session: Session, build: Build, progress: Progress = ignore_progress) -> Staging:
        known = Known.of(session)
        staging = Staging(
            session, self._keyset, build, self._registered(), {a.name: a for a in known.attributes.values()}
        )
        staging.stage(people_of(session, known, build.segment, build.source), progress)
        return staging

    def _forget(self, session: Session, build: Build) -> None:
        for environment in ("production", "beta"):
            of_it = build.model_copy(update={"environment": environment})
            self._runs.forget(session, "build", of_it.definition)

    def _told(self, session: Session, build: Build, is_full: bool) -> int | None:
        if is_full or not build.changed:
            return None
        if self._runs.needs_full(session, "build", build.definition):
            raise StateError(
                "A run of this build was given up, so nobody knows what arrived. Nothing was sent.",
                code="needs_full",
                hint="Send everything once: am build NAME --full",
            )
        return self._runs.last_told(session, "build", build.definition)

    def _settled(self, build: Build) -> Build:
        """With what its destination says; raises as ``build_place.settled``, InputError ``no_such_destination``."""
        if build.destination is None:
            return build
        return settled(build, self._runs.destinations.get(build.destination).place)

    def _checked(self, session: Session, build: Build) -> Build:
        attributes = {a.name: a for a in Known.of(session).attributes.values()}
        return checked(build, attributes, self._registered().registry, now())


def _about(staging: Staging) -> dict[str, Any]:
    return {
        "people": staging.people, "without_id": staging.without_id, "refused": sum(staging.refused.values()),
        "refused_by_reason": dict(sorted(staging.refused.items())),
    }  # fmt: skip
