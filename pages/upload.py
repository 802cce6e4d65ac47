"""One upload: live while it runs, its result afterwards."""

from __future__ import annotations

import io
from collections import Counter
from functools import partial

import streamlit as st

from ingest_core.errors import StateError
from ingest_core.jobs.jobs import JobProgress
from ingest_core.ledger.reject_files import write_exact, write_spreadsheet
from ingest_core.models import Receipt
from ingest_core.reasons import REASONS
from pages.ui import approval, badges, charts, taking_back, told
from pages.ui.links import breadcrumb, say_done, title_row
from pages.ui.state import when, workspace
from pages.ui.tables import changes_table, rejects_table
from pages.ui.text import ago, count, escape, number, percent, seconds, size
from pages.ui.waiting import phase_name

DONE = ":green[:material/check_circle:]"
RUNNING = ":blue[:material/progress_activity:]"
REJECTS_SHOWN = 200
PEOPLE_SHOWN = 200
KINDS = {"created": "Created", "updated": "Updated", "unchanged": "Unchanged"}
SHORT_LIST = 3  # reasons beside which the left card would stand half empty


# ── while it runs ────────────────────────────────────────────────────────────────────────────────────────


@st.fragment(run_every=1)
def live(request_id: str) -> None:
    """Phases, rows, time left; asks once a second and ends with the upload."""
    receipt = workspace().history.get(request_id)
    if receipt.status in ("Completed", "Failed") or receipt.held:
        st.rerun()
    progress = workspace().jobs.progress(request_id)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            phase = phase_name(progress.phase) if progress else _waiting(receipt)
            st.markdown(f"{badges.badge(receipt.status)} **{escape(phase)}**", width="content")
            if st.button("Stop", icon=":material/stop_circle:", key="stop"):
                confirm_stop(request_id)
        if progress is not None:
            _bar(progress)
            _phases(progress)
    if progress is not None:
        _counts(progress)
    st.caption(":material/info: You can close this page. The upload goes on, and its result stays in the history.")


def _waiting(receipt: Receipt) -> str:
    at = receipt.scheduled_for
    return f"Starts at {when(at)}" if at else "Waiting for its turn"


def _bar(progress: JobProgress) -> None:
    """Bytes read with time left; steps in the database have no known length."""
    if not progress.total:
        st.progress(1.0, text="The file is read. Its rows are being stored.")
        return
    share = min(1.0, progress.done / progress.total)
    passed = progress.phases[-1].seconds if progress.phases else 0.0
    left = f", about {seconds(passed / share - passed)} left" if 0.05 < share < 1 else ""
    st.progress(share, text=f"{size(progress.done)} of {size(progress.total)}{left}")


def _phases(progress: JobProgress) -> None:
    """What is done and what is going on, in order; steps of one phase are one line."""
    took: dict[str, float] = {}
    for part in progress.phases:
        took[phase_name(part.name)] = took.get(phase_name(part.name), 0.0) + part.seconds
    place = st.container(gap=None)
    now = phase_name(progress.phase)
    for name, passed in took.items():
        place.markdown(f"{RUNNING if name == now else DONE} {escape(name)} :gray[{seconds(passed)}]")


def _counts(progress: JobProgress) -> None:
    """Rows so far; how many profiles they make is known when they are stored."""
    shown = (("lines", "Lines read"), ("rejected", "Rejected"), ("created", "Created"), ("updated", "Updated"))
    for place, (key, label) in zip(st.columns(len(shown)), shown, strict=True):
        known = progress.counts.get(key)
        place.metric(label, number(known) if known is not None else "–", border=True)


@st.dialog("Stop this upload?", icon=":material/stop_circle:")
def confirm_stop(request_id: str) -> None:
    """Asks once."""
    st.markdown("Nothing of it will be kept: the workspace stays as it was before. The file can be loaded again later.")
    with st.container(horizontal=True):
        if st.button("Stop the upload", type="primary", key="confirm_stop"):
            workspace().jobs.stop(request_id)
            st.rerun()
        if st.button("Go on", key="go_on"):
            st.rerun()


# ── its result ───────────────────────────────────────────────────────────────────────────────────────────


def headline(receipt: Receipt) -> None:
    """Badge, who and when, and the sentence."""
    marks = " ".join(badges.badge(word) for word in badges.words(receipt))
    at = receipt.finished_at or receipt.created_at
    moment = f", {when(at)}" if at else ""
    took = f", {told.took(receipt)}" if told.took(receipt) else ""
    st.markdown(f"{marks} :gray[{escape(receipt.uploaded_by)}{moment}{took}]", help=ago(at) if at else None)
    aftermath(receipt)
    if receipt.status == "Completed":
        st.markdown(told.outcome(receipt))
    elif receipt.error:
        st.error(
            escape(receipt.error.get("hint") or "Nothing was changed."),
            title=escape(receipt.error.get("message") or "Not one row was stored."),
            icon=":material/error:",
        )


def aftermath(receipt: Receipt) -> None:
    """Says when the upload counts for nothing now: its figures are history then."""
    if receipt.undone_at is not None:
        what = f"Undone by {escape(receipt.undone_by or 'somebody')}, {ago(receipt.undone_at)}"
        icon, help = "undo", when(receipt.undone_at)
    elif "Replaced" in receipt.badges:
        what, icon, help = "Replaced by a later file of this source, values too", "history", None
    else:
        return
    with st.container(border=True, key="aftermath"):
        st.markdown(
            f":material/{icon}: **{what}.** :gray[Nothing of this upload counts now. The figures below are history: "
            "what it did when it was loaded.]",
            help=help,
        )


def figures(receipt: Receipt) -> None:
    """Numbers that add up to the file."""
    shares = told.reject_share(receipt)
    cards = [
        ("Rows in file", receipt.lines - receipt.blank, None),
        ("Profiles created", receipt.created, None),
        ("Profiles updated", receipt.updated, None),
        ("Unchanged", receipt.unchanged, None),
        ("Rejected", receipt.rejected, f"{percent(shares)} of rows" if receipt.rejected else None),
    ]
    if receipt.withheld:
        cards.insert(4, ("Withheld", receipt.withheld, "good rows of a failed upload"))
    with st.grid(len(cards), min_column_width=140):
        for name, value, note in cards:
            st.metric(
                name, number(value), delta=note, delta_color="off", delta_arrow="off", border=True, height="stretch"
            )
    st.caption(f"{told.equation(receipt)}.")


def pictures(receipt: Receipt) -> str | None:
    """Where the rows went, and why some were rejected; returns the reason whose bar was clicked."""
    left, right = st.columns(2) if receipt.rejects_by_reason else (st.container(), None)
    with left.container(border=True, height="stretch"):
        st.markdown("#### Where the rows went")
        charts.where_rows_went(receipt)
        if len(receipt.rejects_by_reason) > SHORT_LIST and receipt.steps:
            st.markdown("#### Where the time went")
            slowest = sorted(receipt.steps, key=lambda step: -step.seconds)[:5]
            charts.step_times([step.name for step in slowest], [step.seconds for step in slowest])
        if receipt.profiles_after != receipt.profiles_before:
            st.caption(f"Profiles: {number(receipt.profiles_before)} before, {number(receipt.profiles_after)} after.")
        for notice in receipt.notices:
            st.caption(f":material/info: {escape(notice)}")
    if right is None:
        return None
    with right.container(border=True, height="stretch"):
        st.markdown("#### Why rows were rejected")
        st.caption("Click a bar to see its rows.")
        return charts.reject_reasons(receipt.rejects_by_reason, key="reasons")


def rejected(receipt: Receipt, clicked: str | None) -> None:
    """Rejected rows with how to fix them; the original text only when asked for, because it is personal."""
    codes = list(receipt.rejects_by_reason)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        code = st.pills(
            "Reason", codes, default=clicked if clicked in codes else None, label_visibility="collapsed",
            key=f"reason_{clicked}",
            format_func=lambda c: f"{REASONS[c].title if c in REASONS else c} {number(receipt.rejects_by_reason[c])}",
        )  # fmt: skip
        has_text = st.toggle("Show the original lines", key="show_lines", help="They are personal data.")
    total = receipt.rejects_by_reason[code] if code else receipt.rejected
    slot = st.container()
    page = st.pagination(-(-total // REJECTS_SHOWN), key=f"rejects_page_{code}") if total > REJECTS_SHOWN else 1
    rows = workspace().history.rejects(
        str(receipt.request_id), code=code, limit=REJECTS_SHOWN, offset=(page - 1) * REJECTS_SHOWN
    )
    with slot:
        rejects_table(rows, has_text=has_text)


def changed(receipt: Receipt) -> None:
    """The people of the upload with what it changed, a page of them at a time; values are masked."""
    slot = st.container()
    page = 1
    if receipt.stored > PEOPLE_SHOWN:
        page = st.pagination(-(-receipt.stored // PEOPLE_SHOWN), key="people", bind="query-params")
    first = (page - 1) * PEOPLE_SHOWN
    with slot:
        try:
            people = workspace().profiles.changed_by(str(receipt.request_id), PEOPLE_SHOWN, first)
        except StateError as error:
            st.caption(f"{escape(error.message)} {escape(error.hint)}")
            return
        kind = st.pills(
            "What became of them", list(KINDS), format_func=KINDS.__getitem__, label_visibility="collapsed", key="kind",
            bind="query-params",
        )  # fmt: skip
        shown = [person for person in people if kind in (None, person["kind"])]
        if shown:
            changes_table(shown, KINDS, key="open_person")
        else:
            st.caption("Nobody of these people.")
        counts = Counter(person["kind"] for person in people)
        said = ", ".join(f"{number(counts[kind])} {word.lower()}" for kind, word in KINDS.items() if counts[kind])
        of = f" of {number(receipt.stored)}" if receipt.stored > PEOPLE_SHOWN else ""
        st.caption(
            f"People {number(first + 1)} to {number(first + len(people))}{of} in the order of the lines, as they are "
            f"known today: {said or 'nobody'}. Personal data is masked."
        )


def how_it_worked(receipt: Receipt) -> None:
    """The named steps with their purpose, SQL, rows and times."""
    if not receipt.steps:
        st.caption("No steps were recorded.")
        return
    with st.container(border=True):
        charts.step_times([step.name for step in receipt.steps], [step.seconds for step in receipt.steps])
    for i, step in enumerate(receipt.steps):
        rows = f", {count(step.rows, 'row')}" if step.rows is not None else ""
        with st.expander(f"{i + 1}\\. {escape(step.name)} :gray[{seconds(step.seconds)}{rows}]"):
            st.markdown(escape(step.purpose))
            if step.sql:
                st.code(step.sql, language="sql")


def download(request_id: str, *, is_spreadsheet: bool) -> bytes:
    """The reject file, made when it is asked for."""
    history = workspace().history
    layout = history.layout(request_id)
    write = write_spreadsheet if is_spreadsheet else write_exact
    out = io.StringIO(newline="")
    write(out, history.each_reject(request_id), layout["columns"], layout["delimiter"])
    return out.getvalue().encode()


def downloads(receipt: Receipt) -> None:
    """Both kinds of reject file."""
    if not receipt.rejected:
        return
    request_id = str(receipt.request_id)
    with st.popover("Download rejects", icon=":material/download:"):
        st.download_button(
            "For a spreadsheet (CSV)", data=partial(download, request_id, is_spreadsheet=True), mime="text/csv",
            file_name=f"rejects_{request_id}.csv", on_click="ignore", key="rejects_spreadsheet", width="stretch",
        )  # fmt: skip
        st.caption("Cells that a spreadsheet would run as a formula are made harmless.")
        st.download_button(
            "Exactly as in the file (TSV)", data=partial(download, request_id, is_spreadsheet=False), width="stretch",
            on_click="ignore", mime="text/tab-separated-values", key="rejects_exact",
            file_name=f"rejects_{request_id}.tsv",
        )  # fmt: skip
        st.caption("For programs. Do not open it in a spreadsheet.")


def take_back(receipt: Receipt) -> None:
    """Undo, or undo of the undo; both show first what would change."""
    if receipt.status != "Completed":
        return
    is_undo = receipt.undone_at is None
    label, icon = ("Undo", "undo") if is_undo else ("Undo the undo", "redo")
    if st.button(label, icon=f":material/{icon}:", key=icon, help="First shows what would change."):
        taking_back.begin(receipt, is_undo=is_undo)


receipt = workspace().history.get(st.query_params.get("upload", ""))
source = workspace().sources.get(receipt.source)
breadcrumb(
    ("Sources", "sources.py", {}),
    (receipt.source, "source.py", {"source": str(source.source_id)}),
    (f"Upload {receipt.request_id}", None, {}),
)
say_done()
with title_row(receipt.file):
    downloads(receipt)
    take_back(receipt)
if receipt.held:
    approval.page_of_held(receipt)
    st.stop()
if receipt.status in ("Scheduled", "In Progress"):
    live(str(receipt.request_id))
    st.stop()

headline(receipt)
if not receipt.lines:  # it ended before a line was counted
    st.stop()
figures(receipt)
clicked = pictures(receipt)
names = {
    f"Rejected {number(receipt.rejected)}": partial(rejected, receipt, clicked) if receipt.rejected else None,
    "Profiles changed": partial(changed, receipt) if receipt.stored else None,
    "How it worked": partial(how_it_worked, receipt),
}
drawn = {name: draw for name, draw in names.items() if draw}
for tab, draw in zip(st.tabs(list(drawn), key="tab", bind="query-params"), drawn.values(), strict=True):
    if tab.open:
        with tab:
            draw()
