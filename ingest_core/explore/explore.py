"""Explore: SQL over a file before anything is uploaded, or over masked profiles; notebooks that keep such queries."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from ingest_core.engine import Engine
from ingest_core.errors import StateError
from ingest_core.explore.from_file import FileMaterial
from ingest_core.explore.from_profiles import ProfileMaterial
from ingest_core.explore.material import Material
from ingest_core.explore.notebooks import Notebooks
from ingest_core.explore.sandbox import Limits
from ingest_core.explore.session import ExploreSession
from ingest_core.models import Attribute, ByteSource, FileFacts, FileLimits, Source, TypeContext
from ingest_core.settings import Settings
from ingest_core.vault import Keyset

_SHARE = 4  # a file may fill this part of the memory: queries need the rest


class Explore:
    """Opens sessions and keeps notebooks. Few sessions hold data at a time; the one unused for longest gives way."""

    def __init__(
        self,
        engine: Engine,
        keyset: Keyset,
        settings: Settings,
        attributes: Callable[[], list[Attribute]],
        segments: Callable[[], list[dict[str, Any]]],
        user: str,
    ) -> None:
        self._engine = engine
        self._keyset = keyset
        self._settings = settings
        self._attributes = attributes
        self._segments = segments
        self._sessions: weakref.WeakSet[ExploreSession] = weakref.WeakSet()
        self._making_room = threading.Lock()
        self.notebooks = Notebooks(engine, keyset, user)

    def open_file(
        self,
        file: ByteSource,
        source: Source | None = None,
        *,
        limits: FileLimits,
        facts: FileFacts | None = None,
        encoding: str | None = None,
        delimiter: str | None = None,
        has_header: bool | None = None,
        rows: int | None = None,
    ) -> ExploreSession:
        """A session over a file: tables ``file``, ``typed`` and ``rejects``. Nothing is read yet.

        ``facts``: of a pass that was made already; ``rows``: look at fewer than the settings allow.
        """
        country = (source.settings.phone_country if source else None) or self._settings.phone_country
        most = self._settings.explore_file_rows
        material = FileMaterial(
            file,
            limits,
            TypeContext(country, self._settings.lower_email_local),
            most if rows is None else min(rows, most),
            self._settings.explore_memory_bytes // _SHARE,
            facts,
            encoding,
            delimiter,
            has_header,
        )
        return self._open(material)

    def open_profiles(self, most: int | None = None) -> ExploreSession:
        """A session over a masked copy of the profiles: tables ``profiles``, ``uploads``, ``segments``."""
        limit = self._settings.explore_profiles
        chosen = limit if most is None else min(most, limit)
        return self._open(ProfileMaterial(self._engine, self._keyset, self._attributes, self._segments, chosen))

    def close(self) -> None:
        """Ends all sessions."""
        for session in list(self._sessions):
            session.close()

    def _open(self, material: Material) -> ExploreSession:
        settings = self._settings
        limits = Limits(
            seconds=settings.explore_seconds,
            rows=settings.explore_rows,
            result_bytes=settings.explore_result_bytes,
            memory=settings.explore_memory_bytes,
            threads=settings.threads,
            idle_seconds=settings.explore_idle_seconds,
        )
        session = ExploreSession(material, limits, self._make_room)
        self._sessions.add(session)
        return session

    def _make_room(self) -> None:
        """StateError ``explore_busy`` when every session that holds data is at work."""
        with self._making_room:
            loaded = sorted((one for one in list(self._sessions) if one.is_loaded), key=lambda one: one.used_at)
            for session in loaded:
                if len(loaded) < self._settings.explore_sessions:
                    return
                if session.free_if_idle():
                    loaded = loaded[1:]
            if len(loaded) >= self._settings.explore_sessions:
                raise StateError(
                    "Others run queries at this moment, and no more can.",
                    code="explore_busy",
                    hint="Try again in a moment, or raise explore_sessions in the settings.",
                )
