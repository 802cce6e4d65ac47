"""One source: how its files have been, its mapping, its uploads, its settings."""

from __future__ import annotations

from typing import NoReturn

import phonenumbers
import streamlit as st

from ingest_core.errors import OnrampError
from ingest_core.models import Receipt, Source, SourceSettings, Told
from ingest_core.overview import SourceActivity
from pages.ui import approval, badges, charts, errors, schedule_tab, source_audience, source_mapping, told
from pages.ui.draft import Draft
from pages.ui.links import breadcrumb, nothing_here, open_draft, say_done, title_row
from pages.ui.source_drawers import KINDS, edit_source
from pages.ui.state import overview, url_number, when, workspace
from pages.ui.tables import uploads_table
from pages.ui.text import ago, count, escape, number, percent
from pages.ui.waiting import at_once

TABS = ("Overview", "Mapping", "Schedule", "Uploads", "Settings")
UPLOADS_SHOWN = 100
DRIFT_PERCENT = 50.0  # offered first: what is told without being asked about


def ingest(source: Source) -> NoReturn:
    """Starts a new draft."""
    open_draft(Draft.start(workspace(), source.source_id))


def unfinished(source: Source) -> None:
    """Ingests that were begun and left."""
    for draft in Draft.unfinished(workspace(), source.source_id):
        row = st.container(border=True, horizontal=True, vertical_alignment="center", key=f"draft_{draft.draft_id}")
        row.markdown(
            f":material/edit_note: **{escape(draft.file)}** :gray[not loaded yet, saved {ago(draft.saved_at)}]",
            width="stretch",
        )
        if row.button("Continue", key=f"continue_{draft.draft_id}"):
            open_draft(draft.draft_id, "match" if draft.columns else "check")
        if row.button("Delete", icon=":material/delete:", type="tertiary", key=f"delete_{draft.draft_id}"):
            draft.delete()
            st.rerun()


def overview_tab(source: Source, receipts: list[Receipt], activity: SourceActivity) -> None:
    """Figures and a bar per upload."""
    ended = [receipt for receipt in receipts if receipt.finished_at]
    if not ended:
        with nothing_here(
            "upload_file", "No uploads yet", "Load the first file: its columns are matched once and remembered."
        ):
            if source.archived_at is None and st.button(
                "Ingest a file", type="primary", icon=":material/add:", key="first_ingest"
            ):
                ingest(source)
        return
    last = ended[0]
    rows, usual = last.lines - last.blank, overview().usual_rows(source.source_id)
    if last.status == "Completed" and overview().is_unusual(source.source_id, rows):
        st.warning(
            f"The last file had {count(rows, 'row')}; files of this source usually have about {number(usual or 0)}.",
            title="The last file is far from the usual volume", icon=":material/monitoring:",
        )  # fmt: skip
    with st.grid(4, min_column_width=170):
        st.metric("Members", number(overview().members(source.source_id)), border=True, height="stretch")
        st.metric("Rows loaded so far", number(activity.rows_loaded), border=True, height="stretch")
        st.metric(
            "Rejected in the last file", percent(activity.reject_share), border=True, height="stretch",
            delta=count(last.rejected, "row"), delta_color="off", delta_arrow="off",
        )  # fmt: skip
        moment = last.finished_at
        st.metric(
            "Last upload", ago(moment) if moment else "–", border=True, height="stretch",
            delta=when(moment) if moment else None, delta_color="off", delta_arrow="off",
        )  # fmt: skip
    with st.container(border=True):
        st.markdown("#### Rows of each upload")
        charts.uploads(ended[:24], usual=usual)
        st.caption(
            f"The last {count(len(ended[:24]), 'upload')}, oldest on the left. {told.equation(last)} in the last one."
        )


def settings_tab(source: Source) -> None:
    """Threshold, difference from the former file, phone country, recipients; the archive."""
    current = source.settings
    with st.container(border=True, width=620):
        chosen: dict[str, object] = {"threshold_percent": _threshold(current), "drift_percent": _drift(current)}
        countries = sorted(phonenumbers.SUPPORTED_REGIONS)
        chosen["phone_country"] = st.selectbox(
            "Phone country", countries, index=countries.index(current.phone_country) if current.phone_country else None,
            placeholder="None: numbers need their country code", key="phone_country",
            help="Phone numbers without a country code are read as numbers of this country.",
        )  # fmt: skip
        chosen["recipients"] = tuple(
            st.multiselect(
                "E-mail recipients", list(current.recipients), default=list(current.recipients), key="recipients",
                accept_new_options=True, placeholder="Type an address and press Enter",
                help="Who is to be told about the uploads of this source, unless an upload names others.",
            )
        )  # fmt: skip
        chosen["notify_on"] = told_on(list(current.notify_on))
        st.caption(
            "Each new upload of this source starts with them. Messages go out only where a mail server is set up; "
            "without one they are kept and can be read."
        )
        with st.container(horizontal=True):
            is_saved = st.button("Save", type="primary", key="save_settings")
            if st.button("Edit name and description", icon=":material/edit:", key="edit_source"):
                edit_source(source)
        if is_saved:
            _save(source, current.model_copy(update=chosen))
    source_audience.draw(source)
    _archive(source)


def told_on(current: list[Told]) -> tuple[Told, ...]:
    """Of which events the recipients are told; one that waits for approval or was undone counts as its end."""
    labels: dict[Told, str] = {"start": "It begins", "processing": "It takes long", "end": "It ends"}
    seconds = workspace().settings.notice_after_seconds
    chosen = st.pills(
        "They are told when", list(labels), format_func=labels.__getitem__, selection_mode="multi", default=current,
        key="notify_on",
        help=f"Long is more than {count(seconds, 'second')}, which the settings of mail say. When a file waits for "
        "approval or is undone, those are told who are told of its end.",
    )  # fmt: skip
    return tuple(event for event in labels if event in chosen)


def _archive(source: Source) -> None:
    """Out of the lists, or back into them; nothing is deleted."""
    with st.container(border=True, width=620):
        st.markdown("#### Archive" if source.archived_at is None else "#### This source is archived")
        st.caption(
            "An archived source is hidden from the lists and takes no more files. Its profiles and its history stay."
        )
        label = "Archive this source" if source.archived_at is None else "Restore this source"
        icon = ":material/archive:" if source.archived_at is None else ":material/unarchive:"
        if st.button(label, icon=icon, key="archive_source"):
            move(source)


def move(source: Source) -> None:
    """Into the archive, or back."""
    is_archived = source.archived_at is None
    workspace().sources.archive(source.source_id, is_archived=is_archived)
    name = escape(source.name)
    st.session_state["done"] = f"{name} is archived" if is_archived else f"{name} is back from the archive"
    st.rerun()


def _save(source: Source, settings: SourceSettings) -> None:
    try:
        with at_once(workspace()):
            workspace().sources.update(source.source_id, settings=settings)
    except OnrampError as error:
        errors.show(error)
    else:
        st.toast("Settings saved", icon=":material/check:")


def _threshold(current: SourceSettings) -> float | None:
    """How many rejected rows stop a file."""
    modes = {"all": "Load the good rows", "percent": "Stop above a share", "strict": "Stop at the first rejected row"}
    mode = "all" if current.threshold_percent is None else "strict" if current.threshold_percent == 0 else "percent"
    chosen = st.segmented_control(
        "When rows are rejected", list(modes), format_func=modes.__getitem__, default=mode, required=True,
        key="threshold_mode",
    )  # fmt: skip
    if chosen == "percent":
        return st.number_input(
            "Stop when more than this share of the rows is rejected (%)", min_value=0.1, max_value=100.0, step=0.5,
            value=current.threshold_percent or 5.0, key="threshold", format="%g",
        )  # fmt: skip
    return 0.0 if chosen == "strict" else None


def _drift(current: SourceSettings) -> float | None:
    """How far a file may be from the former one before a person is asked."""
    modes = {"load": "Load it, and say so", "ask": "Ask before loading it"}
    chosen = st.segmented_control(
        "When a file is unlike the last one", list(modes), format_func=modes.__getitem__, required=True,
        default="load" if current.drift_percent is None else "ask", key="drift_mode",
        help="Compared are the rows, how full each attribute is, how many people are in the file again, and values "
        "that were never there. A file that is off waits until somebody says yes, also when it comes by itself.",
    )  # fmt: skip
    if chosen != "ask":
        return None
    return st.number_input(
        "Ask when a file is further than this from the last one (%)", min_value=0.0, max_value=100.0, step=5.0,
        value=DRIFT_PERCENT if current.drift_percent is None else current.drift_percent, key="drift",
            format="%g",
    )  # fmt: skip


opened = workspace()
source = opened.sources.get(url_number("source") or 0)
activity = overview().sources().get(source.source_id, SourceActivity(source.source_id))
breadcrumb(("Sources", "sources.py", {}), (source.name, None, {}))
with title_row(source.name):
    if source.archived_at is not None:
        if st.button("Restore", type="primary", icon=":material/unarchive:", key="restore"):
            move(source)
    elif st.button("Ingest", type="primary", icon=":material/add:", shortcut="I", key="ingest"):
        ingest(source)
say_done()
held = approval.waiting(source.name)
activity = approval.without(activity, held)
state = badges.badge("Archived" if source.archived_at else activity.health)
kind = KINDS.get(source.kind, source.kind) + (f", DPID {source.dpid}" if source.dpid else "")
st.markdown(f"{state} :gray[{escape(kind)}{'. ' + escape(source.description) if source.description else ''}]")

approval.banner(held)
unfinished(source)
receipts = opened.history.list(source=source.name, limit=UPLOADS_SHOWN)
tabs = dict(zip(TABS, st.tabs(TABS, key="tab", bind="query-params", on_change="rerun"), strict=True))
if tabs["Overview"].open:
    with tabs["Overview"]:
        overview_tab(source, receipts, activity)
if tabs["Mapping"].open:
    with tabs["Mapping"]:
        source_mapping.draw(source)
if tabs["Schedule"].open:
    with tabs["Schedule"]:
        schedule_tab.draw(source)
if tabs["Uploads"].open:
    with tabs["Uploads"]:
        if receipts:
            uploads_table(receipts, key="source_open", has_source=False)
            if len(receipts) == UPLOADS_SHOWN:
                st.caption(f"The last {number(UPLOADS_SHOWN)} uploads.")
            st.page_link(
                "history.py", label="Filter them in the upload history", icon=":material/history:",
                query_params={"from_source": source.name},
            )  # fmt: skip
        else:
            st.caption("No uploads yet.")
if tabs["Settings"].open:
    with tabs["Settings"]:
        settings_tab(source)
