"""Which chart shows a result, and the values it is drawn from. Plain values: whoever draws has a library for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.errors import InputError
from ingest_core.explore.notebooks import Chart
from ingest_core.explore.result import Result, ResultColumn

MOST_COLUMNS = 6
"""A wider result is a list of things to read, not a series to draw."""
MOST_COLOURS = 12


def suggest_chart(result: Result) -> Chart:
    """The chart that this result most likely asks for; kind ``none`` where a table says it best.

    A time and a number make a line, a text and a number bars, two numbers points (a line where the first one rises
    from row to row), one column alone a histogram.
    """
    columns = [column for column in result.columns if column.kind != "other"]
    if result.row_count < 2 or not columns or len(result.columns) > MOST_COLUMNS:
        return Chart()
    by_kind = {
        kind: [column for column in columns if column.kind in kinds]
        for kind, kinds in {"time": ("time",), "text": ("text", "boolean"), "number": ("number",)}.items()
    }
    if len(columns) == 1:
        return Chart(kind="histogram", x=columns[0].name)
    if not by_kind["number"]:
        return Chart()
    number = by_kind["number"][0]
    if by_kind["time"]:
        return _drawn("line", by_kind["time"][0], number, result, by_kind["text"])
    if by_kind["text"]:
        return _drawn("bar", by_kind["text"][0], number, result, by_kind["text"][1:])
    x, y = by_kind["number"][:2]
    return Chart(kind="line" if _rises(result, x) else "scatter", x=x.name, y=y.name)


def completed(result: Result, chart: Chart) -> Chart:
    """The chart with columns for what it leaves open: a first column across, a number up. Kind ``none`` where there is
    no such column.
    """
    if chart.kind == "none":
        return Chart()
    shown = [column for column in result.columns if column.kind != "other"]
    numbers = [column.name for column in shown if column.kind == "number"]
    x = chart.x or next(
        (c.name for c in shown if chart.kind == "histogram" or c.name != next(iter(numbers), None)), None
    )
    x = x or next(iter(numbers), None)
    if chart.kind == "histogram":
        return Chart() if x is None else Chart(kind="histogram", x=x, colour=chart.colour)
    y = chart.y or next((name for name in numbers if name != x), next(iter(numbers), None))
    return Chart() if x is None or y is None else chart.model_copy(update={"x": x, "y": y})


def missing_column(result: Result, chart: Chart) -> str | None:
    """The first column that a chart names and the result does not have."""
    names = {column.name for column in result.columns}
    y = None if chart.kind == "histogram" else chart.y
    return next((name for name in (chart.x, y, chart.colour) if name is not None and name not in names), None)


def chart_values(result: Result, chart: Chart) -> dict[str, list[Any]]:
    """{x: […], y: […], colour: […]}: what of these the chart names, decimals as floats, times as ISO 8601.

    InputError ``no_such_column``.
    """
    named = {"x": chart.x, "y": chart.y, "colour": chart.colour}
    return {axis: _floats(result, name) for axis, name in named.items() if name is not None and chart.kind != "none"}


def _drawn(kind: Any, x: ResultColumn, y: ResultColumn, result: Result, rest: Sequence[ResultColumn]) -> Chart:
    """A series; one for each value of a further text column where it has few."""
    colour = next((column.name for column in rest if _distinct(result, column) <= MOST_COLOURS), None)
    return Chart(kind=kind, x=x.name, y=y.name, colour=colour)


def _distinct(result: Result, column: ResultColumn) -> int:
    return int(pc.count_distinct(result.table.column(column.name)).as_py())


def _rises(result: Result, column: ResultColumn) -> bool:
    values = result.table.column(column.name).combine_chunks()
    if values.null_count:
        return False
    return bool(pc.all(pc.greater(values.slice(1), values.slice(0, len(values) - 1))).as_py())


def _floats(result: Result, name: str) -> list[Any]:
    if name not in result.table.column_names:
        raise InputError(
            f"The result has no column {name[:100]!r}.", code="no_such_column", hint="Choose one of its columns."
        )
    array = result.table.column(name)
    if pa.types.is_decimal(array.type):
        return [None if value is None else float(value) for value in array.to_pylist()]
    return result.column(name)
