"""Strict policy: column names that break the rules are loaded under repaired ones only on a person's word, once."""

from __future__ import annotations

import hashlib

import streamlit as st

from ingest_core.models import Inspection
from pages.ui.draft import Draft
from pages.ui.text import count, escape, number

SHOWN = 8


def question(draft: Draft, found: Inspection) -> str | None:
    """Asks where that is needed; returns why the step cannot be left yet, or None."""
    if any(problem.code == "other_format" for problem in found.problems):
        return "This workspace takes tab-separated UTF-8 only."
    repairs = [(column.name, column.repaired) for column in found.columns if column.name != column.repaired]
    if not (repairs and found.has_header and draft.workspace.settings.strict_header):
        return None
    if draft.workspace.mappings.for_header(draft.source, [column.name for column in found.columns]) is not None:
        st.caption(f":material/history: {count(len(repairs), 'column name')} repaired as in an earlier file.")
        return None
    with st.container(border=True):
        st.markdown(f"#### :orange[:material/edit_note:] {count(len(repairs), 'column name')} would be repaired")
        pairs = [f"{escape(name) if name.strip() else '(no name)'} → **{escape(fine)}**" for name, fine in repairs]
        more = [f"and {number(len(repairs) - SHOWN)} more"] if len(repairs) > SHOWN else []
        st.markdown("  \n".join([*pairs[:SHOWN], *more]))
        names = tuple(name for name, _ in repairs)
        is_taken = st.checkbox(
            "Use the repaired names, and remember them", value=draft.names_taken == names,
            key=f"names_taken_{hashlib.sha256(repr(names).encode()).hexdigest()[:12]}",
        )  # fmt: skip
        st.caption("Names are without spaces and hyphens, none empty, none twice. Or rename them in the file.")
    if is_taken != (draft.names_taken == names):
        draft.names_taken = names if is_taken else ()
        draft.save()
    return None if is_taken else "Say that the repaired column names are right, or rename them in the file."
