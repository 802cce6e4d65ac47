"""Plan, preview, load: the way of one upload, the same for command line and app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace

from ingest_core.catalog.mappings import save_mapping
from ingest_core.engine import Engine, Session
from ingest_core.engine.boundary import out_of_memory
from ingest_core.engine.memory import is_memory
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import Held, OnrampError, StateError, Stopped
from ingest_core.jobs.running import Running
from ingest_core.ledger import uploads
from ingest_core.ledger.joined_values import with_values
from ingest_core.models import Options, Progress, Receipt
from ingest_core.plan.load import Loader
from ingest_core.plan.plan import Plan
from ingest_core.plan.planning import Planner


@dataclass(frozen=True)
class Loads:
    """Runs plans of one workspace. ``worker`` says in the upload row who does it; ``at_work``: by Request ID."""

    engine: Engine
    planner: Planner
    loader: Loader
    worker: str
    at_work: dict[str, Running] = field(default_factory=dict)

    def preview(self, plan: Plan, progress: Progress = ignore_progress) -> Receipt:
        """What a load would do, by doing it and rolling back; leaves nothing in the history.

        ``held`` of the receipt says why a load would be asked about first.
        """
        return self.loader.preview(plan, progress)

    def check(
        self, plan: Plan, progress: Progress = ignore_progress
    ) -> tuple[Receipt, list[tuple[int, str, str | None]]]:
        """As ``preview``, with (line, codes separated by commas, column) of every row that would be rejected."""
        return self.loader.check(plan, progress)

    def load(self, plan: Plan, progress: Progress = ignore_progress) -> Receipt:
        """Loads at once. A second start with the same idempotency key returns the first one's receipt."""
        with self.engine.write:
            with self.engine.queue:
                known = self.find_key(plan.options)
                if known is not None:
                    return known
                request_id = uploads.new_request_id()
                with self.engine.session() as session, session.transaction():
                    plan = _with_version(session, plan)
                    _insert(session, plan, request_id, "In Progress", worker=self.worker)
            receipt = self.run(plan, request_id, progress)
        self.tidy()
        return receipt

    def tidy(self) -> None:
        """After a load: clears away replaced rows when many have gathered. Never fails a load that is done."""
        with suppress(OnrampError):
            self.engine.compact(("profile", "identity"))

    def run(self, plan: Plan, request_id: str, progress: Progress, session: Session | None = None) -> Receipt:
        """Runs an upload whose row says In Progress; whatever happens, the row gets exactly one end state."""
        running = self.at_work[request_id] = Running(request_id, self.engine)

        def tell(phase: str, done: int, total: int | None) -> None:
            running.tell(phase, done, total)
            progress(phase, done, total)

        try:
            with (
                self._ending(request_id),
                nullcontext(session) if session else self.engine.session() as own,
                running.working_in(own),
            ):
                self.loader.load(plan, request_id, tell, own, running.counts)
        finally:
            del self.at_work[request_id]
        with self.engine.session() as reader:
            receipt = uploads.receipts(reader, "request_id = ?", [request_id])[0]
            return with_values(reader, self.loader.keyset, receipt)

    @contextmanager
    def _ending(self, request_id: str) -> Iterator[None]:
        try:
            yield
        except (Stopped, KeyboardInterrupt):
            self.fail(request_id, Stopped(), is_cancelled=True)
            raise
        except Held as held:
            held.hint = "Look at the file. If it is right, load it with --accept-drift."  # nothing waits here
            self.fail(request_id, held)
            raise
        except OnrampError as error:
            self.fail(request_id, error)
            raise
        except Exception as error:
            self.fail(request_id, fault_of_ours(error))
            raise

    def fail(self, request_id: str, error: OnrampError, *, is_cancelled: bool = False) -> None:
        """Writes the end state of an upload that left nothing behind.

        Where even that cannot be written (a full disk), the upload is found interrupted at the next opening.
        """
        with suppress(OnrampError), self.engine.queue, self.engine.session() as session, session.transaction():
            uploads.fail(session, request_id, error.as_dict(), is_cancelled=is_cancelled)

    def find_key(self, options: Options) -> Receipt | None:
        """The receipt of the upload that was started with this idempotency key.

        One that was refused for being unlike the former file is none, once a person accepts that: it loads under its
        key after all.
        """
        if options.idempotency_key is None:
            return None
        with self.engine.session() as session:
            found = uploads.receipts(session, "idempotency_key = ?", [options.idempotency_key], limit=1)
        if not found or (options.accept_drift and (found[0].error or {}).get("code") == "unusual_file"):
            return None
        return found[0]


def fault_of_ours(error: Exception) -> StateError:
    """What a person is told of an exception that nobody thought of; its text may quote cells and is left out."""
    return StateError(
        "The upload ended by a fault of ours. Nothing of it was kept.",
        code="internal_error",
        hint="Start it again; if it happens twice, report the Request ID.",
        facts={"kind": type(error).__name__},
    )


def fault_of(error: BaseException) -> OnrampError:
    """As ``fault_of_ours``, also of a library's panic; memory that ran out is told as that."""
    if is_memory(error):
        return out_of_memory()
    fault = fault_of_ours(Exception())
    fault.facts = {"kind": type(error).__name__}  # a panic is no Exception
    return fault


def register(
    session: Session, plan: Plan, request_id: str, *, landing: str | None, overrides: dict[str, object]
) -> Plan:
    """Adds a Scheduled upload and its mapping version, inside the caller's transaction."""
    plan = _with_version(session, plan)
    _insert(session, plan, request_id, "Scheduled", landing=landing, overrides=overrides)
    return plan


def _with_version(session: Session, plan: Plan) -> Plan:
    columns = list(plan.dialect.columns) if plan.dialect.grammar is None else None  # others in every file
    saved = save_mapping(session, plan.source, plan.mapping, columns, plan.uploaded_by)
    return replace(plan, mapping=saved)


def _insert(
    session: Session,
    plan: Plan,
    request_id: str,
    status: str,
    *,
    landing: str | None = None,
    overrides: dict[str, object] | None = None,
    worker: str | None = None,
) -> None:
    layout = {
        "delimiter": plan.dialect.delimiter,
        "quoting": plan.dialect.quoting,
        "columns": list(plan.columns),
        "encoding": plan.facts.encoding,
        "overrides": overrides or {},
    }
    uploads.insert(
        session,
        request_id=request_id,
        upload_no=None,
        source_id=plan.source.source_id,
        file=plan.file.name,
        size=plan.facts.size,
        sha256=plan.facts.sha256,
        mapping_version=plan.mapping.version or 0,
        options=plan.options,
        overrides=json.loads(json.dumps(layout)),
        uploaded_by=plan.uploaded_by,
        status=status,
        landing=landing,
        worker=worker,
    )
