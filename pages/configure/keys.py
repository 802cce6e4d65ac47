"""Keys: whether they open everything, a new one, and the audit log."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui import chores
from pages.ui.state import workspace
from pages.ui.text import count, size

CHECK, ROTATE, VERIFY = "check of the keys", "change of the key", "check of the audit log"


def draw_tab() -> None:
    """Versions, check, rotation; the audit log beside it."""
    operations = workspace().operations
    primary, versions = operations.key_versions
    is_off = chores.is_busy()
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.markdown("#### Keys")
        st.caption("Personal data is encrypted with the newest key. The workspace opens only with keys that fit it.")
        with st.grid(2, min_column_width=120):
            st.metric("Key version", str(primary), border=True)
            st.metric("Keys in use", str(len(versions)), border=True)
        if len(versions) > 1:
            st.warning("A change of the key was interrupted. Change the key to finish it.", icon=":material/key:")
        with st.container(horizontal=True):
            if st.button("Check keys", icon=":material/encrypted:", key="check_keys", disabled=is_off):
                chores.start(CHECK, operations.check_keys)
            if st.button("Change the key", icon=":material/key:", key="rotate_keys", disabled=is_off):
                confirm_rotation()
        chores.outcome(CHECK, checked)
        chores.outcome(ROTATE, rotated)
    with right.container(border=True, height="stretch"):
        st.markdown("#### Audit log")
        st.caption("Who did what, each entry chained to the one before. The check finds the first that was changed.")
        if st.button("Check the audit log", icon=":material/fact_check:", key="verify_audit", disabled=is_off):
            chores.start(VERIFY, lambda _: operations.verify_audit())
        chores.outcome(VERIFY, verified)


@st.dialog("Change the key?", icon=":material/key:")
def confirm_rotation() -> None:
    """What a rotation does, before it begins."""
    file = workspace().engine.path.stat().st_size
    st.markdown(
        "Everything in the vault is encrypted with a new key, and the old one is forgotten.\n\n"
        f"- The database file ({size(file)}) is rewritten. It needs as much free space again.\n"
        "- Other pages wait for that moment; an upload that is running ends first.\n"
        "- Backups made before need the old key. Make a new backup afterwards.\n"
        "- If the app is closed meanwhile, both keys stay, and the next change finishes this one."
    )
    if st.button("Change the key", type="primary", key="confirm_rotation"):
        chores.start(ROTATE, workspace().operations.rotate_keys)


def checked(result: dict[str, Any]) -> str:
    """How a check of the keys ended."""
    return (
        f"The keys open everything: {count(result['pages'], 'page')} of the vault, "
        f"{count(result['drafts'], 'unfinished ingest')}, {count(result['received_files'], 'received file')}. "
        f"They are kept in {'the environment' if result['kept_in'] == 'environment' else 'keys.json'}."
    )


def rotated(result: dict[str, Any]) -> str:
    """How a rotation ended."""
    return (
        f"Key version {result['primary']} is in use; {count(result['pages'], 'page')} encrypted with it. "
        "Make a backup now."
    )


def verified(result: dict[str, Any]) -> str:
    """How a check of the audit log ended."""
    return f"Nobody changed the audit log: {count(result['entries'], 'entry', 'entries')}."
