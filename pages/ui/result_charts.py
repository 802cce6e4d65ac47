"""The chart of a query's result. Names and values are people's: they are shown as they stand, never interpreted."""

from __future__ import annotations

import html
from collections import Counter
from typing import Any

import plotly.graph_objects as go

from ingest_core.explore.charts import MOST_COLOURS, chart_values
from ingest_core.explore.notebooks import Chart
from ingest_core.explore.result import Result
from pages.ui import charts
from pages.ui.text import count, number

KINDS = {"none": "No chart", "bar": "Bars", "line": "Line", "scatter": "Points", "histogram": "Histogram"}
MOST_BARS = 200
_LABELS = 30  # so many names stand below the bars, each cut; with more of them plotly chooses
_LONGEST_LABEL = 22
_OTHERS = "Others"
_EMPTY = "(no value)"


def result_chart(result: Result, chart: Chart, *, key: str) -> str:
    """Draws it; returns what the chart leaves out, or nothing."""
    kinds = {column.name: column.kind for column in result.columns}
    values = chart_values(result, chart)
    kind = kinds[str(chart.x)]
    xs = values["x"] if kind in ("number", "time") else [_name(value) for value in values["x"]]
    note = ""
    if chart.kind == "bar" and kind not in ("number", "time"):
        xs, values, note = _first_bars(xs, values)
    figure = go.Figure()
    for name, places in _series(values.get("colour"), len(xs)).items():
        across = [xs[at] for at in places]
        up = [values["y"][at] for at in places] if "y" in values else None
        figure.add_trace(_trace(chart.kind, across, up, name))
    _axes(figure, chart, kind, xs)
    height = 320 if "colour" in values else 280
    charts.draw(figure, _alt(result, chart), height=height, key=key)
    return note


def _trace(kind: str, x: list[Any], y: list[Any] | None, name: str | None) -> Any:
    """``name`` None: the only series, in the colour of all our charts."""
    look: dict[str, Any] = {"name": name} if name is not None else {}
    colour = {} if name is not None else {"color": charts.ACCENT}
    if kind == "histogram":
        return go.Histogram(x=x, marker=colour, **look)
    if kind == "bar":
        return go.Bar(x=x, y=y, marker=colour, **look)
    if kind == "line":
        return go.Scatter(x=x, y=y, mode="lines+markers" if len(x) <= 60 else "lines", line=colour, **look)
    return go.Scatter(x=x, y=y, mode="markers", marker={"size": 7, "opacity": 0.75, **colour}, **look)


def _series(colours: list[Any] | None, rows: int) -> dict[str | None, list[int]]:
    """Name → positions of its rows; the rarest of many share one name."""
    if colours is None:
        return {None: list(range(rows))}
    names = [_name(value) for value in colours[:rows]]
    own = {name for name, _ in Counter(names).most_common(MOST_COLOURS)}
    found: dict[str | None, list[int]] = {}
    for at, name in enumerate(names):
        found.setdefault(name if name in own else _OTHERS, []).append(at)
    return found


def _first_bars(xs: list[Any], values: dict[str, list[Any]]) -> tuple[list[Any], dict[str, list[Any]], str]:
    names = list(dict.fromkeys(xs))
    if len(names) <= MOST_BARS:
        return xs, values, ""
    shown = set(names[:MOST_BARS])
    kept = [at for at, name in enumerate(xs) if name in shown]
    cut = {axis: [column[at] for at in kept] for axis, column in values.items()}
    return [xs[at] for at in kept], cut, f"The chart shows the first {MOST_BARS} of {number(len(names))} bars."


def _axes(figure: go.Figure, chart: Chart, kind: str, xs: list[Any]) -> None:
    figure.update_layout(
        barmode="relative", bargap=0.25, showlegend=chart.colour is not None,
        legend={"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(title=_name(chart.x), automargin=True, showgrid=False)
    figure.update_yaxes(
        title="rows" if chart.kind == "histogram" else _name(chart.y), automargin=True, rangemode="tozero"
    )
    if chart.kind in ("line", "scatter"):
        figure.update_yaxes(rangemode="normal")
    if kind == "time":
        figure.update_xaxes(type="date")
    elif kind != "number":
        figure.update_xaxes(type="category")
        names = list(dict.fromkeys(xs))
        if len(names) <= _LABELS:
            figure.update_xaxes(tickmode="array", tickvals=names, ticktext=[_cut(name) for name in names])


def _name(value: Any) -> str:
    """Text for plotly, which takes <b> and the like for its own."""
    text = _EMPTY if value is None else " ".join(str(value).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(name: str) -> str:
    """Short enough to stand below a bar; never in the middle of an escaped sign."""
    plain = html.unescape(name)
    return name if len(plain) <= _LONGEST_LABEL else _name(plain[: _LONGEST_LABEL - 1]) + "…"


def _alt(result: Result, chart: Chart) -> str:
    up = "number of rows" if chart.kind == "histogram" else chart.y
    colour = f", in colours by {chart.colour}" if chart.colour else ""
    return f"{KINDS[chart.kind]}: {up} by {chart.x}{colour}, of {count(result.row_count, 'row')}"
