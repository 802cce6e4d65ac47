"""What a condition can be about, as the rule builder offers it, and how a new condition begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ingest_core.models import Receipt
from pages.ui.errors import HINTS
from pages.ui.state import when, workspace
from pages.ui.waiting import remembered

UPLOADS_OFFERED = 200
VALUES_OFFERED = 100
NAMED = {"source": "Source", "segment": "Segment", "upload": "Upload", "trait": "Trait"}
NEW: dict[str, Any] = {"attribute": ""}
"""A condition that nothing was chosen for yet."""


@dataclass(frozen=True)
class Choices:
    """``fields``: by attribute name. ``sources``, ``segments``: names. ``uploads``: Request ID → words.

    ``traits``: number → name.
    """

    fields: dict[str, dict[str, Any]]
    sources: list[str]
    segments: list[str]
    uploads: dict[str, str]
    traits: dict[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, own: str | None) -> Choices:
        """As things are; a segment (``own``) is not offered to itself."""
        opened = workspace()
        receipts = [one for one in opened.history.list(limit=UPLOADS_OFFERED) if one.status == "Completed"]
        return cls(
            {field["attribute"]: field for field in opened.segments.fields()},
            [source.name for source in opened.sources.list()],
            [name for name in opened.segments.names() if name != own],
            {str(receipt.request_id): _words(receipt) for receipt in receipts},
            {str(trait.trait_id): f"{trait.name} ({trait.trait_id})" for trait in opened.audience.traits.list()},
        )

    def subjects(self) -> dict[str, str]:
        """What a condition can be about → its label: attributes, then what people can belong to."""
        labels = {f"attribute:{name}": field["display_name"] for name, field in self.fields.items()}
        seen: dict[str, int] = {}
        for label in labels.values():
            seen[label] = seen.get(label, 0) + 1
        told = {
            key: label if seen[label] == 1 else f"{label} ({key.partition(':')[2]})" for key, label in labels.items()
        }
        return {**dict(sorted(told.items(), key=lambda item: item[1].casefold())), **NAMED}

    def names(self, kind: str) -> dict[str, str]:
        """The things of one kind → their labels."""
        if kind == "upload":
            return self.uploads
        if kind == "trait":
            return self.traits
        return {name: name for name in (self.sources if kind == "source" else self.segments)}


def _words(receipt: Receipt) -> str:
    at = receipt.finished_at or receipt.created_at
    return f"{receipt.file}, {receipt.source}, {when(at) if at else receipt.request_id}"


def subject_of(part: Any) -> str | None:
    """What a condition is about, as a key of ``Choices.subjects``; None while nothing was chosen."""
    if not isinstance(part, dict):
        return None
    if "attribute" in part:
        return f"attribute:{part['attribute']}" if part["attribute"] else None
    return next((kind for kind in NAMED if kind in part), None)


def new_condition(subject: str | None, choices: Choices, before: Any) -> dict[str, Any]:
    """A condition about something else; operator and value stay where they mean the same."""
    if subject is None:
        return dict(NEW)
    if subject in NAMED:
        return {subject: ""}
    name = subject.partition(":")[2]
    field = choices.fields[name]
    was = choices.fields.get(str(before.get("attribute"))) if isinstance(before, dict) else None
    if was and (was["type"], was["pii"]) == (field["type"], field["pii"]):
        return {**before, "attribute": name}
    return with_operator({"attribute": name}, field["operators"][0]["name"], "nothing", field["operators"][0]["takes"])


def with_operator(part: dict[str, Any], operator: str, took: str, takes: str) -> dict[str, Any]:
    """The condition with another operator; its value is kept as far as the new one can take it."""
    kept = {name: part[name] for name in part if name not in ("operator", "value")}
    value = part.get("value")
    if took != takes:
        if {took, takes} == {"a value", "a list"}:
            value = [value] if takes == "a list" and value not in (None, "") else None if takes == "a list" else value
            value = value[0] if takes == "a value" and isinstance(value, list) and value else value
        else:
            value = True if takes == "yes or no" else None
    return {**kept, "operator": operator, **({} if value is None or takes == "nothing" else {"value": value})}


def is_unfinished(part: Any, takes: str | None) -> bool:
    """Whether something has to be chosen or typed still: that is no mistake."""
    if not isinstance(part, dict):
        return False
    if any(part.get(kind) == "" for kind in ("attribute", *NAMED)):
        return True
    values = part.get("value") if isinstance(part.get("value"), list) else [part.get("value")]
    is_empty = not values or any(value in (None, "") for value in values)
    return takes not in (None, "nothing") and "attribute" in part and is_empty


def told(problem: dict[str, Any]) -> str:
    """A problem of a rule with its next move on a screen; what may have been meant is worth more than a list."""
    what, hint = problem["what"][:1].upper() + problem["what"][1:], problem["hint"]
    return f"{what}. {hint if hint.startswith('Did you mean') else HINTS.get(problem['code'], hint)}"


def offered_values(attribute: str) -> list[str]:
    """The values that people have most, asked once a session: they help typing, they decide nothing."""
    held = st.session_state.setdefault("offered_values", {})
    if attribute not in held:
        held[attribute] = [str(one["value"]) for one in workspace().segments.values(attribute, VALUES_OFFERED)]
    return held[attribute]


def counted(key: str, mark: object, work: Any) -> Any:
    """``remembered``, for counts that follow the data: anew when another upload ended or was undone meanwhile."""
    latest = workspace().history.list(limit=1)
    state = (latest[0].request_id, latest[0].status, latest[0].undone_at) if latest else None
    return remembered(key, (mark, state, workspace().profiles.count()), work)
