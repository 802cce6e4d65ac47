"""Destinations: named places that files are fetched from or left at. Their secrets are sealed and never handed back."""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest_core.catalog.names import check_name
from ingest_core.catalog.trials import NOT_TRIED, Step, Trial, try_place
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import ConfigError, InputError, OnrampError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model
from ingest_core.transport.connecting import connect
from ingest_core.transport.endpoints import SECONDS
from ingest_core.transport.places import PLACE, USED_BY, AnyPlace, FolderPlace, Secrets, SftpPlace, target
from ingest_core.transport.port import Place
from ingest_core.vault import Keyset
from ingest_core.vault.secrets import open_text, seal_text

_SELECT = """
SELECT destination_id, name, place, secret_names, created_at, created_by, tested_at, is_working, removed_at
FROM destination
"""
_OPEN_FOLDERS = ("inbox", "outbox")
_NONE = Secrets()


class Destination(Model):
    """One named place. ``secrets`` are the names of those that are kept, never the secrets."""

    destination_id: int
    name: str
    place: AnyPlace
    secrets: tuple[str, ...] = ()
    created_at: datetime
    created_by: str
    tested_at: datetime | None = None  # None: never since it was last changed
    is_working: bool | None = None  # what that test found
    removed_at: datetime | None = None

    @property
    def kind(self) -> str:
        return self.place.kind


class Destinations:
    """The destinations of a workspace. Names are unique without regard to case."""

    def __init__(self, home: Path, engine: Engine, keyset: Keyset, user: str) -> None:
        self._home = home
        self._engine = engine
        self._keyset = keyset
        self._user = user

    def list(self, *, include_removed: bool = False) -> list[Destination]:
        """All destinations by name."""
        where = "" if include_removed else "WHERE removed_at IS NULL"
        with self._engine.session() as session:
            return [_made(row) for row in session.records(f"{_SELECT} {where} ORDER BY lower(name), destination_id")]

    def get(self, key: int | str) -> Destination:
        """By name, or by id: then also one that was removed. InputError ``no_such_destination``."""
        where = "destination_id = ?" if isinstance(key, int) else "lower(name) = lower(?) AND removed_at IS NULL"
        with self._engine.session() as session:
            found = session.records(f"{_SELECT} WHERE {where}", [key])
        if not found:
            raise InputError(
                "There is no such destination. Nothing was changed.",
                code="no_such_destination",
                hint="See the names with: destination list",
            )
        return _made(found[0])

    def add(self, name: str, place: AnyPlace, secrets: Secrets = _NONE) -> Destination:
        """Creates a destination; nobody connects yet.

        StateError ``destination_exists``; InputError ``bad_name``, ``bad_folder``, ``bad_secret``.
        """
        name = check_name(name, "a destination")
        self._check(place, secrets)
        with self._engine.write, self._engine.session() as session, session.transaction():
            _refuse_taken(session, name, None)
            number = int(session.value("SELECT coalesce(max(destination_id), 0) + 1 FROM destination"))
            session.run(
                "INSERT INTO destination VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
                [
                    number, name, place.model_dump_json(), self._sealed(number, secrets), _names(secrets), now(),
                    self._user,
                ],
            )  # fmt: skip
            write_audit(session, self._user, "add destination", name, _told(place, secrets))
        return self.get(number)

    def change(
        self,
        key: int | str,
        *,
        name: str | None = None,
        place: AnyPlace | None = None,
        secrets: Secrets = _NONE,
        forget: Collection[str] = (),
    ) -> Destination:
        """Changes what is given; of ``secrets`` those that are there, and those to ``forget`` go.

        Whoever sends it elsewhere has to give its secrets again: InputError ``secrets_needed_again``. Else as ``add``.
        """
        kept = self._present(key)
        name = kept.name if name is None else check_name(name, "a destination")
        new = kept.place if place is None else place
        stays = [one for one in kept.secrets if one not in forget and one not in secrets.names()]
        if target(new) != target(kept.place):
            _refuse_kept(stays)
        with self._engine.write, self._engine.session() as session, session.transaction():
            _refuse_taken(session, name, kept.destination_id)
            old = self._opened(session, kept).dump()
            whole = Secrets.model_validate({**{one: old[one] for one in stays}, **secrets.dump()})
            self._check(new, whole)
            session.run(
                "UPDATE destination SET name = ?, place = ?, secrets = ?, secret_names = ?, tested_at = NULL, "
                "is_working = NULL WHERE destination_id = ?",
                [
                    name, new.model_dump_json(), self._sealed(kept.destination_id, whole), _names(whole),
                    kept.destination_id,
                ],
            )  # fmt: skip
            detail = {**_told(new, whole), "name": name, "new_secrets": builtins.list(secrets.names())}
            write_audit(session, self._user, "change destination", kept.name, detail)
        return self.get(kept.destination_id)

    def trust(self, key: int | str, host_key: str) -> Destination:
        """Pins the host key of an SFTP server, as ``type SHA256:fingerprint``. InputError ``bad_place``."""
        kept = self._present(key)
        if not isinstance(kept.place, SftpPlace):
            raise InputError(
                "Only an SFTP destination has a host key. Nothing was changed.",
                code="no_host_key",
                hint="FTPS and S3 are known by their certificates.",
            )
        return self.change(kept.destination_id, place=place_from({**kept.place.model_dump(), "host_key": host_key}))

    def remove(self, key: int | str) -> None:
        """Takes a destination away, its secrets for good. What was delivered there stays in the history."""
        kept = self._present(key)
        with self._engine.write, self._engine.session() as session, session.transaction():
            session.run(
                "UPDATE destination SET removed_at = ?, secrets = NULL, secret_names = '[]' WHERE destination_id = ?",
                [now(), kept.destination_id],
            )
            write_audit(session, self._user, "remove destination", kept.name, {})

    def connect(self, key: int | str, *, seconds: float = SECONDS) -> Place:
        """The place, connected; use it with ``with``. Raises as ``transport.connecting.connect``."""
        kept = self._present(key)
        with self._engine.session() as session:
            secrets = self._opened(session, kept)
        return connect(kept.place, secrets, seconds=seconds)

    def test(self, key: int | str, *, seconds: float = SECONDS) -> Trial:
        """Connects, lists, leaves a small file and deletes it: what of it works. Never raises what a place says."""
        kept = self._present(key)
        try:
            with self.connect(kept.destination_id, seconds=seconds) as place:
                made = try_place(kept.name, place)
        except OnrampError as error:
            offered = error.facts.get("host_key")
            made = Trial(
                name=kept.name,
                connect=Step.failed(error),
                list=NOT_TRIED,
                write=NOT_TRIED,
                delete=NOT_TRIED,
                host_key=str(offered) if offered else None,
            )
        with self._engine.queue, self._engine.session() as session, session.transaction():
            session.run(
                "UPDATE destination SET tested_at = ?, is_working = ? WHERE destination_id = ?",
                [now(), made.is_working, kept.destination_id],
            )
        return made

    def _present(self, key: int | str) -> Destination:
        kept = self.get(key)
        if kept.removed_at is not None:
            raise StateError(
                f"The destination {kept.name} was removed. Nothing was sent.",
                code="destination_removed",
                hint="Choose another one.",
            )
        return kept

    def _check(self, place: AnyPlace, secrets: Secrets) -> None:
        if isinstance(place, FolderPlace):
            self._refuse_own(Path(place.path))
        unused = [name for name in secrets.names() if name not in USED_BY[place.kind]]
        if unused:
            raise InputError(
                f"A destination of this kind ({place.kind}) takes no {unused[0].replace('_', ' ')}. "
                "Nothing was changed.",
                code="bad_secret",
                hint=f"It takes: {', '.join(USED_BY[place.kind]) or 'no secret'}.",
            )

    def _refuse_own(self, path: Path) -> None:
        """Nothing is left among the workspace's own files: one of them could be replaced."""
        real, home = path.resolve(), self._home.resolve()
        inside = real.relative_to(home).parts if real.is_relative_to(home) else None
        if home.is_relative_to(real) or (inside is not None and inside[0] not in _OPEN_FOLDERS):
            raise InputError(
                "This folder holds the workspace itself, or is part of it. Nothing was changed.",
                code="bad_folder",
                hint="Choose a folder outside, or inbox or outbox in the workspace.",
            )

    def _sealed(self, number: int, secrets: Secrets) -> str | None:
        plain = secrets.dump()
        return seal_text(self._keyset, f"destination {number}", json.dumps(plain)) if plain else None

    def _opened(self, session: Session, kept: Destination) -> Secrets:
        sealed = session.value("SELECT secrets FROM destination WHERE destination_id = ?", [kept.destination_id])
        if sealed is None:
            return _NONE
        try:
            text = open_text(self._keyset, f"destination {kept.destination_id}", sealed)
        except ConfigError:
            raise ConfigError(
                f"The secrets of {kept.name} cannot be opened: they were changed, or belong to another workspace.",
                code="secret_damaged",
                hint="Remove the destination and add it again.",
            ) from None
        return Secrets.model_validate_json(text)


def place_from(values: dict[str, Any]) -> AnyPlace:
    """A place from plain values. InputError ``bad_place`` names what is wrong without quoting it."""
    from pydantic import ValidationError

    try:
        return PLACE.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = str(first["loc"][-1]) if len(first["loc"]) > 1 else "It"
        why = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        raise InputError(
            f"{field.replace('_', ' ').capitalize()} cannot be this: {why[:1].lower()}{why[1:]}. Nothing was changed.",
            code="bad_place",
            hint="docs/destinations.md shows each kind.",
            facts={"field": field},
        ) from None


def _made(record: dict[str, Any]) -> Destination:
    place, names = record.pop("place"), record.pop("secret_names")
    return Destination(place=PLACE.validate_json(place), secrets=tuple(json.loads(names)), **record)


def _names(secrets: Secrets) -> str:
    return json.dumps(secrets.names())


def _told(place: AnyPlace, secrets: Secrets) -> dict[str, Any]:
    """What the audit log says: where it leads and which secrets there are; certificates only that there is one."""
    said = place.model_dump(mode="json", exclude_none=True, exclude={"certificate"})
    return {"place": said, "secrets": list(secrets.names())}


def _refuse_kept(names: Collection[str]) -> None:
    if names:
        raise InputError(
            "The destination would lead elsewhere, and its secrets were given for where it leads now. "
            "Nothing was changed.",
            code="secrets_needed_again",
            hint=f"Give again: {', '.join(name.replace('_', ' ') for name in names)}.",
        )


def _refuse_taken(session: Session, name: str, but: int | None) -> None:
    taken = session.value(
        "SELECT destination_id FROM destination WHERE lower(name) = lower(?) AND removed_at IS NULL "
        "AND destination_id IS DISTINCT FROM ?",
        [name, but],
    )
    if taken is not None:
        raise StateError(
            "A destination of this name exists already. Nothing was changed.",
            code="destination_exists",
            hint="Use the existing one or choose another name.",
        )
