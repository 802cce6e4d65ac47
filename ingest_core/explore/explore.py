"""Explore: SQL over a file before anything is uploaded, or over masked profiles; notebooks that keep such queries."""

from __future__ import annotations

import itertools
import threading
import weakref

from ingest_core.catalog import Attributes, Drafts, Sources
from ingest_core.engine import Engine
from ingest_core.errors import StateError
from ingest_core.explore.from_file import FileMaterial
from ingest_core.explore.from_profiles import ProfileMaterial
from ingest_core.explore.material import Material
from ingest_core.explore.notebooks import Cell, Chart, ExploredFile, Notebook, Notebooks
from ingest_core.explore.sandbox import Limits
from ingest_core.explore.session import ExploreSession
from ingest_core.files import Tables
from ingest_core.models import ByteSource, FileFacts, FileLimits, Source, TypeContext
from ingest_core.segments.segments import Segments
from ingest_core.settings import Settings
from ingest_core.vault import Keyset, LandingZone

FIRST_OF_FILE = (Cell(sql="SELECT *\nFROM typed\nLIMIT 100", chart=Chart()),)
FIRST_OF_PROFILES = (Cell(sql="SELECT *\nFROM profiles\nLIMIT 100", chart=Chart()),)
_LONGEST_NAME = 190
_SHARE = 4  # a file may fill this part of the memory: queries need the rest


class Explore:
    """Opens sessions and keeps notebooks. Few sessions hold data at a time; the one unused for longest gives way."""

    def __init__(
        self,
        engine: Engine,
        keyset: Keyset,
        settings: Settings,
        attributes: Attributes,
        segments: Segments,
        sources: Sources,
        drafts: Drafts,
        landing: LandingZone,
        user: str,
        tables: Tables,
    ) -> None:
        self._engine = engine
        self._tables = tables
        self._keyset = keyset
        self._settings = settings
        self._attributes = attributes
        self._segments = segments
        self._sources = sources
        self._drafts = drafts
        self._landing = landing
        self._sessions: weakref.WeakSet[ExploreSession] = weakref.WeakSet()
        self._making_room = threading.Lock()
        self.notebooks = Notebooks(engine, keyset, landing, user)

    def share(self, other: Explore) -> None:
        """Counts the sessions of both as those of one."""
        self._sessions, self._making_room = other._sessions, other._making_room

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
            self._tables,
        )
        return self._open(material)

    def open_profiles(self, most: int | None = None) -> ExploreSession:
        """A session over a masked copy of the profiles: tables ``profiles``, ``uploads``, ``segments``."""
        limit = self._settings.explore_profiles
        chosen = limit if most is None else min(most, limit)
        return self._open(
            ProfileMaterial(self._engine, self._keyset, self._attributes.list, self._segments.list, chosen)
        )

    def begin_file(self, name: str, size: int, landing_id: str) -> Notebook:
        """A new notebook over a received file, which it keeps from now on."""
        file = ExploredFile(name=name, size=size, landing_id=landing_id)
        return self.notebooks.create(self._free(name), "file", FIRST_OF_FILE, file)

    def begin_draft(self, draft_id: str, name: str, size: int) -> Notebook:
        """The notebook over the file of an unfinished ingest; a new one where there is none."""
        known = self.notebooks.over_draft(draft_id)
        file = ExploredFile(name=name, size=size, draft_id=draft_id)
        return known or self.notebooks.create(self._free(name), "file", FIRST_OF_FILE, file)

    def begin_profiles(self) -> Notebook:
        """A new notebook over masked profiles; the last one begun where nothing was done in it yet."""
        known = [one for one in self.notebooks.list() if one.about == "profiles" and one.cells == FIRST_OF_PROFILES]
        return known[0] if known else self.notebooks.create(self._free("Profiles"), "profiles", FIRST_OF_PROFILES)

    def _free(self, name: str) -> str:
        """A usable name like this one that no notebook has."""
        usable = "".join(sign for sign in name if sign.isprintable()).strip()[:_LONGEST_NAME] or "File"
        taken = {notebook.name for notebook in self.notebooks.list()}
        numbered = (usable if number == 1 else f"{usable} ({number})" for number in itertools.count(1))
        return next(candidate for candidate in numbered if candidate not in taken)

    def open(self, notebook: Notebook, limits: FileLimits) -> ExploreSession:
        """A session over what a notebook is over. Nothing is read yet. StateError ``explored_file_gone``."""
        if notebook.about == "profiles":
            return self.open_profiles()
        file = notebook.file or ExploredFile(name="", size=0)
        if file.draft_id is not None:
            return self._open_draft(file.draft_id, limits)
        return self.open_file(self._received(file.landing_id), limits=limits)

    def _open_draft(self, draft_id: str, limits: FileLimits) -> ExploreSession:
        """A session over the file of an unfinished ingest, read as the person there says it is to be read."""
        draft = self._drafts.load(draft_id) or {}
        file = self._received(draft.get("landing_id"))
        source = self._sources.get(int(draft["source_id"])) if draft.get("source_id") is not None else None
        overrides = {key: draft.get("overrides", {}).get(key) for key in ("encoding", "delimiter", "has_header")}
        return self.open_file(file, source, limits=limits, **overrides)

    def _received(self, landing_id: str | None) -> ByteSource:
        try:
            if landing_id is not None:
                return self._landing.open(landing_id)
        except StateError as error:
            if error.code != "no_such_file":
                raise
        raise StateError(
            "The file of this notebook is not here any more. Its queries are.",
            code="explored_file_gone",
            hint="It was loaded, discarded, or not touched for long. Choose it again.",
        )

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
