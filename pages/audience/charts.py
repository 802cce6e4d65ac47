"""Charts of the Audience Manager pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import plotly.graph_objects as go

from ingest_core.audience_manager.id_quality import MatchRate
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.report import ReportDay
from pages.audience.words import CATEGORIES, FATES, title
from pages.ui import charts
from pages.ui.text import count, number, percent

SUCCESSFUL, FAILED = "#0ca678", "#e03131"
_SERIES = ("#4c6ef5", "#0ca678", "#f08c00", "#9775fa", "#e03131", "#15aabf", "#868e96")


def where_records_went(counts: Counts, *, key: str | None = None, of: str = "") -> None:
    """One stacked bar whose parts add up to the records received. ``of``: one file, in words."""
    parts = [(label, int(getattr(counts, field)), colour) for field, label, colour in FATES]
    _one_bar(parts, f"Where the {count(counts.records_received, 'record')}{of} went", key=key)


def lines_of(file: str, by_category: Mapping[str, int], *, key: str) -> None:
    """One stacked bar of what the lines of a file are, read by themselves."""
    parts = [(label, by_category.get(name, 0), colour) for name, label, colour in CATEGORIES]
    _one_bar(parts, f"What the lines of {file} are", key=key)


def _one_bar(parts: Sequence[tuple[str, int, str]], alt: str, *, key: str | None = None) -> None:
    """(label, how many, colour) side by side, the empty ones left out."""
    figure = go.Figure()
    whole, told = sum(many for _, many, _ in parts), []
    for label, many, colour in parts:
        if many:
            told.append(f"{label} {number(many)}")
            figure.add_bar(
                y=[""], x=[many], name=told[-1], orientation="h", marker={"color": colour},
                hovertemplate=f"{told[-1]} ({percent(many / whole)})<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        barmode="stack", showlegend=True, bargap=0.1,
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, whole])
    figure.update_yaxes(visible=False)
    charts.draw(figure, f"{alt}: {', '.join(told) or 'none'}", height=124, key=key)


def codes(counted: Mapping[str, int], *, key: str) -> None:
    """Bars of refused lines by code, the most frequent on top."""
    ranked = sorted(counted.items(), key=lambda item: item[1])[-15:]
    figure = go.Figure(
        go.Bar(
            y=[title(code) for code, _ in ranked], x=[lines for _, lines in ranked], orientation="h",
            marker={"color": charts.REJECT}, text=[number(lines) for _, lines in ranked], textposition="outside",
            cliponaxis=False, hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[0, max(counted.values()) * 1.18])
    figure.update_yaxes(automargin=True, ticksuffix="  ")
    told = ", ".join(f"{title(code)} {number(lines)}" for code, lines in reversed(ranked))
    charts.draw(figure, f"Refused lines by reason: {told}", height=44 + 34 * len(ranked), key=key)


def days(found: Sequence[ReportDay], *, key: str, on_select: Callable[[], None]) -> None:
    """Stacked bars per day; the day of a clicked bar is the custom data."""
    figure = go.Figure()
    names = [f"{day.day.day} {day.day:%b %Y}" for day in found]
    for label, colour, values in (
        ("Successful", SUCCESSFUL, [day.successful for day in found]),
        ("Failed", FAILED, [day.failed for day in found]),
    ):
        figure.add_bar(
            x=[day.day for day in found], y=values, name=label, marker={"color": colour},
            customdata=[[day.day.isoformat(), name] for day, name in zip(found, names, strict=True)],
            hovertemplate=f"%{{customdata[1]}}: %{{y:,}} {label.lower()}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        barmode="stack", showlegend=True, bargap=0.3,
        legend={"orientation": "h", "y": -0.2, "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=8, showgrid=False)
    if len(found) == 1:  # one lonely day would be drawn as wide as the chart
        side = timedelta(days=3)
        figure.update_xaxes(tickvals=[found[0].day], range=[found[0].day - side, found[0].day + side])
        figure.update_traces(width=12 * 3_600_000, selector={"type": "bar"})
    figure.update_yaxes(rangemode="tozero", tickformat="~s", nticks=5)
    good, bad = sum(day.successful for day in found), sum(day.failed for day in found)
    alt = f"Records per day: {number(good)} successful and {number(bad)} failed on {count(len(found), 'day')}"
    charts.draw(figure, alt, height=280, key=key, on_select=on_select, selection_mode="points")


def rates(found: Sequence[MatchRate], names: Mapping[int, str]) -> None:
    """A line per data source: the share of records whose device was known, per day."""
    figure = go.Figure()
    told = []
    for place, dpid in enumerate(sorted({rate.dpid for rate in found})):
        mine = [rate for rate in found if rate.dpid == dpid and rate.rate is not None]
        name = names.get(dpid, f"Data source {dpid}")
        if not mine:
            continue
        told.append(f"{name} {percent(mine[-1].rate)}")
        figure.add_scatter(
            x=[rate.day for rate in mine], y=[rate.rate for rate in mine], name=charts.plain(name),
            mode="lines+markers",
            line={"color": _SERIES[place % len(_SERIES)], "width": 2}, marker={"size": 7},
            customdata=[[number(rate.matched), number(rate.records)] for rate in mine],
            hovertemplate="%{x|%-d %b}: %{y:.0%} (%{customdata[0]} of %{customdata[1]})<extra></extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.2, "x": 0, "traceorder": "normal"})
    figure.update_xaxes(type="date", tickformat="%-d %b", nticks=8, showgrid=False)
    lonely = {rate.day for rate in found}
    if len(lonely) == 1:
        (day,) = lonely
        figure.update_xaxes(tickvals=[day], range=[day - timedelta(days=3), day + timedelta(days=3)])
    figure.update_yaxes(range=[-0.04, 1.06], tickformat=".0%", tickvals=[0, 0.5, 1])
    charts.draw(figure, f"Match rate by day, last: {', '.join(told) or 'none'}", height=260)
