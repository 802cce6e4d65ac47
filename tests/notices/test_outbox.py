"""What happened and its notice are one: both are there, or neither."""

from __future__ import annotations

import json

import pytest

from ingest_core.errors import Held, OnrampError
from ingest_core.ledger import outbox
from ingest_core.ledger.outbox import Event, Letter
from ingest_core.models import Options, SourceSettings
from ingest_core.workspace import Workspace
from tests.workspaces import mapping_of

ASHA, RAVI = "asha@example.com", "ravi@example.com"
COLUMNS = {"crmid": "crmid", "city": "city"}
ROWS = "crmid\tcity\nK1\tPune\nK2\tAgra\n"


def told(workspace) -> list[tuple[str, str, str | None, str]]:
    """(kind, channel, recipient, state) in the order in which it happened."""
    with workspace.engine.session() as session:
        return session.rows(
            "SELECT kind, channel, recipient, state FROM notice JOIN notice_sending USING (notice_id) "
            "ORDER BY happened_at, kind DESC, recipient"
        )


def kinds(workspace) -> list[str]:
    return [kind for kind, *_ in told(workspace)]


def data(workspace, kind) -> dict:
    with workspace.engine.session() as session:
        return json.loads(session.value("SELECT data FROM notice WHERE kind = ?", [kind]))


class TestUpload:
    def test_each_recipient_is_told_of_start_and_end(self, kernel):
        receipt = kernel.load(ROWS, COLUMNS, notify=(ASHA, RAVI))
        assert told(kernel.workspace) == [
            ("upload_started", "mail", ASHA, "waiting"),
            ("upload_started", "mail", RAVI, "waiting"),
            ("upload_ended", "mail", ASHA, "waiting"),
            ("upload_ended", "mail", RAVI, "waiting"),
        ]
        end = data(kernel.workspace, "upload_ended")
        assert (end["request_id"], end["status"], end["lines"], end["stored"]) == (
            receipt.request_id,
            "Completed",
            2,
            2,
        )

    def test_nobody_is_told_where_nobody_is_named(self, kernel):
        kernel.load(ROWS, COLUMNS)
        assert told(kernel.workspace) == []

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ((), []),
            (("start",), ["upload_started"]),
            (("end",), ["upload_ended", "upload_undone", "upload_redone"]),
            (("processing",), []),
        ],
    )
    def test_the_source_says_of_what(self, kernel, wanted, expected):
        source = kernel.source()
        kernel.workspace.sources.update(source.source_id, settings=SourceSettings(notify_on=wanted))
        made = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.undo.undo(made.request_id)
        kernel.workspace.undo.redo(made.request_id)
        assert kinds(kernel.workspace) == expected

    def test_a_preview_tells_nothing(self, kernel):
        kernel.preview(ROWS, COLUMNS, notify=(ASHA,))
        made = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.undo.preview(made.request_id)
        assert kinds(kernel.workspace) == ["upload_started", "upload_ended"]

    def test_each_undo_is_told(self, kernel):
        made = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        for _ in range(2):
            kernel.workspace.undo.undo(made.request_id)
            kernel.workspace.undo.redo(made.request_id)
        assert kinds(kernel.workspace)[2:] == ["upload_undone", "upload_redone"] * 2

    def test_a_failed_upload_is_told_with_its_reasons(self, kernel):
        kernel.load("crmid\tcity\n\tPune\n", COLUMNS, notify=(ASHA,))
        end = data(kernel.workspace, "upload_ended")
        assert (end["status"], end["rejects_by_reason"], end["error"]["code"]) == (
            "Failed",
            {"no_identifier": 1},
            "no_row_stored",
        )

    def test_a_file_that_breaks_off_is_told(self, kernel, monkeypatch):
        monkeypatch.setenv("ONRAMP_FAULT", "commit:before:error")
        with pytest.raises(OnrampError):
            kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        assert kinds(kernel.workspace) == ["upload_started", "upload_ended"]
        assert data(kernel.workspace, "upload_ended")["error"]["code"] == "fault_injected"

    def test_no_content_of_the_file_is_in_a_notice(self, kernel):
        secret = "crmid\tcity\tZanzibar_column\nK1\tXanadu\tYonder\nK1\tXanadu\tYonder\n"
        kernel.load(secret, COLUMNS, notify=(ASHA,))
        with kernel.workspace.engine.session() as session:
            text = repr(session.rows("FROM notice")) + repr(session.rows("FROM notice_sending"))
        assert not any(word in text for word in ("Zanzibar", "Xanadu", "Yonder"))


class TestQueue:
    def submit(self, kernel, text=ROWS, key="k1", **options):
        source = kernel.source()
        return kernel.workspace.jobs.submit(
            kernel.land(text.encode()), source, mapping_of(COLUMNS), Options(notify=(ASHA,), **options),
            idempotency_key=key,
        )  # fmt: skip

    def test_it_is_told_when_it_begins_not_when_it_is_queued(self, kernel):
        self.submit(kernel)
        assert told(kernel.workspace) == []
        kernel.workspace.jobs.run_waiting()
        assert kinds(kernel.workspace) == ["upload_started", "upload_ended"]

    def test_stopped_before_it_began_is_told_as_an_end(self, kernel):
        request_id = self.submit(kernel)
        assert kernel.workspace.jobs.stop(request_id)
        assert kinds(kernel.workspace) == ["upload_ended"]
        assert data(kernel.workspace, "upload_ended")["badges"] == ["Cancelled"]

    def test_begun_again_after_a_crash_it_is_told_once(self, kernel, home):
        self.submit(kernel)
        with kernel.workspace.engine.session() as session:
            session.run("BEGIN")
            from ingest_core.ledger import uploads

            uploads.claim(session, session.value("SELECT request_id FROM upload"), "app")
            session.run("COMMIT")
        kernel.workspace.close()
        with Workspace.open(home) as reopened:
            reopened.jobs.run_waiting()
            assert kinds(reopened) == ["upload_started", "upload_ended"]

    def test_waiting_for_approval_is_told_and_the_end_after_it(self, kernel):
        source = kernel.source()
        kernel.load("".join(["crmid\tcity\n", *(f"K{i}\tPune\n" for i in range(100))]), COLUMNS)
        kernel.workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=10))
        request_id = self.submit(kernel)
        kernel.workspace.jobs.run_waiting()
        assert kinds(kernel.workspace) == ["upload_started", "upload_held"]
        assert data(kernel.workspace, "upload_held")["held"]["code"] == "unusual_file"
        assert kernel.workspace.jobs.approve(request_id, "asha")
        kernel.workspace.jobs.run_waiting()
        assert kinds(kernel.workspace) == ["upload_started", "upload_held", "upload_ended"]

    def test_refused_at_once_is_told_as_an_end(self, kernel):
        source = kernel.source()
        kernel.load("".join(["crmid\tcity\n", *(f"K{i}\tPune\n" for i in range(100))]), COLUMNS)
        kernel.workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=10))
        with pytest.raises(Held):
            kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        assert kinds(kernel.workspace) == ["upload_started", "upload_ended"]


class TestTell:
    EVENT = Event("schedule/7/2026-11-28", "schedule_failed", Letter(subject="S", title="T"), {}, (ASHA, RAVI, ASHA))

    def tell(self, workspace, event=EVENT):
        with workspace.engine.session() as session, session.transaction():
            return workspace.notices.tell(session, event)

    def test_the_same_key_twice_is_one_notice(self, workspace):
        assert self.tell(workspace) is not None
        assert self.tell(workspace) is None
        assert [row[2] for row in told(workspace)] == [ASHA, RAVI]

    def test_rolled_back_it_was_never_told(self, workspace):
        with workspace.engine.session() as session:
            session.run("BEGIN")
            assert workspace.notices.tell(session, self.EVENT)
            session.run("ROLLBACK")
        assert told(workspace) == []
        assert self.tell(workspace) is not None

    def test_the_webhook_is_told_of_everything_while_there_is_one(self, workspace):
        alone = Event("a", "schedule_failed", Letter(subject="S", title="T"))
        assert self.tell(workspace, alone) is None
        with workspace.engine.session() as session:
            outbox.hear(session, is_heard=True)
        assert self.tell(workspace, alone)
        assert told(workspace) == [("schedule_failed", "webhook", None, "waiting")]
        with workspace.engine.session() as session:
            outbox.hear(session, is_heard=False)
        assert self.tell(workspace, Event("b", "schedule_failed", Letter(subject="S", title="T"))) is None
