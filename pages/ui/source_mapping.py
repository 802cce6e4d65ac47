"""The saved mapping of a source: its columns and rules, its versions, a template and the mapping as a file."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.signal_columns import is_of_signals
from ingest_core.catalog.mappings import changed_columns
from ingest_core.models import Attribute, ColumnMapping, Mapping, Source
from ingest_core.overview import MappingVersion
from pages.ui import source_signals
from pages.ui.forms import type_label
from pages.ui.state import overview, workspace
from pages.ui.template import template_button
from pages.ui.text import count
from pages.ui.words import BAD_CELLS, BLANKS, COMBINES, CONFLICTS

NAMES_SHOWN = 8


def draw(source: Source) -> None:
    """The newest version, or the one in the URL."""
    mappings = {str(mapping.version): mapping for mapping in workspace().mappings.all(source)}
    source_signals.draw(source, list(mappings.values()))
    if not mappings:
        st.caption("No mapping yet. The first file you load makes it.")
        return
    newest = next(iter(mappings))
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        chosen = newest
        if len(mappings) > 1:
            chosen = st.selectbox(
                "Version", list(mappings), key="version", width=180, bind="query-params",
                format_func=lambda number: f"{number}, the newest" if number == newest else str(number),
            ) or newest  # fmt: skip
        mapping = mappings.get(chosen, mappings[newest])
        with st.container(horizontal=True, width="content"):
            if not is_of_signals(mapping):
                template_button(mapping)
            st.download_button(
                "Download the mapping", data=mapping.model_dump_json(indent=1), on_click="ignore",
                file_name=f"mapping_{mapping.version}.json", mime="application/json", icon=":material/download:",
                key="mapping_file", help="As JSON, as the command line prints and takes it.",
            )  # fmt: skip
    _columns(mapping)
    st.caption("A mapping changes by loading a file: a new version is added, none is changed.")
    _history(overview().mapping_versions(source.source_id), mappings)


def _columns(mapping: Mapping) -> None:
    attributes = {attribute.name: attribute for attribute in workspace().attributes.list()}
    rows = [_row(column, attributes.get(column.attribute or "")) for column in mapping.columns]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content" if len(rows) <= 25 else 900,
        alt=f"Columns and the attributes they fill, version {mapping.version}",
    )


def _row(column: ColumnMapping, attribute: Attribute | None) -> dict[str, object]:
    shown: dict[str, object] = {
        "Column in file": column.column, "Attribute": "Skipped", "Type": "", "PII": False, "Identifier": "",
        "Format": "", "Empty cell": "", "Stored already": "", "Several lines": "", "Bad cell": "",
    }  # fmt: skip
    if attribute is None:
        return shown
    return {
        **shown,
        "Attribute": attribute.display_name,
        "Type": type_label(attribute.type),
        "PII": attribute.pii,
        "Identifier": (attribute.identifier or "").capitalize(),
        "Format": column.format or "",
        "Empty cell": BLANKS.get(column.blank, column.blank),
        "Stored already": CONFLICTS[column.conflict],
        "Several lines": COMBINES[column.combine],
        "Bad cell": BAD_CELLS[column.bad_cell],
    }


def _history(versions: list[MappingVersion], mappings: dict[str, Mapping]) -> None:
    """Who saved which version when, what it changed, and how many uploads used it."""
    st.markdown("#### Versions")
    frame = pd.DataFrame(
        {
            "version": [str(version.version) for version in versions],
            "at": [pd.to_datetime(version.created_at, utc=True) for version in versions],
            "person": [version.created_by for version in versions],
            "uploads": [version.uploads for version in versions],
            "changes": [_changes(mappings, version.version) for version in versions],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(versions) <= 12 else 460,
        alt="Versions of the mapping, newest first",
        column_config={
            "version": st.column_config.TextColumn("Version", alignment="right", width=80),
            "at": st.column_config.DatetimeColumn("Saved", format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
            "person": "By",
            "uploads": st.column_config.NumberColumn("Uploads", format="localized"),
            "changes": st.column_config.TextColumn("What changed", width="large"),
        },
    )


def _changes(mappings: dict[str, Mapping], version: int) -> str:
    before, after = mappings.get(str(version - 1)), mappings[str(version)]
    if before is None:
        return f"{count(len(after.columns), 'column')} matched or skipped"
    parts = [f"{word} {_names(names)}" for word, names in changed_columns(before, after).items() if names]
    return ", ".join(parts) or "the same columns for another header"


def _names(names: list[str]) -> str:
    more = f" and {count(len(names) - NAMES_SHOWN, 'more', 'more')}" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
