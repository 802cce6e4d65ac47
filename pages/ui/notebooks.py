"""Where exploring begins: a file, the profiles, or a notebook that is there already."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.explore.notebooks import Notebook
from pages.ui.drop_zone import drop_zone
from pages.ui.links import go_next, nothing_here, open_notebook, say_done, title_row
from pages.ui.notebook_forms import delete, rename
from pages.ui.sheet import run_at_once
from pages.ui.state import workspace
from pages.ui.text import count

ZONE = "explore"
MENU = {"Rename": ":material/edit: Rename", "Delete": ":material/delete: Delete"}


def notebooks() -> None:
    """The page before a notebook is chosen."""
    opened = workspace()
    title_row("Explore")
    say_done()
    st.caption(
        "Look at a file before anything is uploaded, or at masked profiles. Nothing you ask can change anything."
    )
    left, right = st.columns([3, 2])
    with left:
        _zone()
    with right.container(border=True, height="stretch"):
        _profiles(opened.profiles.count())
    _act()
    found = opened.explore.notebooks.list()
    if found:
        st.markdown("#### Your notebooks")
        _table(found)
        st.caption(f"{count(len(found), 'notebook')}. Only you see them; they hold queries, never results.")
        return
    nothing_here(
        "query_stats",
        "No notebooks yet",
        "Drop a file above: its first rows show at once, and every question you ask of it stays in a notebook.",
    )


def _zone() -> None:
    arrival = drop_zone(workspace(), ZONE)
    if arrival is not None:
        made = workspace().explore.begin_file(arrival.name, arrival.size, arrival.landing_id)
        run_at_once(made.notebook_id)
        open_notebook(made.notebook_id)


def _profiles(profiles: int) -> None:
    st.markdown("#### Explore profiles")
    st.caption(
        f"{count(profiles, 'profile')}, the history of uploads and the segments as tables. Personal data is masked."
        if profiles
        else "There are no profiles yet. They come with the first file that is loaded."
    )
    st.button(
        "Explore profiles", icon=":material/group:", key="explore_profiles", disabled=not profiles,
        on_click=_begin_profiles,
    )  # fmt: skip
    st.markdown(
        "- Ask in SQL, or start from a ready-made question\n"
        "- Every answer is a table and, where it makes sense, a chart\n"
        "- Take it along as a Jupyter notebook"
    )


def _begin_profiles() -> None:
    made = workspace().explore.begin_profiles()
    run_at_once(made.notebook_id)
    go_next("explore.py", notebook=made.notebook_id)


def explore_draft(draft_id: str, name: str, size: int) -> None:
    """The way from an unfinished ingest to the notebook over its file."""
    st.button(
        "Explore this file", icon=":material/query_stats:", key="explore_file", on_click=_begin_draft,
        args=(draft_id, name, size), help="Ask it with SQL, in a notebook. The ingest waits where it is.",
    )  # fmt: skip


def _begin_draft(draft_id: str, name: str, size: int) -> None:
    made = workspace().explore.begin_draft(draft_id, name, size)
    run_at_once(made.notebook_id)
    go_next("explore.py", notebook=made.notebook_id)


def _table(found: list[Notebook]) -> None:
    """One row a notebook, last changed first; the name opens it."""
    frame = pd.DataFrame(
        {
            "name": [notebook.name for notebook in found],
            "over": [_over(notebook) for notebook in found],
            "queries": [len(notebook.cells) for notebook in found],
            "changed": pd.to_datetime(pd.Series([notebook.updated_at for notebook in found]), utc=True),
            "menu": [list(MENU.values()) for _ in found],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        row_height=40,
        height="content" if len(found) <= 12 else 520,
        alt="Your notebooks with what they are over and when they were changed",
        column_config={
            "name": st.column_config.ButtonColumn(
                "Notebook", type="tertiary", alignment="left", key="open_notebook", on_click=_open, args=(found,),
                pinned=True, width="medium",
            ),
            "over": st.column_config.TextColumn("Over"),
            "queries": st.column_config.NumberColumn("Queries", format="localized"),
            "changed": st.column_config.DatetimeColumn(
                "Last changed", format="D MMM YYYY, HH:mm", timezone=st.context.timezone
            ),
            "menu": st.column_config.ButtonColumn(
                "", key="notebook_menu", on_click=_clicked, args=(found,), width="small"
            ),
        },
    )  # fmt: skip


def _over(notebook: Notebook) -> str:
    if notebook.about == "profiles":
        return "Masked profiles"
    if notebook.file is None:
        return "A file"
    if notebook.file.draft_id:
        return f"{notebook.file.name}, of an unfinished ingest"
    return notebook.file.name if notebook.file.landing_id else f"{notebook.file.name}, which is gone"


def _open(found: list[Notebook]) -> None:
    go_next("explore.py", notebook=found[st.session_state["open_notebook"].row].notebook_id)


def _clicked(found: list[Notebook]) -> None:
    click = st.session_state["notebook_menu"]
    st.session_state["notebook_action"] = (click.label, found[click.row].notebook_id)


def _act() -> None:
    """The dialog that was asked for in the list."""
    label, notebook_id = st.session_state.pop("notebook_action", (None, ""))
    if label is not None:
        found = workspace().explore.notebooks.load(notebook_id)
        (rename if label == MENU["Rename"] else delete)(found)
