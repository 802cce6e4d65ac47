"""The draft of one segment, new or changed: kept on every change, until it is saved or discarded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from ingest_core.segments.editing import as_group
from ingest_core.workspace import Workspace
from pages.ui import kept
from pages.ui.rule_choices import NEW
from pages.ui.state import url_number, workspace

KIND = "segment"
URL = "draft"
UNDO_LIMIT = 20


@dataclass
class SegmentDraft:
    """What the segment is to become. ``version``: of the segment when it was taken up; ``text``: JSON that is none yet.

    ``segment_id`` is None of a new segment.
    """

    segment_id: int | None = None
    version: str | None = None
    name: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list)
    priority: int = 0
    rule: Any = field(default_factory=lambda: {"all": [dict(NEW)]})
    text: str | None = None
    undo: list[Any] = field(default_factory=list)
    saved_at: datetime | None = None

    @classmethod
    def of_url(cls) -> SegmentDraft | None:
        """The draft that the URL names, else one to begin with; None when it was saved or discarded meanwhile."""
        if st.query_params.get(URL):
            state = kept.load(KIND, URL)
            return cls.of_state(state) if state is not None else None
        number = url_number("segment")
        return cls() if number is None else cls.of_segment(workspace(), number)

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> SegmentDraft:
        """As it was kept."""
        known = {name: state[name] for name in cls.__dataclass_fields__ if name in state}
        return cls(**{**known, "saved_at": state["updated_at"]})

    @classmethod
    def of_segment(cls, workspace: Workspace, segment_id: int) -> SegmentDraft | None:
        """The segment as it is now, to be changed; None when there is none of this id."""
        name = workspace.segments.name_of(segment_id)
        if name is None:
            return None
        segment = workspace.segments.show(name)
        return cls(
            segment_id=segment_id,
            **{what: segment[what] for what in ("version", "name", "description", "tags", "priority")},
            rule=as_group(workspace.segments.to_correct(name)),
        )

    def keep(self) -> None:
        """Keeps the draft; called after every change."""
        state = asdict(self)
        del state["saved_at"]
        kept.save(KIND, URL, {**state, "undo": self.undo[-UNDO_LIMIT:]})

    @property
    def current_name(self) -> str | None:
        """The name that the segment has now; None of a new one and of one that was deleted meanwhile."""
        return workspace().segments.name_of(self.segment_id) if self.segment_id is not None else None

    @property
    def mark(self) -> str:
        """What the count depends on."""
        return json.dumps(self.rule, sort_keys=True)


def change(**values: Any) -> None:
    """For callbacks: changes what is said about the segment."""
    draft = SegmentDraft.of_url()
    if draft is not None and any(getattr(draft, name) != value for name, value in values.items()):
        for name, value in values.items():
            setattr(draft, name, value)
        draft.keep()


def change_rule(edit: Callable[[Any], Any]) -> None:
    """For callbacks: changes the rule, remembering what it was. A place that is not there any more changes nothing."""
    draft = SegmentDraft.of_url()
    if draft is None:
        return
    try:
        rule = edit(draft.rule)
    except LookupError:
        return
    if rule != draft.rule or draft.text is not None:
        draft.undo.append(draft.rule)
        draft.rule, draft.text = rule, None
        draft.keep()


def undo() -> None:
    """For callbacks: takes the last change of the rule back."""
    draft = SegmentDraft.of_url()
    if draft is not None and draft.undo:
        draft.rule, draft.text = draft.undo.pop(), None
        draft.keep()
