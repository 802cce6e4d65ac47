"""Rejected rows, corrected and loaded as a child of their upload."""

from __future__ import annotations

import pytest

from ingest_core.errors import OnrampError

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
