"""Strict policy in the wizard: repaired column names need a person's word, once; friendly only tells."""

from __future__ import annotations

import pytest

from tests.pages.shown import texts

FILE = b"cust id\te-mail\nC1\tasha@example.com\n"


@pytest.fixture
def draft_of(workspace, source):
    def drafting(data: bytes) -> str:
        writer = workspace.landing.create("people.tsv", len(data))
        writer.write(data)
        draft_id = workspace.drafts.create(source.source_id)
        state = {"landing_id": writer.finish(), "file": "people.tsv", "size": len(data)}
        workspace.drafts.save(draft_id, state)
        return draft_id

    return drafting


@pytest.fixture
def draft_id(draft_of):
    return draft_of(FILE)


@pytest.fixture
def check(open_page, draft_id):
    return lambda: open_page("ingest", draft=draft_id, step="check")


def test_strict_asks_before_it_goes_on_and_keeps_the_answer(check, workspace):
    page = check()
    assert "2 column names would be repaired" in texts(page)
    assert page.button(key="continue").disabled
    page.checkbox[0].check().run()
    assert not page.button(key="continue").disabled
    assert not check().button(key="continue").disabled  # also after a reload


def test_an_answer_is_for_these_names_only(check):
    check().checkbox[0].check().run()
    page = check()
    page.radio(key="read_encoding_utf-8").set_value("windows-1252").run()
    assert not page.button(key="continue").disabled  # the names are the same
    page.radio(key="read_delimiter_\t").set_value("|").run()
    assert "1 column name would be repaired" in texts(page)
    assert page.button(key="continue").disabled


def test_names_taken_for_an_earlier_file_are_not_asked_about(check, workspace, source, draft_id):
    found = workspace.inspect(workspace.landing.open(workspace.drafts.load(draft_id)["landing_id"]), source)
    workspace.mappings.save(source, workspace.suggest(found, source), [column.name for column in found.columns])
    page = check()
    assert "2 column names repaired as in an earlier file" in texts(page)
    assert not page.button(key="continue").disabled


def test_friendly_repairs_and_tells(check, workspace):
    workspace.configuration.set({"policy": "friendly"})
    page = check()
    assert not page.button(key="continue").disabled
    assert "column names were repaired" in texts(page)
    assert not page.checkbox


def test_a_refused_format_stops_here(open_page, workspace, draft_of):
    workspace.configuration.set({"other_formats": "refuse"})
    page = open_page("ingest", draft=draft_of(b"crmid,city\nC1,Pune\n"), step="check")
    assert page.button(key="continue").disabled
    assert "its cells are separated by commas" in texts(page)
