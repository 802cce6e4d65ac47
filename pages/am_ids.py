"""ID match: how many ids find their device, and which of them look wrong."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from ingest_core.audience_manager.id_quality import IdQuality
from pages.audience import charts
from pages.audience import range as chosen_range
from pages.ui.links import nothing_here, title_row
from pages.ui.state import workspace
from pages.ui.text import count, number, percent

SHOWN = 50


def figures(found: IdQuality) -> None:
    """The rate over all, and how many ids look wrong."""
    records = sum(rate.records for rate in found.rates)
    matched = sum(rate.matched for rate in found.rates)
    with st.grid(4, min_column_width=160):
        st.metric("Match rate", percent(matched / records) if records else "n/a", border=True)
        st.metric("Records with a known device", number(matched), border=True)
        st.metric("Nearly known ids", number(sum(one.ids for one in found.nearly_known)), border=True)
        st.metric("Records with personal ids", number(sum(one.records for one in found.personal)), border=True)


def nearly(found: IdQuality, names: dict[int, str]) -> None:
    """Ids that would be known but for case or spaces."""
    st.markdown("#### Nearly known ids")
    st.caption(
        "They differ from a known id only in upper and lower case, or by spaces around them. Ids are compared byte for "
        "byte, so that these people are not found: write their ids everywhere in the same way."
    )
    if not found.nearly_known:
        st.caption(":green[:material/check_circle:] None.")
        return
    counted = [
        f"{names.get(one.dpid, one.dpid)}: {count(one.ids, 'id')} in {count(one.records, 'record')} by {one.differs}"
        for one in found.nearly_known
    ]
    st.caption("; ".join(counted))
    st.dataframe(
        pd.DataFrame(
            [
                {"source": names.get(one.dpid, str(one.dpid)), **one.model_dump(exclude={"dpid"})}
                for one in found.nearly_samples
            ]
        ),
        hide_index=True,
        height="content" if len(found.nearly_samples) <= 15 else 560,
        alt="Ids that differ from known ones only by case or spaces",
        column_config={
            "source": st.column_config.TextColumn("Data source", width="medium"),
            "differs": st.column_config.TextColumn("Differs by", width="small"),
            "id": st.column_config.TextColumn("Id in the file", width="medium"),
            "known_id": st.column_config.TextColumn("Known id", width="medium"),
            "records": st.column_config.NumberColumn("Records", format="localized", width="small"),
        },
    )
    if len(found.nearly_samples) == SHOWN:
        st.caption(f"The {SHOWN} most frequent.")


def personal(found: IdQuality, names: dict[int, str]) -> None:
    """Ids that look like an address or a telephone number."""
    st.markdown("#### Ids that look personal")
    st.caption(
        "An id must not say who somebody is. E-mail addresses are refused; telephone-like ids are stored, because they "
        "may be customer numbers. Samples are masked."
    )
    if not found.personal:
        st.caption(":green[:material/check_circle:] None.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "source": names.get(one.dpid, str(one.dpid)),
                    "looks_like": one.looks_like,
                    "ids": one.ids,
                    "records": one.records,
                    "samples": ", ".join(one.samples[:5]) or "not kept",
                }
                for one in found.personal
            ]
        ),
        hide_index=True,
        height="content",
        placeholder="–",
        alt="Ids that look like personal data, per data source",
        column_config={
            "source": st.column_config.TextColumn("Data source", width="medium"),
            "looks_like": st.column_config.TextColumn("Looks like", width=160),
            "ids": st.column_config.NumberColumn("Ids", format="localized", width="small"),
            "records": st.column_config.NumberColumn("Records", format="localized", width="small"),
            "samples": st.column_config.TextColumn("Samples", width="large"),
        },
    )


title_row("ID match")
st.caption("How many records of the files found their device, and ids that look wrong.")
source, since, until = chosen_range.draw()
found = workspace().audience.reports.ids(since, until, source.dpid if source else None)
names = {dpid: source.name for dpid, source in workspace().audience.registered().sources.items()}
if not found.rates:
    with nothing_here(
        "fingerprint", "No ids in these days", "Choose another data source or other days, or process a file."
    ):
        st.page_link("am_files.py", label="Process files", icon=":material/contact_page:")
else:
    figures(found)
    with st.container(border=True):
        st.markdown("#### Match rate per day")
        charts.rates(found.rates, names)
        st.caption("Of the records that were stored, or skipped for want of a device: those whose device was known.")
with st.container(border=True):
    nearly(found, names)
with st.container(border=True):
    personal(found, names)
