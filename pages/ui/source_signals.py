"""Signals of a data source's files as profile data: the way to a mapping, and whether that happens by itself."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ingest_core.audience_manager.signal_columns import is_of_signals
from ingest_core.errors import OnrampError
from ingest_core.models import Mapping, Source
from pages.ui import errors
from pages.ui.draft import Draft
from pages.ui.links import open_draft
from pages.ui.state import workspace
from pages.ui.text import escape
from pages.ui.waiting import at_once


def draw(source: Source, mappings: Sequence[Mapping]) -> None:
    """A card for data sources with a DPID. ``mappings``: all versions, the newest first."""
    if source.kind != "data_source" or source.dpid is None:
        return
    mapping = next((one for one in mappings if is_of_signals(one)), None)
    with st.container(border=True, key="signals_of_files"):
        st.markdown("#### Signals as attributes")
        st.caption(
            f"Data files of this source (`ftp_dpm_{source.dpid}_….sync` and `.overwrite`) are processed for their "
            "traits without a mapping. Their signals can be profile data, too: `city=Oslo` fills an attribute."
        )
        if mapping is not None:
            st.markdown(_mapped(mapping))
        st.toggle(
            "Load the signals of its files", value=source.settings.load_signals, key="load_signals",
            on_change=_switch, args=(source,), disabled=mapping is None and not source.settings.load_signals,
            help="Every data file that is processed from now on is loaded into profiles as well, by the newest "
            "mapping, as an upload with a receipt and an undo of its own. Signals may be personal data: mark such "
            "attributes.",
        )  # fmt: skip
        if mapping is None:
            st.caption("Map the signals of one file first: the mapping is used for those that come later.")
        if source.archived_at is None and st.button(
            "Map signals to attributes", icon=":material/join_inner:", key="map_signals",
            type="primary" if mapping is None else "secondary",
            help="Drop a data file: each key of a signal is a column to match. Nothing is loaded before you have seen "
            "what it would do.",
        ):  # fmt: skip
            open_draft(Draft.start(workspace(), source.source_id))


def _mapped(mapping: Mapping) -> str:
    """Which signals fill what, in the newest version that has some."""
    names = {attribute.name: attribute.display_name for attribute in workspace().attributes.list()}
    pairs = [
        f":blue-badge[{escape(column.column)}] → {escape(names.get(column.attribute, column.attribute))}"
        for column in mapping.columns
        if column.attribute
    ]
    return f":gray[Version {mapping.version}:] " + ", ".join(pairs)


def _switch(source: Source) -> None:
    is_on = bool(st.session_state["load_signals"])
    try:
        with at_once(workspace()):
            workspace().audience.source_editing.change(source.source_id, settings={"load_signals": is_on})
    except OnrampError as error:
        st.session_state["load_signals"] = not is_on
        errors.show(error)
        return
    st.session_state["done"] = (
        "Signals of its files are loaded from now on" if is_on else "Signals of its files are not loaded any more"
    )
