"""What Audience Manager knows of a data source, changed where it may be."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from ingest_core.audience_manager.registered import SAMPLING_DAYS, sampling_until
from ingest_core.errors import OnrampError
from ingest_core.models import Source
from pages.ui import errors
from pages.ui.source_drawers import ID_TYPES, INBOUND, OWNERS
from pages.ui.state import when, workspace
from pages.ui.text import count, escape
from pages.ui.waiting import at_once


def draw(source: Source) -> None:
    """A card for sources with a DPID, and for those that may get one."""
    if source.kind != "data_source" and source.dpid is None:
        return
    files = workspace().audience.source_editing.files(source)
    with st.container(border=True, width=620, key="audience_manager"):
        st.markdown("#### Audience Manager")
        if files:
            stored = f"{count(files, 'file')} of this source {'was' if files == 1 else 'were'} stored"
            st.caption(
                f":material/lock: {stored}. DPID, id type and inbound id type say what the ids mean, so they stay."
            )
        form = _Form(source, is_locked=files > 0)
        fields = form.fields()
        settings = form.settings(str(fields["id_type"] or ""))
        labels = form.labels()
        if st.button("Save", type="primary", key="save_audience"):
            _save(source, fields, settings, labels)


@dataclass(frozen=True)
class _Form:
    """The widgets. ``is_locked``: files were stored."""

    source: Source
    is_locked: bool

    def fields(self) -> dict[str, object]:
        """What is said of the ids."""
        source = self.source
        left, right = st.columns(2)
        with left:
            dpid = st.number_input(
                "DPID", min_value=1, max_value=9_999_999_999, value=source.dpid, step=1, format="%d",
                key="audience_dpid", disabled=self.is_locked, help="The data provider id that Audience Manager shows.",
            )  # fmt: skip
            inbound = self._one_of("Inbound id type", INBOUND, "inbound_id_type", is_fixed=self.is_locked)
            attributes = {a.name: a.display_name for a in workspace().attributes.list() if a.identifier and not a.pii}
            attribute = self._one_of(
                "Attribute that holds the ids", attributes, "id_attribute",
                help="Customers whose value is exactly such an id have its traits, from now on.",
            )  # fmt: skip
        with right:
            id_type = self._one_of("Id type", ID_TYPES, "id_type", is_fixed=self.is_locked)
            owner = self._one_of(
                "Owner", OWNERS, "owner", help="Files for the traits of another company need its access mapping."
            )
            placement = st.text_input(
                "Where the ids stand", value=source.id_placement or "", key="audience_id_placement",
                placeholder="first column",
            )  # fmt: skip
        return {
            "dpid": None if dpid is None else int(dpid), "inbound_id_type": inbound, "id_attribute": attribute,
            "id_type": id_type, "owner": owner, "id_placement": placement.strip() or None,
        }  # fmt: skip

    def settings(self, id_type: str) -> dict[str, object]:
        """How its files are taken; ``id_type`` as it is chosen."""
        current = self.source.settings
        chosen: dict[str, object] = {}
        if id_type not in ("cookie", "device"):
            chosen["profile_days"] = self._days()
        chosen["is_case_sensitive"] = st.toggle(
            "Upper and lower case tell ids apart on the site", value=current.is_case_sensitive, key="audience_case",
            help="Told to whoever prepares files. In files, ids that differ by case are different people always.",
        )  # fmt: skip
        chosen["access_mapping"] = st.toggle(
            "The other company lets us feed its traits", value=current.access_mapping, key="audience_access",
            help="Files for its traits are taken, though they are another company's.",
        )  # fmt: skip
        until = workspace().audience.reports.sampled_until(self.source)
        is_sampled = st.toggle(
            "Error sampling", value=until is not None, key="audience_sampling",
            help=f"For {SAMPLING_DAYS} days the first faulty lines of each file are kept, encrypted.",
        )  # fmt: skip
        if is_sampled and until is not None:
            st.caption(f"On until {when(until)}.")
        if is_sampled != (until is not None):
            chosen["sampling_until"] = sampling_until() if is_sampled else None
        return chosen

    def labels(self) -> list[str] | None:
        """Its export controls; None where it has no DPID to have them by."""
        if self.source.dpid is None:
            return None
        all_ = workspace().outbound.orders.controls()
        own = [one["label"] for one in all_ if one["dpid"] == self.source.dpid]
        return st.multiselect(
            "Export controls", sorted({one["label"] for one in all_}), default=own, key="audience_controls",
            accept_new_options=True, placeholder="Type a label, such as advertising, and press Enter",
            help="Nothing of this source goes to an order that has one of the labels.",
        )  # fmt: skip

    def _days(self) -> int:
        current = self.source.settings.profile_days
        days = int(
            st.number_input(
                "Days a person is kept without activity", min_value=30, max_value=1800, value=current, step=10,
                key="audience_days", format="%d",
            )
        )  # fmt: skip
        if days != current and self.source.dpid is not None:
            effect = workspace().audience.source_editing.effect_of_days(self.source, days)
            st.caption(
                f"It counts at once: {count(effect.ended, 'profile')} would be over with all traits, "
                f"{count(effect.back, 'profile')} would be there again. Batches that were processed keep the days they "
                "were processed with."
            )
        return days

    def _one_of(
        self, label: str, options: dict[str, str], field: str, *, is_fixed: bool = False, help: str | None = None
    ) -> str | None:
        current = getattr(self.source, field)
        keys = list(options) if current is None or current in options else [*options, current]
        return st.selectbox(
            label, keys, index=None if current is None else keys.index(current), disabled=is_fixed, help=help,
            format_func=lambda key: options.get(key, key), key=f"audience_{field}", placeholder="Not said",
        )  # fmt: skip


def _save(source: Source, fields: dict[str, object], settings: dict[str, object], labels: list[str] | None) -> None:
    opened = workspace()
    try:
        with at_once(opened):
            changed = opened.audience.source_editing.change(source.source_id, fields=fields, settings=settings)
            if labels is not None and changed.source.dpid is not None:
                opened.outbound.orders.set_controls(changed.source.dpid, tuple(labels))
    except OnrampError as error:
        errors.show(error)
    else:
        st.session_state["done"] = f"{escape(source.name)} saved"
        st.rerun()
