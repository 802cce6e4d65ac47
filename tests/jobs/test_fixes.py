"""Rejected rows, corrected and loaded as a child of their upload."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest_core.errors import OnrampError
from ingest_core.jobs import corrections
from ingest_core.jobs.corrections import BrokenRow
from ingest_core.models import SourceSettings

COLUMNS = {"crmid": "crmid", "email": "email", "town": "city"}
FILE = (
    "crmid\temail\ttown\n"
    "A1\tanna@example.com\tRome\n"
    "A2\tno address\tOslo\n"
    "A3\tcarl@example.com\n"
    "A4\td@e.com\tBonn\tmore\n"
)


@pytest.fixture
def parent(kernel):
    receipt = kernel.load(FILE, COLUMNS, segment="create:SPRING")
    assert receipt.rejected == 3
    return receipt.request_id


def done(kernel, request_id):
    kernel.workspace.jobs.run_waiting()
    return kernel.workspace.history.get(request_id)


def test_rejected_rows_come_as_cells_with_why(kernel, parent):
    rows = kernel.workspace.fixes.rows(parent)
    assert kernel.workspace.fixes.columns(parent) == ("crmid", "email", "town")
    assert [(row.line, row.codes, row.cells, row.surplus) for row in rows] == [
        (3, ("not_an_email",), ("A2", "no address", "Oslo"), ()),
        (4, ("missing_cell",), ("A3", "carl@example.com", ""), ()),
        (5, ("extra_cell",), ("A4", "d@e.com", "Bonn"), ("more",)),
    ]
    assert [row.line for row in kernel.workspace.fixes.rows(parent, code="missing_cell")] == [4]
    assert all(row.fix for row in rows)


def test_corrected_rows_are_a_child_upload_in_the_same_segment(kernel, parent):
    fixes = kernel.workspace.fixes
    child = done(kernel, fixes.load(parent, {3: ("A2", "ben@example.com", 'Os"lo, N')}, user="carla"))
    assert (child.status, child.stored, child.parent, child.uploaded_by) == ("Completed", 1, parent, "carla")
    assert child.segment == "SPRING"
    assert kernel.workspace.segments.count("SPRING") == 2
    assert kernel.values("crmid", "A2") == {"crmid": "A2", "email": "ben@example.com", "city": 'Os"lo, N'}
    assert kernel.workspace.history.get(parent).children == (child.request_id,)


def test_the_same_correction_twice_is_one_upload_and_one_that_is_still_wrong_is_rejected_again(kernel, parent):
    fixes = kernel.workspace.fixes
    first = fixes.load(parent, {3: ("A2", "still none", "Oslo"), 4: ("A3", "carl@example.com", "Rome")})
    assert fixes.load(parent, {4: ("A3", "carl@example.com", "Rome"), 3: ("A2", "still none", "Oslo")}) == first
    child = done(kernel, first)
    assert (child.stored, child.rejected) == (1, 1)
    assert fixes.rows(first)[0].cells == ("A2", "still none", "Oslo")
    grandchild = done(kernel, fixes.load(first, {2: ("A2", "ben@example.com", "Oslo")}))
    assert (grandchild.stored, grandchild.parent) == (1, first)


def test_a_child_neither_replaces_anybody_nor_is_it_what_files_are_compared_with(kernel, parent):
    people = "crmid\temail\ttown\n" + "".join(f"B{n}\tb{n}@example.com\tRome\n" for n in range(30)) + "B99\tx\tRome\n"
    replacing = kernel.load(people, COLUMNS, replace="members")
    child = done(kernel, kernel.workspace.fixes.load(replacing.request_id, {32: ("B99", "b99@example.com", "Rome")}))
    assert (child.members, child.memberships_ended, child.drift) == (31, 0, ())
    again = kernel.preview(people.replace("B9\t", "C9\t"), COLUMNS)
    assert [(d.what, d.before) for d in again.drift if d.what == "rows"] == [("rows", 30)]


@pytest.mark.parametrize(
    ("fixed", "code"),
    [({}, "nothing_fixed"), ({2: ("A1", "", "")}, "unknown_line"), ({3: ("A2", "ben@example.com")}, "bad_row")],
)
def test_what_is_no_correction_is_refused(kernel, parent, fixed, code):
    with pytest.raises(OnrampError) as caught:
        kernel.workspace.fixes.load(parent, fixed)
    assert caught.value.code == code
    assert kernel.workspace.landing.ids() == []


def test_an_upload_without_rejects_has_nothing_to_fix(kernel):
    good = kernel.load("crmid\nA1\n", {"crmid": "crmid"}).request_id
    with pytest.raises(OnrampError) as caught:
        kernel.workspace.fixes.load(good, {2: ("A1",)})
    assert caught.value.code == "nothing_to_fix"


def broken(kernel, parent, **options):
    return [row.line for row in kernel.workspace.fixes.rows(parent, **options)]


class TestWhatIsLeft:
    def test_a_row_that_a_child_stored_is_not_offered_again(self, kernel, parent):
        fixes = kernel.workspace.fixes
        child = fixes.load(parent, {3: ("A2", "ben@example.com", "Oslo"), 4: ("A3", "still none", "Rome")})
        assert {line: (c.request_id, c.is_loaded) for line, c in fixes.corrected(parent).items()} == {
            3: (child, False),
            4: (child, False),
        }
        done(kernel, child)
        assert {line: (c.request_id, c.is_loaded) for line, c in fixes.corrected(parent).items()} == {3: (child, True)}
        assert broken(kernel, parent) == fixes.lines(parent) == [4, 5]
        assert broken(kernel, parent, limit=1, offset=1) == [5]
        assert fixes.lines(parent, code="not_an_email") == []

    def test_a_row_is_left_again_when_its_child_is_undone(self, kernel, parent):
        fixed = {3: ("A2", "ben@example.com", "Oslo")}
        child = done(kernel, kernel.workspace.fixes.load(parent, fixed))
        kernel.workspace.undo.undo(child.request_id)
        assert broken(kernel, parent) == [3, 4, 5]
        again = done(kernel, kernel.workspace.fixes.load(parent, fixed))
        assert (again.request_id == child.request_id, again.stored) == (False, 1)

    def test_a_stopped_child_can_be_loaded_again(self, kernel, parent):
        fixes, fixed = kernel.workspace.fixes, {3: ("A2", "ben@example.com", "Oslo")}
        stopped = fixes.load(parent, fixed)
        kernel.workspace.jobs.stop(stopped)
        assert broken(kernel, parent) == [3, 4, 5]
        again = fixes.load(parent, fixed)
        assert again != stopped
        assert done(kernel, again).stored == 1

    def test_lines_are_those_of_the_parent_where_cells_hold_line_breaks(self, kernel, parent):
        fixes = kernel.workspace.fixes
        fixed = {3: ("A2", "ben@example.com", "Os\r\nlo"), 4: ("A3", "no mail", "Rome"), 5: ("A4", "d@e.com", "Bonn")}
        assert done(kernel, fixes.load(parent, fixed)).rejected == 1
        assert broken(kernel, parent) == [4]

    def test_a_row_cannot_be_corrected_twice(self, kernel, parent):
        child = done(kernel, kernel.workspace.fixes.load(parent, {3: ("A2", "ben@example.com", "Oslo")}))
        with pytest.raises(OnrampError) as caught:
            kernel.workspace.fixes.load(parent, {3: ("A2", "other@example.com", "Oslo")})
        assert (caught.value.code, caught.value.facts) == ("already_fixed", {"request_id": child.request_id})

    def test_rows_of_an_undone_upload_are_not_loaded(self, kernel, parent):
        kernel.workspace.undo.undo(parent)
        with pytest.raises(OnrampError) as caught:
            kernel.workspace.fixes.load(parent, {3: ("A2", "ben@example.com", "Oslo")})
        assert caught.value.code == "undone"

    def test_the_parent_knows_its_children_oldest_first(self, kernel, parent):
        fixes = kernel.workspace.fixes
        made = [
            done(kernel, fixes.load(parent, {line: (f"A{line}", f"a{line}@example.com", "")})).request_id
            for line in (3, 4)
        ]
        assert [child.request_id for child in kernel.workspace.history.children(parent)] == made
        assert kernel.workspace.history.get(parent).children == tuple(made)


class TestChecking:
    FIXED = {3: ("A2", "ben@example.com", "Oslo"), 4: ("A3", "still none", "Rome"), 5: ("", "", "Bonn")}

    def test_says_what_would_be_stored_and_why_the_rest_would_not(self, kernel, parent):
        before = kernel.workspace.digest()
        checked = kernel.workspace.fixes.check(parent, self.FIXED)
        assert (checked.receipt.stored, checked.receipt.rejected, checked.receipt.request_id) == (1, 2, None)
        assert {line: (wrong.codes, wrong.column) for line, wrong in checked.wrong.items()} == {
            4: (("not_an_email",), "email"),
            5: (("no_identifier",), "crmid"),
        }
        assert kernel.workspace.digest() == before
        assert len(kernel.workspace.history.list()) == 1
        assert kernel.workspace.landing.ids() == []

    def test_is_what_the_load_does(self, kernel, parent):
        checked = kernel.workspace.fixes.check(parent, self.FIXED)
        child = done(kernel, kernel.workspace.fixes.load(parent, self.FIXED))
        assert (child.stored, child.created) == (checked.receipt.stored, checked.receipt.created)
        assert child.rejects_by_reason == checked.receipt.rejects_by_reason

    def test_a_strict_source_does_not_hide_which_rows_are_right(self, kernel, parent):
        source = kernel.source()
        kernel.workspace.sources.update(source.source_id, settings=SourceSettings(threshold_percent=0))
        checked = kernel.workspace.fixes.check(parent, self.FIXED)
        assert (checked.receipt.status, sorted(checked.wrong)) == ("Failed", [4, 5])

    def test_the_segment_of_the_parent_may_be_gone(self, kernel, parent):
        kernel.workspace.segments.delete("SPRING")
        child = done(kernel, kernel.workspace.fixes.load(parent, {3: ("A2", "ben@example.com", "Oslo")}))
        assert (child.status, child.segment) == ("Completed", None)

    def test_at_once_in_this_thread_is_the_same_upload(self, kernel, parent):
        fixes, fixed = kernel.workspace.fixes, {3: ("A2", "ben@example.com", "Oslo")}
        child = fixes.load_now(parent, fixed)
        assert (child.status, child.parent, child.stored) == ("Completed", parent, 1)
        assert fixes.load_now(parent, fixed).request_id == fixes.load(parent, fixed) == child.request_id


class TestEdits:
    def test_are_kept_and_merged_with_those_of_another_page(self, kernel, parent):
        fixes = kernel.workspace.fixes
        fixes.keep(parent, {3: ("A2", "b", "Oslo")})
        assert fixes.keep(parent, {5: ("A4", "d", "Bonn")}) == fixes.edits(parent)
        assert fixes.edits(parent) == {3: ("A2", "b", "Oslo"), 5: ("A4", "d", "Bonn")}
        assert [row.cells for row in fixes.edited(parent, fixes.rows(parent))] == [
            ("A2", "b", "Oslo"),
            ("A3", "carl@example.com", ""),
            ("A4", "d", "Bonn"),
        ]

    def test_are_encrypted_and_end_with_the_last_one(self, kernel, parent):
        fixes = kernel.workspace.fixes
        fixes.keep(parent, {3: ("A2", "ben@example.com", "Oslo")})
        with kernel.workspace.engine.session() as session:
            sealed = bytes(session.value("SELECT state FROM draft"))
        assert b"ben" not in sealed
        assert fixes.keep(parent, {3: None}) == {}
        assert kernel.workspace.drafts.list() == []

    def test_are_each_persons_own(self, kernel, parent, home):
        kernel.workspace.fixes.keep(parent, {3: ("A2", "b", "Oslo")})
        carla = replace(kernel.workspace.fixes, user="carla")
        assert carla.edits(parent) == {}

    def test_are_out_of_sight_while_loaded_and_come_back_when_that_is_undone(self, kernel, parent):
        fixes, fixed = kernel.workspace.fixes, {3: ("A2", "ben@example.com", "Oslo")}
        fixes.keep(parent, fixed)
        child = done(kernel, fixes.load(parent, fixed))
        assert fixes.edits(parent) == {}
        kernel.workspace.undo.undo(child.request_id)
        assert fixes.edits(parent) == fixed

    def test_are_no_unfinished_ingest_of_a_source(self, kernel, parent):
        kernel.workspace.fixes.keep(parent, {3: ("A2", "b", "Oslo")})
        assert kernel.workspace.drafts.list(kernel.source().source_id) == []


class TestChangesToMany:
    ROWS = [
        BrokenRow(2, ("not_a_number",), "amount", "", "", ("A1", " 1,5 "), ()),
        BrokenRow(3, ("not_a_number",), "amount", "", "", ("A2", "1,234,5"), ()),
        BrokenRow(4, ("not_a_number",), "amount", "", "", ("A3", ""), ()),
    ]

    def test_only_rows_that_differ_are_changed(self):
        assert corrections.trimmed(self.ROWS, 1) == {2: ("A1", "1,5")}
        assert corrections.replaced(self.ROWS, 1, ",", ".") == {2: ("A1", " 1.5 "), 3: ("A2", "1.234.5")}
        assert corrections.emptied(self.ROWS, 1) == {2: ("A1", ""), 3: ("A2", "")}

    def test_nothing_is_found_in_nothing(self):
        assert corrections.replaced(self.ROWS, 1, "", "x") == {}
