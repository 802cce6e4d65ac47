"""Files of a batch as they came, to be downloaded again."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.batch_list import BatchDetail
from ingest_core.audience_manager.originals import Original
from pages.audience import words
from pages.ui.state import when, workspace
from pages.ui.text import number, size


def draw(batch: BatchDetail) -> None:
    """What is kept and until when; one file at a time is taken away."""
    kept = workspace().audience.originals.of(batch.request_id)
    rows = [
        {
            "file": one.file,
            "size": one.size,
            "state": _state(one),
            "until": when(one.until) if one.until else "For ever",
        }
        for one in kept
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height="content" if len(rows) <= 15 else 620,
        alt="Kept files of the batch", key="originals",
        column_config={
            "file": st.column_config.TextColumn("File", width="large"),
            "size": st.column_config.NumberColumn("Size", format="bytes"),
            "state": st.column_config.TextColumn("State", width="medium"),
            "until": st.column_config.TextColumn("Kept until"),
        },
    )  # fmt: skip
    _download(batch.request_id, [one for one in kept if one.is_here])
    st.caption(
        "Exactly as they came, encrypted here until then. Who downloads one is on the audit log. An id that is "
        "forgotten takes the files along that hold it."
    )


def _state(one: Original) -> str:
    if not one.is_here:
        return "Not here: backups leave these files out"
    return words.title(one.code) if one.code else "Processed"


def _download(request_id: str, kept: list[Original]) -> None:
    if not kept:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = list(dict.fromkeys(one.file for one in kept))
        name = st.selectbox("File to download", names, key="original", width=460)
        chosen = next(one for one in reversed(kept) if one.file == name)
        is_large = chosen.size > (most := workspace().settings.browser_limit_bytes)
        st.download_button(
            "Download", data=partial(_bytes, request_id, name), file_name=name.rpartition("/")[2],
            mime="application/octet-stream", on_click="ignore", icon=":material/download:", key="download_original",
            disabled=is_large,
        )  # fmt: skip
    if is_large:
        st.caption(
            f"It has {number(chosen.size)} bytes; a browser gets up to {size(most)}. On the machine: "
            f"`onramp am file {request_id} NAME --out .`"
        )


def _bytes(request_id: str, name: str) -> bytes:
    with workspace().audience.originals.open(request_id, name).open() as stream:
        return stream.read()
