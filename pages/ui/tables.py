"""Tables that more than one page shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.ledger.corrected import Correction
from ingest_core.models import Attribute, Receipt, RejectedRow
from pages.ui import badges, told
from pages.ui.links import go_next
from pages.ui.state import workspace
from pages.ui.text import percent

FIXED, BEING_LOADED = "Fixed", "Being loaded"
NEW_MEMBER = "New in the source"
WORDS = [
    "Scheduled", "In Progress", "Completed", "Completed with rejects", "Failed", "Cancelled", "Undone", "Replaced",
    "Waits for approval",
]  # fmt: skip
SHOWN = ["request_id", "source", "file", "state", "started", "rows", "stored", "rejected", "share", "took", "person"]


def uploads_table(receipts: Sequence[Receipt], *, key: str, has_source: bool = True) -> None:
    """Uploads, newest first; the request id opens one."""
    st.dataframe(
        pd.DataFrame([_row(receipt) for receipt in receipts]),
        hide_index=True,
        row_height=38,
        placeholder="",
        height="content" if len(receipts) <= 15 else 620,
        column_order=[name for name in SHOWN if has_source or name != "source"],
        alt="Uploads with status, times and counts",
        column_config={
            "request_id": st.column_config.ButtonColumn(
                "Request ID", type="tertiary", alignment="left", key=key, on_click=_open, args=(key, receipts),
                pinned=True,
            ),
            "source": "Source",
            "file": "File",
            "state": badges.column("Status", WORDS),
            "started": st.column_config.DatetimeColumn(
                "Uploaded", format="D MMM YYYY, HH:mm", timezone=st.context.timezone
            ),
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
            "stored": st.column_config.NumberColumn("Stored", format="localized"),
            "rejected": st.column_config.NumberColumn("Rejected", format="localized"),
            "share": st.column_config.TextColumn("Share", alignment="right"),
            "took": "Time",
            "person": "Uploaded by",
        },
    )  # fmt: skip


def rejects_table(
    rows: Sequence[RejectedRow], *, has_text: bool, corrected: Mapping[int, Correction] | None = None
) -> None:
    """Rejected rows with how to fix them; their original text only when asked for, a mark at those fixed since."""
    corrected = corrected or {}
    frame = pd.DataFrame(
        {
            "line": [row.line for row in rows],
            "reason": [[row.title] for row in rows],
            "column": [row.column or "" for row in rows],
            "what": [row.message for row in rows],
            "fix": [row.fix for row in rows],
            **({"since": [_since(corrected.get(row.line)) for row in rows]} if corrected else {}),
            **({"text": [row.text for row in rows]} if has_text else {}),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        row_height=38,
        height="content" if len(rows) <= 12 else 500,
        alt="Rejected rows with reason and how to fix them",
        column_order=["line", *(["since"] if corrected else []), "reason", "column", "what", "fix", "text"],
        column_config={
            "line": st.column_config.NumberColumn("Line", format="localized"),
            "reason": st.column_config.MultiselectColumn(
                "Reason", options=list(dict.fromkeys(row.title for row in rows)), color="#ffec99"
            ),
            "column": "Column",
            "since": st.column_config.MultiselectColumn(
                "Since then", options=[FIXED, BEING_LOADED], color=["#d3f9d8", "#dbe4ff"]
            ),
            "what": st.column_config.TextColumn("What is wrong", width="large"),
            "fix": st.column_config.TextColumn("How to fix it", width="large"),
            "text": st.column_config.TextColumn("Original line", width="large"),
        },
    )


def _since(correction: Correction | None) -> list[str]:
    return [] if correction is None else [FIXED if correction.is_loaded else BEING_LOADED]


def changes_table(people: Sequence[dict[str, Any]], kinds: Mapping[str, str], *, key: str) -> None:
    """What an upload did to people: a column per attribute that differs, before → after; the id opens the profile."""
    replaced = Counter({name: 0 for person in people for name in person["attributes"]})
    replaced.update(name for person in people for name, pair in person["attributes"].items() if pair["before"])
    named = {attribute.name: attribute for attribute in workspace().attributes.list() if attribute.name in replaced}
    attributes = dict(sorted(named.items(), key=lambda item: -replaced[item[0]]))  # what was replaced most comes first
    rows = [
        {
            "person": person["profile_id"],
            "kind": _kinds(person, kinds),
            **{attributes[name].column: _change(**values) for name, values in person["attributes"].items()},
        }
        for person in people
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["person", "kind", *(a.column for a in attributes.values())]),
        hide_index=True,
        row_height=38,
        placeholder="",
        height="content" if len(people) <= 12 else 500,
        alt="People of the upload with their values before and after it",
        column_config={
            "person": st.column_config.ButtonColumn(
                "Profile", type="tertiary", alignment="left", key=key, on_click=_open_person, args=(key, people),
                pinned=True, help="The upload and line a person was first seen in. Opens the profile.",
            ),
            "kind": st.column_config.MultiselectColumn(
                "", options=[*kinds.values(), NEW_MEMBER], color=["#d3f9d8", "#dbe4ff", "#e9ecef", "#e5dbff"]
            ),
            **{a.column: _text_column(a, rows) for a in attributes.values()},
        },
    )  # fmt: skip


def _kinds(person: dict[str, Any], kinds: Mapping[str, str]) -> list[str]:
    """What became of somebody. Who was known by other sources only, is new in this one."""
    is_joining = person["is_new_member"] and person["kind"] == "updated"
    return [kinds[person["kind"]], *([NEW_MEMBER] if is_joining else [])]


def _text_column(attribute: Attribute, rows: Sequence[dict[str, Any]]) -> Any:
    """As wide as its longest text: before → after is useless when its end is cut off."""
    longest = max(len(str(row.get(attribute.column, ""))) for row in rows)
    return st.column_config.TextColumn(attribute.display_name, width=min(320, 34 + 8 * max(longest, 9)))


def _change(before: str | None, after: str | None) -> str:
    """Pune → Thane; a first value stands alone, one that was cleared says so."""
    return str(after) if before is None else f"{before} → {'cleared' if after is None else after}"


def _open_person(key: str, people: Sequence[dict[str, Any]]) -> None:
    go_next("profiles.py", profile=people[st.session_state[key].row]["profile_id"])


def _row(receipt: Receipt) -> dict[str, object]:
    at = receipt.created_at or receipt.started_at
    has_ended = receipt.finished_at is not None
    return {
        "request_id": receipt.request_id,
        "source": receipt.source,
        "file": receipt.file,
        "state": badges.words(receipt),
        "started": pd.to_datetime(at, utc=True) if at else pd.NaT,
        "rows": receipt.lines - receipt.blank if has_ended else None,
        "stored": receipt.stored if has_ended else None,
        "rejected": receipt.rejected if has_ended else None,
        "share": percent(told.reject_share(receipt)) if has_ended else "",
        "took": told.took(receipt).removeprefix("took "),
        "person": receipt.uploaded_by,
    }


def _open(key: str, receipts: Sequence[Receipt]) -> None:
    go_next("upload.py", upload=str(receipts[st.session_state[key].row].request_id))
