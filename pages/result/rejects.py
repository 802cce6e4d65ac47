"""The rejected rows of an upload: why, how to fix them, and the files to take them away."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from ingest_core.ledger.reject_files import write_exact, write_spreadsheet
from ingest_core.models import Receipt
from pages.result import fixing
from pages.result.headline import title_of
from pages.result.parameters import FIX, REASON, REJECTS_PAGE, first_page
from pages.ui.state import workspace
from pages.ui.tables import rejects_table
from pages.ui.text import count, number

REJECTS_SHOWN = 200


def draw(receipt: Receipt) -> None:
    """Rows of one reason or of all, to look at or to fix."""
    code, is_fixing = choices(receipt)
    (fixing.draw if is_fixing else _look)(receipt, code)


def choices(receipt: Receipt) -> tuple[str | None, bool]:
    """The chosen reason, and whether rows are to be fixed.

    Drawn in a closed tab, too: a click on a chart chooses a reason, and the URL keeps it.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        code = st.pills(
            "Reason", list(receipt.rejects_by_reason), label_visibility="collapsed", key=REASON, bind="query-params",
            format_func=title_of, on_change=first_page,
        )  # fmt: skip
        is_fixing = receipt.undone_at is None and st.toggle(
            "Fix rows", key=FIX, bind="query-params", on_change=first_page,
            help="Shows the rows as they came, cell by cell, to correct and load them. They are personal data.",
        )  # fmt: skip
    return code, is_fixing


def _look(receipt: Receipt, code: str | None) -> None:
    """Read only; the original text only when asked for, because it is personal."""
    request_id, history = str(receipt.request_id), workspace().history
    total = len(history.reject_lines(request_id, code=code))
    if not total:
        st.caption("These rejected rows are not kept any more.")
        return
    has_text = st.toggle("Show the original lines", key="show_lines", help="They are personal data.")
    slot = st.container()
    page = 1
    if total > REJECTS_SHOWN:
        page = st.pagination(-(-total // REJECTS_SHOWN), key=REJECTS_PAGE, bind="query-params")
    first = (page - 1) * REJECTS_SHOWN
    rows = history.rejects(request_id, code=code, limit=REJECTS_SHOWN, offset=first)
    corrected = workspace().fixes.corrected(request_id)
    with slot:
        rejects_table(rows, has_text=has_text, corrected=corrected)
        of = f"{number(first + 1)} to {number(first + len(rows))} of " if total > REJECTS_SHOWN else ""
        fixed = f", {number(len(corrected))} fixed since" if corrected and code is None else ""
        st.caption(f"{of}{count(total, 'rejected row')}{fixed}.")


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


def download(request_id: str, *, is_spreadsheet: bool) -> bytes:
    """The reject file, made when it is asked for."""
    history = workspace().history
    layout = history.layout(request_id)
    write = write_spreadsheet if is_spreadsheet else write_exact
    out = io.StringIO(newline="")
    write(out, history.each_reject(request_id), layout["columns"], layout["delimiter"])
    return out.getvalue().encode()
