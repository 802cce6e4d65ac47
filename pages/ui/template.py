"""A file to fill in, made from a saved mapping."""

from __future__ import annotations

import streamlit as st

from ingest_core.catalog.mappings import template
from ingest_core.models import Mapping


def template_button(mapping: Mapping) -> None:
    """A button that downloads the header row that the mapping fits."""
    name = "_".join("".join(c if c.isalnum() else " " for c in mapping.source or "").split())
    st.download_button(
        "Download a template", data=template(mapping), file_name=f"{name or 'source'}_template.tsv", on_click="ignore",
        mime="text/tab-separated-values", icon=":material/download:", key="template",
        help="A tab-separated file with the columns that the mapping uses, to fill in.",
    )  # fmt: skip
