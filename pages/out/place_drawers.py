"""Drawers of destinations: a new one, and one with its test, its fields and its end. ``?destination=`` opens it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.catalog.destinations import Destination, place_from
from ingest_core.catalog.trials import Step, Trial
from ingest_core.errors import OnrampError
from ingest_core.transport.places import Secrets
from ingest_core.transport.presets import PRESETS, fields_of
from pages.out import places
from pages.ui import badges, errors
from pages.ui.state import url_number, when, workspace
from pages.ui.text import escape
from pages.ui.waiting import at_once

PARAMETER = "destination"
STEPS = (("connect", "Connect"), ("list", "List files"), ("write", "Leave a file"), ("delete", "Delete it"))
_LOOK = {True: (":green[:material/check_circle:]", "works"), False: (":red[:material/error:]", "failed"),
         None: (":gray[:material/remove:]", "not tried")}  # fmt: skip


def open_in_url(destination_id: int) -> None:
    """The drawer of this destination is open from now on, also after a reload."""
    st.query_params[PARAMETER] = str(destination_id)


def drawer() -> None:
    """Draws the drawer when the URL names a destination; one that was just made is in the URL from now on."""
    if (made := st.session_state.pop("open_place", None)) is not None:
        open_in_url(made)
    if (number := url_number(PARAMETER)) is not None:
        _drawer(number)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("Add destination", position="right", icon=":material/add:", width=520)
def add() -> None:
    """Kind, name and the fields of the kind; opens the destination when it is there, to be tested."""
    choices = {**{one: kind.title for one, kind in places.KINDS.items()}, **places.AUDIENCE_MANAGER}
    chosen = st.selectbox("Kind", list(choices), format_func=choices.__getitem__, key="new_place_kind", required=True)
    before: dict[str, Any] = {"kind": chosen}
    missing: list[str] = []
    if chosen in places.AUDIENCE_MANAGER:
        before, missing = _audience_manager(chosen)
    kind = str(before["kind"])
    if chosen in places.KINDS:
        st.caption(places.KINDS[kind].says)
    name = st.text_input("Name", max_chars=200, key="new_place_name", placeholder="Partner agency", required=True)
    fields, secrets = places.form(
        places.KINDS[kind], before, (), f"new_{kind}" if chosen == kind else f"new_{chosen}_{kind}"
    )
    is_plain = kind != "ftp" or st.toggle("Send password and files unencrypted", key="new_place_plain")
    missing += [one.label for one in places.KINDS[kind].fields if one.is_needed and one.name not in fields]
    if st.button(
        "Add destination", type="primary", key="create_destination", disabled=bool(missing) or not name or not is_plain
    ):
        try:
            with at_once(workspace()):
                place = place_from({**before, **fields, **({"plain": True} if kind == "ftp" else {})})
                made = workspace().destinations.add(str(name), place, Secrets.model_validate(secrets))
        except OnrampError as error:
            errors.show(error)
        else:
            st.session_state["open_place"] = made.destination_id
            st.session_state["done"] = f"{escape(made.name)} added. Test it now"
            st.rerun()
    if missing:
        st.caption(f"Still needed: {', '.join(missing).lower()}.")


def _audience_manager(environment: str) -> tuple[dict[str, Any], list[str]]:
    """(what Audience Manager's place is known to be, what is still missing for it)."""
    st.caption(next(one.does for one in PRESETS if one.environment == environment))
    by = st.segmented_control("By", list(places.BY), default="s3", format_func=places.BY.__getitem__, required=True,
                              key="new_place_by")  # fmt: skip
    if by != "s3":
        return fields_of(environment, str(by)), []
    partner = st.text_input(
        "Partner", key="new_place_partner", placeholder="acme", max_chars=200, required=True,
        help="Your company's folder in the bucket. Files are laid out as partner/date=2026-11-28/name.",
    )  # fmt: skip
    given = str(partner or "").strip()
    return fields_of(environment, "s3", given or "partner"), [] if given else ["Partner"]


@st.dialog("Destination", position="right", icon=":material/move_to_inbox:", width=520, on_dismiss=_close)
def _drawer(number: int) -> None:
    try:
        found = workspace().destinations.get(number)
    except OnrampError as error:
        errors.show(error)
        return
    if found.removed_at is not None:
        _head(found)
        st.caption("It was removed. What was delivered there stays in the history.")
        return
    head = st.container()
    _test(found)
    with head:
        _head(workspace().destinations.get(number))
    with st.expander("Change", icon=":material/edit:", key="change_place"):
        _change(found)
    with st.expander("Remove", icon=":material/delete:", key="remove_place"):
        _remove(found)


def _head(found: Destination) -> None:
    """Name, state and place."""
    st.markdown(f"### {escape(found.name)}")
    tested = f" :gray[tested {when(found.tested_at)}]" if found.tested_at else ""
    st.markdown(f"{badges.badge(places.state(found))}{tested}")
    st.caption(f"{places.title(found.place)}: {escape(places.where(found.place))}")


def _test(found: Destination) -> None:
    key = f"trial_{found.destination_id}"
    with st.container(horizontal=True):
        is_asked = st.button("Test connection", type="primary", icon=":material/bolt:", key="test_connection")
        if st.button("See its deliveries", icon=":material/outbox:", key="its_deliveries"):
            st.switch_page("deliveries.py", query_params={"to": found.name})
    if is_asked:
        with st.spinner("Connecting, listing, leaving a small file and deleting it"):
            st.session_state[key] = workspace().destinations.test(found.destination_id)
    if (trial := st.session_state.get(key)) is not None:
        _told(found, trial)
    elif found.is_working is None:
        st.caption("The test connects, lists, leaves a small file and deletes it.")


def _told(found: Destination, trial: Trial) -> None:
    """A tick for each thing that works, what failed and the next move otherwise."""
    with st.container(border=True, gap="xsmall"):
        for name, label in STEPS:
            step: Step = getattr(trial, name)
            mark, word = _LOOK[step.ok]
            said = f": {escape(step.message)}" if step.ok is not None else ""
            st.markdown(f"{mark} **{label}** {word}{said}")
            if step.ok is False and step.hint and not trial.host_key:
                st.caption(escape(step.hint))
    if trial.host_key and trial.host_key != getattr(found.place, "host_key", None):
        _host_key(found, trial.host_key)


def _host_key(found: Destination, host_key: str) -> None:
    st.warning(
        "Compare it with the one that the server's owner told you by another way. Only then is it their server.",
        title="Is this the server's host key?", icon=":material/fingerprint:",
    )  # fmt: skip
    st.code(host_key, language=None, wrap_lines=True)
    if st.button("It is: trust this key", icon=":material/verified_user:", key="trust_key"):
        _act(found, lambda: workspace().destinations.trust(found.destination_id, host_key), "Host key confirmed")


def _change(found: Destination) -> None:
    kind = places.KINDS[found.kind]
    name = st.text_input("Name", value=found.name, key=f"name_{found.destination_id}", max_chars=200, required=True)
    fields, secrets = places.form(kind, found.place.model_dump(), found.secrets, f"change_{found.destination_id}")
    shown = {one.name for one in kind.fields}
    rest = {k: v for k, v in found.place.model_dump().items() if k not in shown and v is not None}
    if st.button("Save", type="primary", key="save_place", disabled=not name):
        _act(
            found,
            lambda: workspace().destinations.change(
                found.destination_id, name=str(name), place=place_from({**rest, **fields}),
                secrets=Secrets.model_validate(secrets),
            ),
            "Saved. Test it again",
        )  # fmt: skip


def _remove(found: Destination) -> None:
    st.caption("Its password and keys are deleted for good. What was delivered there stays in the history.")
    if st.button("Remove destination", icon=":material/delete:", key="remove_destination"):
        _act(found, lambda: workspace().destinations.remove(found.destination_id), "Removed", is_end=True)


def _act(found: Destination, work: Any, done: str, *, is_end: bool = False) -> None:
    try:
        with at_once(workspace()):
            work()
    except OnrampError as error:
        errors.show(error)
        return
    st.session_state.pop(f"trial_{found.destination_id}", None)
    if is_end:
        _close()
    st.session_state["done"] = done
    st.rerun()
