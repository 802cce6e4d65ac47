"""Notices in words: their states, what they are about, and why one was not sent."""

from __future__ import annotations

from ingest_core.models import Told
from ingest_core.notices.model import Notice, Sending
from pages.ui.text import count

WORDS = {"waiting": "Waiting", "sent": "Sent", "given up": "Given up", "kept": "Kept"}

EVENTS = {
    "upload_started": "Upload started",
    "upload_running": "Upload takes long",
    "upload_ended": "Upload ended",
    "upload_held": "Upload waits for approval",
    "upload_undone": "Upload undone",
    "upload_redone": "Undo taken back",
    "schedule_failed": "Schedule failed",
    "delivery_failed": "Delivery failed",
    "audience_receipt": "Audience Manager receipt",
}

_WHY = {
    "mail_unreachable": "The mail server could not be reached, or broke off.",
    "mail_login_refused": "The mail server did not accept user name and password.",
    "mail_not_secure": "The mail server does not offer the security that is set.",
    "mail_refused": "The mail server refused it.",
    "bad_address": "This address cannot be sent to.",
    "webhook_unreachable": "The receiver could not be reached, or broke off.",
    "webhook_refused": "The receiver did not take it.",
    "webhook_redirects": "The receiver leads to another address, which is not followed.",
    "webhook_not_secure": "The receiver's encryption is not as it should be.",
    "webhook_address": "The receiver's name leads to an address that is not allowed.",
    "secret_damaged": "The secret in the settings cannot be opened.",
}


def state_word(state: str) -> str:
    """A state as a badge says it."""
    return WORDS.get(state, state)


def why(sending: Sending) -> str:
    """Why somebody was not told yet, or nothing."""
    if sending.state == "kept":
        return "Kept: no mail server." if sending.channel == "mail" else "Kept: the webhook has no address or secret."
    if sending.error is None:
        return ""
    return _WHY.get(sending.error, "It could not be sent.")


def told(notices: list[Notice]) -> str:
    """How far the notices of one upload are, in a few words: Told 2 people. Kept: no mail server."""
    everybody = [sending for notice in notices for sending in notice.sendings]
    people = {sending.recipient for sending in everybody if sending.channel == "mail"}
    by_state = {state: {one.recipient for one in everybody if one.state == state} for state in WORDS}
    said = []
    if sent := by_state["sent"] & people:
        said.append(f"Sent to {count(len(sent), 'person', 'people')}")
    if kept := by_state["kept"] & people:
        said.append(f"kept for {count(len(kept), 'person', 'people')}: no mail server")
    if waiting := by_state["waiting"] & people:
        said.append(f"waiting for {count(len(waiting), 'person', 'people')}")
    if lost := by_state["given up"] & people:
        said.append(f"not delivered to {count(len(lost), 'person', 'people')}")
    webhook = [sending.state for sending in everybody if sending.channel == "webhook"]
    if webhook:
        said.append("webhook told" if set(webhook) == {"sent"} else "webhook not told yet")
    text = "; ".join(said)
    return text[:1].upper() + text[1:]


def told_when(events: tuple[Told, ...]) -> str:
    """start, end → begins and ends."""
    words = [{"start": "begins", "processing": "takes long", "end": "ends"}[event] for event in events]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
