"""Macros: a message as one person would get it, and how many people would miss a value."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pandas as pd
import streamlit as st

from ingest_core.segments.macros import LONGEST
from pages.ui import kept
from pages.ui.links import nothing_here, title_row
from pages.ui.rule_choices import counted
from pages.ui.state import url_number, workspace
from pages.ui.text import count, escape, number, percent
from pages.ui.waiting import at_once

KIND = "message"
URL = "message"
NO_VALUE = ":orange-badge[:material/block: no value]"


def message() -> str:
    """What was written so far. It may hold personal data, so it is kept encrypted and never in the URL."""
    return str((kept.load(KIND, URL) or {}).get("text", ""))


def _keep(text: str) -> None:
    kept.save(KIND, URL, {"text": text})


def _typed(key: str) -> None:
    _keep(str(st.session_state[key] or ""))


def _insert(macros: list[dict[str, str]]) -> None:
    """The macro that was clicked, at the end of the message."""
    text = message()
    gap = "" if not text or text[-1].isspace() else " "
    _keep(f"{text}{gap}{{{{{macros[st.session_state['insert_macro'].row]['macro']}}}}}")


def write(macros: list[dict[str, str]]) -> str:
    """The message, and the macros that it can use; a click inserts one."""
    left, right = st.columns([3, 2])
    with left:
        st.text_area(
            "Message", key=kept.shown("message_text", message()), height=330, max_chars=LONGEST, on_change=_typed,
            args=("message_text",), placeholder="Hi {{FIRST_NAME}}, news from {{CITY}}",
        )  # fmt: skip
        st.caption(":material/cloud_done: The message is kept on every change, encrypted. Ctrl+Enter shows it below.")
    with right:
        st.dataframe(
            pd.DataFrame([{"macro": one["macro"], "attribute": one["display_name"]} for one in macros]),
            hide_index=True,
            height=358,
            alt="Macros with the attributes they stand for; a click inserts one",
            column_config={
                "macro": st.column_config.ButtonColumn(
                    "Click to insert", type="tertiary", alignment="left", key="insert_macro", on_click=_insert,
                    args=(macros,), width="medium",
                ),
                "attribute": "Attribute",
            },
        )  # fmt: skip
    return message()


def person(text: str, segment: str | None) -> dict[str, Any]:
    """The message for one person; another one at a click, plain for once at another."""
    place = max(url_number("person") or 1, 1)
    is_revealed = bool(st.session_state.get("reveal_message"))
    with at_once(workspace()) if is_revealed else nullcontext():
        seen = workspace().macros.preview(text, segment=segment, nth=place, reveal=is_revealed)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("#### As one person gets it", width="content")
            with st.container(horizontal=True, width="content"):
                st.button(
                    "Another one", icon=":material/shuffle:", key="another", on_click=_another, args=(place,),
                    disabled=seen["members"] < 2,
                )  # fmt: skip
                st.button(
                    "Show personal data", icon=":material/visibility:", key="reveal_message",
                    disabled=not seen["macros"] or seen["text"] is None,
                    help="Shows it once, until you do something else. It is written to the audit log.",
                )  # fmt: skip
        if seen["parts"] is None:
            st.caption("There is nobody to show it for.")
        else:
            st.markdown(rendered(seen["parts"]) or ":gray[The message is empty.]")
            lock = "lock_open: Personal data is shown this once" if is_revealed else "lock: Personal data is masked"
            st.caption(f"Profile {escape(seen['profile_id'])}. :material/{lock}.")
    return seen


def _another(place: int) -> None:
    st.query_params["person"] = str(place + 1)


def rendered(parts: list[dict[str, Any]]) -> str:
    """Markdown: the text as it is, line by line, what came from macros highlighted."""
    told = []
    for part in parts:
        lines = [_kept_spaces(line) for line in part["text"].split("\n")]
        if part["macro"] is None:
            told.append("  \n".join(lines))
        else:
            told.append(f":blue-background[{' '.join(lines).strip()}]" if part["text"].strip() else NO_VALUE)
    return "".join(told)


def _kept_spaces(line: str) -> str:
    """Escaped, with the spaces at its ends, which stand between text and macro."""
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    return f"{'&nbsp;' if before else ''}{escape(line)}{'&nbsp;' if after and line.strip() else ''}"


def unknown(seen: dict[str, Any]) -> None:
    """What stands in double braces and is no macro."""
    for one in seen["unknown"]:
        names = " or ".join(f"**{escape(name)}**" for name in one["suggestions"])
        st.warning(
            f"Did you mean {names}?" if names else "The list above has all macros. An attribute can be given one.",
            title=escape(f"{{{{{one['macro']}}}}} is no macro"), icon=":material/help:",
        )  # fmt: skip


def missing(seen: dict[str, Any], segment: str | None) -> None:
    """How many people of the choice have no value, macro by macro."""
    members, whom = seen["members"], segment or "everybody"
    with st.container(border=True):
        st.markdown(f"#### Missing values: {escape(whom)}, {count(members, 'person', 'people')}")
        with st.grid(4, min_column_width=170):
            for one in seen["macros"]:
                share = one["missing"] / members if members else 0.0
                st.metric(
                    escape(one["display_name"]), number(one["missing"]), border=True, height="stretch",
                    delta=f"{percent(share)} have none", delta_color="orange" if one["missing"] else "off",
                    delta_arrow="off",
                )  # fmt: skip


def by_segment(text: str, macros: list[dict[str, Any]]) -> None:
    """The same for every segment, as a table."""
    rows = counted("missing_by_segment", text, lambda: workspace().macros.missing(text))
    names = [one["macro"] for one in macros]
    with st.container(border=True):
        st.markdown("#### Missing values in every segment")
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "segment": row["segment"] or "Everybody",
                        "members": row["members"],
                        "without": row["without"],
                        "share": percent(row["without"] / row["members"] if row["members"] else None),
                        **row["macros"],
                    }
                    for row in rows
                ]
            ),
            hide_index=True,
            height="content" if len(rows) <= 12 else 460,
            alt="How many people of every segment have no value for each macro of the message",
            column_config={
                "segment": st.column_config.TextColumn("Segment", pinned=True),
                "members": st.column_config.NumberColumn("People", format="localized"),
                "without": st.column_config.NumberColumn("Miss at least one", format="localized"),
                "share": st.column_config.TextColumn("Share", alignment="right"),
                **{name: st.column_config.NumberColumn(f"No {name}", format="localized") for name in names},
            },
        )
        st.caption("A missing value becomes nothing in the message.")


title_row("Macros")
st.caption(
    "A message with macros, such as Hi {{FIRST_NAME}}, before it is sent: how it reads, and who would miss a value."
)
opened = workspace()
known = opened.macros.list()
if not known:
    with nothing_here("data_object", "No macros yet", "An attribute becomes a macro when it has a macro name."):
        st.page_link("attributes.py", label="Go to the attributes", icon=":material/label:")
    st.stop()

text = write(known)
segments = opened.segments.names()
segment = st.selectbox(
    "For the people of",
    segments,
    index=None,
    placeholder="Everybody",
    key="for_segment",
    bind="query-params",
    width=330,
)
seen = person(text, segment)
unknown(seen)
if seen["macros"]:
    missing(seen, segment)
    by_segment(text, seen["macros"])
