"""A better name for a file: built from data source, target and mode, shown while they are chosen."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.naming import KINDS, Wanted
from ingest_core.audience_manager.received import Received, ReceivedFile
from ingest_core.errors import OnrampError
from pages.audience import words
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.text import escape

KIND_WORDS = {"data": "Data file", "adobe_id": "ID sync", "c2c_id": "Hashed addresses"}
MODES = {"sync": "Adds and removes", "overwrite": "Replaces"}


@st.dialog("Rename the file", icon=":material/edit:", width=640)
def dialog(held: Received, file: ReceivedFile) -> None:
    """Pickers, the name that comes of them, and the button."""
    sources = workspace().audience.registered().sources
    guessed = workspace().preflights.guess(file, workspace().audience.registered())
    own = sorted(sources, key=lambda dpid: sources[dpid].name.casefold())
    every = [*own, UUID_DPID, *GLOBAL_SOURCES]
    st.caption(f"It is called {escape(file.name)} now. The bytes stay as they are.")
    key = f"name_{file.landing_id}"
    kind = st.segmented_control(
        "Kind", KINDS, format_func=KIND_WORDS.__getitem__, default=guessed.kind, required=True, key=f"{key}_kind"
    )
    wanted = Wanted(kind=kind, is_odc=guessed.is_odc and kind == "data")

    def told(dpid: int) -> str:
        return words.source_name(dpid, sources)

    if kind == "data":
        first = next((every.index(dpid) for dpid in guessed.dpids if dpid in every), None)
        dpid = st.selectbox(
            "Whose ids", every, index=first, format_func=told, key=f"{key}_dpid", placeholder="Choose a data source",
            help="The data source, or shared namespace, that the ids in the first column belong to.",
        )  # fmt: skip
        target = st.selectbox(
            "Whose traits", own, index=own.index(guessed.target) if guessed.target in own else None, format_func=told,
            key=f"{key}_target", placeholder="The same data source",
        )  # fmt: skip
        mode = st.segmented_control(
            "Mode", list(MODES), format_func=MODES.__getitem__, default=guessed.mode, required=True, key=f"{key}_mode"
        )
        changed = {"dpids": () if dpid is None else (dpid,), "target": None if target == dpid else target, "mode": mode}
        wanted = wanted.model_copy(update=changed)
    else:
        dpids = st.multiselect(
            "Columns, in their order", every, default=[one for one in guessed.dpids if one in every],
            format_func=told, key=f"{key}_dpids", placeholder="Choose data sources",
        )  # fmt: skip
        wanted = wanted.model_copy(update={"dpids": tuple(dpids)})
    _decide(held, file, wanted)


def _decide(held: Received, file: ReceivedFile, wanted: Wanted) -> None:
    try:
        name = workspace().preflights.name(held, file, wanted)
    except OnrampError as error:
        st.caption(f":orange[:material/info: {escape(error.message)} {escape(error.hint)}]")
        name = None
    if name is not None:
        st.code(name, language=None, wrap_lines=True)
    if st.button("Rename", type="primary", key="confirm_rename", disabled=name is None) and name is not None:
        try:
            workspace().received.rename(held.inbound_id, file.landing_id, name)
        except OnrampError as error:
            if error.code != "file_replaced":
                errors.show(error)
                return
        st.session_state["done"] = "Renamed"
        st.rerun()
