"""States as a word and a colour, never a colour alone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.models import Receipt

# word → (Markdown colour, icon, background in tables)
LOOK: dict[str, tuple[str, str, str]] = {
    "Scheduled": ("gray", "schedule", "#e9ecef"),
    "In Progress": ("blue", "progress_activity", "#dbe4ff"),
    "Running": ("blue", "progress_activity", "#dbe4ff"),
    "Completed": ("green", "check_circle", "#d3f9d8"),
    "Completed with rejects": ("orange", "rule", "#ffec99"),
    "Healthy": ("green", "check_circle", "#d3f9d8"),
    "Needs attention": ("orange", "warning", "#ffec99"),
    "Failed": ("red", "error", "#ffe3e3"),
    "Cancelled": ("gray", "cancel", "#e9ecef"),
    "Undone": ("gray", "undo", "#e9ecef"),
    "Replaced": ("gray", "history", "#e9ecef"),
    "Waits for approval": ("orange", "front_hand", "#ffec99"),
    "Nothing stored": ("orange", "warning", "#ffec99"),
    "No uploads yet": ("gray", "hourglass_empty", "#e9ecef"),
    "Archived": ("gray", "archive", "#e9ecef"),
    "Matched": ("green", "check", "#d3f9d8"),
    "Decide": ("orange", "help", "#ffec99"),
    "Skipped": ("gray", "block", "#e9ecef"),
    "Waiting": ("blue", "hourglass_top", "#dbe4ff"),
    "Loading": ("blue", "progress_activity", "#dbe4ff"),
    "Loaded": ("green", "check_circle", "#d3f9d8"),
    "Refused": ("red", "block", "#ffe3e3"),
    "Gone": ("gray", "visibility_off", "#e9ecef"),
    "Paused": ("gray", "pause_circle", "#e9ecef"),
    "Watching": ("green", "event_repeat", "#d3f9d8"),
    "Sent": ("green", "mark_email_read", "#d3f9d8"),
    "Given up": ("red", "unsubscribe", "#ffe3e3"),
    "Kept": ("gray", "inventory_2", "#e9ecef"),
    "Works": ("green", "check_circle", "#d3f9d8"),
    "Does not work": ("red", "error", "#ffe3e3"),
    "Not tested": ("gray", "help", "#e9ecef"),
    "Sending": ("blue", "progress_activity", "#dbe4ff"),
    "Error": ("red", "error", "#ffe3e3"),
    "Warning": ("orange", "warning", "#ffec99"),
    "Can be sent": ("green", "check_circle", "#d3f9d8"),
    "Look at the warnings first": ("orange", "warning", "#ffec99"),
    "Not to be sent": ("red", "block", "#ffe3e3"),
    "Delivered": ("green", "check_circle", "#d3f9d8"),
    "Needs a second look": ("orange", "visibility", "#ffec99"),
    "Declined": ("gray", "block", "#e9ecef"),
    "Withdrawn": ("gray", "undo", "#e9ecef"),
    "Prepared": ("orange", "pending", "#ffec99"),
    "Under way": ("blue", "progress_activity", "#dbe4ff"),
    "Never run": ("gray", "hourglass_empty", "#e9ecef"),
    "Nothing new": ("gray", "check", "#e9ecef"),
}


def badge(word: str) -> str:
    """Markdown of one state."""
    colour, icon, _ = LOOK.get(word, ("gray", "info", ""))
    return f":{colour}-badge[:material/{icon}: {word}]"


def words(receipt: Receipt) -> list[str]:
    """Status first, then the badges beside it. What waits for a person is Scheduled, but nothing will start it."""
    if receipt.held:
        return list(receipt.badges)
    rest = [word for word in receipt.badges if word != "Completed with rejects"]
    first = "Completed with rejects" if receipt.status == "Completed" and receipt.rejected else receipt.status
    return [first, *rest]


def column(label: str, words: list[str], **options: Any) -> Any:
    """A table column whose cells are lists of such words."""
    return st.column_config.MultiselectColumn(
        label, options=words, color=[LOOK[word][2] if word in LOOK else "#e9ecef" for word in words], **options
    )
