"""A segment over traits in a drawer: its rule checked and counted while it is typed. ``?trait_segment=`` opens it."""

from __future__ import annotations

import streamlit as st

from ingest_core.audience_manager.outbound.segment_counts import SegmentTrial
from ingest_core.audience_manager.outbound.segments import TraitSegment
from ingest_core.errors import OnrampError
from pages.exports.doing import done
from pages.exports.words import data_source
from pages.ui.state import workspace
from pages.ui.text import count, escape
from pages.ui.waiting import forget, remembered

PARAMETER = "trait_segment"
NEW = "new"
TRIED = "trait_segment_trial"
HELP = """
- `101T` has the trait 101; `AND`, `OR`, `NOT` and parentheses put them together.
- `FREQUENCY([101T,102T]) >= 1` has one of several.
- `FREQUENCY([7T] <= 5D) >= 3` was given trait 7 at least three times in the last 5 days; `>= 5D` is 5 days ago or
  longer. Counts are `>=`, `<=` and `==`.
- Onboarded traits, which files give, are held once: for them there is no recency, and only `>= 1`.
- A rule that is true of somebody without any trait, such as `NOT 101T` alone, is refused.
"""


def open_in_url(segment_id: int) -> None:
    """The drawer of this segment is open from now on, also after a reload."""
    st.query_params[PARAMETER] = str(segment_id)


def open_new() -> None:
    """The drawer of a new segment."""
    st.query_params[PARAMETER] = NEW


def drawer() -> None:
    """Draws the drawer when the URL names a segment, or a new one."""
    wanted = st.query_params.get(PARAMETER)
    segments = workspace().outbound.segments.list() if wanted else []
    found = next((one for one in segments if str(one.segment_id) == wanted), None)
    if found is not None or wanted == NEW:
        _drawer(found)
    elif wanted:
        st.query_params.pop(PARAMETER, None)


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


@st.dialog("Segment over traits", position="right", icon=":material/join_inner:", width=560, on_dismiss=_close)
def _drawer(segment: TraitSegment | None) -> None:
    mark = NEW if segment is None else str(segment.segment_id)
    name = st.text_input(
        "Name", value="" if segment is None else segment.name, key=f"segment_name_{mark}", max_chars=200, live=True,
        required=True, placeholder="Gold and active",
    )  # fmt: skip
    given = None
    if segment is None:
        given = st.number_input(
            "Id", min_value=1, value=None, step=1, format="%d", key="segment_id", placeholder="The next free one"
        )
    else:
        st.caption(f"Segment {segment.segment_id}; its id stays.")
    rule = st.text_input(
        "Rule", value="" if segment is None else segment.rule, key=f"segment_rule_{mark}", live=True,
        placeholder="101T AND (205T OR 206T)",
    )  # fmt: skip
    is_fine = _live_check((rule or "").strip())
    _traits(mark)
    with st.expander("How rules are written", icon=":material/help:", key=f"segment_help_{mark}"):
        st.markdown(HELP)
    is_same = segment is not None and (name, (rule or "").strip()) == (segment.name, segment.rule)
    if st.button("Save", type="primary", key=f"segment_save_{mark}", disabled=not name or not is_fine or is_same):
        _save(segment, str(name), str(rule).strip(), None if given is None else int(given))
    if segment is not None:
        with st.expander("Remove", icon=":material/delete:", key="remove_segment"):
            _remove(segment)


def _live_check(rule: str) -> bool:
    """Whether the rule can be used, said while it is typed, with whom it finds now."""
    if not rule:
        st.caption(":gray[A segment needs a rule.]")
        return False
    try:
        trial: SegmentTrial = remembered(TRIED, rule, lambda: workspace().outbound.segment_counts.try_rule(rule))
    except OnrampError as error:
        forget(TRIED)
        what = error.message.partition(" Nothing was ")[0]
        st.caption(f":red[:material/error: {escape(what)} {escape(error.hint)}]")
        return False
    st.caption(f":green[:material/check: The rule can be used:] {escape(trial.rule)}")
    sources = workspace().audience.registered().sources
    of = ", ".join(f"{n:,} of {data_source(dpid, sources)}" for dpid, n in trial.sources.items())
    st.caption(
        f":material/groups: It is true of **{count(trial.profiles, 'profile')}** now{escape(f': {of}') if of else ''}."
    )
    if trial.unknown:
        missing = ", ".join(map(str, trial.unknown))
        st.caption(f":orange[:material/info: There is no trait {escape(missing)}: nobody has it.]")
    return True


def _traits(mark: str) -> None:
    """Which id is which trait."""
    traits = workspace().audience.traits.list()
    if traits:
        found = st.selectbox(
            "Look up a trait", traits, index=None, key=f"look_up_{mark}", placeholder="Search by name",
            format_func=lambda one: f"{one.name} ({one.trait_id})",
        )  # fmt: skip
        if found is not None:
            st.caption(f"In a rule: `{found.trait_id}T`. {escape(found.type.replace('_', ' ').capitalize())}.")


def _save(segment: TraitSegment | None, name: str, rule: str, segment_id: int | None) -> None:
    segments = workspace().outbound.segments
    if segment is None:
        is_done = done(lambda: segments.add(name, rule, segment_id))
    else:
        is_done = done(lambda: segments.change(segment.segment_id, name=name, rule=rule))
    if is_done:
        _close()
        st.session_state["done"] = f"{escape(name)} saved. Who enters or leaves by it is told by the next run"
        st.rerun()


def _remove(segment: TraitSegment) -> None:
    hearing = workspace().outbound.segment_counts.hearing(segment.segment_id)
    if hearing:
        st.markdown("The next run of what changed tells its members as removed:")
        st.markdown("\n".join(f"- {escape(one.name)}: {count(one.told, 'id')} told to be in it" for one in hearing))
    else:
        st.markdown("No order tells it, so nobody hears of it.")
    if st.button("Remove this segment", icon=":material/delete:", key="remove_segment_for_good") and done(
        lambda: workspace().outbound.segments.remove(segment.segment_id)
    ):
        _close()
        st.session_state["done"] = f"{escape(segment.name)} removed"
        st.rerun()
