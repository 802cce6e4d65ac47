"""Where the files of a batch come from: dropped one after the other, or taken out of the inbox."""

from __future__ import annotations

import secrets

import streamlit as st

from ingest_core.audience_manager.received import Received, ReceivedFile
from ingest_core.errors import OnrampError
from pages.steps import inbox
from pages.ui.drop_zone import drop_zone
from pages.ui.state import workspace

KINDS = "A .sync or .overwrite file or an ID sync, plain or .gz"
ANY_KIND = "Files for Audience Manager of any name, plain, .gz or OpenPGP"


class Basket:
    """Where a file goes; one is begun with the first file where there is none. ``inbound_id``: of the one it is."""

    def __init__(self, inbound_id: str | None = None) -> None:
        self.inbound_id = inbound_id

    def take_file(self, landing_id: str, name: str, size: int, sha256: str = "") -> None:
        """It lies in the landing zone."""
        file = ReceivedFile(landing_id=landing_id, name=name, size=size)
        if self.inbound_id is None:
            self.inbound_id = workspace().received.begin().inbound_id
        workspace().received.add(self.inbound_id, file)


def choose(held: Received | None, kinds: str, flow: str = "") -> str | None:
    """The drop zone and the inbox; the id of the basket when a file came in this run. ``flow``: see ``drop_zone``."""
    basket = Basket(held.inbound_id if held else None)
    draft = f"{held.inbound_id}-{len(held.files)}" if held else flow
    arrival = drop_zone(workspace(), draft, kinds, flow)
    if arrival is not None:
        try:
            basket.take_file(arrival.landing_id, arrival.name, arrival.size)
        except OnrampError:  # it was handed over in another window
            workspace().landing.delete(arrival.landing_id)
            raise
        return basket.inbound_id
    return basket.inbound_id if inbox.draw(basket, several=bool(flow)) else None


def flow_of(held: Received | None, key: str) -> str:
    """The same text for all files that are dropped together, also where the first of them began the basket."""
    began: dict[str, str] = st.session_state.setdefault(key, {})
    if held is None:
        return began.setdefault("", secrets.token_hex(8))
    return began.get(held.inbound_id, held.inbound_id)


def has_begun(inbound_id: str, key: str) -> None:
    """The files that are still on their way go into this basket."""
    began: dict[str, str] = st.session_state[key]
    began[inbound_id] = began.pop("")
