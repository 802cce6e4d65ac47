"""Notices: who was told what; one of them as it goes out. State, upload and notice are in the URL."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.notices.model import STATES, Notice, Sending
from pages.ui import badges, errors, links
from pages.ui.links import breadcrumb, go_next, nothing_here, say_done, title_row
from pages.ui.notice_words import EVENTS, WORDS, state_word, why
from pages.ui.state import when, workspace
from pages.ui.text import ago, count, escape, number

PAGE = 50
PAGE_KEY = "notices_page"
NO_SCRIPT = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    '<base target="_blank">'
)
"""Whatever stands in a message: in the preview nothing runs and nothing is loaded."""


def retry(notice: Notice) -> None:
    """Sends it to everybody who did not get it."""
    if not any(sending.state != "sent" for sending in notice.sendings):
        return
    label = "Send it now" if notice.state == "kept" else "Retry"
    if st.button(
        label, icon=":material/send:", type="primary", key="retry", disabled=not is_sendable(),
        help=None if is_sendable() else "Set up a mail server first, in the settings.",
    ):  # fmt: skip
        act(lambda: workspace().notices.retry(notice.notice_id), "It is being sent")


def is_sendable() -> bool:
    """Whether there is anybody to send notices."""
    settings = workspace().settings
    is_mailing = bool(settings.mail_host and settings.mail_sender)
    return is_mailing or bool(settings.webhook_url and settings.webhook_secret)


def act(change: Callable[[], object], done: str) -> None:
    """Makes a change and draws the page anew, or shows why it could not be."""
    try:
        change()
    except OnrampError as error:
        errors.show(error)
        return
    workspace().rounds.wake("notices")
    st.session_state["done"] = done
    st.rerun()


def one(notice_id: str) -> None:
    """One notice: who got it, and the message as it goes out."""
    notice = workspace().notices.get(notice_id)
    breadcrumb(("Notices", "notices.py", {}), (notice.notice_id, None, {}))
    say_done()
    with title_row(notice.subject):
        retry(notice)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{badges.badge(state_word(notice.state))} :gray[{EVENTS.get(notice.kind, notice.kind)}]", width="content"
        )
        st.caption(when(notice.happened_at), help=ago(notice.happened_at), width="content")
        links.path_link(notice.path)
    recipients(notice)
    message(notice)


def recipients(notice: Notice) -> None:
    """A line for each: the address, how far it is, and why."""
    with st.container(border=True):
        st.markdown("#### Who gets it")
        for sending in notice.sendings:
            with st.container(horizontal=True, vertical_alignment="center"):
                name = escape(sending.recipient) if sending.recipient else ":material/webhook: Webhook"
                st.markdown(f"{badges.badge(state_word(sending.state))} {name}", width="content")
                st.caption(progress(sending))


def progress(sending: Sending) -> str:
    """How far one recipient is, in a sentence."""
    if sending.state == "sent" and sending.sent_at:
        return f"{when(sending.sent_at)}, {count(sending.attempts, 'attempt')}"
    said = [why(sending)]
    if sending.attempts:
        said.append(f"{count(sending.attempts, 'attempt')} so far.")
    if sending.state == "waiting" and sending.next_try and sending.attempts:
        said.append(f"Next try {when(sending.next_try)}.")
    return " ".join(part for part in said if part)


def message(notice: Notice) -> None:
    """The mail as it looks, as text, and what the webhook gets."""
    views = ["As it looks", "Plain text", "Webhook"]
    shown = st.segmented_control("Show", views, default=views[0], required=True, key="notice_view", bind="query-params")
    if shown == views[0]:
        html = (notice.html or "").replace("<head>", f"<head>{NO_SCRIPT}", 1)
        with st.container(border=True, key="preview"):
            st.iframe(html, height=height_of(html), alt=f"The message {notice.subject}")
    elif shown == views[1]:
        st.code(notice.text or "", language=None, wrap_lines=True)
    else:
        st.code(notice.body or "", language="json", wrap_lines=True)
    if notice.message_id:
        st.caption(f"Message-ID {escape(notice.message_id)}, the same for every recipient and every attempt.")


def height_of(html: str) -> int:
    """Pixels that a message needs, about: it cannot be measured, as nothing runs in it."""
    return 170 + 37 * html.count("<tr>") + 44 * html.count("<p ")


def first_page() -> None:
    """Another filter begins at its first page."""
    st.session_state[PAGE_KEY] = 1


def opened(key: str, shown: list[Notice]) -> None:
    """A click on a subject."""
    go_next("notices.py", notice=shown[st.session_state[key].row].notice_id)


def whom(notice: Notice) -> str:
    """asha@example.com and 2 more."""
    first, *more = [sending.recipient or "webhook" for sending in notice.sendings]
    return f"{first} and {number(len(more))} more" if more else first


def table(shown: list[Notice]) -> None:
    """Newest first; the subject opens one."""
    rows = [
        {
            "subject": notice.subject,
            "state": [state_word(notice.state)],
            "event": EVENTS.get(notice.kind, notice.kind),
            "to": whom(notice),
            "at": pd.to_datetime(notice.happened_at, utc=True),
        }
        for notice in shown
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True, row_height=38, height="content" if len(rows) <= 15 else 620,
        column_order=["state", "subject", "event", "to", "at"], alt="Notices with their state, event and recipients",
        column_config={
            "subject": st.column_config.ButtonColumn(
                "Message", type="tertiary", alignment="left", key="open_notice", width=440,
                on_click=partial(opened, "open_notice", shown),
            ),
            "state": badges.column("State", list(WORDS.values())),
            "event": "About",
            "to": st.column_config.TextColumn("To", width="medium"),
            "at": st.column_config.DatetimeColumn("When", format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
        },
    )  # fmt: skip


def kept_banner(kept: int) -> None:
    """What was written while there was no server, and the decision about it."""
    if not kept:
        return
    is_ready = is_sendable()
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="kept_banner"):
        what = count(kept, "notice was", "notices were")
        st.markdown(
            f":material/inventory_2: **{what} kept: no server was set up to send them.** "
            + (":gray[They do not go out by themselves, news of last month would surprise people.]" if is_ready else "")
        )
        if is_ready and st.button("Send what was kept", icon=":material/send:", key="send_kept"):
            act(workspace().notices.send_kept, "What was kept is being sent")
        if not is_ready:
            st.page_link("settings.py", label="Set up mail", icon=":material/mail:", query_params={"tab": "Mail"})


def every() -> None:
    """All notices, by state and upload."""
    title_row("Notices")
    st.caption("Messages about uploads, newest first: who was told what, and what waits.")
    say_done()
    counts = workspace().notices.counts()
    if not sum(counts.values()):
        with nothing_here(
            "mark_email_unread", "Nobody was told anything yet",
            "Name e-mail recipients in the settings of a source, or when you load a file: the messages appear here.",
        ):  # fmt: skip
            st.page_link("sources.py", label="Go to the sources", icon=":material/database:")
        return
    kept_banner(counts["kept"])
    word = st.pills("State", list(WORDS.values()), key="notice_state", bind="query-params", on_change=first_page)
    state = next((state for state in STATES if state_word(state) == word), None)
    upload = st.query_params.get("upload")
    if upload:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"About the upload {escape(upload)} only.", width="content")
            st.page_link("notices.py", label="Show all", icon=":material/close:", query_params={})
    page = int(st.session_state.get(PAGE_KEY, 1))
    slot = st.container()
    shown = workspace().notices.list(state=state, request_id=upload, limit=PAGE + 1, offset=(page - 1) * PAGE)
    total = counts[state] if state else workspace().notices.total()
    if total > PAGE and not upload:
        st.pagination(-(-total // PAGE), key=PAGE_KEY, bind="query-params")
    with slot:
        if shown:
            table(shown[:PAGE])
        if not upload:
            st.caption(", ".join(f"{number(counts[one])} {one}" for one in STATES) + ".")
        elif not shown:
            st.caption("Nobody was told of this upload.")


chosen = st.query_params.get("notice")
if chosen:
    one(chosen)
else:
    every()
