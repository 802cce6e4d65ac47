"""The notices of a workspace: put into the outbox by whoever has something to tell, sent by a round."""

from __future__ import annotations

from ingest_core.engine import Engine, Session
from ingest_core.ledger import outbox
from ingest_core.ledger.outbox import Event


class Notices:
    """Tells, lists, tries again."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tell(self, session: Session, event: Event) -> str | None:
        """Puts a notice into the outbox, inside the caller's transaction; returns its id.

        None where there is nothing to send: it was told already under this key, or nobody listens. Committed with what
        happened or not at all; sending never fails the caller.
        """
        return outbox.tell(session, event)
