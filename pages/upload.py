"""One upload: live while it runs, its result afterwards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from ingest_core.models import Receipt
from pages.out import choosing
from pages.result import family, headline, live, parameters, people, rejects, segments, steps
from pages.ui import approval, joining, taking_back
from pages.ui.links import breadcrumb, say_done, title_row
from pages.ui.state import workspace


def take_back(receipt: Receipt) -> None:
    """Undo, or undo of the undo; both show first what would change."""
    if receipt.status != "Completed":
        return
    is_undo = receipt.undone_at is None
    label, icon = ("Undo", "undo") if is_undo else ("Undo the undo", "redo")
    if st.button(label, icon=f":material/{icon}:", key=icon, help="First shows what would change."):
        taking_back.begin(receipt, is_undo=is_undo)


def send(receipt: Receipt) -> None:
    """Its stored or rejected rows to a destination."""
    if (receipt.status == "Completed" and receipt.undone_at is None) or receipt.rejected:
        st.button(
            "Send", icon=":material/send:", key="send", on_click=choosing.send_upload, args=(receipt,),
            help="Stored or rejected rows, to a destination.",
        )  # fmt: skip


receipt = workspace().history.get(st.query_params.get("upload", ""))
source = workspace().sources.get(receipt.source)
breadcrumb(
    ("Sources", "sources.py", {}),
    (receipt.source, "source.py", {"source": str(source.source_id)}),
    (f"Upload {receipt.request_id}", None, {}),
)
say_done()
with title_row(receipt.file):
    rejects.downloads(receipt)
    take_back(receipt)
    send(receipt)
if receipt.held:
    approval.page_of_held(receipt)
    st.stop()
family.links(receipt)
if receipt.status in ("Scheduled", "In Progress"):
    live.draw(receipt)
    st.stop()

headline.headline(receipt)
if not receipt.lines:  # it ended before a line was counted
    st.stop()
headline.figures(receipt)
headline.pictures(receipt)
tabs: dict[str, Callable[[Receipt], None] | None] = {
    parameters.rejected_tab(receipt): rejects.draw if receipt.rejected else None,
    "Profiles changed": people.draw if receipt.stored else None,
    "Who became one": partial(joining.card, is_dry_run=False) if receipt.identity else None,
    "Segments": segments.draw if receipt.status == "Completed" else None,
    "How it worked": steps.draw,
}
drawn = {name: draw for name, draw in tabs.items() if draw}
for tab, draw in zip(st.tabs(list(drawn), key=parameters.TAB, bind="query-params"), drawn.values(), strict=True):
    with tab:
        if tab.open:
            draw(receipt)
        elif draw is rejects.draw:
            rejects.choices(receipt)
