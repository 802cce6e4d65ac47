"""How many people segments share: a heat map, and the same numbers as a table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from ingest_core.segments.segments import MOST_OVERLAPPING
from pages.ui.charts import draw
from pages.ui.state import workspace
from pages.ui.text import number, percent

BEGIN_WITH = 5
LIGHT = ((0, "#edf2ff"), (0.5, "#748ffc"), (1, "#364fc7"))
DARK = ((0, "#1b2440"), (0.5, "#334a97"), (1, "#5c7cfa"))


def overlap(segments: list[dict[str, Any]]) -> None:
    """The choice, which is in the URL, then both pictures of it."""
    usable = {one["name"]: one["count"] for one in segments if one["count"] is not None}
    if len(usable) < 2:
        st.caption("There is nothing to compare yet: two segments are needed.")
        return
    largest = sorted(usable, key=lambda name: -usable[name])[:BEGIN_WITH]
    names = st.multiselect(
        f"Compare up to {MOST_OVERLAPPING} segments", list(usable), default=sorted(largest), key="compare",
        bind="query-params", max_selections=MOST_OVERLAPPING, select_all=False,
    )  # fmt: skip
    if len(names) < 2:
        st.caption("Choose at least two segments.")
        return
    counts = workspace().segments.overlap(names)["counts"]
    with st.container(border=True):
        st.markdown("#### Share of the segment on the left that is also in the one below")
        heat_map(names, counts)
    with st.container(border=True):
        st.markdown("#### People in both")
        st.dataframe(
            pd.DataFrame([[name, *row] for name, row in zip(names, counts, strict=True)], columns=["Segment", *names]),
            hide_index=True,
            height="content",
            alt="How many people each two segments share",
            column_config={
                "Segment": st.column_config.TextColumn(pinned=True),
                **{name: st.column_config.NumberColumn(format="localized") for name in names},
            },
        )
        st.caption("Where a segment meets itself, all of its people are counted.")


def heat_map(names: list[str], counts: list[list[int]]) -> None:
    """One square a pair, as dark as the share; the numbers are in it."""
    shares = [[both / row[place] if row[place] else None for both in row] for place, row in enumerate(counts)]
    texts = [[percent(share) for share in row] for row in shares]
    is_dark = st.context.theme.type == "dark"
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=names, y=names, text=texts, texttemplate="%{text}", zmin=0, zmax=1, xgap=2, ygap=2,
            colorscale=DARK if is_dark else LIGHT, showscale=False, hoverongaps=False,
            customdata=[[number(both) for both in row] for row in counts],
            hovertemplate="%{customdata} people of %{y} are in %{x} too (%{text})<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ", showgrid=False)
    figure.update_xaxes(automargin=True, showgrid=False)
    draw(figure, _alt(names, counts, texts), height=110 + 52 * len(names))


def _alt(names: list[str], counts: list[list[int]], texts: list[list[str]]) -> str:
    """The pairs that share most, in words."""
    pairs = [(both, a, b) for a, row in enumerate(counts) for b, both in enumerate(row) if a != b]
    told = [f"{texts[a][b]} of {names[a]} is in {names[b]}" for _, a, b in sorted(pairs, reverse=True)[:6]]
    return f"Overlap of {len(names)} segments: {', '.join(told)}"
