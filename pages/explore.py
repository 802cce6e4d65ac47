"""Explore: SQL over a file before anything is uploaded, or over masked profiles. The notebook is in the URL."""

from __future__ import annotations

import streamlit as st

from pages.ui.notebook import notebook
from pages.ui.notebooks import notebooks

if notebook_id := st.query_params.get("notebook", ""):
    notebook(notebook_id)
else:
    notebooks()
