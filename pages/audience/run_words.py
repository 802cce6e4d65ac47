"""Runs in words: states, counts and what became of them."""

from __future__ import annotations

from ingest_core.audience_manager.outbound.approvals import DECLINED, NEEDS_LOOK, WITHDRAWN
from ingest_core.audience_manager.outbound.runs import DELIVERED, GIVEN_UP, NOTHING, PREPARED, Run
from pages.ui.text import count, number

STATES = {
    NEEDS_LOOK: "Needs a second look", PREPARED: "Prepared", DELIVERED: "Delivered", NOTHING: "Nothing new",
    GIVEN_UP: "Given up", DECLINED: "Declined", WITHDRAWN: "Withdrawn",
}  # fmt: skip
NOT_MADE = {
    NEEDS_LOOK: "It waits until somebody else has looked. Nothing is made of it yet.",
    NOTHING: "Nothing changed since the last run that arrived, so there is no file.",
    DECLINED: "Somebody looked at it and declined it. Nothing was sent.",
    WITHDRAWN: "Something else was wanted before anybody looked at it. Nothing was sent.",
}  # fmt: skip
KINDS = {"export": "Export", "build": "Build"}
MODES = {"full": "Everything", "iter": "What changed", "sync": "Sync", "overwrite": "Overwrite"}
FIGURES = {
    "rows": "Rows", "removals": "Removals", "added": "Added", "removed": "Removed", "people": "People looked at",
    "without_id": "Without an id", "same_id": "Same id as another", "refused": "Left out",
}  # fmt: skip
"""Counts of a run, in the order in which they are told; builds and exports have some of them."""


def state(run: Run) -> str:
    """The word of a badge."""
    return STATES[run.status]


def place(run: Run) -> str:
    """Where its files go."""
    return run.place.get("destination") or f"Folder {run.place['folder']}"


def outcome(run: Run) -> str:
    """What stands in its files, in a sentence. Plain text."""
    if run.status in NOT_MADE:
        return NOT_MADE[run.status]
    removals = run.counts.get("removals", run.counts.get("removed"))
    gone = f", {number(removals)} removed" if removals else ""
    return f"{count(rows(run), 'row')}{gone}, in {count(len(run.files), 'file')}."


def rows(run: Run) -> int:
    """Rows in all files."""
    return int(run.counts.get("rows", 0))


def figures(run: Run) -> list[tuple[str, int]]:
    """(label, figure) of what is counted."""
    return [(label, int(run.counts[name])) for name, label in FIGURES.items() if name in run.counts]


def left_out(run: Run) -> dict[str, int]:
    """Code of a reason → lines that were left out."""
    return dict(run.counts.get("refused_by_reason", {}))
