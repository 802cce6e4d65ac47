"""What the columns of a file hold: one table, and one column in detail."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from ingest_core.mapping.statistics import FEW
from ingest_core.mapping.types import TYPES
from ingest_core.models import ColumnStatistics
from pages.ui import charts
from pages.ui.forms import type_label
from pages.ui.state import url_number
from pages.ui.text import count, escape, number, percent

ORDERED = ("number", "integer", "date", "datetime")
ALSO = 0.9  # share of values from which another type is named
CHOSEN = "column"  # its place in the file, in the URL: a name could be anything


def table(columns: Sequence[ColumnStatistics]) -> int | None:
    """All columns with their figures; returns the place of the chosen one."""
    with st.container(border=True):
        st.markdown("#### What the columns hold")
        st.caption("Choose a row to see the column in detail.")
        chosen = url_number(CHOSEN)
        first = [chosen] if chosen is not None and chosen < len(columns) else []
        event = st.dataframe(
            _frame(columns),
            hide_index=True,
            height="content" if len(columns) <= 25 else 900,
            row_height=38,
            placeholder="–",
            alt="Columns with type, filled share, distinct values, spread and most frequent values",
            key="columns_table",
            on_select="rerun",
            selection_mode="single-row",
            selection_default={"selection": {"rows": first}},
            column_config={
                "name": st.column_config.TextColumn("Column", pinned=True),
                "type": "Looks like",
                "filled": st.column_config.TextColumn("Filled", alignment="right"),
                "distinct": st.column_config.TextColumn("Different values", alignment="right"),
                "spread": st.column_config.BarChartColumn("Spread", y_min=0, color="#4c6ef5", width="small"),
                "top": st.column_config.TextColumn("Most frequent", width="medium"),
                "min": "Smallest",
                "max": "Largest",
            },
        )
    rows = event["selection"]["rows"]
    if not rows:
        st.query_params.pop(CHOSEN, None)
        return None
    st.query_params[CHOSEN] = str(rows[0])
    return int(rows[0])


def _frame(columns: Sequence[ColumnStatistics]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [column.name for column in columns],
            "type": [type_label(column.type) for column in columns],
            "filled": [percent(column.filled) for column in columns],
            "distinct": [_distinct(column) for column in columns],
            "spread": [[bar.count for bar in column.histogram] for column in columns],
            "top": [", ".join(f"{bar.label} ({number(bar.count)})" for bar in column.top[:3]) for column in columns],
            "min": [column.min for column in columns],
            "max": [column.max for column in columns],
        }
    )


def detail(column: ColumnStatistics, rows: int) -> None:
    """Evidence, histogram, most frequent values and formats of one column."""
    with st.container(border=True, key="column_detail"):
        st.markdown(f"#### {escape(column.name) or '(no name)'}")
        pii = " :gray-badge[:material/lock: personal data]" if column.pii else ""
        st.markdown(f":blue-badge[{type_label(column.type)}]{pii}")
        st.markdown(escape(column.evidence))
        filled = round(column.filled * rows)
        st.caption(
            f"{number(filled)} of {count(rows, 'cell')} filled, {_distinct(column)} different. "
            + (f"From {escape(column.min)} to {escape(column.max)}." if column.min and column.type in ORDERED else "")
        )
        if column.repaired != column.name:
            st.caption(f"Its name is read as {escape(column.repaired)}.")
        if column.histogram:
            st.caption(_spread(column))
            charts.histogram(column.name, column.histogram)
        _top(column, filled)
        _formats(column)


def _top(column: ColumnStatistics, filled: int) -> None:
    if not column.top:
        return
    st.dataframe(
        pd.DataFrame(
            {
                "value": [bar.label for bar in column.top],
                "rows": [bar.count for bar in column.top],
                "share": [percent(bar.count / filled) if filled else "–" for bar in column.top],
            }
        ),
        hide_index=True,
        height="content",
        row_height=32,
        alt=f"Most frequent values of the column {column.name}",
        column_config={
            "value": st.column_config.TextColumn("Most frequent"),
            "rows": st.column_config.NumberColumn("Rows", format="localized"),
            "share": st.column_config.TextColumn("Share", alignment="right"),
        },
    )


def _formats(column: ColumnStatistics) -> None:
    """How the values are written, and what else most of them could be."""
    known = {known.value: known.label for known in TYPES[column.type].formats}
    if (written := column.formats.get(column.type)) in known:
        st.caption(f"Written as {escape(known[str(written)])}.")
    likely = sorted(((share, name) for name, share in column.fits.items() if share >= ALSO), reverse=True)
    also = [f"{type_label(name)} {percent(share)}" for share, name in likely if name not in ("string", column.type)]
    if also:
        st.caption(f"They would also fit: {', '.join(also[:3])}.")


def _spread(column: ColumnStatistics) -> str:
    """What the bars of the histogram are."""
    if column.type in ORDERED:
        return "How the values are spread"
    if column.distinct <= FEW:
        return "How often each value occurs"
    return "How many characters the values have"


def _distinct(column: ColumnStatistics) -> str:
    return number(column.distinct) if column.is_distinct_exact else f"about {number(column.distinct)}"
