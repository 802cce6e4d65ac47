"""How and where to: mode, only changes, packing, parts, the place, the environment, the second look."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ingest_core.audience_manager.outbound.build import GB
from ingest_core.audience_manager.outbound.build_check import BuildCheck
from pages.builds import words
from pages.builds.draft import BuildDraft, change, edit
from pages.builds.telling import told
from pages.ui import kept
from pages.ui.state import workspace

MB = 1 << 20
PLAIN, GZIP, PGP = "Plain", "Gzip", "OpenPGP"
TO, HERE = "A destination", "A folder of this machine"
CHANGED = {
    False: "Every run sends everything.",
    True: "Only what differs from the last run that arrived; traits that somebody lost become removals.",
}


def effect(draft: BuildDraft, check: BuildCheck) -> None:
    """Mode and how much."""
    with st.container(border=True):
        st.markdown("#### Effect")
        if draft.kind == "data":
            mode = str(draft.fields.get("mode", "sync"))
            st.segmented_control(
                "Mode", list(words.MODES), format_func=lambda one: words.MODES[one][0], required=True,
                key=kept.shown("build_mode", mode), on_change=_set, args=("mode", "build_mode"),
            )  # fmt: skip
            st.caption(words.MODES[mode][1])
            told(check, "mode")
        is_changed = bool(draft.fields.get("changed"))
        st.toggle(
            "Only what changed since the last run that arrived", key=kept.shown("build_changed", is_changed),
            on_change=_set, args=("changed", "build_changed"),
        )  # fmt: skip
        st.caption(CHANGED[is_changed])


def packing(draft: BuildDraft, check: BuildCheck) -> None:
    """Plain, gzip or OpenPGP, never two of them; size of the parts."""
    keys = [one.name for one in workspace().pgp_keys.list() if one.kind == "public"]
    chosen = [str(name) for name in draft.fields.get("pgp") or ()]
    how = str(draft.fields.get("how") or (GZIP if draft.fields.get("gzip") else PGP if chosen else PLAIN))
    with st.container(border=True):
        st.markdown("#### Files")
        st.segmented_control(
            "Packed", [PLAIN, GZIP, PGP], key=kept.shown("build_packing", how), required=True, on_change=_pack,
            args=("build_packing",), help="OpenPGP compresses already; Audience Manager takes one of them only.",
        )  # fmt: skip
        if how == PGP and keys:
            st.multiselect(
                "For the owners of these keys", list(dict.fromkeys([*keys, *chosen])),
                key=kept.shown("build_pgp", chosen), placeholder="Choose keys", on_change=_set,
                args=("pgp", "build_pgp"), select_all=False,
            )  # fmt: skip
        elif how == PGP:
            st.caption(":orange[:material/key: There is no public key yet. Add one under Settings, or by pgp add.]")
        told(check, "packing")
        most = float(draft.fields.get("split_bytes") or GB) / MB
        st.number_input(
            "A new part after (MB, not packed)", min_value=0.001, max_value=float(5 << 30) / MB, step=50.0,
            format="%.0f" if most >= 1 else "%.3f", key=kept.shown("build_split", most), on_change=_split,
            args=("build_split",), width=260,
        )  # fmt: skip
        st.caption(
            "1,024 MB pack into about 250 MB, which Audience Manager processes best. No line is ever divided; parts "
            "are numbered from 1."
        )
        told(check, "split_bytes")


def place(draft: BuildDraft, check: BuildCheck) -> None:
    """Destination or folder, partner folder, environment."""
    is_folder = draft.fields.get("to") == HERE or (not draft.fields.get("to") and bool(draft.fields.get("folder")))
    with st.container(border=True):
        st.markdown("#### Where to")
        st.segmented_control(
            "Where to", [TO, HERE], key=kept.shown("build_to", HERE if is_folder else TO), required=True,
            on_change=_place, args=("build_to",), label_visibility="collapsed",
        )  # fmt: skip
        if is_folder:
            key = kept.shown("build_folder", draft.fields.get("folder") or "")
            st.text_input(
                "Folder", key=key, placeholder="/srv/exchange/audience-manager", on_change=_text, args=("folder", key)
            )
        else:
            _destination(draft.fields.get("destination"))
        told(check, "place")
        key = kept.shown("build_partner", draft.fields.get("partner") or "")
        st.text_input(
            "Partner folder", key=key, max_chars=200, placeholder="None: names alone", on_change=_text,
            args=("partner", key), help="Lays files out as partner/date=2026-03-09/name, as the inbound bucket wants.",
        )  # fmt: skip
        told(check, "partner")
        _environment(str(draft.fields.get("environment", "production")))


def _destination(chosen: str | None) -> None:
    names = [one.name for one in workspace().destinations.list()]
    options = names if chosen is None or chosen in names else [*names, chosen]
    st.selectbox(
        "Destination", options, index=None, key=kept.shown("build_destination", chosen), on_change=_set,
        args=("destination", "build_destination"), placeholder="Choose a destination",
    )  # fmt: skip
    st.page_link("destinations.py", label="Destinations", icon=":material/move_to_inbox:")


def _environment(chosen: str) -> None:
    st.segmented_control(
        "Environment", list(words.ENVIRONMENTS), format_func=lambda one: words.ENVIRONMENTS[one][0], required=True,
        key=kept.shown("build_environment", chosen), on_change=_set, args=("environment", "build_environment"),
    )  # fmt: skip
    st.caption(words.ENVIRONMENTS[chosen][1])


def second_look(draft: BuildDraft, check: BuildCheck) -> None:
    """Above how much another person looks first."""
    with st.container(border=True):
        st.markdown("#### Second look")
        st.caption("Above these a run waits until somebody else has looked at exactly what would be sent.")
        left, right = st.columns(2)
        for column, name, label, usual in (
            (left, "look_above_rows", "Rows", 1_000_000), (right, "look_above_removals", "Removals", 10_000),
        ):  # fmt: skip
            value = draft.fields.get(name)
            key = kept.shown(f"build_{name}", usual if value is None else int(value))
            column.number_input(
                label, min_value=0, max_value=10**12, step=1_000, key=key, on_change=_set, args=(name, key)
            )
        told(check, "look")


# ── callbacks ────────────────────────────────────────────────────────────────────────────────────────────


def _set(name: str, key: str) -> None:
    change(**{name: st.session_state[key]})


def _text(name: str, key: str) -> None:
    text = str(st.session_state[key] or "").strip()
    change(**{name: text or ("" if name == "partner" else None)})


def _pack(key: str) -> None:
    how = st.session_state[key]
    kept_keys: dict[str, Any] = {} if how == PGP else {"pgp": []}
    change(how=how, gzip=how == GZIP, **kept_keys)


def _split(key: str) -> None:
    change(split_bytes=round(float(st.session_state[key] or 0) * MB))


def _place(key: str) -> None:
    """The other one is forgotten: files go to one place."""
    to = st.session_state[key]

    def work(draft: BuildDraft) -> None:
        draft.fields.update(to=to, **({"destination": None} if to == HERE else {"folder": None}))

    edit(work)
