"""Whose profiles, by which id, ids and traits of which data source."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID
from ingest_core.audience_manager.outbound.build import HASHED
from ingest_core.audience_manager.outbound.build_check import BuildCheck
from ingest_core.audience_manager.outbound.build_editing import Column, IdTold
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.builds import words
from pages.builds.draft import BuildDraft, change, edit, new_other
from pages.builds.telling import told
from pages.ui import kept
from pages.ui.state import workspace
from pages.ui.text import count, escape, number, percent

WHO = {"everybody": "Everybody", "segment": "A segment", "source": "A source"}
IDS = {
    "customer": "Customer ids. Lines whose id holds a colon or an e-mail address are left out.",
    "hashed": "Hashed e-mail addresses: SHA-256 of the trimmed, lower-case address. Nothing else of it leaves.",
    "device": "Device ids: {form}. Lines with another id are left out.",
    "uuid": "Audience Manager's own ids: {form}. Lines with another id are left out.",
    "cookie": "Cookie ids. Only those that an ID sync made known find their device.",
}


def who(draft: BuildDraft, check: BuildCheck) -> None:
    """Everybody, a segment or a source, with how many that are."""
    with st.container(border=True):
        st.markdown("#### Who")
        chosen = str(draft.fields.get("who", "everybody"))
        st.segmented_control(
            "Who", list(WHO), format_func=WHO.__getitem__, key=kept.shown("build_who", chosen), required=True,
            on_change=_set, args=("who", "build_who"), label_visibility="collapsed",
        )  # fmt: skip
        if chosen != "everybody":
            _named(chosen, draft.fields.get(chosen))
        told(check, "who")
        _people(draft.build_fields)


def _named(what: str, name: str | None) -> None:
    opened = workspace()
    names = opened.segments.names() if what == "segment" else [one.name for one in opened.sources.list()]
    options = names if name is None or name in names else [*names, name]
    key = f"build_{what}"
    st.selectbox(
        WHO[what], options, index=None, key=kept.shown(key, name), placeholder=f"Choose a {what}",
        on_change=_set, args=(what, key), label_visibility="collapsed",
    )  # fmt: skip


def _people(fields: Mapping[str, object]) -> None:
    segment, source = fields.get("segment"), fields.get("source")
    if "" in (segment, source):
        return
    try:
        people = workspace().outbound.editing.people(segment, source)  # type: ignore[arg-type]
    except OnrampError:
        return
    st.caption(f":material/group: {count(people, 'profile')} now.")


def ids(draft: BuildDraft, check: BuildCheck, columns: list[Column], sources: Mapping[int, Source]) -> None:
    """Kind, the attribute of the ids, and the data sources."""
    with st.container(border=True):
        st.markdown("#### Ids")
        st.segmented_control(
            "Kind", list(words.KINDS), format_func=words.KINDS.__getitem__, key=kept.shown("build_kind", draft.kind),
            required=True, on_change=_choose_kind, args=("build_kind",),
            help="A data file gives people traits and signals. An ID sync says which ids belong to one person.",
        )  # fmt: skip
        left, right = st.columns(2)
        chosen = draft.fields.get("id") or {}
        with left:
            attribute("Id", "build_id", chosen.get("attribute"), columns, on_change=_choose_id)
            told(check, "id")
        with right:
            data_source("Whose ids", "build_dpid", draft.fields.get("dpid"), sources, on_change=_set, args=("dpid",))
            told(check, "dpid")
        if chosen.get("attribute"):
            _statement(chosen, draft.fields.get("dpid"))
        if draft.kind == "data":
            _target(draft, check, sources)
        if refused := [one for one in columns if one.refused]:
            with st.popover("Attributes that are not offered", icon=":material/lock:", type="tertiary"):
                st.markdown("\n".join(f"- **{escape(one.display_name)}**: {escape(one.refused)}" for one in refused))


def attribute(
    label: str, key: str, chosen: str | None, columns: list[Column], *, on_change: object, args: tuple[object, ...] = ()
) -> None:
    """A picker of attributes that may leave."""
    offered = {one.attribute: one for one in columns if not one.refused}
    options = list(offered) if chosen is None or chosen in offered else [*offered, chosen]
    st.selectbox(
        label, options, index=None, key=kept.shown(key, chosen), placeholder="Choose an attribute",
        format_func=lambda name: _column_label(name, offered), on_change=on_change, args=(*args, key),
    )  # type: ignore[call-overload]  # fmt: skip


def _column_label(name: str, offered: Mapping[str, Column]) -> str:
    if name not in offered:
        return name
    one = offered[name]
    return f"{one.display_name}, hashed" if one.recipe == HASHED else one.display_name


def data_source(
    label: str, key: str, chosen: int | None, sources: Mapping[int, Source], *, on_change: object,
    args: tuple[object, ...] = (), placeholder: str = "Choose a data source", is_target: bool = False,
) -> None:  # fmt: skip
    """A picker of data sources: those of this workspace, then those that everybody shares."""
    own = sorted(sources, key=lambda dpid: sources[dpid].name.casefold())
    shared = [] if is_target else [dpid for dpid in (*GLOBAL_SOURCES, UUID_DPID) if dpid not in sources]
    options = [*own, *shared, *([chosen] if chosen is not None and chosen not in (*own, *shared) else [])]
    st.selectbox(
        label, options, index=None, key=kept.shown(key, chosen), placeholder=placeholder,
        format_func=lambda dpid: words.data_source(dpid, sources), on_change=on_change, args=(*args, key),
    )  # type: ignore[call-overload]  # fmt: skip


def _target(draft: BuildDraft, check: BuildCheck, sources: Mapping[int, Source]) -> None:
    data_source(
        "Whose traits it feeds", "build_target", draft.fields.get("target"), sources, on_change=_set,
        args=("target",), placeholder="Those of the same data source", is_target=True,
    )  # fmt: skip
    told(check, "target")


def _statement(chosen: Mapping[str, str], dpid: int | None) -> None:
    """What the id is, live, and how many have one."""
    try:
        is_: IdTold = workspace().outbound.editing.told_id(chosen["attribute"], chosen.get("recipe", "plain"), dpid)
    except OnrampError:
        return
    share = percent(is_.filled / is_.profiles) if is_.profiles else "–"
    st.caption(
        f":material/fingerprint: {IDS[is_.what].format(form=is_.form)} {number(is_.filled)} of "
        f"{count(is_.profiles, 'profile')} ({share}) have one."
    )


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────


def _set(name: str, key: str) -> None:
    change(**{name: st.session_state[key]})


def _choose_kind(key: str) -> None:
    """An ID sync begins with one other column."""

    def work(draft: BuildDraft) -> None:
        draft.fields["kind"] = st.session_state[key]
        if draft.kind == "id_sync" and not draft.others:
            draft.others.append(new_other())

    edit(work)


def _choose_id(key: str) -> None:
    """With the attribute comes how it leaves, and the data source that names it, if none was chosen."""
    name = st.session_state[key]
    column = next((one for one in workspace().outbound.editing.columns() if one.attribute == name), None)

    def work(draft: BuildDraft) -> None:
        draft.fields["id"] = None if column is None else {"attribute": name, "recipe": column.recipe}
        if column is not None and column.dpid is not None and draft.fields.get("dpid") is None:
            draft.fields["dpid"] = column.dpid

    edit(work)
