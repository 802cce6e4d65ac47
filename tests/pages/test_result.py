"""The result of an upload: its tabs, its URL, its kin."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.shown import texts


@pytest.fixture
def second(workspace, source, receipt, tmp_path):
    """Another upload, into a segment of its own."""
    workspace.segments.add("CONTACTS", {"source": source.name})
    path = tmp_path / "more.tsv"
    path.write_text("cust_id\temail_addr\tfname\tdob\tcity\nC8\tlena@example.com\tLena\t25/04/1990\tPune\n", "utf-8")
    plan = workspace.plan(PathSource(path), source, None, Options(segment="create:SPRING"))
    return workspace.loads.load(plan)


def test_the_reason_comes_from_the_url_and_is_chosen_by_pill(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, reason="Not an e-mail address")
    assert list(page.dataframe[0].value["line"]) == [4]
    page.pills(key="reason").set_value("no_identifier").run()
    assert list(page.dataframe[0].value["line"]) == [5]


def test_a_closed_tab_keeps_the_reason(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="How it worked", reason="Not an e-mail address")
    assert page.pills(key="reason").value == "not_an_email"
    assert not page.dataframe


def test_segments_show_counts_before_and_after(open_page, second):
    page = open_page("upload", upload=second.request_id, tab="Segments")
    rows = page.dataframe[0].value.to_dict("records")
    assert [(row["name"], row["after"], row["change"]) for row in rows] == [
        ("CONTACTS", 3, "+1"),
        ("SPRING", 1, "new, +1"),
    ]
    assert rows[0]["before"] == 2
    assert "2 segments, 2 changed" in texts(page)


def test_who_became_one_is_told_as_before_the_load(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="Who became one")
    figures = {metric.label: metric.value for metric in page.metric}
    assert "Who becomes one with whom" in texts(page)
    assert receipt.merged == 0
    assert figures["Rejected"] == str(receipt.rejected)
    assert len(figures) > 5  # with those of the account


def test_without_a_segment_the_tab_says_so(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="Segments")
    assert "There was no segment" in texts(page)


def test_each_step_says_its_share_of_the_time(open_page, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="How it worked")
    assert all("of the time" in step.label for step in page.expander)
    assert f"{len(receipt.steps)} steps in" in texts(page)


def test_rejected_rows_that_are_not_kept_any_more_are_said_to_be_gone(open_page, workspace, receipt):
    with workspace.engine.session() as session:
        session.run("DELETE FROM reject")
    page = open_page("upload", upload=receipt.request_id)
    assert "not kept any more" in texts(page)
    assert not page.dataframe
