"""History: filters, pages, and the rows that were not stored with their original text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest_core.errors import InputError
from ingest_core.ledger.history import BADGES
from ingest_core.overview import Overview

COLUMNS = {"crmid": "crmid", "birth_date": {"attribute": "birth_date", "format": "YYYY-MM-DD"}}
BAD = "crmid\tbirth_date\nK1\t1990-01-01\n\t1990-01-01\nK2\tlast spring\n0\tsoon\nK3\nK4\t1991-01-01\n"


@pytest.fixture
def three(kernel):
    return [
        kernel.load("crmid\nK1\n", {"crmid": "crmid"}, "CRM"),
        kernel.load("crmid\n0\n", {"crmid": "crmid"}, "CRM"),
        kernel.load("crmid\nK2\n", {"crmid": "crmid"}, "Shop"),
    ]


def ids(receipts):
    return [receipt.request_id for receipt in receipts]


def test_newest_first_and_by_page(kernel, three):
    history = kernel.workspace.history
    newest_first = ids(three)[::-1]
    assert ids(history.list()) == newest_first
    assert ids(history.list(limit=2)) == newest_first[:2]
    assert ids(history.list(limit=2, offset=2)) == newest_first[2:]


def test_filters(kernel, three):
    history, (first, failed, shop) = kernel.workspace.history, ids(three)
    assert ids(history.list(source="crm")) == [failed, first]
    assert ids(history.list(status="Failed")) == [failed]
    assert ids(history.list(source="Shop", status="Completed", user="asha")) == [shop]
    assert history.list(user="bina") == history.list(source="' OR true --") == []
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert ids(history.list(since=tomorrow)) == []
    assert ids(history.list(until=tomorrow, since=three[0].created_at - timedelta(days=1))) == [shop, failed, first]


def test_badges_and_search(kernel, three):
    history, (first, failed, shop) = kernel.workspace.history, ids(three)
    bad = kernel.load("crmid\nK9\n0\n", {"crmid": "crmid"}, "Shop").request_id
    kernel.workspace.undo.undo(shop)
    assert ids(history.list(badge="Completed with rejects")) == [bad]
    assert ids(history.list(badge="Undone")) == [shop]
    assert history.list(badge="Cancelled") == history.list(badge="Replaced") == []
    assert history.list(badge="Waits for approval") == []
    assert ids(history.list(search=f" {first[-8:].lower()} ")) == [first]
    assert ids(history.list(search="PEOPLE", source="CRM")) == [failed, first]
    assert history.list(search="100%") == history.list(search="_") == []
    with pytest.raises(InputError) as caught:
        history.list(badge="Fine")
    assert caught.value.code == "no_such_badge"


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"status": "Failed"},
        {"user": "asha"},
        {"search": "people"},
        {"search": "nothing"},
        *({"badge": badge} for badge in BADGES),
    ],
)
def test_the_figures_by_day_count_the_uploads_of_the_list(kernel, three, filters):
    kernel.load("crmid\nK9\n0\n", {"crmid": "crmid"}, "Shop")
    kernel.workspace.undo.undo(three[0].request_id)
    kernel.load("crmid\nK8\n", {"crmid": "crmid"}, "Shop", replace="values")
    days = Overview(kernel.workspace.engine).history_days(**filters)
    assert sum(day.uploads for day in days) == len(kernel.workspace.history.list(**filters))


def test_an_unknown_upload_is_refused(kernel):
    for call in (kernel.workspace.history.get, kernel.workspace.history.rejects):
        with pytest.raises(InputError) as caught:
            call("nothing")
        assert caught.value.code == "no_such_upload"


class TestRejects:
    @pytest.fixture
    def upload(self, kernel):
        return kernel.load(BAD, COLUMNS)

    def test_have_line_column_reason_and_original_text(self, kernel, upload):
        found = kernel.workspace.history.rejects(upload.request_id)
        assert [(r.line, r.column, r.codes, r.text) for r in found] == [
            (3, "crmid", ("no_identifier",), "\t1990-01-01"),
            (4, "birth_date", ("not_a_date",), "K2\tlast spring"),
            (5, "crmid", ("blocked_identifier", "not_a_date"), "0\tsoon"),
            (6, "birth_date", ("missing_cell",), "K3"),
        ]
        for row in found:
            assert row.title
            assert row.fix
            assert row.message
        assert len(found) == upload.rejected == sum(upload.rejects_by_reason.values())

    def test_are_filtered_by_reason_and_paged(self, kernel, upload):
        rejects = kernel.workspace.history.rejects
        assert [r.line for r in rejects(upload.request_id, code="missing_cell")] == [6]
        assert [r.line for r in rejects(upload.request_id, limit=2, offset=1)] == [4, 5]
        assert rejects(upload.request_id, code="too_long") == []

    def test_and_accepted_rows_are_the_file(self, kernel, upload):
        lines = BAD.splitlines()
        for row in kernel.workspace.history.rejects(upload.request_id):
            assert lines[row.line - 1] == row.text
        with kernel.workspace.engine.session() as session:
            accepted = [rid & 0xFFFFFFFF for (rid,) in session.rows("SELECT rid FROM record ORDER BY rid")]
        assert accepted == [2, 7]

    def test_of_many_slices_keep_their_texts(self, home, tmp_path, monkeypatch):
        from ingest_core.workspace import Workspace
        from tests.workspaces import Kernel

        monkeypatch.setenv("ONRAMP_SLICE_BYTES", "2048")
        with Workspace.open(home) as workspace:
            kernel = Kernel(workspace, tmp_path)
            rows = [f"K{n}\tday {n}" if n % 3 else f"K{n}\t1990-01-01" for n in range(2000)]
            upload = kernel.load("crmid\tbirth_date\n" + "\n".join(rows) + "\n", COLUMNS)
            found = workspace.history.rejects(upload.request_id)
            assert [(r.line, r.text) for r in found] == [(n + 2, row) for n, row in enumerate(rows) if n % 3]

    def test_the_layout_says_how_the_file_was_read(self, kernel, upload):
        layout = kernel.workspace.history.layout(upload.request_id)
        assert (layout["delimiter"], layout["columns"], layout["quoting"]) == ("\t", ["crmid", "birth_date"], False)
        assert kernel.workspace.history.layout("nothing") == {}
