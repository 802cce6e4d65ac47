"""Policy: strict as the original, friendly, or rule by rule."""

from __future__ import annotations

import phonenumbers
import streamlit as st

from ingest_core.operations.policies import POLICIES
from pages.ui.knobs import MB, Knob, act, draw, save_row
from pages.ui.state import workspace
from pages.ui.text import size

CARDS = {
    "strict": ("Strict", "verified_user", "As the original: what breaks a rule needs a person's word."),
    "friendly": ("Friendly", "handshake", "What can be repaired is repaired at once, and you are told."),
}
HEADERS = {True: "Ask before repairing them", False: "Repair them at once, and say so"}
FORMATS = {"convert": "Convert them, and say so", "refuse": "Refuse them"}
RULES = (
    Knob(
        "strict_header", "Column names that break the rules", options=HEADERS, help="A space, a hyphen, empty, twice."
    ),
    Knob("other_formats", "Files that are not tab-separated UTF-8", options=FORMATS),
    Knob("browser_limit_bytes", "Sent by the browser, at most (MB)", MB, 10),
)
VALUES = (
    Knob(
        "phone_country", "Country of phone numbers without a code",
        options={"": "None: numbers need their country code"}
        | {code: code for code in sorted(phonenumbers.SUPPORTED_REGIONS)},
        help="Where the source names none.",
    ),
    Knob("lower_email_local", "Asha@… and asha@… are one address"),
)  # fmt: skip


def draw_tab() -> None:
    """Two cards to choose from, and the single rules."""
    current = workspace().configuration.policy
    with st.grid(2, min_column_width=300):
        for name, (title, icon, about) in CARDS.items():
            with st.container(border=True, height="stretch"):
                _card(name, title, icon, about, is_used=name == current)
    with st.container(border=True):
        badge = ":orange-badge[Custom]" if current == "custom" else ""
        st.markdown(f"#### Rule by rule {badge}")
        st.caption("A rule of your own makes the policy custom. Rules count for files looked at from now on.")
        with st.grid(3, min_column_width=230):
            for knob in RULES:
                draw(knob)
        save_row(RULES, key="rules")
    with st.container(border=True):
        st.markdown("#### How values are read")
        st.caption(
            "Counts for files loaded from now on. Addresses and numbers that are stored stay as they were read, so "
            "another choice can make two people of one."
        )
        with st.grid(3, min_column_width=230):
            for knob in VALUES:
                draw(knob)
        save_row(VALUES, key="values")


def _card(name: str, title: str, icon: str, about: str, *, is_used: bool) -> None:
    rules = POLICIES[name]
    badge = ":green-badge[:material/check: In use]" if is_used else ""
    st.markdown(f"#### :material/{icon}: {title} {badge}")
    st.caption(about)
    st.markdown(
        f"- Column names with a space or hyphen, empty or twice: {HEADERS[rules['strict_header']].lower()}\n"
        f"- Comma-separated files, workbooks, gzip, other encodings: {FORMATS[rules['other_formats']].lower()}\n"
        f"- By the browser at most {size(rules['browser_limit_bytes'])}"
    )
    if not is_used and st.button(f"Use {title.lower()}", key=f"use_{name}"):
        act(lambda: workspace().configuration.set({"policy": name}), f"The policy is {name} now")
