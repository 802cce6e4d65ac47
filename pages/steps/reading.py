"""How the file is read, as chips: each says its evidence, and those that can be otherwise can be changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.models import Inspection
from pages.ui.draft import Draft
from pages.ui.text import count, escape, number

DELIMITERS = {"\t": "Tab", ",": "Comma", ";": "Semicolon", "|": "Pipe"}
ENCODINGS = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "windows-1252": "Windows-1252",
    "iso-8859-1": "ISO-8859-1",
}  # fmt: skip
NAMES_SHOWN = 40
_WORKBOOK = "xlsx"


def chips(draft: Draft, found: Inspection) -> None:
    """Encoding, separator, header, rows, columns, line ends, packing."""
    is_table = found.grammar == "table"
    with st.container(horizontal=True):
        if not is_table:
            _data_file(draft, found)
        elif found.container != _WORKBOOK:  # a workbook's cells have no encoding and no separator to choose
            _encoding(draft, found)
            _separator(draft, found)
        if is_table:
            _header(draft, found)
        with st.popover(f"Rows: {number(found.rows)}", icon=":material/density_small:"):
            _rows(found)
        with st.popover(f"Columns: {number(len(found.columns))}", icon=":material/view_week:"):
            _names(found)
        if found.container != _WORKBOOK and is_table:
            st.popover(f"Line ends: {found.line_end}", icon=":material/keyboard_return:").caption(
                "Every kind of line end is read; mixed ones are made alike."
            )
        if found.container != "plain":
            st.popover(f"Packed: {found.container}", icon=":material/folder_zip:").caption(
                "The first sheet of the workbook is read, its values only."
                if found.container == _WORKBOOK
                else "The file was unpacked and its check sums compared."
            )
        if draft.overrides and st.button(
            "As it was found", icon=":material/restart_alt:", type="tertiary", key="as_found",
            help="Takes back what was chosen here: the file is read as its evidence says.",
        ):  # fmt: skip
            draft.override(**dict.fromkeys(draft.overrides))
            st.rerun()


def _data_file(draft: Draft, found: Inspection) -> None:
    """A data file of Audience Manager: its name says so."""
    with st.popover("Audience Manager data file", icon=":material/join_inner:"):
        st.caption(f"Found by its evidence: {escape(found.dialect_evidence)}.")
        st.caption(
            "Each key of a signal is a column, whatever its case; of several values in a line the last one counts. "
            "Traits and removals are columns, too, and need no mapping to be processed."
        )
        if st.button("Read it as a table", key="read_as_table", help="With separators and a header, as other files."):
            draft.override(delimiter="\t")
            st.rerun()


def _encoding(draft: Draft, found: Inspection) -> None:
    with st.popover(f"Encoding: {ENCODINGS.get(found.encoding, found.encoding)}", icon=":material/translate:"):
        st.caption(_evidence(draft, "encoding", found.encoding_evidence))
        _choice(draft, "encoding", "Read as", ENCODINGS, found.encoding)


def _separator(draft: Draft, found: Inspection) -> None:
    name = DELIMITERS.get(found.delimiter, escape(found.delimiter))
    why = found.dialect_evidence.partition("; ")[0]
    with st.popover(f"Separator: {name}", icon=":material/view_column:"):
        st.caption(_evidence(draft, "delimiter", why))
        _choice(draft, "delimiter", "Cells are separated by", DELIMITERS, found.delimiter)
        if found.quoting:
            st.caption('Cells may stand in quotation marks ("), with separators and line breaks inside.')


def _header(draft: Draft, found: Inspection) -> None:
    label = f"line {found.header_line}" if found.has_header else "none"
    why = found.dialect_evidence.partition("; ")[2].partition(": ")[2]
    with st.popover(f"Header: {label}", icon=":material/table_rows:"):
        st.caption(_evidence(draft, "has_header", why))
        _choice(draft, "has_header", "The file has a header row", {True: "Yes", False: "No"}, found.has_header)
        if not found.has_header:
            st.caption("Without one, the columns are called column_1, column_2 and so on.")


def _evidence(draft: Draft, name: str, why: str) -> str:
    if name in draft.overrides:
        return "Chosen by you."
    return f"Found by its evidence: {escape(why)}." if why else "Found by its evidence."


def _rows(found: Inspection) -> None:
    """The account of every line."""
    st.markdown(f"**{count(found.lines, 'line')}** after the header" if found.has_header else "Every line counts")
    parts = [(found.rows, "row", "rows"), (found.blank, "blank", "blank"), (found.rejected, "no row", "no rows")]
    st.caption(" + ".join(f"{number(n)} {one if n == 1 else many}" for n, one, many in parts if n) or "no rows")
    if found.physical_lines != found.lines:
        st.caption(f"{count(found.physical_lines, 'line end')}: quoted cells hold line breaks.")


def _names(found: Inspection) -> None:
    """The columns, and the names that strict mode gives them."""
    for column in found.columns[:NAMES_SHOWN]:
        renamed = "" if column.repaired == column.name else f" :orange[is read as {escape(column.repaired)}]"
        st.caption(f"{escape(column.name) or '(no name)'}{renamed}")
    if len(found.columns) > NAMES_SHOWN:
        st.caption(f"and {number(len(found.columns) - NAMES_SHOWN)} more, below.")


def _choice(draft: Draft, name: str, label: str, options: dict[Any, str], current: Any) -> None:
    keys = list(options) if current in options else [current, *options]
    chosen = st.radio(
        label, keys, index=keys.index(current), format_func=lambda key: options.get(key, escape(key)),
        key=f"read_{name}_{current}",
    )  # fmt: skip
    if chosen != current:
        draft.override(**{name: chosen})
        st.rerun()
