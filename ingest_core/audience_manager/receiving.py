"""The round that processes the files people sent, one batch after the other, in the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.received import Received, ReceivedFiles
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import OnrampError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest_core.audience_manager.audience import AudienceManager
    from ingest_core.audience_manager.receipts import BatchReport

LONG = 3_600.0
"""Seconds until it looks again by itself; whoever hands files over wakes it."""


@dataclass
class Doing:
    """How far the batch under way is: a phase of the core, and lines read in it."""

    inbound_id: str
    phase: str = ""
    done: int = 0


class Receiving:
    """Takes what waits, processes it, writes how it ended."""

    name = "audience files"

    def __init__(self, engine: Engine, received: ReceivedFiles, audience: AudienceManager) -> None:
        self._engine = engine
        self._received = received
        self._audience = audience
        self._is_new = True
        self.doing: Doing | None = None

    def turn(self, is_ending: Callable[[], bool]) -> float:
        """Processes all that waits."""
        if self._is_new:
            self._received.take_up()
            self._is_new = False
        while not is_ending():
            held = self._received.take_next()
            if held is None:
                break
            self._process(held)
        return LONG

    def _process(self, held: Received) -> None:
        doing = self.doing = Doing(held.inbound_id)

        def tell(phase: str, done: int, total: int | None) -> None:
            doing.phase, doing.done = phase, done

        def also(session: Session, report: BatchReport) -> None:
            self._received.end(session, held, "done", report.request_id, None)

        is_beta = held.environment == "beta"
        try:
            options = BatchOptions(now(), is_beta=is_beta)
            report = self._audience.ingest(
                self._received.sources(held), options, progress=tell, also=also, user=held.created_by
            )
            if is_beta:
                self._end(held, {"report": report.model_dump(mode="json", exclude={"steps"})}, "done")
        except OnrampError as error:
            self._end(held, {"error": error.as_dict()}, "failed")
        except Exception:
            fault = StateError(
                "The files were not processed, by a fault of ours. Nothing was stored.",
                code="internal_error",
                hint="Send them again; if it happens twice, report the code.",
            )
            self._end(held, {"error": fault.as_dict()}, "failed")
            raise
        finally:
            self.doing = None
        self._received.let_go(held)

    def _end(self, held: Received, outcome: dict[str, object], state: str) -> None:
        with self._engine.write, self._engine.session() as session:
            self._received.end(session, held, "done" if state == "done" else "failed", None, outcome)
