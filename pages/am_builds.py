"""Build: files for Audience Manager made from profiles: the kept builds, what waits, every run."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.runs import Run
from ingest_core.models import Source
from pages.audience import run_words, runs
from pages.builds import second_look, words
from pages.ui import badges
from pages.ui.links import go_next, nothing_here, say_done, title_row
from pages.ui.state import workspace
from pages.ui.text import count

NEVER = "Never run"


def table(shown: list[Build], last: Mapping[str, Run]) -> None:
    """One build a row; its name opens it."""
    sources = workspace().audience.registered().sources
    traits = {one.trait_id: one.name for one in workspace().audience.traits.list()}
    st.dataframe(
        pd.DataFrame([_row(build, last.get(build.definition), traits, sources) for build in shown]),
        hide_index=True, row_height=38, placeholder="–", height="content" if len(shown) <= 15 else 620,
        alt="Builds with whose profiles, id, data source, mode, items, place and last run",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Build", width=190, type="tertiary", alignment="left", key="open_build", on_click=_open, args=(shown,),
                pinned=True, help="Opens the build: its preview, its runs, Build and send.",
            ),
            "state": badges.column("Last run", [*run_words.STATES.values(), NEVER], width=160),
            "at": st.column_config.DatetimeColumn("When", format="distance", width=130),
            "rows": st.column_config.NumberColumn("Rows", format="localized", width=90),
            "who": st.column_config.TextColumn("Who", width=150),
            "mode": st.column_config.TextColumn("Mode", width=150),
            "carries": st.column_config.TextColumn("Carries", width="medium"),
            "id": st.column_config.TextColumn("Id", width=120),
            "source": st.column_config.TextColumn("Data source", width=150),
            "place": st.column_config.TextColumn("To", width=170),
        },
    )  # fmt: skip


def _row(build: Build, last: Run | None, traits: Mapping[int, str], sources: Mapping[int, Source]) -> dict[str, object]:
    carries = words.carries(build, traits, sources)
    more = f" and {len(carries) - words.SHOWN} more" if len(carries) > words.SHOWN else ""
    return {
        "name": build.name,
        "state": [run_words.state(last) if last else NEVER],
        "at": pd.to_datetime(last.delivered_at or last.created_at, utc=True) if last else pd.NaT,
        "rows": run_words.rows(last) if last else None,
        "who": words.who(build),
        "mode": words.mode(build),
        "carries": "; ".join(carries[: words.SHOWN]) + more,
        "id": words.id_of(build.id.attribute, build.id.recipe),
        "source": words.data_source(build.dpid, sources),
        "place": words.place(build),
    }


def _open(shown: list[Build]) -> None:
    go_next("am_build.py", build=shown[st.session_state["open_build"].row].name)


outbound = workspace().outbound
builds = outbound.builds.list()
with title_row("Build"):
    if st.button("New build", type="primary", icon=":material/add:", shortcut="N", key="new_build"):
        st.switch_page("am_build_edit.py")
st.caption("Files for Audience Manager made from profiles: data files of traits and signals, and ID syncs.")
say_done()
second_look.lines()
runs.waiting("build")
if not builds:
    with nothing_here(
        "construction",
        "No build yet",
        "A build says whose profiles leave, by which id and with which traits. It is previewed, sent, and sent again.",
    ):
        if st.button("Make the first build", icon=":material/add:", key="first_build"):
            st.switch_page("am_build_edit.py")
        st.page_link("sources.py", label="Data sources", icon=":material/database:")
else:
    table(builds, outbound.runs.latest("build"))
    st.caption(f"{count(len(builds), 'build')}.")
if outbound.runs.count("build"):
    st.markdown("#### Runs")
    runs.history("build")
runs.drawer()
