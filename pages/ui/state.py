"""The open workspace of this process, and what a page knows from its URL."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ingest_core.overview import Overview
from ingest_core.workspace import Workspace
from pages.ui.arrivals import browser_of
from pages.ui.text import exact_time

_OPEN: dict[Path, Workspace] = {}
_LOCK = threading.Lock()


def home() -> Path:
    """The folder of the workspace: ONRAMP_HOME, else ./workspace."""
    return Path(os.environ.get("ONRAMP_HOME") or "workspace").resolve()


def workspace() -> Workspace:
    """The one open workspace of this process; opened at the first call."""
    with _LOCK:
        opened = _OPEN.get(home())
        if opened is None:
            opened = _OPEN[home()] = Workspace.open(home(), worker="app")
        return opened


def overview() -> Overview:
    """The figures of screens."""
    return Overview(workspace().engine)


def close_workspaces() -> None:
    """Closes what is open; for the end of the process and between tests."""
    with _LOCK:
        for opened in _OPEN.values():
            opened.close()
        _OPEN.clear()


def browser_session() -> str:
    """What ties an upload to this browser: the anti-forgery cookie, which other sites cannot read or send."""
    return browser_of(str(st.context.cookies.get("_streamlit_xsrf") or ""))


def when(moment: datetime) -> str:
    """A moment as the person's clock shows it."""
    return exact_time(moment, st.context.timezone)


def time_zone() -> ZoneInfo:
    """Of the person's clock; UTC where the browser does not say, or says one that is not known here."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def url_number(name: str) -> int | None:
    """A whole number from the URL, or None."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
