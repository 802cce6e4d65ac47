"""What few people change about a schedule: how a file is known to be whole, and the options of its uploads."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.arrivals.schedule import Rules
from ingest_core.models import Source
from pages.ui.state import workspace

COMPLETE = {
    "stable": "When it stays as it is",
    "control": "When a control file lies beside it",
    "renamed": "At once: its sender renames it when it is whole",
}
REPLACE = {"no": "Add to what is there", "members": "Replace the members", "values": "Replace members and values"}


def more(source: Source, rules: Rules, mark: str) -> dict[str, Any]:
    """The fields of the rules that are chosen here."""
    complete = st.selectbox(
        "A file is whole", list(COMPLETE), index=list(COMPLETE).index(rules.complete), key=f"schedule_complete_{mark}",
        format_func=COMPLETE.__getitem__, help="A half file is never taken.",
    )  # fmt: skip
    chosen: dict[str, Any] = {"complete": complete}
    if complete == "control":
        chosen["control"] = st.text_input(
            "The control file's name ends with", value=rules.control, key=f"schedule_control_{mark}", max_chars=40
        )
    if rules.reads == "audience_manager":
        st.caption("These files say by their names what they are. They need no mapping and no options.")
        return chosen
    return chosen | _options(source, rules, mark)


def _options(source: Source, rules: Rules, mark: str) -> dict[str, Any]:
    replace = st.selectbox(
        "Earlier files of this source", list(REPLACE), index=list(REPLACE).index(rules.replace or "no"),
        format_func=REPLACE.__getitem__, key=f"schedule_replace_{mark}",
    )  # fmt: skip
    names = [segment["name"] for segment in workspace().segments.list()]
    current = (rules.segment or "").removeprefix("add:")
    segment = st.selectbox(
        "Add the people to a segment", names, index=names.index(current) if current in names else None,
        placeholder="None", key=f"schedule_segment_{mark}",
    )  # fmt: skip
    return {
        "replace": None if replace == "no" else replace,
        "segment": f"add:{segment}" if segment else None,
        "threshold_percent": _threshold(source, rules, mark),
        "notify": _notify(source, rules, mark),
    }


def _threshold(source: Source, rules: Rules, mark: str) -> float | None:
    if not st.toggle(
        "Another limit for rejected rows than the source's", value=rules.threshold_percent is not None,
        key=f"schedule_own_limit_{mark}",
    ):  # fmt: skip
        return None
    return st.number_input(
        "Stop when more than this share of the rows is rejected (%)", min_value=0.0, max_value=100.0, step=0.5,
        value=rules.threshold_percent if rules.threshold_percent is not None else 5.0, format="%g",
        key=f"schedule_threshold_{mark}",
    )  # fmt: skip


def _notify(source: Source, rules: Rules, mark: str) -> tuple[str, ...] | None:
    if not st.toggle(
        "Tell other people than the source's recipients",
        value=rules.notify is not None,
        key=f"schedule_own_mail_{mark}",
    ):
        return None
    current = list(source.settings.recipients if rules.notify is None else rules.notify)
    return tuple(
        st.multiselect(
            "E-mail recipients", current, default=current, key=f"schedule_notify_{mark}", accept_new_options=True,
            placeholder="Type an address and press Enter",
        )
    )  # fmt: skip
