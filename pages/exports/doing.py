"""What a press in a drawer of exports does: once, with its refusal shown."""

from __future__ import annotations

from collections.abc import Callable

from ingest_core.errors import OnrampError
from pages.ui import errors
from pages.ui.state import workspace
from pages.ui.waiting import at_once


def done(work: Callable[[], object]) -> bool:
    """Whether it was done; what refused it is shown."""
    try:
        with at_once(workspace()):
            work()
    except OnrampError as error:
        errors.show(error)
        return False
    return True
