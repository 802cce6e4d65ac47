"""What an upload did to the segments: before, after, change."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ingest_core.models import Receipt, SegmentChange
from pages.ui.links import go_next
from pages.ui.state import workspace
from pages.ui.text import count, number

OPEN = "open_changed_segment"


def draw(receipt: Receipt) -> None:
    """Every segment there was when the upload was loaded; those that changed most come first."""
    changes = sorted(workspace().segments.changes_by(str(receipt.request_id)), key=lambda change: -abs(_gained(change)))
    if not changes:
        st.caption("There was no segment when this upload was loaded.")
        st.page_link("segments.py", label="Go to the segments", icon=":material/donut_small:")
        return
    moved = sum(1 for change in changes if _gained(change) or change.before is None)
    st.caption(
        f"{count(len(changes), 'segment')}, {count(moved, 'changed', 'changed')} by this upload. Counts are those of "
        "that moment; a click on a name opens the segment as it is now."
    )
    _table(changes)


def _gained(change: SegmentChange) -> int:
    return (change.after or 0) - (change.before or 0)


def _table(changes: Sequence[SegmentChange]) -> None:
    most = max(1, *(change.after or 0 for change in changes))
    frame = pd.DataFrame(
        {
            "name": [change.name for change in changes],
            "before": [change.before for change in changes],
            "change": [_said(change) for change in changes],
            "after": [change.after for change in changes],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        row_height=38,
        placeholder="–",
        height="content" if len(changes) <= 12 else 500,
        alt="Segments with their counts before and after the upload",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Segment", type="tertiary", alignment="left", key=OPEN, on_click=_open, args=(changes,), pinned=True
            ),
            "before": st.column_config.NumberColumn("Before", format="localized"),
            "change": st.column_config.TextColumn("Change", alignment="right"),
            "after": st.column_config.ProgressColumn("After", format="localized", min_value=0, max_value=most),
        },
    )  # fmt: skip


def _said(change: SegmentChange) -> str:
    """+12, −3, 0; new for a segment that the upload made."""
    gained = _gained(change)
    if change.before is None:
        return f"new, +{number(gained)}"
    return f"+{number(gained)}" if gained > 0 else f"−{number(-gained)}" if gained else "0"


def _open(changes: Sequence[SegmentChange]) -> None:
    name = changes[st.session_state[OPEN].row].name
    go_next("segment.py", segment=str(workspace().segments.show(name)["segment_id"]))
