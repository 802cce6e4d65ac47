"""At opening: what a killed process left gets its end or its turn again, before anybody can look.

The lock of the workspace is the lease of every upload: who holds it knows that nobody works on what is In Progress.
Killed in the middle, the next opening sweeps again.
"""

from __future__ import annotations

from ingest_core.audience_manager.originals import files_of_originals
from ingest_core.audience_manager.received import files_of_received
from ingest_core.audience_manager.signal_loads import files_of_signal_loads
from ingest_core.catalog import Drafts
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.faults import abort_point
from ingest_core.ledger import uploads
from ingest_core.operations.standing import files_of_arrivals, files_of_drafts, files_of_notebooks, files_of_uploads
from ingest_core.vault import LandingZone

MOST_DEATHS = 3
"""A queued upload on which so many processes died is given up: its file may be what kills them."""

_LEFT = "SELECT request_id, landing, coalesce(attempts, 0) FROM upload WHERE status = 'In Progress' ORDER BY rowid"

_AGAIN = """UPDATE upload SET status = 'Scheduled', started_at = NULL, worker = NULL, attempts = ?
WHERE request_id = ? AND status = 'In Progress'"""


def sweep(engine: Engine) -> None:
    """What was In Progress waits again if its file was received and did not kill too many, else it failed."""
    with engine.write, engine.session() as session:
        left = session.rows(_LEFT)
        if not left:
            return
        abort_point("sweep", "before")
        with session.transaction():
            for request_id, landing, deaths in left:
                _end_or_wait(session, request_id, landing, deaths + 1)
    abort_point("sweep", "after")


def _end_or_wait(session: Session, request_id: str, landing: str | None, deaths: int) -> None:
    if landing is not None and deaths < MOST_DEATHS:
        session.run(_AGAIN, [deaths, request_id])
    else:
        error = _interrupted() if landing is None else _gave_up(deaths)
        uploads.fail(session, request_id, error.as_dict())


def collect(engine: Engine, landing: LandingZone, drafts: Drafts) -> int:
    """Deletes received files that no upload, arrival, unfinished ingest or notebook needs; returns how many.

    Only at opening: later a file may be on its way and not named yet.
    """
    received = landing.ids()
    if not received:
        return 0
    abort_point("collect", "before")
    with engine.session() as session:
        named = files_of_uploads(session) | files_of_arrivals(session) | files_of_notebooks(session)
        named |= files_of_drafts(drafts) | files_of_received(session) | files_of_signal_loads(session)
        named |= files_of_originals(session)
    orphans = [landing_id for landing_id in received if landing_id not in named]
    for landing_id in orphans:
        landing.delete(landing_id)
    abort_point("collect", "after")
    return len(orphans)


def _interrupted() -> OnrampError:
    return InputError(
        "The upload was interrupted: the process that ran it ended. Nothing of it was kept.",
        code="interrupted",
        hint="Load the file again.",
    )


def _gave_up(deaths: int) -> OnrampError:
    return StateError(
        f"The upload was given up: the process that loaded it ended {deaths} times. Nothing of it was kept.",
        code="gave_up",
        hint="The log may say why, such as too little memory or a full disk. Mend that, then load the file again.",
        facts={"attempts": deaths},
    )
