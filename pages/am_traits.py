"""Traits: what files give people, how many have each, and a drawer that writes their rules."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.trait_table import write_table
from ingest_core.audience_manager.traits import Trait
from pages.audience import trait_drawer
from pages.ui.links import nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import count, escape


def table(traits: list[Trait], members: dict[int, int], names: dict[int, str]) -> None:
    """One row a trait; its name opens it."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "name": trait.name,
                    "trait_id": str(trait.trait_id),
                    "members": members.get(trait.trait_id, 0),
                    "source": names.get(trait.dpid, str(trait.dpid)),
                    "rule": trait.rule or "By its id only",
                    "ttl": "for ever" if trait.ttl_days == 0 else count(trait.ttl_days, "day"),
                    "folder": trait.folder,
                    "code": trait.integration_code,
                }
                for trait in traits
            ]
        ),
        hide_index=True,
        row_height=38,
        placeholder="–",
        height="content" if len(traits) <= 15 else 620,
        alt="Traits with the number of profiles that have them, their rules and days",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Trait", type="tertiary", alignment="left", key="open_trait", on_click=_open, args=(traits,),
                width=200, pinned=True,
            ),
            "trait_id": st.column_config.TextColumn("Id", width="small", alignment="right"),
            "members": st.column_config.NumberColumn("Profiles", format="localized", width="small"),
            "source": st.column_config.TextColumn("Data source", width=150),
            "rule": st.column_config.TextColumn("Rule", width="large"),
            "ttl": st.column_config.TextColumn("Stays", width="small"),
            "folder": st.column_config.TextColumn("Folder", width="small"),
            "code": st.column_config.TextColumn("Integration code", width="small"),
        },
    )  # fmt: skip


def _open(traits: list[Trait]) -> None:
    st.query_params["trait"] = str(traits[st.session_state["open_trait"].row].trait_id)


def chosen(traits: list[Trait], names: dict[int, str]) -> list[Trait]:
    """Those that search and data source leave; both are in the URL."""
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Search traits", key="find_trait", bind="query-params", live=True, type="search", width=300,
            icon=":material/search:", label_visibility="collapsed", placeholder="Search name, id, rule, folder",
        )  # fmt: skip
        offered = {names.get(dpid, str(dpid)): dpid for dpid in sorted({trait.dpid for trait in traits})}
        source = st.selectbox(
            "Data source", list(offered), index=None, placeholder="All data sources", key="trait_source",
            bind="query-params", label_visibility="collapsed", width=240,
        )  # fmt: skip
    sought = (text or "").strip().casefold()
    return [
        trait for trait in traits if (source is None or trait.dpid == offered[source]) and sought in _searched(trait)
    ]


def _searched(trait: Trait) -> str:
    parts = (trait.trait_id, trait.name, trait.rule, trait.folder, trait.integration_code)
    return " ".join(str(part) for part in parts if part is not None).casefold()


audience = workspace().audience
sources = audience.registered().sources
names = {dpid: source.name for dpid, source in sources.items()}
traits = audience.traits.list()
with title_row("Traits"):
    if sources and st.button("New trait", type="primary", icon=":material/add:", shortcut="N", key="new_trait"):
        st.query_params["trait"] = trait_drawer.NEW
    if sources and st.button("Import", icon=":material/upload:", key="import_traits"):
        trait_drawer.import_table()
    if traits:
        st.download_button(
            "Export", data=write_table(traits).encode(), file_name="traits.csv", mime="text/csv", key="export_traits",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
st.caption("What a file can give somebody: named by its id, or realised by signals that its rule is true of.")
say_done()
if not traits:
    how = "Make one, and files can give it to people." if sources else "Create a data source with a DPID first."
    with nothing_here("sell", "No traits yet", how):
        if not sources:
            st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
else:
    shown = chosen(traits, names)
    if shown:
        table(shown, audience.trait_editing.members(audience.registered()), names)
    else:
        st.caption("No trait matches. Change the search or the data source.")
    st.caption(f"{escape(count(len(shown), 'trait'))} shown.")
trait_drawer.drawer(traits, names)
