"""What a load does beside storing rows, with counts: members, segment, when, who is told."""

from __future__ import annotations

import streamlit as st

from ingest_core.models import Receipt
from pages.ui.draft import Draft
from pages.ui.notice_words import told_when
from pages.ui.state import overview, when
from pages.ui.text import count, escape, number


def card(draft: Draft, receipt: Receipt) -> None:
    """A line each; options that do nothing are not mentioned."""
    lines = [line for line in (_members(draft, receipt), _segment(draft, receipt), _time(draft), _mail(draft)) if line]
    if receipt.status != "Completed":
        return
    with st.container(border=True, key="effects"):
        st.markdown("#### What else happens")
        st.markdown("\n".join(f"- {line}" for line in lines))


def _members(draft: Draft, receipt: Receipt) -> str:
    before = overview().members(draft.source.source_id)
    said = f"{escape(draft.source.name)} has **{count(receipt.members, 'member')}** afterwards, {number(before)} now"
    if draft.options.replace is None:
        return f"{said}; nobody leaves it."
    said += f"; **{number(receipt.memberships_ended)}** leave it"
    if draft.options.replace == "values":
        said += f", and {count(receipt.removed, 'profile')} of which nothing is left would disappear"
    return f"{said}."


def _segment(draft: Draft, receipt: Receipt) -> str:
    kind, _, name = (draft.options.segment or "").partition(":")
    if not kind:
        return ""
    if kind == "create":
        return f"Segment {escape(name)} is created with **{count(receipt.stored, 'profile')}**."
    held = draft.workspace.segments.count(name)
    return (
        f"Segment {escape(name)} holds {count(held, 'profile')} now; afterwards all **{number(receipt.stored)}** "
        "people of this file are in it."
    )


def _time(draft: Draft) -> str:
    return f"The load starts at **{when(draft.options.at)}**, not now." if draft.options.at else ""


def _mail(draft: Draft) -> str:
    told, events = draft.options.notify, told_when(draft.source.settings.notify_on)
    if not told or not events:
        return ""
    return f"{count(len(told), 'address is', 'addresses are')} told when it {events}: {escape(', '.join(told))}."
