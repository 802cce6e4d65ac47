"""One notebook: what it is over, its tables and questions, its cells, and how to take it along."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from ingest_core.errors import OnrampError, Stopped
from ingest_core.explore.bench import Bench, Work
from ingest_core.explore.export import export_zip
from ingest_core.explore.notebooks import Notebook
from ingest_core.explore.starters import Starter, column_starters, main_table, starters
from pages.ui import errors
from pages.ui.cells import cells
from pages.ui.drop_zone import drop_zone
from pages.ui.links import breadcrumb, nothing_here, say_done, title_row
from pages.ui.notebook_forms import rename, save_as
from pages.ui.sheet import Sheet
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number, seconds, size

LOOK_EVERY = 0.5  # seconds, while something runs
_READING = {"receive": "Checking the file", "read": "Reading the rows", "profiles": "Copying the profiles, masked"}


def notebook(notebook_id: str) -> None:
    """The page of a notebook."""
    try:
        sheet = Sheet.opened(workspace(), notebook_id)
    except OnrampError as error:
        if error.code != "no_such_notebook":
            raise
        _gone()
        return
    seen = sheet.bench.version if sheet.bench is not None and sheet.bench.work() is not None else None
    say_done()
    breadcrumb(("Explore", "explore.py", {}), (sheet.notebook.name, None, {}))
    with title_row(sheet.notebook.name):
        _actions(sheet)
    _over(sheet)
    if sheet.is_outdated:
        _outdated(sheet)
    if sheet.problem is not None:
        _file_again(sheet)
    left, right = st.columns([7, 3], gap="medium")
    with left:
        cells(sheet)
        st.button("Add a query", icon=":material/add:", key="add_cell", on_click=_add, args=(sheet,))
    with right:
        if sheet.bench is not None:
            _tables(sheet, sheet.bench)
    _bar(sheet, seen)


def _add(sheet: Sheet) -> None:
    sheet.add()


def _gone() -> None:
    st.title("Explore", anchor=False)
    with nothing_here("search_off", "There is no such notebook", "It was deleted, or it belongs to somebody else."):
        st.page_link("explore.py", label="All notebooks", icon=":material/query_stats:")


# ── head ─────────────────────────────────────────────────────────────────────────────────────────────────


def _actions(sheet: Sheet) -> None:
    if sheet.notebook.file is not None and (draft_id := sheet.notebook.file.draft_id) and sheet.problem is None:
        st.page_link(
            "ingest.py", label="Back to the ingest", icon=":material/upload_file:",
            query_params={"draft": draft_id, "step": "check"},
        )  # fmt: skip
    if sheet.bench is not None:
        _export(sheet.notebook, sheet, sheet.bench)
    if sheet.notebook.about == "profiles" and sheet.bench is not None:
        st.button(
            "Refresh", icon=":material/refresh:", key="refresh", on_click=sheet.bench.again,
            help="Copies the profiles as they are now. Run the queries again to see them.",
        )  # fmt: skip
    if st.button("Rename", icon=":material/edit:", key="rename"):
        rename(sheet.notebook, sheet)


def _export(found: Notebook, sheet: Sheet, bench: Bench) -> None:
    """Made when it is asked for: it holds all the data."""
    with st.popover("Export", icon=":material/download:"):
        if found.about == "file":
            st.warning(
                "It holds the whole file as it stands, personal data included. Keep it as you keep the file.",
                title="The data is in the clear", icon=":material/lock_open:",
            )  # fmt: skip
        else:
            st.markdown(":material/lock: It holds the profiles as you see them here: personal data is masked.")
        st.download_button(
            "Download the notebook (ZIP)", data=partial(_archive, sheet, bench), mime="application/zip",
            file_name=f"{_file_name(found.name)}.zip", on_click="ignore", key="export", type="primary", width="stretch",
            icon=":material/download:",
        )  # fmt: skip
        st.caption(
            "A Jupyter notebook (`.ipynb`) with these queries and charts, and its tables as Parquet files. It runs "
            "wherever Python has duckdb, pandas and plotly. All queries run once more for it, which may take a while."
        )


def _archive(sheet: Sheet, bench: Bench) -> bytes:
    out = io.BytesIO()
    export_zip(bench.session, sheet.notebook.name, list(sheet.cells.values()), out)
    return out.getvalue()


def _file_name(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:60].strip("_") or "notebook"


def _over(sheet: Sheet) -> None:
    """What the queries are over, and as of when."""
    bench, file = sheet.bench, sheet.notebook.file
    table = main_table(bench.tables) if bench is not None else None
    if sheet.notebook.about == "profiles":
        at = bench.session.filled_at if bench is not None else None
        moment = f" as of {when(at)}" if at else ""
        rows = f"{table.about[0].upper()}{table.about[1:]}{moment}." if table else "Masked profiles."
        st.caption(f":material/group: {rows} Nothing you ask here changes anything.")
        return
    name = f"{escape(file.name)}, {size(file.size)}" if file else "A file"
    origin = ", the file of an unfinished ingest" if file and file.draft_id else ""
    rows = f": {count(table.rows, 'row')}, {count(len(table.columns) - 1, 'column')}" if table else ""
    st.caption(
        f":material/draft: {name}{rows}{origin}. Nothing of it is loaded, and nothing you ask here changes anything."
    )


def _outdated(sheet: Sheet) -> None:
    st.warning(
        "What you change here is not saved any more. Load it again, or save yours under another name.",
        title="This notebook was changed in another window", icon=":material/sync_problem:",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button("Load it again", icon=":material/refresh:", key="load_again", on_click=sheet.load_again)
        if st.button("Save mine under another name", icon=":material/save_as:", key="save_as"):
            save_as(sheet)


def _file_again(sheet: Sheet) -> None:
    """The file is not here any more: the reason, and a place for it."""
    assert sheet.problem is not None
    errors.show(sheet.problem)
    if sheet.problem.code == "explored_file_gone":
        arrival = drop_zone(workspace(), f"explore-{sheet.notebook.notebook_id}")
        if arrival is not None:
            sheet.give_file(arrival.name, arrival.size, arrival.landing_id)
            st.rerun()


# ── tables and questions ─────────────────────────────────────────────────────────────────────────────────


def _tables(sheet: Sheet, bench: Bench) -> None:
    if bench.problem is not None and not bench.tables:
        _not_read(bench)
        return
    if not bench.tables:
        with st.container(border=True):
            st.markdown("#### Tables")
            st.skeleton(height=180)
        return
    with st.container(border=True, gap=None):
        st.markdown("#### Start from a question")
        for starter in starters(bench.tables):
            _starter(sheet, starter, "all")
        table = main_table(bench.tables)
        names = [name for name, _ in table.columns] if table else []
        column = st.selectbox(
            "About one column", names, index=None, format_func=escape, placeholder="Choose a column", key="column"
        )
        for starter in column_starters(bench.tables, column) if column else []:
            _starter(sheet, starter, str(column))
    with st.container(border=True, gap="xsmall"):
        st.markdown("#### Tables")
        for table in bench.tables:
            with st.expander(f"**{escape(table.name)}** :gray[{count(table.rows, 'row')}]"):
                st.caption(f"{escape(table.about[0].upper() + table.about[1:])}.")
                st.dataframe(
                    {"Column": [name for name, _ in table.columns], "Type": [kind for _, kind in table.columns]},
                    hide_index=True, height="content" if len(table.columns) <= 12 else 430,
                    key=f"columns_{table.name}", alt=f"Columns of the table {table.name} with their types",
                )  # fmt: skip


def _starter(sheet: Sheet, starter: Starter, about: str) -> None:
    st.button(
        starter.title, type="tertiary", icon=":material/add:", key=f"start_{about}_{starter.title}",
        on_click=_begin, args=(sheet, starter),
    )  # fmt: skip


def _begin(sheet: Sheet, starter: Starter) -> None:
    sheet.run(sheet.add(starter.cell))


def _not_read(bench: Bench) -> None:
    assert bench.problem is not None
    if isinstance(bench.problem, Stopped):
        st.caption("The data was not read.")
    else:
        errors.show(bench.problem)
    st.button("Read it", icon=":material/refresh:", key="read_again", on_click=bench.read)


# ── bar ──────────────────────────────────────────────────────────────────────────────────────────────────


def _bar(sheet: Sheet, seen: int | None) -> None:
    """Always in sight: what goes on, whether everything is saved, Run all.

    ``seen``: how far the work was when the page began to be drawn; what ended since is not on it yet.
    """
    with st.bottom.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="notebook_bar"
    ):
        if sheet.bench is not None and seen is not None:
            _at_work(sheet.bench, seen)
        else:
            saved = sheet.notebook.updated_at
            st.caption(
                ":orange[:material/sync_problem: Not saved]"
                if sheet.is_outdated or saved is None
                else f":material/cloud_done: Saved {ago(saved)}",
                help="Queries and charts are saved on every change. Results are not: they are of this moment.",
                width="content",
            )
        st.button(
            "Run all", type="primary", icon=":material/fast_forward:", key="run_all", on_click=sheet.run_all,
            disabled=sheet.bench is None or not any(cell.sql.strip() for cell in sheet.cells.values()),
        )  # fmt: skip


@st.fragment(run_every=LOOK_EVERY)
def _at_work(bench: Bench, seen: int) -> None:
    """What goes on, with Stop; when something has ended, the page is drawn again."""
    work = bench.work()
    if work is None or bench.version != seen:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        st.button("Stop", icon=":material/stop_circle:", key="stop_work", on_click=bench.stop)
        st.caption(f":blue[:material/progress_activity:] {_said(work)}", width="content")


def _said(work: Work) -> str:
    """Reading the rows, 12.3 MB of 38 MB; or a query with its seconds."""
    waiting = f", {count(work.waiting, 'more')[:-1] if work.waiting > 1 else '1 more'} waiting" if work.waiting else ""
    if work.cell is not None:
        return f"Running, {seconds(work.seconds)}{waiting}"
    phase = _READING.get(work.phase, "Getting ready")
    if not work.total:
        return f"{phase}, {seconds(work.seconds)}"
    is_rows = work.phase == "profiles"
    done, total = (number(work.done), number(work.total)) if is_rows else (size(work.done), size(work.total))
    return f"{phase}: {done} of {total}"
