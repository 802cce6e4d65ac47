"""Step 5: the dry run's sentence first, then one button."""

from __future__ import annotations

import hashlib
import json

import streamlit as st

from ingest_core.models import Receipt
from pages.ui import charts, told
from pages.ui.draft import Draft
from pages.ui.links import open_upload
from pages.ui.text import count, escape, number, percent
from pages.ui.waiting import Waiting


def draw(draft: Draft) -> str | None:
    """Draws the step; nothing comes after it."""
    receipt = _dry_run(draft)
    with st.container(border=True):
        st.markdown(f"##### {told.outcome(receipt, is_dry_run=True)}")
        st.caption(
            f"A dry run did the whole load and took it back, so these figures are exact. {told.equation(receipt)}."
        )
        if warning := told.events_warning(receipt):
            st.warning(warning, icon=":material/event_repeat:")
        for notice in receipt.notices:
            st.caption(f":material/info: {escape(notice)}")
        charts.where_rows_went(receipt)
        _button(draft, receipt)
    with st.grid(4, min_column_width=150):
        st.metric("New profiles", number(receipt.created), border=True)
        st.metric("Updated", number(receipt.updated), border=True)
        st.metric("Unchanged", number(receipt.unchanged), border=True)
        st.metric("Rejected", number(receipt.rejected), border=True)
    if receipt.rejects_by_reason:
        with st.container(border=True):
            st.markdown("#### Why rows would be rejected")
            st.caption(f"{percent(told.reject_share(receipt))} of the rows.")
            charts.reject_reasons(receipt.rejects_by_reason, key="dry_reasons")
    return None


def _button(draft: Draft, receipt: Receipt) -> None:
    rows = told.accepted(receipt)
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Load {count(rows, 'row')}" if draft.options.at is None else f"Schedule {count(rows, 'row')}"
        is_pressed = st.button(label, type="primary", icon=":material/play_arrow:", disabled=not rows, key="load")
        st.caption(
            "Not one row would be stored."
            if not rows
            else f"Into {escape(draft.source.name)}, as mapping and options say."
        )
    if is_pressed:
        _submit(draft)


def _submit(draft: Draft) -> None:
    """Hands the draft over; a second click hands over the same, once."""
    assert draft.landing_id is not None
    request_id = draft.workspace.jobs.submit(
        draft.landing_id, draft.source, draft.mapping, draft.options, overrides=draft.overrides or None,
        idempotency_key=f"draft-{draft.draft_id}",
    )  # fmt: skip
    draft.workspace.drafts.delete(draft.draft_id)
    st.session_state.pop("inspection", None)
    st.session_state.pop("dry_run", None)
    open_upload(request_id)


def _dry_run(draft: Draft) -> Receipt:
    """The receipt the load would have now; done again when anything it depends on changes."""
    newest = draft.workspace.history.list(limit=1)
    choices = [
        draft.landing_id, draft.overrides, draft.mapping.model_dump(mode="json"), draft.options.model_dump(mode="json"),
        draft.source.model_dump(mode="json"), [(r.request_id, r.status, str(r.undone_at)) for r in newest],
    ]  # fmt: skip
    mark = hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()
    held = st.session_state.get("dry_run")
    if held is not None and held[0] == mark:
        return held[1]
    with Waiting("Dry run") as progress:
        plan = draft.workspace.plan(
            draft.bytes(), draft.source, draft.mapping, draft.options, overrides=draft.overrides, progress=progress
        )
        receipt = draft.workspace.loads.preview(plan, progress)
    st.session_state["dry_run"] = (mark, receipt)
    return receipt
