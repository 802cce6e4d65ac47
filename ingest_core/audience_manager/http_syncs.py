"""ID syncs by HTTP: a browser tells that it and a customer id belong together (Audience Manager spec §8.5).

A request is kept at once; a round takes what came as an ID sync file, one for each data source, in the transaction that
forgets the requests. So mappings by HTTP stand in the same log as those of files, have receipts and can be undone.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from urllib.parse import urlsplit

from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.audience_manager.id_http import HttpProblem, HttpSync, parse_http_sync
from ingest_core.audience_manager.id_sync import RowContext, parse_row
from ingest_core.audience_manager.name_types import IdSyncName
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.files.in_memory import InMemory
from ingest_core.settings import Settings

BY = "HTTP ID sync"
REST = 10.0
"""Seconds until what came is taken."""

MOST_TOGETHER = 100_000
_UUID = re.compile("[0-9]{38}")
_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Synced:
    """The answer: the browser's id from now on, and where it goes on to."""

    uuid: str
    redirect: str | None = None


class HttpSyncs:
    """Takes requests while the route is switched on; a round turns them into ID syncs."""

    name = "id syncs"

    def __init__(self, engine: Engine, settings: Settings, audience: AudienceManager) -> None:
        self._engine = engine
        self._settings = settings
        self._audience = audience
        self._limits = Limits()

    def take(self, url: str, known: str | None, client: str) -> Synced:
        """Keeps what a request says. ``known``: the UUID of the browser's cookie; ``client``: whom the limit is for.

        StateError ``route_off``, ``too_many_requests``; InputError: the codes of ``parse_http_sync``, of rows of ID
        syncs, ``unknown_data_source``, ``bad_redirect``. Nothing is kept then.
        """
        if not self._settings.id_sync_route:
            raise StateError("ID syncs by HTTP are switched off.", code="route_off", hint="Setting: id_sync_route")
        if not self._limits.allow(client, self._settings.id_sync_per_minute):
            raise StateError(
                "Too many requests of one client. Nothing was kept.", code="too_many_requests", hint="Wait a minute."
            )
        asked = parse_http_sync(url)
        if isinstance(asked, HttpProblem):
            raise _refused(asked.code, asked.why)
        uuid = known if known is not None and _UUID.fullmatch(known) else new_uuid()
        pairs = [self._pair(source, identifier, uuid) for source, identifier in asked.ids]
        redirect = _redirect(asked, uuid)
        with self._engine.queue, self._engine.session() as session, session.transaction():
            number = int(session.value("SELECT coalesce(max(sync_no), 0) FROM am_http_sync"))
            for n, (dpid, identifier) in enumerate(pairs, 1):
                session.run(
                    "INSERT INTO am_http_sync VALUES (?, ?, ?, ?, ?)", [number + n, now(), dpid, identifier, uuid]
                )
        return Synced(uuid, redirect)

    def turn(self, is_ending: Callable[[], bool]) -> float:
        """Takes all that came as ID sync files, one batch."""
        with self._engine.session() as session:
            rows = session.rows(
                f"SELECT sync_no, dpid, id, uuid FROM am_http_sync ORDER BY sync_no LIMIT {MOST_TOGETHER}"
            )
        if not rows or is_ending():
            return REST
        stamp = int(now().replace(tzinfo=UTC).timestamp())
        files: dict[int, list[str]] = {}
        for _, dpid, identifier, uuid in rows:
            files.setdefault(dpid, []).append(f"{uuid}\t{identifier}\n")

        def forget(session: Session, _: object) -> None:
            session.run("DELETE FROM am_http_sync WHERE sync_no <= ?", [rows[-1][0]])

        sources = [InMemory(str(_name(dpid, stamp)), "".join(lines).encode()) for dpid, lines in sorted(files.items())]
        self._audience.ingest(sources, BatchOptions(now(), keeps_files=False), also=forget, user=BY)
        return 1.0  # two files of one second would share a name

    def _pair(self, source: int | str, identifier: str, uuid: str) -> tuple[int, str]:
        """A data source and an id that an ID sync file could hold. A code names no data source here."""
        if not isinstance(source, int) or source not in self._audience.registered().sources:
            raise _refused("unknown_data_source", "There is no such data source here.")
        row = parse_row(f"{uuid}\t{identifier}".encode("utf-8", "replace"), RowContext(_name(source, 1_000_000_000)))
        if row.category != "ok":
            code = row.problem.code if row.problem is not None else row.category
            raise _refused(code, "The id is not written as ids of this data source are.")
        return source, identifier


class Limits:
    """So many requests a minute for each client; forgets the clients that were quiet longest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client → (moment, requests left)
        self._lock = threading.Lock()

    def allow(self, client: str, most: int) -> bool:
        """Whether one more may come."""
        with self._lock:
            moment = self._clock()
            before, left = self._held.pop(client, (moment, float(most)))
            left = min(left + (moment - before) * most / 60, float(most))
            self._held[client] = (moment, max(left - 1, 0.0) if left >= 1 else left)
            while len(self._held) > _CLIENTS:
                self._held.popitem(last=False)
            return left >= 1


def new_uuid() -> str:
    """38 digits that name a browser nobody knows yet."""
    return f"{secrets.randbelow(10**38):038}"


def _name(dpid: int, stamp: int) -> IdSyncName:
    return IdSyncName("adobe_id", 0, (dpid,), stamp)


def _redirect(asked: HttpSync, uuid: str) -> str | None:
    target = asked.redirect_for(uuid)
    if target is None:
        return None
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname or not target.isprintable():
        raise _refused("bad_redirect", "The browser is sent on to web addresses only.")
    return target


def _refused(code: str, why: str) -> InputError:
    return InputError(f"{why} Nothing was kept.", code=code, hint="Such as /ibs:dpid=478&dpuuid=C-1042")
