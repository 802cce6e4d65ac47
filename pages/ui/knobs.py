"""Widgets of settings: they show what is stored, follow changes made elsewhere, and send what a person changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.waiting import at_once

GB, MB, MIB, KIB = 1_000_000_000, 1_000_000, 1 << 20, 1 << 10


@dataclass(frozen=True)
class Knob:
    """One setting as a widget. ``factor``: stored units in one shown unit; ``empty``: what no value means."""

    name: str
    label: str
    factor: int = 1
    step: float = 1
    help: str | None = None
    empty: str | None = None
    options: dict[Any, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"set_{self.name}"

    def shown(self, stored: Any) -> Any:
        """The stored value in the widget's unit; whole numbers stay whole."""
        if stored is None and self.options:
            return ""
        if stored is None or self.factor == 1:
            return stored
        return stored / self.factor

    def stored(self, shown: Any) -> Any:
        """What the widget says in the unit of the setting."""
        if isinstance(shown, str):
            return shown.strip() or None
        return round(shown * self.factor) if shown is not None and self.factor != 1 else shown


def draw(knob: Knob) -> None:
    """The widget of a setting; what the environment says is shown and cannot be changed."""
    opened = workspace()
    stored = getattr(opened.settings, knob.name)
    _follow(knob, stored)
    is_fixed = opened.configuration.is_fixed(knob.name)
    about = f"Fixed by ONRAMP_{knob.name.upper()} in the environment." if is_fixed else knob.help
    if knob.options:
        st.selectbox(
            knob.label, list(knob.options), format_func=lambda value: knob.options.get(value, str(value)), key=knob.key,
            disabled=is_fixed, help=about,
        )  # fmt: skip
    elif isinstance(stored, bool):
        st.toggle(knob.label, key=knob.key, disabled=is_fixed, help=about)
    elif isinstance(stored, int) or knob.empty:
        kind = int if knob.factor == 1 else float
        bounds: dict[str, Any] = {
            "min_value": kind(0),
            "step": kind(knob.step),
            "format": "%d" if kind is int else "%g",
        }
        st.number_input(
            knob.label, key=knob.key, disabled=is_fixed, help=about, placeholder=knob.empty,
            value=None if knob.empty else "min", **bounds,
        )  # fmt: skip
    else:
        st.text_input(knob.label, key=knob.key, disabled=is_fixed, help=about, placeholder=knob.help)


def _follow(knob: Knob, stored: Any) -> None:
    """A widget takes the stored value at first, and again whenever that was changed elsewhere: in another tab."""
    seen = st.session_state.get(f"seen_{knob.name}", ...)
    if seen != stored or knob.key not in st.session_state:
        st.session_state[f"seen_{knob.name}"] = stored
        st.session_state[knob.key] = knob.shown(stored)


def changed(knobs: tuple[Knob, ...]) -> dict[str, Any]:
    """Setting → its new value, of those whose widget says something else than what is stored."""
    settings = workspace().settings
    wanted = {knob.name: knob.stored(st.session_state.get(knob.key)) for knob in knobs}
    by_name = {knob.name: knob for knob in knobs}
    return {
        name: value
        for name, value in wanted.items()
        if by_name[name].shown(getattr(settings, name)) != by_name[name].shown(value)
        and not workspace().configuration.is_fixed(name)
    }


def save_row(knobs: tuple[Knob, ...], *, key: str) -> None:
    """Save, and back to the defaults."""
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key=f"save_{key}"):
            save(changed(knobs))
        if st.button("Back to defaults", key=f"reset_{key}", type="tertiary"):
            opened = workspace()
            names = [knob.name for knob in knobs if not opened.configuration.is_fixed(knob.name)]
            act(lambda: opened.configuration.reset(*names), "These settings have their defaults again")


def save(changes: dict[str, Any]) -> None:
    """Writes what was changed; says what counts from when."""
    if not changes:
        st.toast("Nothing was changed.", icon=":material/info:")
        return
    act(lambda: workspace().configuration.set(changes), "Saved")


def act(change: Any, done: str) -> None:
    """Makes a change and draws the page anew, or shows why it could not be."""
    try:
        with at_once(workspace()):
            changes = change()
    except OnrampError as error:
        errors.show(error)
        return
    later = [one.name for one in changes if one.effect == "at restart"]
    st.session_state["done"] = f"{done}. {', '.join(later)} at the next start of the app" if later else done
    st.rerun()
