"""The script behind every page: navigation, who is working, and the boundary for errors."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui import errors, links
from pages.ui.state import workspace
from pages.ui.text import escape

_HERE = Path(__file__).parent


def _page(name: str, title: str, icon: str, help: str, **options: bool | str) -> st.Page:
    return st.Page(_HERE / f"{name}.py", title=title, icon=f":material/{icon}:", help=help, url_path=name, **options)  # type: ignore[arg-type]


st.set_page_config(page_title="Onramp", page_icon=str(_HERE / "ui" / "icon.png"), layout="wide")

st.logo(str(_HERE / "ui" / f"logo_{'dark' if st.context.theme.type == 'dark' else 'light'}.svg"), size="large")

page = st.navigation(
    {
        "Data": [
            _page(
                "sources",
                "Sources",
                "database",
                "Every kind of file that is loaded, and how it is doing.",
                default=True,
            ),
            _page("history", "Upload history", "history", "All uploads with their counts, and charts over time."),
            _page("arrivals", "Arrivals", "event_repeat", "Files that came by themselves, and why some did not load."),
            _page("explore", "Explore", "query_stats", "Ask a file before it is uploaded, or masked profiles."),
            _page("source", "Source", "database", "One source.", visibility="hidden"),
            _page("ingest", "Ingest", "upload_file", "Load a file in five steps.", visibility="hidden"),
            _page("upload", "Upload", "receipt_long", "One upload, live and afterwards.", visibility="hidden"),
        ],
        "Customers": [
            _page("profiles", "Profiles", "group", "Find one customer by an identifier."),
            _page("segments", "Segments", "donut_small", "Named audiences and their sizes."),
            _page("macros", "Macros", "data_object", "Messages with macros, before they are sent."),
            _page("segment", "Segment", "donut_small", "One segment.", visibility="hidden"),
            _page("segment_edit", "Edit segment", "edit", "The rule of a segment.", visibility="hidden"),
            _page("attributes", "Attributes", "label", "The fields of a profile."),
        ],
        "Audience Manager": [
            _page("am_files", "Files", "contact_page", "Data files and ID syncs that came in, and their receipts."),
            _page("am_preflight", "Pre-flight", "flight_takeoff", "What would become of files, before they are sent."),
            _page(
                "am_builds", "Build", "construction", "Files for Audience Manager made from profiles, and their runs."
            ),
            _page("am_exports", "Exports", "outbox", "Traits and segments told to their receivers, and every run."),
            _page("am_build", "One build", "construction", "One build and its runs.", visibility="hidden"),
            _page("am_build_edit", "Edit build", "edit", "A build while it is made.", visibility="hidden"),
            _page("am_report", "Status report", "monitoring", "What became of the records, per day and per file."),
            _page("am_traits", "Traits", "sell", "What files give people: rules, days, how many have each."),
            _page("am_ids", "ID match", "fingerprint", "How many ids find their device, and which look wrong."),
            _page(
                "am_batch", "Check and process", "contact_page", "Files before they are processed.", visibility="hidden"
            ),
            _page("am_receipt", "Receipt", "receipt_long", "One batch of files.", visibility="hidden"),
        ],
        "Workspace": [
            _page("deliveries", "Deliveries", "outbox", "What was sent where, and what is on its way."),
            _page("destinations", "Destinations", "move_to_inbox", "Places that files are left at or fetched from."),
            _page("deliver", "Send", "send", "A new delivery.", visibility="hidden"),
            _page("notices", "Notices", "mail", "Messages about uploads: who was told what."),
            _page("settings", "Settings", "settings", "Limits, keys and version."),
        ],
    },
    expanded=True,  # a page behind "View more" is not found
)

links.follow()
try:
    opened = workspace()
    with st.sidebar.container(gap=None):
        st.markdown(f":material/account_circle: **{escape(opened.user)}**")
        st.caption(escape(opened.home.name), help="The workspace: the folder that holds everything.")
    page.run()
except OnrampError as error:
    errors.show(error)
    with st.container(horizontal=True):
        st.page_link("sources.py", label="Sources", icon=":material/database:")
        st.page_link("history.py", label="Upload history", icon=":material/history:")
except Exception as error:  # noqa: BLE001 - the boundary: nothing may reach the screen as a trace
    errors.show(error)
