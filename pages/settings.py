"""Settings: limits, policy, blocked values, retention, mail, keys, and what this installation is."""

from __future__ import annotations

import streamlit as st

from pages.configure import about, blocked, keys, limits, mail, policy, retention
from pages.ui.links import say_done, title_row

TABS = {
    "Limits": limits,
    "Policy": policy,
    "Blocked values": blocked,
    "Retention": retention,
    "Mail": mail,
    "Keys": keys,
    "About": about,
}

title_row("Settings")
st.caption("For the whole workspace. What the environment says is shown, and cannot be changed here.")
say_done()
tabs = dict(zip(TABS, st.tabs(list(TABS), key="tab", bind="query-params", on_change="rerun"), strict=True))
for name, tab in tabs.items():
    if tab.open:
        with tab:
            TABS[name].draw_tab()
