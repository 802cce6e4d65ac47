"""Settings: the limits of this installation, where it lies, and whether its keys fit."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import streamlit as st

from pages.ui.links import title_row
from pages.ui.state import workspace
from pages.ui.text import escape, number, size


def _version() -> str:
    try:
        return version("onramp")
    except PackageNotFoundError:
        return "from source"


title_row("Settings")
st.caption(
    "Values come from settings.json in the workspace folder and from the environment; both are read at the start."
)
opened = workspace()
settings = opened.settings
limits, keys = st.columns(2)
with limits.container(border=True, height="stretch"):
    st.markdown("#### Limits")
    st.table(
        {
            "File sent by the browser": size(settings.browser_limit_bytes),
            "File from a folder or the command line": size(settings.file_limit_bytes),
            "One line": size(settings.line_limit_bytes),
            "Columns": number(settings.column_limit),
            "Phone country": settings.phone_country or "chosen per source",
            "A shared identifier names more than": f"{number(settings.shared_limit)} customers",
            "Blocked identifiers": f"{len(settings.blocked)} patterns",
        },
        border="horizontal",
        alt="Limits",
    )
with keys.container(border=True, height="stretch"):
    st.markdown("#### Workspace")
    st.table(
        {
            "Keys": ":green-badge[:material/check_circle: Fit this workspace]",
            "Folder": escape(opened.home),
            "Working as": escape(opened.user),
            "Onramp": escape(_version()),
            "Streamlit": escape(st.__version__),
            "Python": escape(platform.python_version()),
        },
        border="horizontal",
        alt="Workspace",
    )
    st.caption("A workspace opened with other keys refuses to start; nothing is ever encrypted with a new key unasked.")
