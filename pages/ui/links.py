"""Where things are: one place that knows page files and the names of URL parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl

import streamlit as st

from pages.ui.text import escape


def open_source(source_id: int) -> NoReturn:
    """Goes to the page of a source."""
    st.switch_page("source.py", query_params={"source": str(source_id)})


def open_upload(request_id: str) -> NoReturn:
    """Goes to the page of an upload."""
    st.switch_page("upload.py", query_params={"upload": request_id})


def open_draft(draft_id: str, step: str | None = None) -> NoReturn:
    """Goes to the wizard, at a step of a draft."""
    st.switch_page("ingest.py", query_params={"draft": draft_id, **({"step": step} if step else {})})


def open_notebook(notebook_id: str) -> NoReturn:
    """Goes to a notebook of Explore."""
    st.switch_page("explore.py", query_params={"notebook": notebook_id})


def upload_link(request_id: str, label: str = "") -> None:
    """A link to an upload, from another page."""
    st.page_link(
        "upload.py", label=escape(label or f"Upload {request_id}"), icon=":material/receipt_long:",
        query_params={"upload": request_id},
    )  # fmt: skip


_PAGES = Path(__file__).parents[1]
_PATHS = {
    "upload": "Open the upload", "am_receipt": "Open the receipt", "source": "Open the source",
    "deliveries": "Open the delivery",
}  # fmt: skip


def path_link(path: str | None) -> None:
    """A link to where a message leads (``upload?upload=ID``), where that is one of these pages."""
    place, _, query = (path or "").lstrip("/").partition("?")
    if place in _PATHS and (_PAGES / f"{place}.py").exists():
        params = dict(parse_qsl(query))
        st.page_link(f"{place}.py", label=_PATHS[place], icon=":material/open_in_new:", query_params=params)


def notices_link(label: str, request_id: str | None = None) -> None:
    """A link to the notices, or to those about one upload."""
    params = {"upload": request_id} if request_id else {}
    st.page_link("notices.py", label=escape(label), icon=":material/mail:", query_params=params)


def segment_links(names: Sequence[str], ids: Mapping[str, int]) -> None:
    """A link to each of these segments. ``ids``: name → segment_id."""
    for name in names:
        if name in ids:
            st.page_link(
                "segment.py", label=escape(name), icon=":material/donut_small:",
                query_params={"segment": str(ids[name])},
            )  # fmt: skip


def go_next(page: str, **params: str) -> None:
    """For callbacks, which run before the pages are known: where to go as soon as they are."""
    st.session_state["go_next"] = (page, params)


def follow() -> None:
    """Goes where a callback wanted to."""
    if (wanted := st.session_state.pop("go_next", None)) is not None:
        st.switch_page(wanted[0], query_params=wanted[1])


def say_done() -> None:
    """What a dialog did, said by the page it came from."""
    if done := st.session_state.pop("done", None):
        st.toast(done, icon=":material/check:")


def breadcrumb(*parts: tuple[str, str | None, dict[str, str]]) -> None:
    """(label, page file or None for the present place, URL parameters) from the outside in."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for i, (label, page, params) in enumerate(parts):
            if i:
                st.caption("/", width="content")
            if page is None:
                st.caption(escape(label), width="content")
            else:
                st.page_link(page, label=escape(label), query_params=params)


def title_row(title: str) -> st.delta_generator.DeltaGenerator:
    """The page's title; returns the container at its right end for actions."""
    row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.title(escape(title), anchor=False, width="content")
    return row.container(horizontal=True, width="content", vertical_alignment="center")


def nothing_here(icon: str, title: str, sentence: str) -> st.delta_generator.DeltaGenerator:
    """An empty page: what would be here and how it gets there; returns the row for its buttons."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("large")
        st.markdown(f"## :primary[:material/{icon}:]", width="content", text_alignment="center")
        st.markdown(f"#### {title}", width="content", text_alignment="center")
        st.caption(sentence, text_alignment="center")
        buttons = st.container(horizontal=True, horizontal_alignment="center", width="stretch")
        st.space("large")
    return buttons
