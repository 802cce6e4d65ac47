"""The counts of a segment over time: a line, and every count with what it followed."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts import ACCENT, draw
from pages.ui.links import go_next
from pages.ui.state import when
from pages.ui.text import change, number

CAUSES = {
    "load": "Upload",
    "undo": "Undo of an upload",
    "redo": "Redo of an upload",
    "erase": "Erasure of a person",
    "added": "Segment made",
    "changed": "Rule changed",
}
SHOWN = 200


def card(counts: list[dict[str, Any]]) -> None:
    """The line over time, then the table behind it."""
    with st.container(border=True, height="stretch"):
        st.markdown("#### People over time")
        if not counts:
            st.caption("No count was kept yet. The first follows the next upload.")
            return
        line(counts)
        with st.expander("Every count", key="every_count"):
            table(list(reversed(counts))[:SHOWN])


def line(counts: list[dict[str, Any]]) -> None:
    """One point a count; hovering says what it followed."""
    figure = go.Figure(
        go.Scatter(
            x=[one["at"] for one in counts], y=[one["count"] for one in counts], mode="lines+markers",
            line={"color": ACCENT, "width": 2, "shape": "hv"}, marker={"size": 7},
            customdata=[[CAUSES[one["cause"]], when(one["at"])] for one in counts],
            hovertemplate="%{y:,} people<br>%{customdata[0]}, %{customdata[1]}<extra></extra>",
        )
    )  # fmt: skip
    most = max(one["count"] for one in counts)
    figure.update_yaxes(range=[0, 1.1 * max(most, 4)], tickformat="~s", nticks=5)
    begin, end = counts[0]["at"], counts[-1]["at"]
    side = max((end - begin) / 20, timedelta(hours=1))  # one lonely count would be drawn on an axis of milliseconds
    is_short = end - begin < timedelta(days=2)
    figure.update_xaxes(
        range=[begin - side, end + side],
        nticks=6,
        showgrid=False,
        tickformat="%H:%M<br>%-d %b" if is_short else "%-d %b",
    )
    ends = [f"{number(one['count'])} on {when(one['at'])}" for one in (counts[0], counts[-1])]
    draw(figure, f"People over time: from {ends[0]} to {ends[1]}", height=230)


def table(counts: list[dict[str, Any]]) -> None:
    """Newest first; the upload opens."""
    steps = [change(one["count"] - old["count"]) for one, old in pairwise(counts)]
    st.dataframe(
        pd.DataFrame(
            {
                "at": [pd.to_datetime(one["at"], utc=True) for one in counts],
                "count": [one["count"] for one in counts],
                "change": [*steps, "–"],
                "cause": [CAUSES[one["cause"]] for one in counts],
                "upload": [one["request_id"] for one in counts],
            }
        ),
        hide_index=True,
        placeholder="",
        height="content" if len(counts) <= 8 else 300,
        alt="Every count that was kept, with what it followed",
        column_config={
            "at": st.column_config.DatetimeColumn("Time", format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
            "count": st.column_config.NumberColumn("People", format="localized"),
            "change": st.column_config.TextColumn("Change", alignment="right"),
            "cause": "After",
            "upload": st.column_config.ButtonColumn(
                "Upload", type="tertiary", alignment="left", key="open_count", on_click=_open, args=(counts,)
            ),
        },
    )  # fmt: skip


def _open(counts: list[dict[str, Any]]) -> None:
    if request_id := counts[st.session_state["open_count"].row]["request_id"]:
        go_next("upload.py", upload=request_id)
