"""Step 5: the dry run's sentence first, then one button."""

from __future__ import annotations

import hashlib
import json

import streamlit as st

from ingest_core.models import Receipt
from pages.ui import approval, charts, effects, joining, told
from pages.ui.draft import Draft
from pages.ui.links import open_upload
from pages.ui.state import overview
from pages.ui.text import count, escape, number, percent
from pages.ui.waiting import Waiting, forget, remembered


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
        joining.warn(receipt, is_dry_run=True)
        for notice in told.notices(receipt):
            st.caption(f":material/info: {escape(notice)}")
        charts.where_rows_went(receipt)
        is_like = not receipt.held or _unlike(draft, receipt)
        _button(draft, receipt, is_like=is_like)
    with st.grid(4, min_column_width=150):
        st.metric("New profiles", number(receipt.created), border=True)
        st.metric("Updated", number(receipt.updated), border=True)
        st.metric("Unchanged", number(receipt.unchanged), border=True)
        st.metric("Rejected", number(receipt.rejected), border=True)
    joining.card(receipt, is_dry_run=True)
    effects.card(draft, receipt)
    if receipt.rejects_by_reason:
        with st.container(border=True):
            st.markdown("#### Why rows would be rejected")
            st.caption(f"{percent(told.reject_share(receipt))} of the rows.")
            charts.reject_reasons(receipt.rejects_by_reason, key="dry_reasons")
    return None


def _unlike(draft: Draft, receipt: Receipt) -> bool:
    """How the file differs from the former one; True when a person has said that it is to be loaded all the same."""
    with st.container(border=True, key="unlike"):
        st.markdown("#### :orange[:material/difference:] This file is unlike the last one")
        approval.differences([finding for finding in receipt.drift if finding.is_over])
        is_accepted = st.checkbox(
            "Load it although it is unlike the last file", value=draft.options.accept_drift, key="accept_drift"
        )
        if is_accepted != draft.options.accept_drift:
            draft.options = draft.options.model_copy(update={"accept_drift": is_accepted})
            draft.save()
    return is_accepted


def _button(draft: Draft, receipt: Receipt, *, is_like: bool) -> None:
    rows = told.accepted(receipt)
    said = f"Into {escape(draft.source.name)}, as mapping and options say."
    if not rows:
        said = "Not one row would be stored."
    elif not is_like:
        said = "Say above that the file is right, or choose another one."
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Load {count(rows, 'row')}" if draft.options.at is None else f"Schedule {count(rows, 'row')}"
        is_blocked = not (rows and is_like)
        is_pressed = st.button(label, type="primary", icon=":material/play_arrow:", disabled=is_blocked, key="load")
        st.caption(said)
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
    forget("inspection")
    forget("dry_run")
    open_upload(request_id)


def _dry_run(draft: Draft) -> Receipt:
    """The receipt the load would have now; done again when anything it depends on changes.

    It asks about a file that is unlike the former one also when a person has said yes: the findings stay in sight.
    """
    options = draft.options.model_copy(update={"accept_drift": False})
    newest = draft.workspace.history.list(limit=1)
    outcomes = overview().history_days()  # an undo of any upload changes them
    choices = [
        draft.landing_id, draft.overrides, draft.mapping.model_dump(mode="json"), options.model_dump(mode="json"),
        draft.source.model_dump(mode="json"), [(r.request_id, r.status) for r in newest], repr(outcomes),
    ]  # fmt: skip
    mark = hashlib.sha256(json.dumps(choices, sort_keys=True).encode()).hexdigest()

    def run() -> Receipt:
        with Waiting("Dry run") as progress:
            plan = draft.workspace.plan(
                draft.bytes(), draft.source, draft.mapping, options, overrides=draft.overrides, progress=progress
            )
            return draft.workspace.loads.preview(plan, progress)

    receipt: Receipt = remembered("dry_run", mark, run)
    return receipt
