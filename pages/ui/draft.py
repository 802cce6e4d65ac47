"""The draft of one ingest: everything chosen so far, saved in the database on every change."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from ingest_core.clock import now
from ingest_core.models import ByteSource, ColumnMapping, Inspection, Mapping, Options, Source
from ingest_core.workspace import Workspace
from pages.ui.waiting import Waiting

STEPS = ("choose", "check", "match", "options", "run")
UNDO_LIMIT = 20
INSPECTIONS_KEPT = 8


@dataclass
class Draft:
    """One ingest under way. ``overrides`` are the answers that differ from what was detected (encoding, …)."""

    draft_id: str
    source: Source
    workspace: Workspace
    saved_at: datetime
    landing_id: str | None = None
    file: str = ""
    size: int = 0
    sha256: str = ""  # known as soon as the file is here
    overrides: dict[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnMapping, ...] = ()
    header: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()  # columns that a person has decided
    accepted: tuple[str, ...] = ()  # columns whose values that do not fit a person has judged
    undo: list[Any] = field(default_factory=list)
    names_taken: tuple[str, ...] = ()  # column names that a person took in their repaired form
    options: Options = field(default_factory=Options)
    revision: str = ""  # of what was read; a save by another window makes another one

    @classmethod
    def load(cls, workspace: Workspace, draft_id: str) -> Draft | None:
        """The draft of this id, or None when it was loaded, deleted or never there."""
        found = workspace.drafts.read(draft_id)
        if found is None or found[0]["source_id"] is None:
            return None
        state, revision = found
        return cls(
            draft_id=draft_id,
            source=workspace.sources.get(int(state["source_id"])),
            workspace=workspace,
            saved_at=state["updated_at"],
            landing_id=state.get("landing_id"),
            file=state.get("file", ""),
            size=state.get("size", 0),
            sha256=state.get("sha256", ""),
            overrides=state.get("overrides", {}),
            columns=tuple(ColumnMapping(**column) for column in state.get("columns", [])),
            header=tuple(state.get("header", [])),
            confirmed=tuple(state.get("confirmed", [])),
            accepted=tuple(state.get("accepted", [])),
            undo=state.get("undo", []),
            names_taken=tuple(state.get("names_taken", [])),
            options=Options(**state.get("options", {})),
            revision=revision,
        )

    @classmethod
    def start(cls, workspace: Workspace, source_id: int) -> str:
        """A draft to begin with: one of the source that has no file yet, else a new one."""
        for draft_id, _, _ in workspace.drafts.list(source_id):
            if not (workspace.drafts.load(draft_id) or {}).get("landing_id"):
                return draft_id
        return workspace.drafts.create(source_id)

    @classmethod
    def unfinished(cls, workspace: Workspace, source_id: int) -> list[Draft]:
        """Drafts of a source whose file has arrived, newest first."""
        drafts = [cls.load(workspace, draft_id) for draft_id, _, _ in workspace.drafts.list(source_id)]
        return [draft for draft in drafts if draft is not None and draft.landing_id]

    def delete(self) -> None:
        """Throws the draft and its file away."""
        if self.landing_id:
            self.workspace.landing.delete(self.landing_id)
        self.workspace.drafts.delete(self.draft_id)

    def save(self) -> None:
        """Writes the draft; called after every change.

        StateError ``draft_changed`` or ``draft_gone`` when another window was faster: nothing of it is overwritten.
        """
        state = {
            "landing_id": self.landing_id,
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            "overrides": self.overrides,
            "columns": [column.model_dump() for column in self.columns],
            "header": list(self.header),
            "confirmed": list(self.confirmed),
            "accepted": list(self.accepted),
            "undo": self.undo[-UNDO_LIMIT:],
            "names_taken": list(self.names_taken),
            "options": self.options.model_dump(mode="json"),
        }
        self.revision = self.workspace.drafts.save_over(self.draft_id, state, self.revision)
        self.saved_at = now()
        self.see()

    def see(self) -> None:
        """This window shows the draft as it is now."""
        st.session_state[self._seen] = self.revision

    def is_changed_elsewhere(self) -> bool:
        """Whether another window saved since this one last showed the draft: its widgets are out of date."""
        return st.session_state.setdefault(self._seen, self.revision) != self.revision

    @property
    def _seen(self) -> str:
        return f"draft_seen_{self.draft_id}"

    def take_file(self, landing_id: str, name: str, size: int, sha256: str = "") -> None:
        """Replaces the file; what was chosen for the old one is forgotten, its bytes are deleted."""
        self._replace_file(landing_id, name, size, sha256)

    def drop_file(self) -> None:
        """Forgets the file and deletes its bytes: another one is to be chosen."""
        self._replace_file(None, "", 0, "")

    def _replace_file(self, landing_id: str | None, name: str, size: int, sha256: str) -> None:
        former = self.landing_id
        self.landing_id, self.file, self.size, self.sha256 = landing_id, name, size, sha256
        self.overrides, self.columns, self.header = {}, (), ()
        self.confirmed, self.accepted, self.names_taken, self.undo = (), (), (), []
        self.options = Options(notify=self.source.settings.recipients)
        self.save()  # before anything is deleted: another window may have been faster
        if former and former != landing_id:
            self.workspace.landing.delete(former)

    def override(self, **answers: Any) -> None:
        """Reads the file another way; columns may be others, so they are matched anew."""
        self.overrides = {key: value for key, value in {**self.overrides, **answers}.items() if value is not None}
        self.columns, self.confirmed, self.accepted, self.undo = (), (), (), []
        self.save()

    def change_columns(
        self, change: Callable[[list[ColumnMapping]], list[ColumnMapping]], *confirm: str, accept: str | None = None
    ) -> None:
        """Changes the mapping, remembering what it was before; ``confirm`` names columns a person has decided.

        ``accept``: a column whose values that do not fit have been judged.
        """
        before = {"confirmed": list(self.confirmed), "accepted": list(self.accepted)}
        self.undo.append({"columns": [c.model_dump() for c in self.columns], **before})
        self.columns = tuple(change(list(self.columns)))
        self.confirmed = tuple(dict.fromkeys((*self.confirmed, *confirm)))
        self.accepted = tuple(dict.fromkeys((*self.accepted, *([accept] if accept is not None else []))))
        self.save()

    def undo_last(self) -> None:
        """Takes the last change of the mapping back."""
        if self.undo:
            last = self.undo.pop()
            self.columns = tuple(ColumnMapping(**column) for column in last["columns"])
            self.confirmed = tuple(last["confirmed"])
            self.accepted = tuple(last.get("accepted", ()))
            self.save()

    @property
    def mapping(self) -> Mapping:
        """The columns as a mapping of the source."""
        return Mapping(source=self.source.name, columns=self.columns)

    def bytes(self) -> ByteSource:
        """The file that was received."""
        assert self.landing_id is not None
        return self.workspace.landing.open(self.landing_id)

    def inspection(self) -> Inspection:
        """What the file is. Kept in memory only, because its examples may be personal; a reload finds it there."""
        mark = self._mark()
        found = _INSPECTIONS.get(mark)
        if found is None:
            with Waiting("Looking at every row") as progress:
                found = self.workspace.inspect(self.bytes(), self.source, progress=progress, **self.overrides)
            _INSPECTIONS.put(mark, found)
        return found

    def is_inspected(self) -> bool:
        """Whether ``inspection`` answers at once."""
        return _INSPECTIONS.get(self._mark()) is not None

    def _mark(self) -> tuple[str, ...]:
        settings = self.workspace.settings
        answers = json.dumps([self.overrides, settings.strict_header, settings.other_formats], sort_keys=True)
        country = self.source.settings.phone_country or settings.phone_country or ""
        return (self.landing_id or "", answers, country)

    def start_matching(self) -> None:
        """Fills the mapping with suggestions when there is none for this file yet."""
        if not self.columns:
            found = self.inspection()
            self.columns = self.workspace.suggest(found, self.source).columns
            self.header = tuple(column.name for column in found.columns)
            self.save()


class _Inspections:
    """The last few inspections of this process, by what they depend on. Landing ids are random and never used again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[tuple[str, ...], Inspection] = OrderedDict()

    def get(self, mark: tuple[str, ...]) -> Inspection | None:
        with self._lock:
            if mark in self._found:
                self._found.move_to_end(mark)
            return self._found.get(mark)

    def put(self, mark: tuple[str, ...], found: Inspection) -> None:
        with self._lock:
            self._found[mark] = found
            while len(self._found) > INSPECTIONS_KEPT:
                self._found.popitem(last=False)


_INSPECTIONS = _Inspections()
