"""Mail: the server that messages go out through, the webhook beside it, a test of each, and when people are told."""

from __future__ import annotations

import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.notices.model import STATES
from pages.configure import webhook
from pages.ui import errors
from pages.ui.knobs import Knob, act, changed, draw, save, save_row
from pages.ui.links import notices_link
from pages.ui.state import workspace
from pages.ui.text import escape, number

SECURITY = {"starttls": "STARTTLS (usually port 587)", "tls": "TLS (usually port 465)", "none": "None, no password"}
KNOBS = (
    Knob("mail_host", "Server", help="smtp.example.com"),
    Knob("mail_port", "Port"),
    Knob("mail_security", "Security", options=SECURITY),
    Knob("mail_user", "User name", help="As the server knows you"),
    Knob("mail_sender", "Sender", help="onramp@example.com"),
    Knob("base_url", "Address of this app, for links", help="https://onramp.example.com"),
)

NOTICES = (
    Knob("notice_after_seconds", "Tell that a load takes long after (seconds)"),
    Knob("notice_retry_hours", "Try to send for (hours)"),
    Knob("notice_keep_days", "List sent notices for (days)", empty="For ever"),
)


def draw_tab() -> None:
    """Server and sender, then a message to try them."""
    with st.container(border=True):
        st.markdown("#### Mail server")
        st.caption("Messages go out through this server. The password is kept encrypted and never shown again.")
        with st.grid(3, min_column_width=230):
            for knob in KNOBS:
                draw(knob)
            password = _password()
        with st.container(horizontal=True):
            if st.button("Save", type="primary", key="save_mail"):
                st.session_state["clear_password"] = True
                save(changed(KNOBS) | ({"mail_password": password} if password else {}))
            if _is_kept() and st.button("Forget the password", type="tertiary", key="forget_password"):
                act(lambda: workspace().configuration.reset("mail_password"), "The password is forgotten")
    with st.container(border=True):
        _test()
    webhook.draw_card()
    with st.container(border=True):
        _notices()


def _notices() -> None:
    """When people are told that a load takes long, how long sending is tried, and what was sent."""
    st.markdown("#### Notices")
    st.caption("Whom uploads tell, and of what, is a setting of each source. A load never waits for a message.")
    with st.grid(3, min_column_width=230):
        for knob in NOTICES:
            draw(knob)
    save_row(NOTICES, key="notices")
    counts = workspace().notices.counts()
    told = ", ".join(f"{number(counts[state])} {state}" for state in STATES if counts[state])
    notices_link(f"All notices: {told}" if told else "All notices")


def _is_kept() -> bool:
    opened = workspace()
    return opened.settings.mail_password is not None and not opened.configuration.is_fixed("mail_password")


def _password() -> str:
    """Empty unless another one is typed; what is kept never comes back to a browser."""
    opened = workspace()
    if st.session_state.pop("clear_password", False):
        st.session_state["mail_password"] = ""
    is_fixed = opened.configuration.is_fixed("mail_password")
    is_kept = opened.settings.mail_password is not None
    return st.text_input(
        "Password", type="password", key="mail_password", autocomplete="new-password", disabled=is_fixed,
        placeholder="Kept. Type to replace it" if is_kept else "None", max_chars=1_000,
        help="Fixed by ONRAMP_MAIL_PASSWORD in the environment." if is_fixed else None,
    )  # fmt: skip


def _test() -> None:
    settings = workspace().settings
    is_ready = bool(settings.mail_host and settings.mail_sender)
    st.markdown("#### Try it")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        address = st.text_input("Send a test message to", key="test_address", placeholder="asha@example.com", width=320)
        is_pressed = st.button("Send a test message", icon=":material/send:", key="send_test", disabled=not is_ready)
    if not is_ready:
        st.caption("Save a server and a sender first.")
    elif is_pressed:
        _send(str(address or "").strip())


def _send(address: str) -> None:
    try:
        with st.spinner("Talking to the mail server"):
            message_id = workspace().configuration.test_mail(address)
    except OnrampError as error:
        errors.show(error)
    else:
        st.success(
            f"The server took the message for {escape(address)}. Its id is {escape(message_id)}.",
            icon=":material/mark_email_read:",
        )
