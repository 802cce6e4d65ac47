"""The draft of one ingest: everything chosen so far, saved in the database on every change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from ingest_core.models import ByteSource, ColumnMapping, Inspection, Mapping, Options, Source
from ingest_core.workspace import Workspace
from pages.ui.waiting import Waiting

STEPS = ("choose", "check", "match", "options", "run")
UNDO_LIMIT = 20


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
    overrides: dict[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnMapping, ...] = ()
    header: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    undo: list[Any] = field(default_factory=list)
    names_taken: tuple[str, ...] = ()  # column names that a person took in their repaired form
    options: Options = field(default_factory=Options)

    @classmethod
    def load(cls, workspace: Workspace, draft_id: str) -> Draft | None:
        """The draft of this id, or None when it was loaded, deleted or never there."""
        state = workspace.drafts.load(draft_id)
        if state is None or state["source_id"] is None:
            return None
        return cls(
            draft_id=draft_id,
            source=workspace.sources.get(int(state["source_id"])),
            workspace=workspace,
            saved_at=state["updated_at"],
            landing_id=state.get("landing_id"),
            file=state.get("file", ""),
            size=state.get("size", 0),
            overrides=state.get("overrides", {}),
            columns=tuple(ColumnMapping(**column) for column in state.get("columns", [])),
            header=tuple(state.get("header", [])),
            confirmed=tuple(state.get("confirmed", [])),
            undo=state.get("undo", []),
            names_taken=tuple(state.get("names_taken", [])),
            options=Options(**state.get("options", {})),
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
        """Writes the draft; called after every change."""
        self.workspace.drafts.save(
            self.draft_id,
            {
                "landing_id": self.landing_id,
                "file": self.file,
                "size": self.size,
                "overrides": self.overrides,
                "columns": [column.model_dump() for column in self.columns],
                "header": list(self.header),
                "confirmed": list(self.confirmed),
                "undo": self.undo[-UNDO_LIMIT:],
                "names_taken": list(self.names_taken),
                "options": self.options.model_dump(mode="json"),
            },
        )

    def take_file(self, landing_id: str, name: str, size: int) -> None:
        """Replaces the file; what was chosen for the old one is forgotten, its bytes are deleted."""
        if self.landing_id and self.landing_id != landing_id:
            self.workspace.landing.delete(self.landing_id)
        self.landing_id, self.file, self.size = landing_id, name, size
        self.overrides, self.columns, self.header, self.confirmed, self.undo = {}, (), (), (), []
        self.options = Options()
        self.save()

    def override(self, **answers: Any) -> None:
        """Reads the file another way; columns may be others, so they are matched anew."""
        self.overrides = {key: value for key, value in {**self.overrides, **answers}.items() if value is not None}
        self.columns, self.confirmed, self.undo = (), (), []
        self.save()

    def change_columns(self, change: Callable[[list[ColumnMapping]], list[ColumnMapping]], *confirm: str) -> None:
        """Changes the mapping, remembering what it was before; ``confirm`` names columns a person has decided."""
        self.undo.append({"columns": [c.model_dump() for c in self.columns], "confirmed": list(self.confirmed)})
        self.columns = tuple(change(list(self.columns)))
        self.confirmed = tuple(dict.fromkeys((*self.confirmed, *confirm)))
        self.save()

    def undo_last(self) -> None:
        """Takes the last change of the mapping back."""
        if self.undo:
            last = self.undo.pop()
            self.columns = tuple(ColumnMapping(**column) for column in last["columns"])
            self.confirmed = tuple(last["confirmed"])
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
        """What the file is. Kept in this session's memory only, because its examples may be personal."""
        settings = self.workspace.settings
        answers = json.dumps([self.overrides, settings.strict_header, settings.other_formats], sort_keys=True)
        mark = (self.landing_id, answers, self.source.settings.phone_country or settings.phone_country)
        held = st.session_state.get("inspection")
        if held is None or held[0] != mark:
            with Waiting("Looking at every row") as progress:
                found = self.workspace.inspect(self.bytes(), self.source, progress=progress, **self.overrides)
            st.session_state["inspection"] = held = (mark, found)
        return held[1]

    def is_inspected(self) -> bool:
        """Whether ``inspection`` answers at once."""
        held = st.session_state.get("inspection")
        return held is not None and held[0][0] == self.landing_id

    def start_matching(self) -> None:
        """Fills the mapping with suggestions when there is none for this file yet."""
        if not self.columns:
            found = self.inspection()
            self.columns = self.workspace.suggest(found, self.source).columns
            self.header = tuple(column.name for column in found.columns)
            self.save()
