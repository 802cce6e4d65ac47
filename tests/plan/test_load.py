"""Loads: receipts that add up, previews that are the load, failures that keep nothing."""

from __future__ import annotations

import pytest

from ingest_core.models import SourceSettings
from tests.workspaces import Workspace, counts

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city", "amount": "amount"}


@pytest.fixture(autouse=True)
def _amount(kernel):
    kernel.workspace.attributes.add("amount", "number")


def lines(*rows):
    return "crmid\temail\tcity\tamount\n" + "".join("\t".join(row) + "\n" for row in rows)


def query(kernel, sql):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql)


FIRST = lines(("K1", "a@example.in", "Pune", "1"), ("K2", "b@example.in", "Goa", "2"))
SECOND = lines(
    ("K1", "a@example.in", "Pune", "1"),  # unchanged
    ("K2", "", "Agra", ""),  # updated
    ("K3", "c@example.in", "", "3"),  # created
    ("K3", "", "Delhi", "4"),  # the same person again
    ("", "", "Pune", "1"),  # nobody
    ("K4", "", "", "many"),  # bad
    (" ",),  # blank
)


def test_a_receipt_counts_people_and_lines(kernel):
    kernel.load(FIRST, COLUMNS)
    receipt = kernel.load(SECOND, COLUMNS)
    assert counts(receipt) == {"lines": 7, "blank": 1, "stored": 3, "rejected": 2, "duplicates": 1}
    assert (receipt.created, receipt.updated, receipt.unchanged) == (1, 1, 1)
    assert (receipt.profiles_before, receipt.profiles_after, receipt.members) == (2, 3, 3)
    assert receipt.rejects_by_reason == {"no_identifier": 1, "not_a_number": 1}
    assert (receipt.status, receipt.badges) == ("Completed", ("Completed with rejects",))
    assert receipt.physical_lines == 7
    assert kernel.values("crmid", "K2") == {"crmid": "K2", "email": "b@example.in", "city": "Agra", "amount": "2"}
    assert kernel.values("crmid", "K3") == {"crmid": "K3", "email": "c@example.in", "city": "Delhi", "amount": "4"}


def test_what_history_shows_is_the_receipt(kernel):
    receipt = kernel.load(SECOND, COLUMNS)
    kept = kernel.workspace.history.get(receipt.request_id)
    left_out = {"created_at", "started_at"}  # the upload began before the load
    assert kept.model_dump(exclude=left_out) == receipt.model_dump(exclude=left_out)


def test_a_preview_counts_what_the_load_counts_and_leaves_nothing(kernel):
    kernel.load(FIRST, COLUMNS)
    before = (kernel.workspace.digest(), query(kernel, "SELECT count(*) FROM vault_page"))
    preview = kernel.preview(SECOND, COLUMNS, segment="create:PREVIEWED")
    assert (kernel.workspace.digest(), query(kernel, "SELECT count(*) FROM vault_page")) == before
    assert preview.request_id is None
    assert len(kernel.workspace.history.list()) == 1
    assert kernel.workspace.segments.list() == []
    assert kernel.workspace.mappings.all(kernel.source())[0].version == 1
    receipt = kernel.load(SECOND, COLUMNS, segment="create:PREVIEWED")
    other = {"request_id", "steps", "created_at", "started_at", "finished_at", "mapping_version"}
    assert preview.model_dump(exclude=other) == receipt.model_dump(exclude=other)
    assert [step.name for step in preview.steps] == [step.name for step in receipt.steps]
    assert kernel.workspace.segments.count("PREVIEWED") == 3


class TestFailing:
    def test_every_row_rejected_is_failed(self, kernel):
        kernel.load(FIRST, COLUMNS)
        before = kernel.workspace.digest()
        receipt = kernel.load(lines(("", "", "Pune", "1"), ("0", "", "Goa", "1")), COLUMNS)
        assert counts(receipt) == {"lines": 2, "rejected": 2}
        assert (receipt.status, receipt.error["code"], receipt.badges) == ("Failed", "no_row_stored", ())
        assert (receipt.profiles_before, receipt.profiles_after) == (2, 2)
        assert kernel.workspace.digest() == before
        assert len(kernel.workspace.history.rejects(receipt.request_id)) == 2

    @pytest.mark.parametrize(
        ("percent", "status"),
        [(None, "Completed"), (100, "Completed"), (5, "Completed"), (4.9, "Failed"), (0, "Failed")],
    )  # fmt: skip
    def test_the_threshold_of_the_source_decides(self, kernel, percent, status):
        """1 of 20 rows is 5 %: allowed at 5. Blank lines are no rows."""
        source = kernel.source()
        kernel.workspace.sources.update(source.source_id, settings=SourceSettings(threshold_percent=percent))
        rows = [(f"K{n}", "", "", "1") for n in range(19)]
        receipt = kernel.load(lines(*rows, ("K99", "", "", "bad"), ("",), ("",)), COLUMNS)
        assert receipt.status == status
        if status == "Failed":
            assert counts(receipt) == {"lines": 22, "blank": 2, "rejected": 1, "withheld": 19}
            assert receipt.error["code"] == "too_many_rejects"
            assert receipt.error["facts"] == {"rejected": 1, "rows": 20, "threshold_percent": percent}
            assert query(kernel, "SELECT count(*) FROM record") == [(0,)]
        else:
            assert counts(receipt) == {"lines": 22, "blank": 2, "stored": 19, "rejected": 1}

    def test_strict_lets_a_clean_file_pass(self, kernel):
        kernel.workspace.sources.update(kernel.source().source_id, settings=SourceSettings(threshold_percent=0))
        assert kernel.load(FIRST, COLUMNS).status == "Completed"

    def test_a_failed_upload_makes_no_segment_and_ends_no_membership(self, kernel):
        kernel.load(FIRST, COLUMNS)
        bad = lines(("", "", "", ""), ("0", "", "", ""))
        receipt = kernel.load(bad, COLUMNS, replace="values", segment="create:NOBODY")
        assert (receipt.status, receipt.members, receipt.memberships_ended) == ("Failed", 2, 0)
        assert kernel.workspace.segments.list() == []
        assert kernel.values("crmid", "K1")["city"] == "Pune"

    def test_a_preview_of_a_failure_leaves_no_trace(self, kernel):
        preview = kernel.preview(lines(("", "", "", "")), COLUMNS)
        assert (preview.status, preview.request_id) == ("Failed", None)
        assert kernel.workspace.history.list() == []
        assert query(kernel, "SELECT (SELECT count(*) FROM reject), (SELECT count(*) FROM vault_page)") == [(0, 0)]


class TestReplacing:
    def test_members_end_the_memberships_of_others_and_keep_their_values(self, kernel):
        kernel.load(FIRST, COLUMNS)
        receipt = kernel.load(lines(("K2", "", "Agra", ""), ("K9", "", "", "9")), COLUMNS, replace="members")
        assert (receipt.memberships_ended, receipt.members) == (1, 2)
        assert kernel.values("crmid", "K1")["city"] == "Pune"
        assert kernel.values("crmid", "K2") == {"crmid": "K2", "email": "b@example.in", "city": "Agra", "amount": "2"}
        assert kernel.workspace.profiles.show("crmid", "K1")["sources"] == []

    def test_values_make_the_earlier_uploads_of_the_source_count_for_nothing(self, kernel):
        first = kernel.load(FIRST, COLUMNS)
        kernel.load(lines(("K1", "", "Shop city", "")), COLUMNS, "Shop")
        receipt = kernel.load(lines(("K2", "", "Agra", ""), ("K9", "", "", "9")), COLUMNS, replace="values")
        assert counts(receipt) == {"lines": 2, "stored": 2}
        assert (receipt.created, receipt.updated, receipt.removed) == (1, 1, 0)
        assert kernel.values("crmid", "K1") == {"crmid": "K1", "city": "Shop city"}
        assert kernel.values("crmid", "K2") == {"crmid": "K2", "city": "Agra"}
        kept = kernel.workspace.history.get(first.request_id)
        assert (kept.status, kept.badges, kept.stored) == ("Completed", ("Replaced",), 2)

    def test_values_of_people_nobody_else_names_are_gone(self, kernel):
        kernel.load(FIRST, COLUMNS)
        receipt = kernel.load(lines(("K9", "", "", "9")), COLUMNS, replace="values")
        assert (receipt.profiles_before, receipt.profiles_after, receipt.removed, receipt.created) == (2, 1, 2, 1)

    def test_what_was_replaced_can_be_loaded_again(self, kernel):
        kernel.load(FIRST, COLUMNS)
        kernel.load(lines(("K9", "", "", "9")), COLUMNS, replace="values")
        assert kernel.load(FIRST, COLUMNS).created == 2

    def test_replacing_is_as_if_the_earlier_files_never_came(self, kernel, tmp_path):
        kernel.load(FIRST, COLUMNS)
        kernel.load(SECOND, COLUMNS, replace="values")
        with Workspace.open(tmp_path / "other") as other:
            other.attributes.add("amount", "number")
            fresh = type(kernel)(other, kernel.folder)
            fresh.load(SECOND, COLUMNS)
            assert fresh.workspace.digest() == kernel.workspace.digest()


class TestSteps:
    def test_every_step_of_every_kind_of_load_says_what_it_is(self, kernel):
        receipts = [kernel.load(FIRST, COLUMNS), kernel.load(SECOND, COLUMNS, replace="values", segment="create:A")]
        for receipt in receipts:
            names = [step.name for step in receipt.steps]
            assert names[0] == "read"
            assert names.index("protect") < names.index("log")
            assert names[-1] == "segments"
            for step in receipt.steps:
                assert step.purpose[0].isupper()
                assert step.purpose.endswith(".")
        (log,) = [step for step in receipts[0].steps if step.name == "log"]
        assert log.rows == 2

    def test_no_step_holds_a_value_of_the_file(self, kernel):
        receipt = kernel.load(SECOND, COLUMNS)
        text = "".join(step.sql for step in receipt.steps)
        for value in ("example.in", "Delhi", "K3", "many"):
            assert value not in text


def test_a_list_of_events_is_said_loudly(kernel):
    rows = [("K1", "", "", "1")] * 3 + [("K2", "", "", "1")]
    receipt = kernel.load(lines(*rows), {**COLUMNS, "amount": {"attribute": "amount", "combine": "sum"}})
    assert receipt.notices[0].startswith("This looks like a list of events: 4 rows are about 2 people.")
    assert kernel.values("crmid", "K1")["amount"] == "3"


def test_left_out_and_emptied_cells_are_noted(kernel):
    rules = {**COLUMNS, "amount": {"attribute": "amount", "bad_cell": "empty"}}
    receipt = kernel.load(lines(("K1", "none@none.com", "", "x"), ("K2", "", "", "y")), rules)
    assert receipt.notices[:2] == (
        "1 identifier cells hold placeholders and were left out.",
        "2 cells did not fit their type and were left empty.",
    )
