"""Fixing rejected rows in a grid: what is typed is kept at once, checked by a dry run, and loaded as a child upload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.jobs.corrections import BrokenRow, Cells, with_cells
from ingest_core.jobs.fixes import Checked
from ingest_core.models import Receipt
from ingest_core.reasons import REASONS
from pages.result import changing_many, edits
from pages.result.headline import title_of
from pages.result.parameters import REJECTS_PAGE
from pages.ui import errors
from pages.ui.links import open_upload
from pages.ui.state import workspace
from pages.ui.text import count, number
from pages.ui.waiting import at_once, remembered

ROWS_SHOWN = 100
CHECKED, FRAME = "fix_checked", "fix_frame"
PATIENCE = 0.2  # seconds: who types does not wait for a load
AS_THEY_ARE = {"missing_cell", "extra_cell"}  # such rows may be right without another change


def draw(receipt: Receipt, code: str | None) -> None:
    """The rows that are left to fix, a page of them at a time, and what became of those that were edited."""
    request_id, fixes = str(receipt.request_id), workspace().fixes
    total = len(fixes.lines(request_id, code=code))
    if not total:
        what = "of this reason " if code else ""
        st.success(f"No row {what}is left to fix.", icon=":material/check_circle:")
        return
    st.caption(
        ":material/lock: These are the rows as they came: personal data. What you change is kept encrypted, for you "
        "alone, until you load it. Rows that you do not change stay rejected."
    )
    slot, bottom = st.container(), st.container()
    page = 1
    if total > ROWS_SHOWN:
        page = bottom.pagination(-(-total // ROWS_SHOWN), key=REJECTS_PAGE, bind="query-params")
    rows = fixes.rows(request_id, code=code, limit=ROWS_SHOWN, offset=(page - 1) * ROWS_SHOWN)
    grid = edits.Grid(request_id, f"{code}_{page}_{total}", fixes.columns(request_id), rows)
    chosen = grid.take(fixes.edits(request_id))
    with slot:
        checked = _check(request_id, chosen)
        _summary(receipt, chosen, checked)
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            first = (page - 1) * ROWS_SHOWN
            st.caption(f"Rows {number(first + 1)} to {number(first + len(rows))} of {number(total)}.", width="content")
            if st.button("Change many rows", icon=":material/find_replace:", key="change_many"):
                changing_many.open_drawer(request_id, code)
        _grid(grid, chosen)
        if any(row.surplus for row in rows):
            st.caption("Surplus cells are left out when a row is loaded: put what belongs elsewhere into its column.")
        if checked is not None and checked.wrong:
            _still_wrong(checked)


def _check(request_id: str, chosen: Mapping[int, Cells]) -> Checked | None:
    """The dry run of exactly the edited rows; None when nothing is edited or it cannot be done now."""
    if not chosen:
        return None

    def run() -> Checked:
        with st.spinner("Checking the edited rows"), at_once(workspace(), PATIENCE):
            return workspace().fixes.check(request_id, chosen)

    try:
        checked: Checked = remembered(CHECKED, (request_id, tuple(chosen.items())), run)
    except OnrampError as error:
        if error.code == "busy":
            st.info("An upload is running. The edited rows are checked when it has ended.", icon=":material/hourglass:")
        else:
            errors.show(error)
        return None
    return checked


def _summary(receipt: Receipt, chosen: Mapping[int, Cells], checked: Checked | None) -> None:
    """12 of 14 edited rows would be stored now; the button that loads them."""
    request_id = str(receipt.request_id)
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="fix_summary"
    ):
        right = {line: cells for line, cells in chosen.items() if checked is None or line not in checked.wrong}
        st.markdown(_said(chosen, right, checked), width="stretch")
        with st.container(horizontal=True, width="content"):
            if st.button("Discard", icon=":material/delete:", key="discard_fixes", disabled=not chosen):
                _discard(request_id, len(chosen))
            label = f"Load {count(len(right), 'fixed row')}"
            is_blocked = checked is None or not right
            if st.button(label, type="primary", icon=":material/play_arrow:", key="load_fixed", disabled=is_blocked):
                open_upload(workspace().fixes.load(request_id, right))


def _said(chosen: Mapping[int, Cells], right: Mapping[int, Cells], checked: Checked | None) -> str:
    if not chosen:
        return ":gray[:material/edit: No row is edited yet. Change a cell, and the row is checked at once.]"
    if checked is None:
        return f"**{count(len(chosen), 'row is', 'rows are')} edited.**"
    mark = ":green[:material/check_circle:]" if len(right) == len(chosen) else ":orange[:material/rule:]"
    said = f"{mark} **{number(len(right))} of {count(len(chosen), 'edited row')} would be stored now**"
    receipt = checked.receipt
    if right and receipt.status == "Completed":
        said += (
            f": {number(receipt.created)} new, {number(receipt.updated)} updated, {number(receipt.unchanged)} unchanged"
        )
    if checked.wrong:
        reasons = Counter(title_of(wrong.codes[0]) for wrong in checked.wrong.values())
        still = ", ".join(f"{number(rows)} × {title.lower()}" for title, rows in reasons.most_common(3))
        said += f". Still wrong: {still}"
    return said + "."


@st.dialog("Discard the edits?", icon=":material/delete:")
def _discard(request_id: str, rows: int) -> None:
    st.markdown(f"What you changed in {count(rows, 'row')} is forgotten. The rows stay rejected, as they came.")
    with st.container(horizontal=True):
        if st.button("Discard the edits", type="primary", key="confirm_discard"):
            fixes = workspace().fixes
            fixes.keep(request_id, dict.fromkeys(fixes.edits(request_id)))
            edits.forget()
            st.rerun()
        if st.button("Keep them", key="keep_edits"):
            st.rerun()


def _grid(grid: edits.Grid, chosen: Mapping[int, Cells]) -> None:
    """One row a rejected row, the columns that are wrong first.

    The frame stays as it was at first while edits lie over it: with another frame, the cell that is being typed in
    would close.
    """
    order = _order(grid.rows, grid.columns)
    wrong = {row.column for row in grid.rows}
    frame = remembered(
        FRAME, grid.key, lambda: pd.DataFrame([_row(row, chosen.get(row.line)) for row in grid.rows])
    )  # fmt: skip
    has_ticks = any(AS_THEY_ARE & set(row.codes) for row in grid.rows)
    has_surplus = any(row.surplus for row in grid.rows)
    names = [f"c{at}" for at in order]
    st.data_editor(
        frame,
        key=grid.key,
        hide_index=True,
        num_rows="fixed",
        row_height=38,
        placeholder="",
        height="content" if len(grid.rows) <= 12 else 520,
        column_order=[
            "line", "reason", "where", *(["load"] if has_ticks else []), *names, *(["surplus"] if has_surplus else []),
        ],
        disabled=["line", "reason", "where", "surplus"],
        alt="Rejected rows cell by cell, to correct them",
        column_config={
            "line": st.column_config.NumberColumn("Line", format="localized", width=72, pinned=True),
            "reason": st.column_config.MultiselectColumn(
                "Reason", options=list(dict.fromkeys(row.title for row in grid.rows)), color="#ffec99"
            ),
            "where": st.column_config.TextColumn("Wrong in"),
            "load": st.column_config.CheckboxColumn(
                "As it is", width=84, help="Loads the row as it stands: missing cells are empty, surplus ones left out."
            ),
            **{
                f"c{at}": st.column_config.TextColumn(
                    f"{'✱ ' if grid.columns[at] in wrong else ''}{grid.columns[at]}", width=_width(grid.rows, at)
                )
                for at in order
            },
            "surplus": st.column_config.TextColumn("Surplus cells"),
        },
    )  # fmt: skip


def _row(row: BrokenRow, edited: Cells | None) -> dict[str, Any]:
    return {
        "line": row.line,
        "reason": [row.title],
        "where": row.column or "",
        "load": edited == row.cells,
        **{f"c{at}": cell for at, cell in enumerate(with_cells(row, edited).cells)},
        "surplus": " | ".join(row.surplus),
    }


def _still_wrong(checked: Checked) -> None:
    """The edited rows that would be rejected again, with what to do."""
    lines = sorted(checked.wrong)
    reasons = [REASONS.get(checked.wrong[line].codes[0]) for line in lines]
    titles = [title_of(checked.wrong[line].codes[0]) for line in lines]
    st.markdown("##### Still wrong after your edits")
    st.dataframe(
        pd.DataFrame(
            {
                "line": lines,
                "reason": [[title] for title in titles],
                "column": [checked.wrong[line].column or "" for line in lines],
                "fix": [reason.fix if reason else "" for reason in reasons],
            }
        ),
        hide_index=True,
        row_height=38,
        height="content" if len(lines) <= 8 else 340,
        alt="Edited rows that would be rejected again",
        column_config={
            "line": st.column_config.NumberColumn("Line", format="localized", width=72),
            "reason": st.column_config.MultiselectColumn(
                "Reason", options=list(dict.fromkeys(titles)), color="#ffe3e3"
            ),
            "column": "Column",
            "fix": st.column_config.TextColumn("How to fix it", width="large"),
        },
    )


def _order(rows: Sequence[BrokenRow], columns: Sequence[str]) -> list[int]:
    """Places of the columns: those that are wrong first, the most often wrong at the front."""
    often = Counter(row.column for row in rows)
    return sorted(range(len(columns)), key=lambda at: (-often[columns[at]], at))


def _width(rows: Sequence[BrokenRow], at: int) -> int:
    longest = max((len(row.cells[at]) for row in rows), default=0)
    return min(300, 40 + 8 * max(longest, 10))
