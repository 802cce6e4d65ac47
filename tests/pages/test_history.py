"""The history: filters, search and pages, all in the URL."""

from __future__ import annotations

import pytest

from tests.pages.shown import texts


def ids(page):
    return list(page.dataframe[0].value["request_id"]) if page.dataframe else []


@pytest.fixture
def many(workspace, receipt):
    """120 uploads: the one there is, and copies of it."""
    with workspace.engine.session() as session:
        session.run(
            "INSERT INTO upload BY NAME SELECT upload.* REPLACE "
            "(n AS upload_no, '20260101-' || lpad(n::VARCHAR, 8, '0') AS request_id, 'export_' || n || '.tsv' AS file) "
            "FROM upload, range(2, 121) AS numbers(n)"
        )
    return workspace


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"badge": "Completed with rejects"}, True),
        ({"badge": "Undone"}, False),
        ({"search_uploads": "CONTACTS"}, True),
        ({"search_uploads": "invoices"}, False),
        ({"status": "Completed", "badge": "Completed with rejects"}, True),
        ({"by_person": "Asha Menon"}, True),
    ],
)
def test_filters_are_in_the_url(open_page, receipt, params, found):
    assert ids(open_page("history", **params)) == ([receipt.request_id] if found else [])


def test_an_undone_upload_is_found_by_its_badge(open_page, workspace, receipt):
    workspace.undo.undo(receipt.request_id)
    assert ids(open_page("history", badge="Undone")) == [receipt.request_id]


def test_the_request_id_is_searched_too(open_page, receipt):
    assert ids(open_page("history", search_uploads=receipt.request_id[-6:].lower())) == [receipt.request_id]


def test_pages_are_in_the_url(open_page, many):
    assert len(ids(open_page("history"))) == 50
    last = open_page("history", history_page="3")
    assert len(ids(last)) == 20
    assert "101 to 120 of 120 uploads" in texts(last)


def test_a_page_that_is_not_there_is_no_fault(open_page, many):
    page = open_page("history", history_page="99")
    assert not page.error
    assert ids(page)


def test_another_filter_begins_at_its_first_page(open_page, many):
    page = open_page("history", history_page="3")
    page.text_input(key="search_uploads").set_value("export_").run()
    assert "1 to 50 of 119 uploads" in texts(page)
