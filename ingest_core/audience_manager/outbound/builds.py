"""Builds: files for Audience Manager from profiles, whole or what changed, delivered and remembered (spec §17)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from ingest_core.audience_manager.outbound import build_sets
from ingest_core.audience_manager.outbound.build import Build, checked, look_again
from ingest_core.audience_manager.outbound.build_rows import Staging, line_of
from ingest_core.audience_manager.outbound.parts import Part, Parts
from ingest_core.audience_manager.outbound.runs import NOTHING, Run, RunFile, Runs, named
from ingest_core.audience_manager.registered import Registered
from ingest_core.catalog.pgp_keys import PgpKeys
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model
from ingest_core.segments.compiling import Condition, compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.segments import condition_of
from ingest_core.segments.tree import InSource
from ingest_core.transport.openpgp import encrypted
from ingest_core.vault import Keyset

SHOWN = 5


class BuildPreview(Model):
    """What a build would send; nothing is kept. ``lines``: the first ones as they would stand in the file."""

    name: str
    counts: dict[str, Any]
    files: tuple[str, ...]
    lines: tuple[str, ...]


Listed = list[Build]
Parted = list[Part]
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
        """Keeps a definition, in the place of one of the same name. InputError as ``build.checked``.

        Where its ids or its data source change, what was sent before is forgotten: the next run is whole.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            before = session.value("SELECT content FROM am_build WHERE lower(name) = lower(?)", [build.name])
            session.run("DELETE FROM am_build WHERE lower(name) = lower(?)", [build.name])
            session.run("INSERT INTO am_build VALUES (?, ?, ?, ?)",
                        [build.name, build.model_dump_json(), now(), self._user])  # fmt: skip
            if before is not None and Build.model_validate_json(before).remembered_by != build.remembered_by:
                self._forget(session, build)
            write_audit(session, self._user, "keep build", build.name, {"dpid": build.dpid, "kind": build.kind})
        return build

    def remove(self, name: str) -> Build:
        """Its runs stay in the history; what was sent is forgotten. InputError ``no_such_build``."""
        build = self.get(name)
        with self._engine.write, self._engine.session() as session, session.transaction():
            session.run("DELETE FROM am_build WHERE name = ?", [build.name])
            self._forget(session, build)
            write_audit(session, self._user, "remove build", build.name, {})
        return build

    def preview(self, build: Build, *, is_full: bool = False) -> BuildPreview:
        """What the next run would send. Raises as ``run``, but for the second look."""
        with self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            staging = self._stage(session, build)
            counts = build_sets.fill(session, build, self._told(session, build, is_full))
            files = self._names(session, build, counts)
            lines = session.rows(f"SELECT id, items FROM am_sending ORDER BY id LIMIT {SHOWN}")
        shown = tuple(line_of(build, identifier, items) for identifier, items in lines)
        return BuildPreview(name=build.name, counts=counts | _about(staging), files=files, lines=shown)

    def run(self, name: str, *, is_full: bool = False, confirmed: int | None = None, user: str) -> Run:
        """Makes one run of a kept definition and delivers it, if it says where to.

        ``is_full``: everything, also where only what changed is wanted. ``confirmed``: the rows that a second person
        saw in the preview. A run that is not delivered yet is delivered first, as it was made. InputError
        ``no_such_build``, ``no_place``; StateError ``needs_second_look``, ``needs_full``, ``export_runs``;
        DeliveryError.
        """
        build = self.get(name)
        if build.destination is None and build.folder is None:
            raise InputError(
                "This build does not say where its files go. Nothing was built.", code="no_place",
                hint="Give it a destination or a folder.",
            )  # fmt: skip
        with self._runs.alone():
            if waiting := self._runs.waiting("build", build.definition):
                self._runs.deliver(waiting)
            run = self._runs.get(self._prepare(build, is_full, confirmed, user))
            return run if run.status == NOTHING else self._runs.deliver(run)

    def _prepare(self, build: Build, is_full: bool, confirmed: int | None, user: str) -> int:
        place = {"folder": build.folder} if build.folder else {"destination": str(build.destination)}
        with self._engine.session() as session, session.transaction():
            build = self._checked(session, build)
            staging = self._stage(session, build)
            counts = build_sets.fill(session, build, self._told(session, build, is_full))
            look_again(build, counts["rows"], counts["removals"], confirmed)
            made: Parted = []
            with Parts(self._runs.zone, most=build.split_bytes, is_gzip=build.gzip) as parts:
                files = self._make(session, build, parts, made)
                with self._engine.queue:
                    number = self._runs.insert(
                        session, "build", build.definition, build.mode, user, place, files=files,
                        counts=counts | _about(staging) | {"environment": build.environment},
                    )  # fmt: skip
                    if files:
                        build_sets.keep_sent(session, number)
        return number

    def _make(self, session: Session, build: Build, parts: Parts, made: Parted) -> tuple[RunFile, ...]:
        """The main file in parts, then the removals of people whom an overwrite cannot empty (spec §9.5)."""
        timestamp = self._timestamp(session, build)
        parts.add_all(session.batches(build_sets.lines_sql(session, build, "am_sending")))
        made += parts.finish()
        files = list(named(made, _in_folder(build, [str(n) for n in _split_names(build, timestamp, len(made))])))
        if build.mode == "overwrite" and session.value("SELECT count(*) FROM am_leaving"):
            extra = Parts(self._runs.zone, most=build.split_bytes, is_gzip=build.gzip)
            extra.add_all(session.batches(build_sets.lines_sql(session, build, "am_leaving")))
            removals = build.model_copy(update={"mode": "sync"})
            leaving = extra.finish()
            names = [str(one) for one in _split_names(removals, timestamp, len(leaving))]
            files += named(leaving, _in_folder(build, names))
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

    def _stage(self, session: Session, build: Build) -> Staging:
        known = Known.of(session)
        staging = Staging(
            session, self._keyset, build, self._registered(), {a.name: a for a in known.attributes.values()}
        )
        staging.stage(_condition(session, known, build))
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

    def _checked(self, session: Session, build: Build) -> Build:
        attributes = {a.name: a for a in Known.of(session).attributes.values()}
        return checked(build, attributes, self._registered().registry, now())

    def _timestamp(self, session: Session, build: Build) -> int:
        """Seconds of now, or the next second for which no file of this workspace has the name yet."""
        stamp = int(now().replace(tzinfo=UTC).timestamp())
        while any(_is_taken(session, str(name)) for name in _all_modes(build, stamp)):
            stamp += 1
        return stamp

    def _names(self, session: Session, build: Build, counts: dict[str, Any]) -> tuple[str, ...]:
        stamp = self._timestamp(session, build)
        return tuple(_in_folder(build, [str(build.file_name(stamp))])) if counts["rows"] else ()


def parse_build(text: str, name: str | None = None) -> Build:
    """A definition as JSON. InputError ``bad_build`` names the fields that are wrong."""
    try:
        values = json.loads(text)
        return Build.model_validate({**values, **({} if name is None else {"name": name})})
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, one["loc"])) or "items" for one in error.errors()}))
        raise InputError(
            f"This is no build: {fields}. Nothing was built.", code="bad_build",
            hint="docs/audience-manager.md has examples.",
        ) from None  # fmt: skip
    except (ValueError, TypeError):
        raise InputError(
            "This is no JSON of a build. Nothing was built.", code="bad_build",
            hint="docs/audience-manager.md has examples.",
        ) from None  # fmt: skip


def _condition(session: Session, known: Known, build: Build) -> Condition:
    if build.segment is not None:
        return condition_of(known, build.segment)
    if build.source is None:
        return Condition("true")
    found = session.row("SELECT source_id, name FROM source WHERE lower(name) = lower(?)", [build.source])
    if found is None:
        raise InputError("There is no such source. Nothing was built.", code="no_such_source", hint="See: source list")
    return compile_rule(InSource(int(found[0]), str(found[1])), now())


def _split_names(build: Build, timestamp: int, count: int) -> Sequence[object]:
    """One file has no number, several are numbered from 1 (spec §17)."""
    if count == 1:
        return [build.file_name(timestamp)]
    return [build.file_name(timestamp, number) for number in range(1, count + 1)]


def _all_modes(build: Build, stamp: int) -> list[object]:
    return [build.model_copy(update={"mode": mode}).file_name(stamp) for mode in ("sync", "overwrite")]


def _is_taken(session: Session, name: str) -> bool:
    stem = name.partition(".")[0] + "."
    sql = "SELECT count(*) FROM am_run WHERE contains(files, ?)"
    return bool(
        session.value(sql, [stem]) or session.value("SELECT count(*) FROM am_file WHERE starts_with(name, ?)", [stem])
    )


def _in_folder(build: Build, names: Sequence[str]) -> list[str]:
    """With a partner, the layout of the inbound bucket: ``partner/date=yyyy-mm-dd/name`` (spec §3.3)."""
    if not build.partner:
        return list(names)
    day: datetime = now()
    return [f"{build.partner}/date={day:%Y-%m-%d}/{name}" for name in names]


def _about(staging: Staging) -> dict[str, Any]:
    return {
        "people": staging.people, "without_id": staging.without_id, "refused": sum(staging.refused.values()),
        "refused_by_reason": dict(sorted(staging.refused.items())),
    }  # fmt: skip
