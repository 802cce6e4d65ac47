"""Names of notebooks, and their end."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.explore.notebooks import Notebook
from pages.ui import errors
from pages.ui.links import open_notebook
from pages.ui.sheet import Sheet, close_sheet
from pages.ui.state import workspace
from pages.ui.text import escape


@st.dialog("Rename the notebook", icon=":material/edit:")
def rename(found: Notebook, sheet: Sheet | None = None) -> None:
    """Another name; ``sheet``: this tab has it open."""
    name = st.text_input("Name", value=found.name, max_chars=200, key=f"name_{found.notebook_id}", required=True)
    if st.button("Rename", type="primary", key="confirm_rename", disabled=not name):
        try:
            if sheet is not None:
                sheet.rename(str(name))
            else:
                workspace().explore.notebooks.rename(found.notebook_id, str(name))
        except OnrampError as error:
            errors.show(error)
        else:
            st.rerun()


@st.dialog("Save under another name", icon=":material/save_as:")
def save_as(sheet: Sheet) -> None:
    """What this window shows becomes a notebook of its own."""
    name = st.text_input(
        "Name", value=f"{sheet.notebook.name} (mine)"[:200], max_chars=200, key="save_as_name", required=True
    )
    if st.button("Save", type="primary", key="confirm_save_as", disabled=not name):
        try:
            made = sheet.save_as(str(name))
        except OnrampError as error:
            errors.show(error)
        else:
            open_notebook(made)


@st.dialog("Delete this notebook?", icon=":material/delete:")
def delete(found: Notebook) -> None:
    """Asks once."""
    has_file = found.file is not None and found.file.landing_id is not None
    kept = "The file that was received for it goes, too." if has_file else "What it is over stays as it is."
    st.markdown(f"**{escape(found.name)}** and its {len(found.cells)} queries will be gone. {kept}")
    with st.container(horizontal=True):
        if st.button("Delete the notebook", type="primary", key="confirm_delete"):
            close_sheet(found.notebook_id)
            workspace().explore.notebooks.delete(found.notebook_id)
            st.session_state["done"] = "Notebook deleted"
            st.rerun()
        if st.button("Keep it", key="keep_it"):
            st.rerun()
