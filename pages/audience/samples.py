"""Sampled lines: what stood in the file, where, and why it counts as an error."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.audience import words
from pages.ui.state import workspace
from pages.ui.text import count, escape

PAGE = 10


def draw(files: Sequence[int]) -> None:
    """The samples of these files, a table each, the newest file first."""
    found = workspace().audience.reports.samples(files)
    if not found:
        st.caption(
            "No samples were kept of these files. Switch error sampling on for the data source in the report, and the "
            "first ten lines of each kind of error are kept of the files that come then."
        )
        return
    st.caption("E-mail addresses and telephone numbers are masked. Samples go after 30 days.")
    pages = -(-len(found) // PAGE)
    page = st.pagination(pages, key="samples_page", bind="query-params") if pages > 1 else 1
    for file in found[::-1][(page - 1) * PAGE : page * PAGE]:
        with st.expander(f"{escape(file.file)}: {count(len(file.samples), 'sample')}", expanded=len(found) == 1):
            rows = [
                {
                    "type": words.LABELS[sample.type],
                    "line": sample.line,
                    "user_id": sample.user_id,
                    "payload": sample.payload,
                    "code": words.title(sample.code) if sample.code else "",
                    "why": sample.why + (f" Expected: {sample.expected}." if sample.expected else ""),
                }
                for sample in file.samples
            ]
            st.dataframe(
                pd.DataFrame(rows), hide_index=True, height="content" if len(rows) <= 15 else 560,
                alt=f"Sampled lines of {file.file}",
                column_config={
                    "type": st.column_config.TextColumn("Type", width=150),
                    "line": st.column_config.NumberColumn("Line", format="localized", width=70),
                    "user_id": st.column_config.TextColumn("User id", width="medium"),
                    "payload": st.column_config.TextColumn("Payload", width="medium"),
                    "code": st.column_config.TextColumn("Reason", width=170),
                    "why": st.column_config.TextColumn("Explanation", width="large"),
                },
            )  # fmt: skip
