"""Segments: named audiences and how many profiles they hold now."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.ui.links import nothing_here, title_row
from pages.ui.state import workspace

title_row("Segments")
st.caption("A segment is a named set of profiles: by a rule, or everybody an upload brought.")
segments = workspace().segments.list()
if not segments:
    with nothing_here("donut_small", "No segments yet", "Choose “Create a segment” in the options of an upload."):
        st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
else:
    st.dataframe(
        pd.DataFrame(
            {
                "name": [segment["name"] for segment in segments],
                "description": [segment["description"] for segment in segments],
                "profiles": [segment["count"] for segment in segments],
            }
        ),
        hide_index=True,
        alt="Segments with the number of their profiles",
        column_config={
            "name": "Segment",
            "description": "Description",
            "profiles": st.column_config.NumberColumn("Profiles", format="localized"),
        },
    )
