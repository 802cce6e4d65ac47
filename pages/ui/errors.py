"""The boundary between a failure and a person: message and next move, never a trace."""

from __future__ import annotations

import logging
import traceback

import streamlit as st

from ingest_core.errors import OnrampError
from pages.ui.text import escape

# Next moves on a screen, where the core's own hint names a command.
HINTS = {
    "engine_stopped": "The app starts again by itself, and this page with it. The history says what was loaded.",
    "no_such_upload": "Look for it in the upload history.",
    "no_such_source": "Choose a source from the list of sources.",
    "no_such_mapping": "Open the mapping of the source.",
    "no_such_schedule": "Somebody has removed it. Close this and look at the list.",
    "already_loaded": "Say in the options that the file is to be loaded again, or choose another file.",
    "bad_setting": "Correct the value and save again.",
    "no_such_pattern": "Somebody has removed it. Reload the page.",
    "no_mail_server": "Save a server and a sender first.",
    "no_webhook": "Save an address and a secret first.",
    "no_such_notice": "It may have been removed after its time. See all under Notices.",
    "nothing_to_retry": "Reload the page to see who got it.",
    "no_mapping": "Match the columns first.",
    "unknown_attribute": "Choose an attribute from the list of attributes.",
    "not_for_segments": "Allow the attribute in segments first.",
    "no_such_segment": "Choose a segment from the list of segments.",
    "segment_exists": "Choose another name.",
    "needs_full": "Export everything once.",
    "no_such_order": "Somebody has removed it. Reload the page.",
    "order_exists": "Choose another id or name.",
    "segment_unusable": "Correct its rule first.",
    "no_such_build": "It was removed. See the list of builds.",
    "no_place": "Edit the build and say where its files go.",
    "needs_second_look": "Somebody else opens the build and approves the run.",
    "no_look_needed": "Send it again: it is small enough to go at once.",
    "not_waiting": "Reload the page to see what became of it.",
    "note_needed": "Write the reason into the note.",
    "not_prepared": "Reload the page to see what became of it.",
    "bytes_gone": "Give the run up, then send everything once.",
}

_LOG = logging.getLogger("onramp.pages")


def show(error: Exception) -> None:
    """Draws an error where the page stands. Foreign ones are logged by place only: they may quote a customer."""
    if isinstance(error, OnrampError):
        hint = HINTS.get(error.code, error.hint) or "Nothing was changed."
        st.error(escape(hint), title=escape(error.message), icon=":material/error:")
        return
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames[-6:]))
    _LOG.error("A page failed: %s at %s", type(error).__name__, place)
    st.error(
        "Nothing was changed by this page. Reload it; if it happens again, the log names the place.",
        title="This page could not be shown",
        icon=":material/error:",
    )


def report(error: Exception) -> bool:
    """For the server: shows errors of callbacks, dialogs and live parts the same way; True = shown."""
    show(error)
    return True
