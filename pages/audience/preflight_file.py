"""One file of a pre-flight: what it is, what stands against it, what can be put right."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.check_report import Place, Problem
from ingest_core.audience_manager.fixing import FIXES
from ingest_core.audience_manager.preflight import PreflightFile
from ingest_core.audience_manager.preflights import Look
from ingest_core.audience_manager.received import EarlierFile, Received, ReceivedFile
from ingest_core.audience_manager.splitting import SplitPart
from ingest_core.errors import OnrampError
from ingest_core.models import Progress
from pages.audience import charts, code_drawer, rename_dialog, sending_files, words
from pages.ui import badges, errors
from pages.ui.state import workspace
from pages.ui.text import count, escape, number, percent, size
from pages.ui.waiting import Waiting

MOST_BYTES = 500_000_000
"""Larger files are not handed to a browser: they would be in memory whole."""

OF_THE_NAME = {
    "bad_prefix", "bad_timestamp", "missing_dpid", "bad_dpid", "too_many_ids", "duplicate_dpid", "bad_mode",
    "bad_suffix", "bad_compression", "target_required", "target_is_global", "c2c_needs_two_dpids", "c2c_global_dpid",
    "unknown_data_source", "compression_mismatch", "timestamp_in_future", "timestamp_before_2005",
    "timestamp_used_before",
}  # fmt: skip
"""Codes that another name does away with."""

LEVELS = {"error": "Error", "warning": "Warning"}
MADE = {"fixed": "Put right", "renamed": "Renamed", "split": "Split"}
TRAITS = {"unknown": "Unknown here", "not_onboarded": "Not onboarded", "of_another": "Of another data source"}


def card(held: Received, file: ReceivedFile, judged: PreflightFile, look: Look) -> None:
    """Everything about one file."""
    check = judged.check
    with st.container(border=True, key=f"file_{file.landing_id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            said = badges.badge(words.VERDICTS[judged.verdict])
            st.markdown(f"#### {escape(file.name)}\n{said}", width="stretch")
            _buttons(held, file)
        sources = workspace().audience.registered().sources
        st.caption(escape(words.what(check.name, check.kind, sources)))
        _figures(file, judged)
        counts = look.found.receipt.per_file.get(file.name) if look.found.receipt else None
        if counts is not None and counts.records_received:
            charts.where_records_went(counts, key=f"bar_{file.landing_id}", of=f" of {file.name}")
        elif check.is_checked and check.lines:
            charts.lines_of(file.name, check.by_category, key=f"bar_{file.landing_id}")
        if problems := [*check.problems, *judged.remarks]:
            _problems(file, sorted(problems, key=lambda one: (one.level != "error", -one.count)))
        _better_name(held, file, judged)
        _traits(judged)
        _fixes(held, file, judged)
        _parts(held, file, judged)
        for earlier in file.earlier[::-1]:
            _earlier(earlier)
        sending_files.told(file, look)


def _buttons(held: Received, file: ReceivedFile) -> None:
    if st.button("Rename", icon=":material/edit:", type="tertiary", key=f"rename_{file.landing_id}"):
        rename_dialog.dialog(held, file)
    _download(file, "Download", f"load_{file.landing_id}")
    if st.button("Take out", icon=":material/close:", type="tertiary", key=f"out_{file.landing_id}"):
        try:
            workspace().received.remove(held.inbound_id, file.landing_id)
        except OnrampError as error:
            errors.show(error)
            return
        st.rerun()


def _download(file: ReceivedFile | EarlierFile, label: str, key: str) -> None:
    if file.size > MOST_BYTES:
        st.button(
            label, icon=":material/download:", type="tertiary", key=key, disabled=True,
            help=f"Files above {size(MOST_BYTES)} are sent, or put right by the command am fix.",
        )  # fmt: skip
        return
    st.download_button(
        label, data=lambda: workspace().received.source(file).open().read(), file_name=file.name, type="tertiary",
        mime="application/octet-stream", icon=":material/download:", key=key, on_click="ignore",
    )  # fmt: skip


def _figures(file: ReceivedFile, judged: PreflightFile) -> None:
    figures = [("Size", size(file.size))]
    if judged.check.is_checked:
        figures.insert(0, ("Lines", number(judged.check.lines)))
    for label, share in (("Bad ids", judged.bad_ids), ("Realise nothing", judged.without_trait)):
        if share is not None:
            figures.append((label, percent(share)))
    with st.grid(4, min_column_width=130):
        for label, text in figures:
            st.metric(label, text)


def _problems(file: ReceivedFile, problems: list[Problem]) -> None:
    """What is wrong, errors first; a click on the code explains it, with the first places."""
    st.dataframe(
        pd.DataFrame(
            {
                "level": [[LEVELS[one.level]] for one in problems],
                "problem": [one.title for one in problems],
                "count": [one.count for one in problems],
                "places": ["; ".join(where(place) for place in one.places[:3]) for one in problems],
                "fix": [one.fix for one in problems],
                "code": [one.code for one in problems],
            }
        ),
        hide_index=True, row_height=38, height="content", key=f"problems_{file.landing_id}",
        alt=f"What stands against {file.name}, errors first: how often, first places, what to do",
        column_order=["level", "problem", "count", "code", "places", "fix"],
        column_config={
            "level": badges.column("Level", list(LEVELS.values()), width=90),
            "problem": st.column_config.TextColumn("Problem", width=210),
            "count": st.column_config.NumberColumn("Times", format="localized", width=80),
            "code": st.column_config.ButtonColumn(
                "Explained", width=170, type="tertiary", alignment="left", key=f"code_{file.landing_id}",
                on_click=_explain, args=(file, problems), help="Why, what to do, and the first places.",
            ),
            "places": st.column_config.TextColumn("First places", width="medium"),
            "fix": st.column_config.TextColumn("What to do", width="large"),
        },
    )  # fmt: skip


def where(place: Place) -> str:
    """Line 3, column 7; or why, where it is of the whole file."""
    at = [f"{name} {number(value)}" for name, value in (("line", place.line), ("column", place.column)) if value]
    return ", ".join(at) or place.why or "the whole file"


def _explain(file: ReceivedFile, problems: list[Problem]) -> None:
    code = problems[st.session_state[f"code_{file.landing_id}"].row].code
    code_drawer.open_in_url(code, file.landing_id)


def _better_name(held: Received, file: ReceivedFile, judged: PreflightFile) -> None:
    """What it should be called, where its name is what is wrong."""
    if not OF_THE_NAME & {one.code for one in (*judged.check.problems, *judged.remarks)}:
        return
    opened = workspace()
    try:
        wanted = opened.preflights.guess(file, opened.audience.registered())
        name = f"`{opened.preflights.name(held, file, wanted)}`"
    except OnrampError:
        name = ":gray[choose whose ids and traits are in it]"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"better_{file.landing_id}"):
        st.markdown(f":material/edit: **A name for it:** {name}", width="stretch")
        if st.button("Give it a name", key=f"name_{file.landing_id}"):
            rename_dialog.dialog(held, file)


def _traits(judged: PreflightFile) -> None:
    told = [
        f"**{label}:** {', '.join(map(str, judged.traits[kind]))}"
        for kind, label in TRAITS.items()
        if judged.traits.get(kind)
    ]
    if told:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/sell: Traits that do nothing. {'. '.join(told)}.", width="stretch")
            st.page_link("am_traits.py", label="Traits", icon=":material/open_in_new:")


def _fixes(held: Received, file: ReceivedFile, judged: PreflightFile) -> None:
    if not judged.fixes:
        return
    with st.container(border=True, gap="small", key=f"fixes_{file.landing_id}"):
        st.markdown(
            ":material/auto_fix_high: **Can be put right by itself**\n\n"
            + "\n".join(f"- {count(lines, 'line')}: {FIXES[code]}" for code, lines in judged.fixes.items())
        )
        if st.button("Write the fixed file", icon=":material/auto_fix_high:", key=f"fix_{file.landing_id}"):
            _act("Writing the fixed file", {"fix": "Lines written"}, lambda progress: _fix(held, file, progress))
        st.caption("It takes the place of this one and is judged again. The original is kept with it.")


def _fix(held: Received, file: ReceivedFile, progress: Progress) -> str:
    made = workspace().preflights.fix(held.inbound_id, file.landing_id, progress)
    return f"{count(made.lines, 'line')} written"


def _act(what: str, phases: dict[str, str], work: Callable[[Progress], str]) -> None:
    """Makes another file of this one; the page is drawn again with what there is then."""
    try:
        with Waiting(what, phases, "line") as progress:
            done = work(progress)
    except OnrampError as error:
        if error.code != "file_replaced":  # by the other click, or in another window: the page shows it
            errors.show(error)
            return
    else:
        st.session_state["done"] = done
    st.rerun()


def _parts(held: Received, file: ReceivedFile, judged: PreflightFile) -> None:
    if judged.parts < 2:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"parts_{file.landing_id}"):
        st.markdown(
            f":orange[:material/content_cut:] **Better in about {number(judged.parts)} parts** with the same name and "
            "timestamp, numbered from 1 (`.sync.1`, `.sync.2`, …), cut between lines.", width="stretch",
        )  # fmt: skip
        is_part = bool(judged.check.name and judged.check.name.get("split") is not None)
        label = f"Split into {number(judged.parts)} files"
        if not is_part and st.button(label, icon=":material/content_cut:", key=f"split_{file.landing_id}"):
            _act(
                "Writing the parts", {"split": "Lines written"},
                lambda progress: f"{count(len(_split(held, file, progress)), 'part')} written",
            )  # fmt: skip


def _split(held: Received, file: ReceivedFile, progress: Progress) -> tuple[SplitPart, ...]:
    return workspace().preflights.split(held.inbound_id, file.landing_id, progress=progress)


def _earlier(earlier: EarlierFile) -> None:
    """What the file was before."""
    changes = [f"{count(lines, 'line')}: {FIXES[code]}" for code, lines in earlier.changes.items() if code in FIXES]
    was = f"It was {escape(earlier.name)}, {size(earlier.size)}."
    with st.container(horizontal=True, vertical_alignment="center"):
        what = f" {'; '.join(changes)}." if changes else ""
        st.caption(f":green[:material/check:] **{MADE[earlier.made]}.**{what} {was}", width="stretch")
        if earlier.made == "fixed":
            _download(earlier, "Download the original", f"load_{earlier.landing_id}_{earlier.made}")
