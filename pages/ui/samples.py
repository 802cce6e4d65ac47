"""The sample file that a new workspace offers."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SAMPLES = Path(__file__).parents[2] / "samples"


def sample_file() -> None:
    """A button that downloads a small customer file of invented people."""
    path = next(iter(sorted(_SAMPLES.glob("*.tsv"))), None)
    if path is not None:
        st.download_button(
            "Download a sample file", data=path.read_bytes, file_name=path.name, mime="text/tab-separated-values",
            icon=":material/download:", on_click="ignore", key="sample_file",
        )  # fmt: skip
