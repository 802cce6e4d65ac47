"""Runs a plan: the same steps for a preview (rolled back) and a load (committed)."""

from __future__ import annotations

from dataclasses import dataclass

from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import Runner, Step, ignore_progress, must_be
from ingest_core.errors import OnrampError
from ingest_core.faults import abort_point
from ingest_core.ledger import identity, memberships, profiles, uploads
from ingest_core.ledger.audit import write_audit
from ingest_core.ledger.fields import Fields
from ingest_core.ledger.floating import resolve_again
from ingest_core.ledger.joined_values import named
from ingest_core.ledger.joins import Joins
from ingest_core.ledger.placing import place_floating
from ingest_core.ledger.refold import refold
from ingest_core.ledger.rules_of import rules_of
from ingest_core.models import Progress, Receipt
from ingest_core.plan import drift, replacing
from ingest_core.plan.current import with_current_attributes
from ingest_core.plan.plan import Plan
from ingest_core.plan.policy import repaired_notice
from ingest_core.plan.rowplan import row_plan
from ingest_core.plan.staging import Staged, mapped, stage_file
from ingest_core.plan.unlike import Comparison
from ingest_core.segments import segments
from ingest_core.settings import Settings
from ingest_core.vault import Keyset
from ingest_core.vault.writing import KEEP_VALUES, PageWriter


@dataclass(frozen=True)
class Loader:
    """What running a plan needs from its workspace."""

    engine: Engine
    keyset: Keyset
    settings: Settings

    def preview(self, plan: Plan, progress: Progress = ignore_progress) -> Receipt:
        """The load, rolled back: its numbers are exact, and nothing is left behind."""
        return self.check(plan, progress)[0]

    def check(
        self, plan: Plan, progress: Progress = ignore_progress
    ) -> tuple[Receipt, list[tuple[int, str, str | None]]]:
        """As ``preview``, with (line, codes separated by commas, column) of every row that would be rejected."""
        with self.engine.write, self.engine.session() as session:
            receipt = _Load(self, session, plan, None, Runner(session, progress)).run()
            return receipt, session.rows("SELECT line, codes, column_name FROM stage_reject ORDER BY line")

    def load(
        self,
        plan: Plan,
        request_id: str,
        progress: Progress = ignore_progress,
        session: Session | None = None,
        live: dict[str, int] | None = None,
    ) -> Receipt:
        """Loads; the upload row ``request_id`` (In Progress) gets its end state in the same transaction as the data.

        ``session`` may be given so that another thread can interrupt it, ``live`` to see counts while it runs.
        Raises Held when the file is further from the former one than its source allows.
        """
        with self.engine.write:
            own = session or self.engine.session()
            try:
                return _Load(self, own, plan, request_id, Runner(own, progress, live)).run()
            finally:
                if session is None:
                    own.close()


class _Load:
    """One run of one plan."""

    def __init__(self, loader: Loader, session: Session, plan: Plan, request_id: str | None, runner: Runner) -> None:
        self.loader = loader
        self.session = session
        self.plan = plan = with_current_attributes(session, plan)
        self.request_id = request_id
        self.runner = runner
        self.started_at = now()
        self.upload_no = int(session.value("SELECT coalesce(max(upload_no), 0) + 1 FROM upload"))
        self.first_rid = self.upload_no << 32
        self.fields = Fields.of(plan.attributes)
        self.brought = self.fields.only({attribute.column for attribute, _ in mapped(plan)})
        self.joins = Joins(runner, self.brought, self.first_rid, loader.settings.shared_limit)
        self.counts: dict[str, int] = {}
        self.notices: list[str] = []
        self.comparison = Comparison()
        self.held: dict[str, object] | None = None

    def run(self) -> Receipt:
        segments.check_option(self.session, self.plan.options.segment)
        pages = PageWriter(self.session, self.loader.keyset)
        rows = row_plan(self.session, self.loader.keyset, self.loader.settings, self.plan)
        with self.runner.timed(
            "read", "Read the file, check every cell, turn PII into tokens and sealed pages."
        ) as done:
            staged = stage_file(self.runner, self.plan, rows, pages, self.upload_no, self.loader.settings.slice_bytes)
            done(staged.lines)
        self._note(staged)
        error = self._refusal(staged)
        if error is None:
            self._compare()
            with self.runner.timed("protect", "Find the PII values that are new and seal them in pages.") as done:
                pages.prepare()
                done(None)
        self.session.run("BEGIN")
        try:
            receipt = self._failed(staged, error) if error else self._stored(staged, pages)
            if self.request_id is None:
                receipt = self._named(receipt)
                self.session.run("ROLLBACK")
                return receipt
            self._keep_end(receipt, staged.rejected)
            abort_point("commit", "before")
            self.session.run("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        abort_point("commit", "after")
        return receipt

    def _named(self, receipt: Receipt) -> Receipt:
        """A preview's rows are gone in a moment: who merges by which value is read from them now."""
        if receipt.identity is None:
            return receipt
        found = named(self.session, self.loader.keyset, receipt.identity, self.upload_no)
        return receipt.model_copy(update={"identity": found})

    def _roll_back(self) -> None:
        try:
            self.session.run("ROLLBACK")
        except OnrampError:
            pass  # the engine has rolled back already

    def _compare(self) -> None:
        """A file far from the former one is asked about before anything is stored; a preview says so and goes on."""
        self.comparison = drift.compare(self.runner, self.plan)
        self.notices += self.comparison.notices(self.plan)
        held = self.comparison.held(self.plan)
        if held is None:
            return
        if self.request_id is not None:
            raise held
        self.held = held.as_dict()

    def _refusal(self, staged: Staged) -> dict[str, object] | None:
        """Why the upload fails as a whole, or None."""
        own = self.plan.options.threshold_percent
        percent = self.plan.source.settings.threshold_percent if own is None else own
        whose = "the source" if own is None else "the schedule"
        data = staged.lines - staged.blank
        if percent is not None and staged.rejected * 100 > percent * data:
            return {
                "code": "too_many_rejects",
                "message": f"{staged.rejected:,} of {data:,} rows were rejected, more than {whose} allows "
                f"({percent:g} %). Nothing was loaded.",
                "hint": f"Fix the rejected rows, or raise the error threshold of {whose}.",
                "facts": {"rejected": staged.rejected, "rows": data, "threshold_percent": percent},
            }
        if staged.accepted == 0 and staged.suppressed == 0:
            what = "Every row was rejected." if staged.rejected else "The file has only blank lines."
            return {
                "code": "no_row_stored",
                "message": f"{what} Nothing was loaded.",
                "hint": "See the reasons, fix the file or the mapping, and load it again.",
                "facts": {"rejected": staged.rejected, "blank": staged.blank},
            }
        return None

    def _stored(self, staged: Staged, pages: PageWriter) -> Receipt:
        session, runner = self.session, self.runner
        self.counts["profiles_before"] = int(session.value("SELECT count(*) FROM profile"))
        with runner.timed("vault", "Keep the new values' sealed pages.", KEEP_VALUES) as done:
            done(pages.keep())
        must_be(runner.run(_APPEND) or 0, staged.accepted, "log")
        session.run(
            "CREATE OR REPLACE TEMP TABLE live_upload AS SELECT upload_no FROM upload WHERE is_live "
            f"UNION SELECT {self.upload_no}"
        )
        if self.plan.options.replace == "values":
            replacing.replace_values(self.runner, self.plan, self.fields, self.upload_no, self.loader.settings)
        else:
            self._resolve()
            self._fold()
        self._memberships()
        self._count(staged)
        self.joins.people(is_rebuilt=self.plan.options.replace == "values")
        with runner.timed("segments", "Put the people of this upload into the chosen segment.") as done:
            name = segments.apply_option(
                session, self.plan.options.segment, self.request_id or "preview", self.plan.uploaded_by
            )
            done(None)
        receipt = self._receipt(staged, "Completed", segment=name)
        return receipt.model_copy(update={"identity": self.joins.made(staged.left_out)})

    def _resolve(self) -> None:
        session, runner = self.session, self.runner
        runner.all(identity.meet(self.brought, self.loader.settings.shared_limit))
        runner.run(identity.land_primaries(self.brought))
        seeds = place_floating(runner, self.brought)
        self.counts["conflicts"] = self.joins.met()
        self.counts["shared"] = int(session.value("SELECT count(*) FROM newly_shared"))
        runner.all(identity.WRITE_IDENTITY)
        session.run("CREATE OR REPLACE TEMP TABLE regrouped (rid BIGINT, old_pid BIGINT, target BIGINT, pid BIGINT)")
        for table in ("token_place", "token_before"):
            session.run(f"CREATE OR REPLACE TEMP TABLE {table} (token UUID, pid BIGINT)")
        if seeds:
            resolve_again(runner, self.fields)
            session.run(
                "CREATE OR REPLACE TEMP TABLE landed AS SELECT rid, pid FROM resolution WHERE rid >= ?",
                [self.first_rid],
            )
        for sql in _REFOLD:
            session.run(sql)
        merged, apart = session.rows(_MOVES, [self.first_rid])[0]
        self.counts |= {"merged": int(merged), "came_apart": int(apart)}
        self.joins.regrouped(int(merged), int(apart))

    def _fold(self) -> None:
        session, runner = self.session, self.runner
        runner.all(profiles.fold(self.fields, mapped(self.plan)))
        session.run("CREATE OR REPLACE TEMP TABLE refold_profile AS FROM profile LIMIT 0")
        if not session.value("SELECT count(*) FROM refold"):
            return
        with runner.timed("regrouped profiles", "Fold the profiles whose rows were regrouped from the log.") as done:
            rules = rules_of(session, self.fields)
            own = {attribute.attribute_id: column for attribute, column in mapped(self.plan)}
            rules = type(rules)({**rules.by_upload, self.upload_no: own})
            session.run("INSERT INTO refold_profile FROM profile SEMI JOIN refold USING (pid)")
            session.run("DELETE FROM profile WHERE pid IN (SELECT old_pid FROM refold_old)")
            done(refold(session, self.fields, rules))
        for sql in memberships.REFOLD:
            session.run(sql)

    def _memberships(self) -> None:
        session, runner = self.session, self.runner
        source_id = self.plan.source.source_id
        runner.run(memberships.PERSONS)
        session.run(memberships.NEW_MEMBERS, [source_id])
        if self.plan.options.replace is not None:
            self.counts["memberships_ended"] = int(session.value(memberships.COUNT_ENDED, [source_id]))
            runner.run(memberships.END_EARLIER, [source_id])
        runner.run(memberships.ADD, [source_id, self.upload_no, source_id])
        self.counts["members"] = int(session.value("SELECT count(*) FROM membership WHERE source_id = ?", [source_id]))

    def _count(self, staged: Staged) -> None:
        session, counts = self.session, self.counts
        counts["stored"] = int(session.value("SELECT count(*) FROM person"))
        counts["duplicates"] = staged.accepted - counts["stored"]
        must_be(int(session.value("SELECT count(*) FROM landed")), staged.accepted, "rows with a profile")
        counts["profiles_after"] = int(session.value("SELECT count(*) FROM profile"))
        if self.plan.options.replace == "values":
            counts |= replacing.count_changes(session, counts)
        else:
            counts["created"] = int(session.value("SELECT count(*) FROM person WHERE pid >= ?", [self.first_rid]))
            counts["updated"] = int(session.value(_UPDATED, [self.first_rid]))
        change = counts["created"] - counts["merged"] + counts["came_apart"] - counts.get("removed", 0)
        must_be(counts["profiles_after"], counts["profiles_before"] + change, "profiles")
        self.runner.live |= {name: counts[name] for name in ("created", "updated")}
        counts["unchanged"] = counts["stored"] - counts["created"] - counts["updated"]
        if counts["duplicates"] * 5 > staged.accepted:
            self.notices.append(
                f"This looks like a list of events: {staged.accepted:,} rows are about {counts['stored']:,} people. "
                "Choose sum or count for amounts if you want totals per person."
            )

    def _note(self, staged: Staged) -> None:
        if left_out := staged.left_out.total():
            self.notices.append(f"{left_out:,} identifier cells hold placeholders and were left out.")
        if staged.emptied:
            self.notices.append(f"{staged.emptied:,} cells did not fit their type and were left empty.")
        self.notices += (*self.plan.facts.notices, *self.plan.dialect.notices)
        if not self.loader.settings.strict_header and (repaired := repaired_notice(self.plan.dialect.columns)):
            self.notices.append(repaired)
        if self.plan.resolved.ignored:
            self.notices.append(f"Columns not loaded: {', '.join(self.plan.resolved.ignored)}.")

    def _failed(self, staged: Staged, error: dict[str, object]) -> Receipt:
        profiles_now = int(self.session.value("SELECT count(*) FROM profile"))
        members = self.session.value(
            "SELECT count(*) FROM membership WHERE source_id = ?", [self.plan.source.source_id]
        )
        self.counts = {
            "withheld": staged.accepted + staged.suppressed,
            "profiles_before": profiles_now,
            "profiles_after": profiles_now,
            "members": int(members),
        }
        staged.suppressed = 0
        return self._receipt(staged, "Failed", error=error)

    def _receipt(
        self, staged: Staged, status: str, *, segment: str | None = None, error: dict[str, object] | None = None
    ) -> Receipt:
        plan = self.plan
        return Receipt(
            request_id=self.request_id,
            source=plan.source.name,
            file=plan.file.name,
            sha256=plan.facts.sha256,
            uploaded_by=plan.uploaded_by,
            status=status,
            badges=("Completed with rejects",) if status == "Completed" and staged.rejected else (),
            physical_lines=staged.physical_lines,
            lines=staged.lines,
            blank=staged.blank,
            rejected=staged.rejected,
            suppressed=staged.suppressed,
            **self.counts,
            segment=segment,
            rejects_by_reason=dict(sorted(staged.by_reason.items())),
            notices=tuple(self.notices),
            ignored_columns=plan.resolved.ignored,
            mapping_version=plan.mapping.version,
            error=error,
            drift=self.comparison.findings,
            held=self.held,
            steps=tuple(self.runner.reports),
            created_at=uploads.utc(self.started_at),
            started_at=uploads.utc(self.started_at),
            finished_at=uploads.utc(now()),
        )

    def _keep_end(self, receipt: Receipt, rejected: int) -> None:
        """Rejects, mapping version and end state, with the data."""
        session = self.session
        must_be(session.run("INSERT INTO reject SELECT * FROM stage_reject") or 0, rejected, "rejects")
        session.run("INSERT INTO vault_page SELECT * FROM stage_reject_page")
        detail = receipt.model_dump(include={"source", "status", "lines", "stored", "rejected", "profiles_after"})
        detail["approved_by"] = session.value(
            "SELECT approved_by FROM upload WHERE request_id = ?", [receipt.request_id]
        )
        write_audit(session, self.plan.uploaded_by, "load", receipt.request_id or "", detail)
        uploads.finish(session, receipt, mapping_version=self.plan.mapping.version or 0, upload_no=self.upload_no)
        if receipt.status == "Completed":
            segments.keep_counts(session, "load", receipt.request_id)


_APPEND = Step("log", "Append every accepted row to the record log.", "INSERT INTO record BY NAME SELECT * FROM stage")

_REFOLD = (
    "CREATE OR REPLACE TEMP TABLE moved_target AS SELECT DISTINCT target FROM regrouped WHERE old_pid <> pid",
    """CREATE OR REPLACE TEMP TABLE moved_from AS
SELECT DISTINCT old_pid FROM regrouped SEMI JOIN moved_target USING (target)""",
    """CREATE OR REPLACE TEMP TABLE refold_row AS
SELECT pid, rid, old_pid FROM regrouped
SEMI JOIN (SELECT DISTINCT target FROM regrouped SEMI JOIN moved_from USING (old_pid)) AS chosen USING (target)""",
    "CREATE OR REPLACE TEMP TABLE refold_old AS SELECT DISTINCT old_pid FROM refold_row",
    "CREATE OR REPLACE TEMP TABLE refold AS SELECT DISTINCT pid FROM refold_row",
)
"""Profiles whose set of rows changed, with every profile that lost a row to them: these are folded from the log."""

_MOVES = """
WITH edge AS (SELECT DISTINCT old_pid, pid FROM regrouped WHERE rid < ?)
SELECT count(*) - count(DISTINCT pid), count(*) - count(DISTINCT old_pid) FROM edge"""
"""Profiles that became one (edges − new profiles) and that came apart (edges − old profiles)."""

_UPDATED = """
WITH renamed AS (
    SELECT identity_new.token, met.old_pid, identity_new.pid AS new_pid
    FROM identity_new
    LEFT JOIN met ON met.token = identity_new.token
    ANTI JOIN token_place ON token_place.token = identity_new.token
    UNION ALL
    SELECT token_place.token, CASE WHEN identity_new.token IS NULL THEN token_before.pid ELSE met.old_pid END,
           token_place.pid
    FROM token_place
    JOIN token_before ON token_before.token = token_place.token
    LEFT JOIN identity_new ON identity_new.token = token_place.token
    LEFT JOIN met ON met.token = token_place.token
), moved AS (
    SELECT unnest([old_pid, new_pid]) AS pid FROM renamed WHERE old_pid IS DISTINCT FROM new_pid
)
SELECT count(*) FROM person WHERE pid < ? AND (
    pid IN (SELECT pid FROM merged WHERE is_changed)
    OR pid IN (SELECT pid FROM new_member)
    OR pid IN (SELECT pid FROM (FROM profile SEMI JOIN refold USING (pid) EXCEPT FROM refold_profile))
    OR pid IN (SELECT pid FROM moved WHERE pid IS NOT NULL)
)"""
"""People known before whose values, membership or identifiers are not what they were."""
