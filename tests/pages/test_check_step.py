"""Checking: each chip has its evidence and can be otherwise; one column in detail, its place in the URL."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from tests.pages.shown import texts


@pytest.fixture
def land(workspace, source):
    """land(bytes, name) → a draft with this file."""

    def landed(data, name="file.csv"):
        writer = workspace.landing.create(name, len(data))
        writer.write(data)
        draft_id = workspace.drafts.create(source.source_id)
        workspace.drafts.save(draft_id, {"landing_id": writer.finish(), "file": name, "size": len(data)})
        return draft_id

    return landed


def test_the_chips_tell_the_evidence(open_page, draft_id):
    said = texts(open_page("ingest", draft=draft_id, step="check")).replace("\\", "")
    assert "Found by its evidence" in said
    assert "5 lines** after the header" in said


def test_another_reading_is_saved_and_taken_back(open_page, workspace, land):
    draft_id = land(b"id;city\n1;Pune\n2;Delhi\n")
    page = open_page("ingest", draft=draft_id, step="check")
    page.radio(key="read_has_header_True").set_value(False).run()
    assert workspace.drafts.load(draft_id)["overrides"] == {"has_header": False}
    assert {metric.label: metric.value for metric in page.metric}["Rows"] == "3"
    assert "Chosen by you" in texts(page)
    page.button(key="as_found").click().run()
    assert workspace.drafts.load(draft_id)["overrides"] == {}
    assert {metric.label: metric.value for metric in page.metric}["Rows"] == "2"


def test_one_column_in_detail_is_in_the_url(open_page, draft_id):
    page = open_page("ingest", draft=draft_id, step="check", column="1")
    said = texts(page).replace("\\", "")
    assert "#### email_addr" in said
    assert "4 of 5 cells filled, 3 different" in said
    assert "personal data" in said
    assert page.query_params["column"] in ("1", ["1"])


def test_a_place_that_is_none_is_forgotten(open_page, draft_id):
    page = open_page("ingest", draft=draft_id, step="check", column="99")
    assert not page.exception
    assert "column" not in page.query_params


def test_names_that_are_read_otherwise_are_told(open_page, land):
    page = open_page("ingest", draft=land(b"id\tslot num\n1\t2\n"), step="check")
    assert r"slot num :orange[is read as slot\_num]" in texts(page)


def test_a_workbook_has_no_encoding_to_choose(open_page, workspace, source, tmp_path):
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl is not installed")
    book = openpyxl.Workbook()
    book.active.append(["crmid", "city"])
    book.active.append(["C1", "Pune"])
    book.save(tmp_path / "people.xlsx")
    file = PathSource(tmp_path / "people.xlsx")
    writer = workspace.landing.create(file.name, file.size)
    writer.write(file.path.read_bytes())
    draft_id = workspace.drafts.create(source.source_id)
    workspace.drafts.save(draft_id, {"landing_id": writer.finish(), "file": file.name, "size": file.size})
    page = open_page("ingest", draft=draft_id, step="check")
    assert "The first sheet of the workbook is read" in texts(page)
    assert not [radio for radio in page.radio if radio.key.startswith("read_encoding")]


NAUGHTY = "<img src=x onerror=alert(1)>\t![a](http://evil.example/x.png)\t:material_home: **b** $x$\tcity\n1\t2\t3\t4\n"


@pytest.mark.parametrize("column", ["0", "1", "2"])
def test_names_from_the_file_are_shown_as_they_are(open_page, land, column):
    page = open_page(
        "ingest", draft=land(NAUGHTY.encode(), "<b>![n](http://evil.example).tsv"), step="check", column=column
    )
    said = texts(page)
    assert "![" not in said.replace("\\!\\[", "")
    assert "<img" not in said.replace("\\<img", "")
    assert "**b**" not in said.replace(r"\*\*b\*\*", "")
