"""The fields of an order: the simple ones first, each with what is wrong with it, and how files would look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.outbound.order_fields import Problems, read_order, remarks
from ingest_core.audience_manager.outbound.orders import CONTENT, NAME, Order
from ingest_core.errors import OnrampError
from pages.exports import words
from pages.ui.state import workspace
from pages.ui.text import escape

MB = 1 << 20
STILL_NEEDED = {"order_id": "id", "name": "name", "master": "data source", "place": "destination"}


@dataclass
class Form:
    """The fields as they stand. ``mark``: whose they are, in keys; ``slots``: where their problems are drawn."""

    mark: str
    before: Order | None
    fields: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, Any] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Of a widget."""
        return f"order_{name}_{self.mark}"

    def was(self, name: str, otherwise: Any) -> Any:
        """What a kept order says."""
        return otherwise if self.before is None else getattr(self.before, name)

    def slot(self, name: str) -> None:
        """Where the problem of the field above will stand."""
        self.slots[name] = st.empty()


def draw(mark: str, before: Order | None) -> tuple[Order | None, bool]:
    """Draws all fields; returns (the order, whether it can be kept)."""
    form = Form(mark, before)
    _who(form)
    _what(form)
    _where(form)
    with st.expander("More: rows, names, files", icon=":material/tune:", key=form.key("more")):
        _rows(form)
        _names(form)
        _files(form)
    others = [one for one in workspace().outbound.orders.list() if before is None or one.order_id != before.order_id]
    destinations = [one.name for one in workspace().destinations.list()]
    order, problems = read_order(form.fields, others, destinations=destinations)
    _told(form, order, problems)
    if order is not None and not problems.keys() & {"content", "header", "file_name"}:
        _sample(order)
    return order, order is not None and not problems


def _who(form: Form) -> None:
    left, right = st.columns([3, 1])
    with left:
        form.fields["name"] = st.text_input(
            "Name", value=form.was("name", ""), key=form.key("name"), max_chars=200, live=True, required=True,
            placeholder="Partner agency",
        ) or ""  # fmt: skip
        form.slot("name")
    with right:
        if form.before is not None:
            form.fields["order_id"] = form.before.order_id
            st.text_input("Id", value=str(form.before.order_id), key=form.key("id"), disabled=True)
        else:
            known = [one.order_id for one in workspace().outbound.orders.list()]
            form.fields["order_id"] = st.number_input(
                "Id", min_value=1, step=1, value=max(known, default=0) + 1, format="%d", key=form.key("id"),
                help="It stands in the names of the files.",
            )  # fmt: skip
            form.slot("order_id")


def _what(form: Form) -> None:
    what = st.segmented_control(
        "What it tells", list(words.WHAT), format_func=lambda one: words.WHAT[one][0], key=form.key("what"),
        default=form.was("what", "segments"), required=True,
    )  # fmt: skip
    form.fields["what"] = what
    st.caption(words.WHAT[what][1])
    if what != "ids":
        form.fields["items"] = tuple(_items(form, what))
    sources = workspace().audience.registered().sources
    masters = [*sources, *(dpid for dpid in (UUID_DPID, *GLOBAL_SOURCES) if dpid not in sources)]
    was = form.was("master", None)
    if was is not None and was not in masters:
        masters.append(was)
    form.fields["master"] = st.selectbox(
        "By ids of", masters, index=masters.index(was) if was is not None else 0 if len(sources) == 1 else None,
        key=form.key("master"), format_func=lambda one: words.data_source(one, sources),
        placeholder="Choose a data source", help="Whoever has no id of this data source is left out.",
    )  # fmt: skip
    form.slot("master")


def _items(form: Form, what: str) -> list[int]:
    if what == "segments":
        names = {one.segment_id: one.name for one in workspace().outbound.segments.list()}
    else:
        names = {one.trait_id: one.name for one in workspace().audience.traits.list()}
    was = list(form.was("items", ())) if form.was("what", what) == what else []
    offered = [*names, *(one for one in was if one not in names)]
    return list(
        st.multiselect(
            words.WHAT[what][0], offered, default=was, key=form.key(f"items_{what}"), placeholder=f"All {what}",
            format_func=lambda one: f"{names.get(one, 'Not there any more')} ({one})",
        )
    )  # fmt: skip


def _where(form: Form) -> None:
    names = [one.name for one in workspace().destinations.list()]
    is_folder = st.segmented_control(
        "Where to", [False, True], format_func=lambda one: "A folder" if one else "A destination",
        default=form.was("folder", None if names else "") is not None, required=True, key=form.key("to"),
    )  # fmt: skip
    if is_folder:
        text = st.text_input(
            "Folder", value=form.was("folder", "") or "", key=form.key("folder"), label_visibility="collapsed",
            placeholder="/srv/exchange/partner", live=True,
        )  # fmt: skip
        form.fields["folder"] = (text or "").strip() or None
    else:
        was = form.was("destination", None)
        index = names.index(was) if was in names else 0 if form.before is None and len(names) == 1 else None
        form.fields["destination"] = st.selectbox(
            "Destination", names, index=index, key=form.key("destination"), placeholder="Choose a destination",
            label_visibility="collapsed",
        )  # fmt: skip
        if not names:
            st.page_link("destinations.py", label="Add a destination", icon=":material/add:")
    form.slot("place")


def _rows(form: Form) -> None:
    what = form.fields["what"]
    _text(
        form, "content", "Row", CONTENT[what], help="A template: macros stand between < and >. Empty: the usual row, "
        "with what was removed behind it.",
    )  # fmt: skip
    _text(form, "header", "Header", "None", help="The first line of each file; a template too.")
    form.fields["scope"] = st.selectbox(
        "Whose traits count", list(words.SCOPES), format_func=words.SCOPES.__getitem__, key=form.key("scope"),
        index=list(words.SCOPES).index(form.was("scope", "profile_only")),
    )  # fmt: skip


def _text(form: Form, name: str, label: str, hint: str, **more: Any) -> None:
    text = st.text_input(
        label, value=form.was(name, ""), key=form.key(name), placeholder=hint, live=True, max_chars=10_000, **more
    )
    form.fields[name] = text or ""
    form.slot(name)


def _names(form: Form) -> None:
    _text(
        form, "file_name", "File name", NAME,
        help="A template with <TIMESTAMP> and, without brackets, SPLITNUM for the number of the part.",
    )  # fmt: skip
    with st.grid(2, min_column_width=150):
        with st.container():
            form.fields["sync_type"] = st.selectbox(
                "Names begin with", ["ftp", "s3", "http"], key=form.key("sync_type"),
                index=["ftp", "s3", "http"].index(form.was("sync_type", "ftp")),
            )  # fmt: skip
        with st.container():
            _text(form, "pid_alias", "Your account id there", "None", help="<PID_ALIAS>; stands in the usual name.")
        with st.container():
            _text(form, "pid", "Partner id", "None", help="<PID> in templates.")
        with st.container():
            form.fields["dpid"] = st.number_input(
                "DPID", min_value=0, value=form.was("dpid", None), step=1, format="%d", key=form.key("dpid"),
                placeholder="None", help="<DPID> in templates.",
            )  # fmt: skip
            form.slot("dpid")
    is_short = st.toggle(
        "Timestamps in seconds (10 digits)", value=form.was("timestamp_digits", 13) == 10, key=form.key("seconds")
    )
    form.fields["timestamp_digits"] = 10 if is_short else 13


def _files(form: Form) -> None:
    form.fields["gzip"] = st.toggle("Compress (gzip)", value=form.was("gzip", False), key=form.key("gzip"))
    with st.grid(2, min_column_width=150):
        with st.container():
            split = st.number_input(
                "Largest file (MB)", min_value=0.001, max_value=1_000_000.0, step=100.0, format="%g",
                value=form.was("split_bytes", 1 << 30) / MB, key=form.key("split"),
                help="Of plain text. Larger exports are cut between rows into numbered parts.",
            )  # fmt: skip
            form.fields["split_bytes"] = round(split * MB)
            form.slot("split_bytes")
        with st.container():
            days = st.number_input(
                "Days its files stay there", min_value=0, max_value=3_650, value=form.was("keep_days", 8), step=1,
                key=form.key("keep"), placeholder="For ever", help="Empty: they are never deleted there.",
            )  # fmt: skip
            form.fields["keep_days"] = days
    known = {one["label"] for one in workspace().outbound.orders.controls()} | set(form.was("labels", ()))
    form.fields["labels"] = tuple(
        st.multiselect(
            "Labels", sorted(known), default=list(form.was("labels", ())), key=form.key("labels"),
            accept_new_options=True, placeholder="None",
            help="An order with a label gets nothing of data sources that have it as an export control.",
        )
    )  # fmt: skip


def _told(form: Form, order: Order | None, problems: Problems) -> None:
    """Each problem under its field; what is only missing yet in one sentence."""
    missing = [
        label for name, label in STILL_NEEDED.items()
        if name in problems and not (form.fields.get("folder") if name == "place" else form.fields.get(name))
    ]  # fmt: skip
    for name, said in problems.items():
        if STILL_NEEDED.get(name) not in missing and name in form.slots:
            form.slots[name].caption(f":red[:material/error: {escape(said)}]")
    if order is not None:
        for name, said in remarks(order).items() if not problems else ():
            if name in form.slots:
                form.slots[name].caption(f":orange[:material/info: {escape(said)}]")
    if missing:
        st.caption(f"Still needed: {', '.join(missing)}.")


def _sample(order: Order) -> None:
    """Name, header and two invented rows of a run of what changed."""
    try:
        seen = workspace().outbound.exports.sample(order)
    except OnrampError as error:
        st.caption(f":red[:material/error: {escape(error.message)}]")
        return
    with st.container(border=True, gap="xsmall", key="order_sample"):
        st.markdown("**How a file would look** :gray[two invented people; the second lost something]")
        lines = [seen.header] if seen.header else []
        st.code(seen.file, language=None, wrap_lines=True)
        st.code("\n".join([*lines, *seen.rows]).replace("\t", "⇥"), language=None, wrap_lines=True)
        st.caption(f"⇥ is a tab. The control file, sent last: {escape(seen.control)}")
