"""The rules of a mapped column, each in a file of a few lines; the property tests judge everything together."""

from __future__ import annotations

import pytest

ROWS = "crmid\tvalue\n"


@pytest.fixture
def fold(kernel):
    """Uploads (a list of cells of one person each) under rules → the value of the profile, also after a rebuild."""
    kernel.workspace.attributes.add("text", "string")
    kernel.workspace.attributes.add("number", "number")
    kernel.workspace.attributes.add("day", "date")

    def folding(kind, *uploads, **rules):
        given = {"attribute": kind, **({"format": "YYYY-MM-DD"} if kind == "day" else {}), **rules}
        for cells in uploads:
            data = ROWS + "".join(f"K1\t{cell}\n" for cell in cells)
            kernel.load(data, {"crmid": "crmid", "value": given}, again=True)
        found = kernel.values("crmid", "K1").get(kind)
        before = kernel.workspace.digest()
        kernel.workspace.rebuild()
        assert kernel.workspace.digest() == before, "a rebuild gives the same"
        return found

    return folding


@pytest.mark.parametrize(
    ("combine", "kind", "cells", "expected"),
    [
        ("last", "text", ["a", "b", ""], "b"),
        ("first", "text", ["", "a", "b"], "a"),
        ("sum", "number", ["1.5", "", "2.25", "-0.75"], "3"),
        ("sum", "number", ["0.1", "0.2"], "0.3"),
        ("count", "number", ["x", "", "3", "y"], "3"),
        ("min", "number", ["10", "9", "", "100"], "9"),
        ("max", "number", ["10", "9", "100"], "100"),
        ("min", "day", ["2024-10-01", "2024-09-30"], "2024-09-30"),
        ("max", "day", ["2024-10-01", "", "2024-09-30"], "2024-10-01"),
        ("last", "text", ["", ""], None),
        ("sum", "number", ["", ""], None),
    ],
)
def test_lines_of_one_person_are_combined(fold, combine, kind, cells, expected):
    assert fold(kind, cells, combine=combine) == expected


@pytest.mark.parametrize(
    ("conflict", "uploads", "expected"),
    [
        ("newest", (["a"], ["b"]), "b"),
        ("keep", (["a"], ["b"]), "a"),
        ("newest", (["a"], [""]), "a"),
        ("keep", ([""], ["b"], ["c"]), "b"),
    ],
)
def test_a_stored_value_is_replaced_or_kept(fold, conflict, uploads, expected):
    assert fold("text", *uploads, conflict=conflict) == expected


@pytest.mark.parametrize(
    ("blank", "uploads", "expected"),
    [
        ("keep", (["a"], [""]), "a"),
        ("clear", (["a"], [""]), None),
        ("NULL", (["a"], ["NULL"]), None),
        ("NULL", (["a"], [""]), "a"),
        ("clear", (["a"], ["b", ""]), None),
        ("clear", (["a"], ["", "b"]), "b"),
        ("clear", (["a"], [""], ["c"]), "c"),
    ],
)
@pytest.mark.parametrize("conflict", ["newest", "keep"])
def test_a_blank_cell_keeps_or_clears(fold, blank, uploads, expected, conflict):
    if conflict == "keep" and uploads == (["a"], ["", "b"]):
        expected = "a"
    assert fold("text", *uploads, blank=blank, conflict=conflict) == expected


def test_a_column_that_is_not_in_the_file_touches_nothing(kernel):
    kernel.load("crmid\tcity\tfirst_name\nK1\tPune\tAsha\n", {n: n for n in ("crmid", "city", "first_name")})
    receipt = kernel.load(
        "crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": {"attribute": "city", "blank": "clear"}}
    )
    assert (receipt.unchanged, receipt.updated) == (1, 0)
    assert kernel.values("crmid", "K1") == {"crmid": "K1", "city": "Pune", "first_name": "Asha"}


def test_types_hold_in_the_profile_whatever_the_log_says(kernel):
    """Leading zeros survive in text, numbers are numbers, a total is not a word."""
    kernel.workspace.attributes.add("total", "number")
    kernel.load(
        "crmid\tpostal_code\ttotal\n007\t001122\t1234567890123456789.5\n",
        {"crmid": "crmid", "postal_code": "postal_code", "total": "total"},
    )
    assert kernel.values("crmid", "007") == {
        "crmid": "007", "postal_code": "001122", "total": "1234567890123456789.5",
    }  # fmt: skip


class TestDigest:
    COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}
    A = "crmid\temail\tcity\nK1\ta@example.in\tPune\n"
    B = "crmid\temail\tcity\nK2\tb@example.in\tGoa\n"

    def test_it_knows_no_ids_no_order_and_no_keys(self, kernel, tmp_path):
        from ingest_core.workspace import Workspace

        for data in (self.A, self.B):
            kernel.load(data, self.COLUMNS)
        with Workspace.open(tmp_path / "other") as other:
            mirrored = type(kernel)(other, kernel.folder)
            for data in (self.B, self.A):
                mirrored.load(data, self.COLUMNS)
            assert other.digest() == kernel.workspace.digest()
            assert other.digest()["profiles"] == other.digest()["memberships"] == 2

    @pytest.mark.parametrize(("old", "new"), [("Pune", "Goa"), ("a@", "c@"), ("K1", "k1")])
    def test_any_other_fact_is_another_digest(self, kernel, old, new):
        empty = kernel.workspace.digest()["digest"]
        kernel.load(self.A, self.COLUMNS)
        first = kernel.workspace.digest()["digest"]
        kernel.load(self.A.replace(old, new), self.COLUMNS, replace="values", again=True)
        assert len({empty, first, kernel.workspace.digest()["digest"]}) == 3

    def test_being_in_another_source_is_another_digest(self, kernel):
        kernel.load(self.A, self.COLUMNS)
        before = kernel.workspace.digest()["digest"]
        kernel.load(self.A, self.COLUMNS, "Shop")
        assert kernel.workspace.digest()["digest"] != before

    def test_reading_it_changes_nothing(self, kernel):
        kernel.load(self.A, self.COLUMNS)
        assert kernel.workspace.digest() == kernel.workspace.digest()
