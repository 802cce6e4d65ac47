"""Uploads that wait until a person says yes: how the file differs from the former one, and the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.models import Drift, Receipt
from ingest_core.overview import SourceActivity
from ingest_core.plan.unlike import in_words
from pages.ui import badges
from pages.ui.links import open_upload, upload_link
from pages.ui.state import when, workspace
from pages.ui.text import count, escape, number

WAITS = "Waits for approval"
BANNERS = 3


def waiting(source: str | None = None) -> list[Receipt]:
    """Uploads that wait for a person, newest first."""
    return [receipt for receipt in workspace().history.list(source=source, status="Scheduled") if receipt.held]


def without(activity: SourceActivity, held: Sequence[Receipt]) -> SourceActivity:
    """What happens in a source beside the uploads that wait for a person."""
    return replace(activity, running=max(0, activity.running - len(held)))


def banner(held: Sequence[Receipt]) -> None:
    """A line for each upload that waits, with the way to it."""
    for receipt in held[:BANNERS]:
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute",
            key=f"held_{receipt.request_id}",
        ):  # fmt: skip
            st.markdown(
                f"{badges.badge(WAITS)} **{escape(receipt.file)}** :gray[for {escape(receipt.source)} is unlike the "
                "file before it]",
                width="stretch",
            )
            upload_link(str(receipt.request_id), "Look at it")
    if len(held) > BANNERS:
        st.caption(f"{count(len(held) - BANNERS, 'more upload')} wait for approval.")


def page_of_held(receipt: Receipt) -> None:
    """The whole page of an upload that waits: findings and answers."""
    facts: dict[str, Any] = dict((receipt.held or {}).get("facts") or {})  # type: ignore[call-overload]
    at = receipt.created_at
    st.markdown(f"{badges.badge(WAITS)} :gray[{escape(receipt.uploaded_by)}{f', {when(at)}' if at else ''}]")
    with st.container(border=True):
        st.markdown(f"#### This file is unlike the former one of {escape(receipt.source)}")
        st.markdown("Nothing of it is loaded yet. If it is the right file, load it as it is; if not, discard it.")
        findings = [Drift(**found) for found in facts.get("findings", [])]
        differences(findings)
        if limit := facts.get("drift_percent"):
            st.caption(f"This source asks when a file is further than {limit:g} % from the former one.")
        _answers(receipt)
    former = facts.get("former")
    if former and st.button("See the former file", icon=":material/receipt_long:", type="tertiary", key="former"):
        open_upload(str(former))


def differences(findings: Sequence[Drift]) -> None:
    """How a file differs, in words and as a small table of before and now."""
    shown = {attribute.name: attribute.display_name for attribute in workspace().attributes.list()}
    named = [found.model_copy(update={"column": shown.get(found.column or "", found.column)}) for found in findings]
    st.markdown("\n".join(f"- {escape(_capital(in_words(found)))}" for found in named))
    st.dataframe(
        pd.DataFrame(
            {
                "what": [_what(found) for found in named],
                "before": [_figure(found.what, found.before) for found in named],
                "now": [_figure(found.what, found.now) for found in named],
                "change": [_change(found) for found in named],
            }
        ),
        hide_index=True,
        height="content",
        alt="How the file differs from the former one",
        column_config={
            "what": st.column_config.TextColumn("What", width="medium"),
            "before": st.column_config.TextColumn("Former file", alignment="right"),
            "now": st.column_config.TextColumn("This file", alignment="right"),
            "change": st.column_config.TextColumn("Change", alignment="right"),
        },
    )


def _answers(receipt: Receipt) -> None:
    with st.container(horizontal=True):
        if st.button("Load it anyway", type="primary", icon=":material/play_arrow:", key="approve"):
            workspace().jobs.approve(str(receipt.request_id), workspace().user)
            st.rerun()
        if st.button("Discard", icon=":material/delete:", key="discard"):
            _discard(receipt)


@st.dialog("Discard this upload?", icon=":material/delete:")
def _discard(receipt: Receipt) -> None:
    """Asks once."""
    st.markdown(
        f"The received file {escape(receipt.file)} is deleted here; the profiles stay as they are. The history keeps "
        "that it was discarded, and the file can be sent again."
    )
    with st.container(horizontal=True):
        if st.button("Discard it", type="primary", key="confirm_discard"):
            workspace().jobs.stop(str(receipt.request_id))
            st.rerun()
        if st.button("Keep it", key="keep_held"):
            st.rerun()


def _what(finding: Drift) -> str:
    match finding.what:
        case "rows":
            return "Rows"
        case "filled":
            return f"{finding.column} filled"
        case "new_values":
            return f"New values of {finding.column}"
        case _:
            return "The same people"


def _figure(what: str, value: float) -> str:
    return number(round(value)) if what == "rows" else f"{value:g} %"


def _change(finding: Drift) -> str:
    """As much as the limit is compared with."""
    unit = "%" if finding.what == "rows" else "points"
    return f"{finding.change:+g} {unit}".replace("-", "−")


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
