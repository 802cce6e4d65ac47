"""The draft of one build, new or changed: kept on every change, until it is saved or discarded."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import streamlit as st

from ingest_core.audience_manager.outbound.build import Build, ItemRule
from ingest_core.errors import OnrampError
from pages.ui import kept
from pages.ui.state import workspace

KIND = "am_build"
URL = "draft"
TRAIT, VALUES, SIGNAL = "trait", "values", "signal"


@dataclass
class BuildDraft:
    """What the build is to become. ``of``: the build that is changed, as it was named when it was taken up.

    ``fields``: those of Build, and ``who``: everybody, segment or source; items and other ids are lists of {uid, …}.
    ``before``: the build as it was then, to notice that somebody else changed it.
    """

    of: str | None = None
    before: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    saved_at: datetime | None = None

    @classmethod
    def of_url(cls) -> BuildDraft | None:
        """The draft that the URL names, else one to begin with; None when it was saved or discarded meanwhile."""
        if st.query_params.get(URL):
            state = kept.load(KIND, URL)
            return cls.of_state(state) if state is not None else None
        name = st.query_params.get("build")
        return cls.of_build(name) if name else cls.new(st.query_params.get("segment"), st.query_params.get("source"))

    @classmethod
    def new(cls, segment: str | None, source: str | None) -> BuildDraft:
        """An empty one, with its people chosen where somebody came from a segment or a source."""
        destinations = workspace().destinations.list()
        place = {"destination": destinations[0].name} if len(destinations) == 1 else {}
        who = {"who": "segment", "segment": segment} if segment else {}
        who = who or ({"who": "source", "source": source} if source else {})
        return cls(fields={"name": "", **who, **place}, items=[{**new_item(TRAIT), "uid": "first"}])

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> BuildDraft:
        """As it was kept."""
        known = {name: state[name] for name in cls.__dataclass_fields__ if name in state}
        return cls(**{**known, "saved_at": state["updated_at"]})

    @classmethod
    def of_build(cls, name: str) -> BuildDraft | None:
        """The build as it is now, to be changed; None when there is none of this name."""
        try:
            build = workspace().outbound.builds.get(name)
        except OnrampError:
            return None
        made = build.model_dump(mode="json", exclude={"items", "others"})
        made["who"] = "segment" if build.segment else "source" if build.source else "everybody"
        return cls(
            of=build.name, before=mark_of(build), fields=made,
            items=[{**_of_rule(one), "uid": f"item{n}"} for n, one in enumerate(build.items)],
            others=[{**one.model_dump(), "uid": f"other{n}"} for n, one in enumerate(build.others)],
        )  # fmt: skip

    def keep(self) -> None:
        """Keeps the draft; called after every change."""
        state = asdict(self)
        del state["saved_at"]
        kept.save(KIND, URL, state)

    @property
    def kind(self) -> str:
        """Data or id_sync."""
        return str(self.fields.get("kind", "data"))

    @property
    def build_fields(self) -> dict[str, Any]:
        """As Build takes it; what is not chosen yet is missing."""
        is_sync = self.kind == "id_sync"
        who = self.fields.get("who", "everybody")
        chosen = {who: self.fields.get(who) or ""} if who != "everybody" else {}
        rest = {name: value for name, value in self.fields.items() if name not in ("who", "segment", "source")}
        return {
            **{name: value for name, value in rest.items() if value is not None},
            **chosen,
            **({"mode": "sync"} if is_sync else {}),
            "items": [] if is_sync else [_as_rule(one) for one in self.items],
            "others": [{k: v for k, v in one.items() if k != "uid"} for one in self.others] if is_sync else [],
        }

    def item(self, uid: str) -> dict[str, Any] | None:
        """One item or other id."""
        return next((one for one in (*self.items, *self.others) if one["uid"] == uid), None)


def mark_of(build: Build) -> str:
    """What tells one state of a build from another."""
    return json.dumps(build.model_dump(mode="json"), sort_keys=True)


def new_item(kind: str) -> dict[str, Any]:
    """An item for which nothing was chosen yet."""
    return {"uid": _uid(), "kind": kind, "trait": None, "attribute": None, "key": "", "traits": {}, "recipe": "plain"}


def new_other() -> dict[str, Any]:
    """A further column of an ID sync for which nothing was chosen yet."""
    return {"uid": _uid(), "attribute": None, "recipe": "plain", "dpid": None}


def _uid() -> str:
    return secrets.token_hex(4)


def _of_rule(rule: ItemRule) -> dict[str, Any]:
    kind = TRAIT if rule.trait is not None else SIGNAL if rule.key is not None else VALUES
    return {**new_item(kind), **{k: v for k, v in rule.model_dump().items() if v is not None}}


def _as_rule(item: dict[str, Any]) -> dict[str, Any]:
    if item["kind"] == TRAIT:
        return {"trait": item["trait"]}
    read = {"attribute": item["attribute"], "recipe": item["recipe"]}
    return {**read, "key": item["key"]} if item["kind"] == SIGNAL else {**read, "traits": item["traits"]}


def change(**values: Any) -> None:
    """For callbacks: changes what is said about the build."""
    edit(lambda draft: draft.fields.update(values))


def change_item(uid: str, **values: Any) -> None:
    """For callbacks: changes an item; one that is not there any more changes nothing."""

    def work(draft: BuildDraft) -> None:
        found = draft.item(uid)
        if found is not None:
            found.update(values)

    edit(work)


def edit(work: Callable[[BuildDraft], object]) -> None:
    """For callbacks: anything else. Kept only where it changed something."""
    draft = BuildDraft.of_url()
    if draft is None:
        return
    before = json.dumps(asdict(draft), default=str, sort_keys=True)
    work(draft)
    if json.dumps(asdict(draft), default=str, sort_keys=True) != before:
        draft.keep()
