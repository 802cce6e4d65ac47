"""Charts: plotly figures in the theme's colours, each with a name for people who cannot see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from ingest_core.models import Bin, Receipt
from ingest_core.overview import HistoryDay
from ingest_core.reasons import REASONS
from pages.ui.text import number, percent

# Where a row can go, in the order in which it is told, with the same colour everywhere.
FATES: tuple[tuple[str, str, str], ...] = (
    ("created", "Created", "#0ca678"),
    ("updated", "Updated", "#4c6ef5"),
    ("unchanged", "Unchanged", "#868e96"),
    ("duplicates", "Duplicates", "#9775fa"),
    ("rejected", "Rejected", "#f08c00"),
    ("suppressed", "Suppressed", "#495057"),
    ("withheld", "Withheld", "#e03131"),
    ("blank", "Blank", "#ced4da"),
)
OUTCOMES = {
    "Completed": "#0ca678",
    "Completed with rejects": "#f08c00",
    "Failed": "#e03131",
    "Cancelled": "#868e96",
    "Undone": "#9775fa",
    "Replaced": "#b197fc",
    "Waits for approval": "#fcc419",
    "In Progress": "#4c6ef5",
    "Scheduled": "#ced4da",
}
NOT_ENDED = ("Scheduled", "In Progress", "Waits for approval")
ACCENT = "#4c6ef5"
REJECT = "#f08c00"
MOST_BARS = 40
LABEL = 28  # characters of a value beside its bar
_CONFIG = {"displayModeBar": False, "responsive": True}


def draw(figure: go.Figure, alt: str, *, height: int, key: str | None = None, **options: Any) -> Any:
    """One way to put a figure on a page."""
    figure.update_layout(margin={"l": 0, "r": 0, "t": 8, "b": 0}, height=height, dragmode=False)
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return st.plotly_chart(figure, config=_CONFIG, alt=alt, key=key, **options)


def where_rows_went(receipt: Receipt) -> None:
    """One stacked bar whose parts add up to the lines of the file."""
    figure = go.Figure()
    parts = []
    for field, label, colour in FATES:
        rows = int(getattr(receipt, field))
        if rows:
            parts.append(f"{label} {number(rows)}")
            figure.add_bar(
                y=[""], x=[rows], name=f"{label} {number(rows)}", orientation="h", marker={"color": colour},
                hovertemplate=f"{label}: {number(rows)} ({percent(rows / receipt.lines)})<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"},
        bargap=0.1,
    )
    figure.update_xaxes(visible=False, range=[0, receipt.lines])
    figure.update_yaxes(visible=False)
    draw(figure, f"Where the {number(receipt.lines)} lines went: {', '.join(parts)}", height=124)


def reject_reasons(counts: dict[str, int], *, key: str, on_select: Callable[[], None] | None = None) -> None:
    """Bars by reject reason; a click is told to ``on_select``, the codes are the custom data of the bars."""
    ranked = sorted(counts.items(), key=lambda item: item[1])
    titles = [REASONS[code].title if code in REASONS else code for code, _ in ranked]
    figure = go.Figure(
        go.Bar(
            y=titles, x=[rows for _, rows in ranked], orientation="h", marker={"color": REJECT},
            text=[number(rows) for _, rows in ranked], textposition="outside", cliponaxis=False,
            customdata=[[code] for code, _ in ranked], hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, max(counts.values()) * 1.18])
    figure.update_yaxes(automargin=True, ticksuffix="  ")
    alt = "Rejected rows by reason: " + ", ".join(f"{t} {number(n)}" for t, (_, n) in zip(titles, ranked, strict=True))
    options = {"on_select": on_select, "selection_mode": "points"} if on_select else {}
    draw(figure, alt, height=60 + 44 * len(ranked), key=key, **options)


def uploads(receipts: Sequence[Receipt], *, height: int = 260, usual: int | None = None) -> None:
    """A stacked bar per upload, oldest left: stored, unchanged, rejected and the rest; a line at the usual rows."""
    ordered = [receipt for receipt in reversed(receipts) if receipt.finished_at]
    labels = [f"{r.finished_at.day} {r.finished_at:%b %H:%M}" for r in ordered if r.finished_at]
    figure = go.Figure()
    for field, label, colour in FATES[:-1]:
        rows = [int(getattr(receipt, field)) for receipt in ordered]
        if any(rows):
            figure.add_bar(
                x=list(range(len(rows))), y=rows, name=label, marker={"color": colour}, customdata=labels,
                hovertemplate=f"%{{customdata}}<br>{label}: %{{y:,}}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        barmode="stack", legend={"orientation": "h", "y": 1.15, "x": 0, "traceorder": "normal"}, bargap=0.35
    )
    figure.update_xaxes(
        tickmode="array", tickvals=list(range(len(labels))), ticktext=labels, range=[-0.6, max(7.4, len(labels) - 0.4)]
    )
    figure.update_yaxes(tickformat="~s", nticks=5)
    if usual:
        figure.add_hline(
            y=usual, line={"color": "#868e96", "width": 1.5, "dash": "dot"}, annotation_text="usual",
            annotation_position="top right", annotation_font_color="#868e96",
        )  # fmt: skip
    draw(figure, f"What became of the rows of the last {len(ordered)} uploads", height=height)


def uploads_per_day(days: Sequence[HistoryDay]) -> None:
    """Uploads per day, stacked by outcome."""
    figure = go.Figure()
    for outcome, colour in OUTCOMES.items():
        chosen = [day for day in days if day.outcome == outcome]
        if chosen:
            figure.add_bar(
                x=[day.day for day in chosen], y=[day.uploads for day in chosen], name=outcome,
                marker={"color": colour}, hovertemplate=f"%{{x|%-d %b}}: %{{y}} {outcome.lower()}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        barmode="stack",
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "x": 0, "traceorder": "normal"},
        bargap=0.3,
    )
    _date_axis(figure, days)
    per_day: Counter[date] = Counter()
    for day in days:
        per_day[day.day] += day.uploads
    most = max(per_day.values(), default=1)
    figure.update_yaxes(rangemode="tozero", tickformat="d", dtick=max(1, -(-most // 4)))
    draw(figure, "Uploads per day by outcome", height=230)


def rows_per_day(days: Sequence[HistoryDay]) -> None:
    """Rows per upload, as the mean of each day."""
    per_day: dict[Any, tuple[int, int]] = {}
    for day in days:
        rows, uploads = per_day.get(day.day, (0, 0))
        per_day[day.day] = (rows + day.rows, uploads + day.uploads)
    figure = go.Figure(
        go.Bar(
            x=list(per_day), y=[rows / uploads for rows, uploads in per_day.values()], marker={"color": ACCENT},
            hovertemplate="%{x|%-d %b}: %{y:,.0f} rows an upload<extra></extra>",
        )
    )  # fmt: skip
    _date_axis(figure, days)
    figure.update_layout(bargap=0.3, showlegend=False)
    figure.update_yaxes(rangemode="tozero", tickformat="~s", nticks=4)
    draw(figure, "Rows per upload by day", height=230)


def success_share(days: Sequence[HistoryDay]) -> None:
    """Share of ended uploads that completed, per day."""
    ended: dict[Any, list[int]] = {}
    for day in days:
        if day.outcome not in NOT_ENDED:
            good = day.uploads if day.outcome not in ("Failed", "Cancelled") else 0
            total = ended.setdefault(day.day, [0, 0])
            total[0] += good
            total[1] += day.uploads
    figure = go.Figure(
        go.Scatter(
            x=list(ended), y=[good / total for good, total in ended.values()], mode="lines+markers",
            line={"color": OUTCOMES["Completed"], "width": 2}, marker={"size": 7},
            hovertemplate="%{x|%-d %b}: %{y:.0%} completed<extra></extra>",
        )
    )  # fmt: skip
    _date_axis(figure, days)
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%", tickvals=[0, 0.5, 1])
    draw(figure, "Share of uploads that completed, by day", height=230)


def filled_shares(names: Sequence[str], shares: Sequence[float]) -> None:
    """How full each column is, emptiest at the bottom; of many columns the emptiest."""
    order = sorted(range(len(names)), key=lambda i: shares[i])[:MOST_BARS]
    labels = [plain(names[i]) for i in order]
    figure = go.Figure(
        go.Bar(
            y=list(range(len(order))), x=[shares[i] for i in order], orientation="h", marker={"color": ACCENT},
            text=[percent(shares[i]) for i in order], textposition="outside", cliponaxis=False, customdata=labels,
            hovertemplate="%{customdata}: %{text} filled<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, 1.15])
    figure.update_yaxes(
        automargin=True, ticksuffix="  ", tickmode="array", tickvals=list(range(len(order))),
        ticktext=[_short(names[i], 24) for i in order],
    )  # fmt: skip
    figure.update_layout(bargap=0.35)
    draw(figure, "Filled share of each column, fullest first", height=max(120, 28 * len(order) + 20))
    if len(names) > MOST_BARS:
        st.caption(f"The {MOST_BARS} emptiest of {number(len(names))} columns.")


def histogram(name: str, bars: Sequence[Bin]) -> None:
    """How the values of one column are spread."""
    labels = [plain(bar.label) for bar in bars]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(bars))), y=[bar.count for bar in bars], customdata=labels, marker={"color": ACCENT},
            hovertemplate="%{customdata}: %{y:,}<extra></extra>",
        )
    )  # fmt: skip
    shown = range(0, len(bars), max(1, -(-len(bars) // 6)))
    figure.update_xaxes(
        tickmode="array", tickvals=list(shown), ticktext=[_short(bars[i].label) for i in shown], tickangle=0
    )
    figure.update_yaxes(tickformat="~s", nticks=4, rangemode="tozero")
    figure.update_layout(bargap=0.12, showlegend=False)
    most = max(bars, key=lambda bar: bar.count)
    alt = f"Spread of the column {name}: {len(bars)} bars, the tallest is {most.label} with {number(most.count)} values"
    draw(figure, alt, height=190)


def plain(text: str) -> str:
    """Text of a file in a chart, which would read it as HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(text: str, most: int = 12) -> str:
    return plain(text if len(text) <= most else text[: most - 1] + "…")


def step_times(names: Sequence[str], seconds: Sequence[float]) -> None:
    """How long each step took, in order."""
    figure = go.Figure(
        go.Bar(
            y=list(names)[::-1], x=list(seconds)[::-1], orientation="h", marker={"color": ACCENT},
            hovertemplate="%{y}: %{x:.2f} s<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title="seconds", rangemode="tozero")
    figure.update_yaxes(automargin=True, ticksuffix="  ")
    figure.update_layout(bargap=0.35)
    draw(figure, "Seconds per step", height=max(140, 26 * len(names) + 50))


def _date_axis(figure: go.Figure, days: Sequence[HistoryDay]) -> None:
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=6, showgrid=False)
    if len({day.day for day in days}) == 1:  # one lonely day would be drawn as wide as the chart, with hours below it
        figure.update_xaxes(tickvals=[days[0].day])
        figure.update_traces(width=12 * 3_600_000, selector={"type": "bar"})
        side = timedelta(days=3)
        figure.update_xaxes(range=[days[0].day - side, days[0].day + side])


def common_values(top: Sequence[dict[str, Any]], filled: int) -> None:
    """The commonest values of an attribute as bars, with the share of the profiles that have a value."""
    ranked = list(reversed(top))
    labels = [_short(str(one["value"]), LABEL) for one in ranked]
    figure = go.Figure(
        go.Bar(
            y=list(range(len(ranked))), x=[one["profiles"] for one in ranked], orientation="h",
            marker={"color": ACCENT}, textposition="outside", cliponaxis=False, customdata=labels,
            text=[f"{number(one['profiles'])} ({percent(one['profiles'] / filled)})" for one in ranked],
            hovertemplate="%{customdata}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, max(one["profiles"] for one in top) * 1.4])
    figure.update_yaxes(automargin=True, ticksuffix="  ", tickvals=list(range(len(ranked))), ticktext=labels)
    told = ", ".join(f"{one['value']} {number(one['profiles'])}" for one in top)
    draw(figure, f"Commonest values by profiles: {told}", height=20 + 30 * len(ranked))
