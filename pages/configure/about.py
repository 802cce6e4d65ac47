"""About: versions, where the workspace lies, who works."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import streamlit as st

from ingest_core import __version__
from pages.ui.state import workspace
from pages.ui.text import escape, size


def draw_tab() -> None:
    """Two small tables."""
    opened = workspace()
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        st.markdown("#### Workspace")
        st.table(
            {
                "Folder": escape(opened.home),
                "Database": size(opened.engine.path.stat().st_size),
                "Working as": escape(opened.user),
                "Settings": "settings.json in the folder, and the environment",
            },
            border="horizontal",
            alt="Workspace",
        )
    with right.container(border=True, height="stretch"):
        st.markdown("#### Versions")
        st.table(
            {
                "Onramp": escape(__version__),
                "DuckDB": escape(_version("duckdb")),
                "Streamlit": escape(st.__version__),
                "Python": escape(platform.python_version()),
            },
            border="horizontal",
            alt="Versions",
        )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
