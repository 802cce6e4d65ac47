"""The inputs for what a condition compares with: one for each kind of value and type of attribute."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import streamlit as st

from ingest_core.segments.editing import at, replaced
from ingest_core.segments.operators import NUMBER, TEXT
from pages.ui.kept import shown
from pages.ui.rule_choices import offered_values
from pages.ui.segment_draft import change_rule

WIDTH = 230
WHOLE = ("equals", "not_equals", "is_one_of", "is_not_one_of")
"""Operators whose values are ones that people have: those are offered."""


def draw(path: str, part: dict[str, Any], field: dict[str, Any], takes: str) -> None:
    """The input or inputs of a condition on an attribute; every change is kept at once."""
    match takes:
        case "yes or no":
            _yes_or_no(path, part)
        case "days":
            _days(path, part)
        case "a list":
            _list(path, part, field)
        case "two values":
            value = part.get("value")
            pair = [*value, None, None][:2] if isinstance(value, list) else [value, None]
            _one(path, field, pair[0], 0, "Lowest value")
            st.caption("and", width="content")
            _one(path, field, pair[1], 1, "Highest value")
        case "a value":
            _one(path, field, part.get("value"), None, "Value", is_whole=part.get("operator") in WHOLE)


def _keep(path: str, place: int | None, read: Callable[[], Any]) -> None:
    """For callbacks: the value of a condition, or one of its two."""
    value = read()

    def edit(rule: Any) -> Any:
        part = at(rule, path)
        new = value
        if place is not None:
            old = part.get("value")
            new = [*old, None, None][:2] if isinstance(old, list) else [old, None]
            new[place] = value
        return replaced(rule, path, {**part, "value": new})

    change_rule(edit)


def _yes_or_no(path: str, part: dict[str, Any]) -> None:
    words = {True: "Yes", False: "No"}
    key = shown(f"{path}:yes", part.get("value") is not False)
    st.selectbox(
        "Yes or no", list(words), format_func=words.__getitem__, key=key, label_visibility="collapsed", width=110,
        on_change=_keep, args=(path, None, lambda: st.session_state[key]),
    )  # fmt: skip


def _days(path: str, part: dict[str, Any]) -> None:
    value = part.get("value")
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 36_500
    key = shown(f"{path}:days", value if is_number else None)
    st.number_input(
        "Days", min_value=1, max_value=36_500, value=None, step=1, key=key, placeholder="30", width=130,
        label_visibility="collapsed", on_change=_keep, args=(path, None, lambda: st.session_state[key]),
    )  # fmt: skip
    st.caption("days", width="content")


def _list(path: str, part: dict[str, Any], field: dict[str, Any]) -> None:
    value = part.get("value")
    chosen = [str(one) for one in value] if isinstance(value, list) else []
    key = shown(f"{path}:list", chosen)
    numbers = field["type"] in NUMBER
    st.multiselect(
        "Values", list(dict.fromkeys([*_offered(field), *chosen])), key=key, accept_new_options=True,
        label_visibility="collapsed", placeholder="Choose or type values", width=WIDTH + 100, select_all=False,
        on_change=_keep,
        args=(path, None, lambda: [_number(one) if numbers else one for one in st.session_state[key]]),
    )  # fmt: skip


def _one(
    path: str, field: dict[str, Any], value: Any, place: int | None, label: str, *, is_whole: bool = False
) -> None:
    name = f"{path}:value{'' if place is None else place}"
    kind = field["type"]
    if kind in ("date", "datetime") and (value in (None, "") or _moment(value) is not None):
        _time(path, name, kind, value, place, label)
    elif is_whole and kind in TEXT and (offered := _offered(field)):
        current = None if value in (None, "") else str(value)
        key = shown(name, current)
        st.selectbox(
            label, list(dict.fromkeys([*offered, *([current] if current else [])])), key=key, index=None, width=WIDTH,
            accept_new_options=True, placeholder="Choose or type a value", label_visibility="collapsed",
            on_change=_keep, args=(path, place, lambda: st.session_state[key]),
        )  # fmt: skip
    else:
        key = shown(f"{name}:text", "" if value is None else str(value))
        read = _number if kind in NUMBER else str
        st.text_input(
            label, key=key, label_visibility="collapsed", width=150 if kind in NUMBER else WIDTH,
            placeholder="100" if kind in NUMBER else "Value",
            on_change=_keep, args=(path, place, lambda: read(st.session_state[key])),
        )  # fmt: skip


def _time(path: str, name: str, kind: str, value: Any, place: int | None, label: str) -> None:
    """A day; where the attribute has times, one of them may be added."""
    moment = _moment(value)
    day = shown(f"{name}:day", moment[0] if moment else None)
    hour = f"{name}:hour"

    def read() -> str | None:
        chosen = st.session_state[day]
        at_time = st.session_state.get(hour)
        return None if chosen is None else chosen.isoformat() + (f" {at_time:%H:%M}" if at_time else "")

    st.date_input(
        label, value=None, key=day, label_visibility="collapsed", width=150, format="YYYY-MM-DD",
        min_value=date(1900, 1, 1), max_value=date(2199, 12, 31), on_change=_keep, args=(path, place, read),
    )  # fmt: skip
    if kind == "datetime" and moment:
        st.time_input(
            f"{label}: time (UTC)", value=None, key=shown(hour, moment[1]), label_visibility="collapsed", width=110,
            on_change=_keep, args=(path, place, read),
        )  # fmt: skip


def _moment(value: Any) -> tuple[date, time | None] | None:
    """A day, and a time if there is one; None of what is neither."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if found.tzinfo is not None or found.second or not 1900 <= found.year < 2200:
        return None
    return found.date(), found.time() if len(str(value)) > len("2027-01-31") else None


def _offered(field: dict[str, Any]) -> list[str]:
    if field["type"] not in TEXT | NUMBER or field["identifier"]:
        return []
    return offered_values(field["attribute"])


def _number(text: str) -> int | float | str:
    """As JSON has it where that reads as it was typed; the rest stays text, and the rule says what is wrong with it."""
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", text):
        return int(text)
    if re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text) and repr(float(text)) == text:
        return float(text)
    return text
