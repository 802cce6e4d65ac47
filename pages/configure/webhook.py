"""The webhook: where notices are posted for other programs, the secret that signs them, and a test."""

from __future__ import annotations

import secrets

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.knobs import Knob, act, changed, draw, save
from pages.ui.state import workspace

ADDRESS = Knob("webhook_url", "Address", help="https://example.com/onramp")
PLAIN = Knob(
    "webhook_plain", "Allow http and names of this machine",
    help="Only for a receiver in your own network that has no certificate: anybody on the way can read what is posted.",
)  # fmt: skip
KNOBS = (ADDRESS, PLAIN)
SECRET = "webhook_secret"  # noqa: S105 - the name of a setting


def draw_card() -> None:
    """Address and secret, Save, Test."""
    opened = workspace()
    with st.container(border=True):
        st.markdown("#### Webhook")
        st.caption("Every event is posted there as JSON, signed with the secret, so that other programs can act on it.")
        with st.grid(2, min_column_width=260):
            draw(ADDRESS)
            typed = _secret()
        draw(PLAIN)
        with st.container(horizontal=True):
            if st.button("Save", type="primary", key="save_webhook"):
                st.session_state["clear_secret"] = True
                save(changed(KNOBS) | ({SECRET: typed} if typed else {}))
            st.button("Make a secret", icon=":material/key:", key="make_secret", on_click=_make, disabled=_is_fixed())
            is_ready = bool(opened.settings.webhook_url and opened.settings.webhook_secret)
            is_pressed = st.button("Post a test", icon=":material/send:", key="test_webhook", disabled=not is_ready)
            if (
                opened.settings.webhook_secret
                and not _is_fixed()
                and st.button("Forget the secret", type="tertiary", key="forget_secret")
            ):
                act(lambda: opened.configuration.reset(SECRET), "The secret is forgotten")
        if is_pressed:
            _test()
        elif opened.settings.webhook_url and not opened.settings.webhook_secret:
            st.caption(":orange[:material/edit: Without a secret nothing is posted: the notices are kept.]")


def _is_fixed() -> bool:
    return workspace().configuration.is_fixed(SECRET)


def _make() -> None:
    """A new secret in the field, to be copied to the receiver before it is saved: it is never shown again."""
    st.session_state[SECRET] = secrets.token_urlsafe(32)
    st.session_state["is_secret_new"] = True


def _secret() -> str:
    """Empty unless another one is typed or made; what is kept never comes back to a browser."""
    if st.session_state.pop("clear_secret", False):
        st.session_state[SECRET] = ""
        st.session_state["is_secret_new"] = False
    is_kept = workspace().settings.webhook_secret is not None
    is_new = st.session_state.get("is_secret_new", False)
    typed = st.text_input(
        "Secret", type="default" if is_new else "password", key=SECRET, autocomplete="new-password",
        disabled=_is_fixed(), max_chars=1_000, placeholder="Kept. Type to replace it" if is_kept else "None",
        help="Fixed by ONRAMP_WEBHOOK_SECRET in the environment." if _is_fixed() else "At least 16 characters.",
    )  # fmt: skip
    if is_new and typed:
        st.caption("Copy it to the receiver, then save. It is not shown again.")
    return typed


def _test() -> None:
    try:
        with st.spinner("Talking to the receiver"):
            status = workspace().configuration.test_webhook()
    except OnrampError as error:
        errors.show(error)
    else:
        st.success(f"The receiver answered with status {status}.", icon=":material/webhook:")
