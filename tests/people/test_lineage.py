"""Each value names its upload, file, line and time; the history of a value says what every upload did to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from ingest_core.errors import InputError
from ingest_core.people.people import profile_id
from tests.property.conftest import templates
from tests.property.files import judged, uploads
from tests.property.product import FIELDS, Product, Templates
from tests.property.reference import Cleared, Column, Key, Reference, Upload, combine, read

__all__ = ["templates"]  # a fixture

LIMIT = 2
COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def history(kernel, attribute, by="K1", **options):
    """The short form of a history: (value, upload, line, effect, is_current), newest first."""
    found = kernel.workspace.profiles.value_history("crmid", by, attribute, **options)
    ids = [receipt.request_id for receipt in reversed(kernel.workspace.history.list())]
    return [(e["value"], ids.index(e["request_id"]), e["line"], e["effect"], e["is_current"]) for e in found]


def origin(kernel, attribute, by="K1"):
    return kernel.workspace.profiles.show("crmid", by)["attributes"][attribute]


def test_a_value_names_file_and_time_of_its_upload(kernel):
    before = datetime.now(UTC)
    kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"}, name="march.tsv")
    receipt = kernel.workspace.history.list()[0]
    entry = origin(kernel, "city")
    assert (entry["request_id"], entry["file"], entry["line"]) == (receipt.request_id, "march.tsv", 2)
    assert before <= entry["at"] == receipt.finished_at


class TestLines:
    """Which line holds a value that was made of several."""

    @pytest.fixture(autouse=True)
    def _attributes(self, kernel):
        kernel.workspace.attributes.add("total", "number")
        kernel.workspace.attributes.add("visits", "integer")
        kernel.workspace.attributes.add("day", "date")

    @pytest.mark.parametrize(
        ("rule", "kind", "cells", "expected"),
        [
            ("min", "total", ["10", "9", "100", "9"], ("9", 3, 1)),
            ("max", "total", ["10", "100", "9", "100"], ("100", 3, 1)),
            ("max", "total", ["9", "10", ""], ("10", 3, 1)),  # as numbers, not as text
            ("min", "day", ["2024-10-01", "2024-09-30", "2024-10-02"], ("2024-09-30", 3, 1)),
            ("sum", "total", ["1.5", "", "2.25", ""], ("3.75", 4, 2)),
            ("count", "visits", ["x", "", "y", ""], ("2", 4, 2)),
            ("sum", "total", ["7", ""], ("7", 2, 1)),
            ("first", "total", ["", "1", "2"], ("1", 3, 1)),
            ("last", "total", ["1", "2", ""], ("2", 3, 1)),
        ],
    )
    def test_the_line_that_holds_a_combined_value_is_named(self, kernel, rule, kind, cells, expected):
        kernel.load(
            "crmid\tv\n" + "".join(f"K1\t{cell}\n" for cell in cells),
            {"crmid": "crmid", "v": {"attribute": kind, "combine": rule}},
        )
        entry = origin(kernel, kind)
        assert (entry["value"], entry["line"], entry["lines"]) == expected

    def test_a_cell_that_clears_holds_no_minimum(self, kernel):
        rules = {"attribute": "total", "combine": "min", "blank": "NULL"}
        kernel.load("crmid\tv\nK1\t5\nK1\tNULL\n", {"crmid": "crmid", "v": rules})
        assert origin(kernel, "total")["line"] == 2

    def test_a_sum_that_no_number_holds_is_in_the_history_and_sets_nothing(self, kernel):
        columns = {"crmid": "crmid", "v": {"attribute": "visits", "combine": "sum"}}
        kernel.load("crmid\tv\nK1\t3\n", columns)
        kernel.load("crmid\tv\n" + 10 * f"K1\t{10**18 - 1}\n", columns)
        assert history(kernel, "visits") == [(None, 1, 11, "does not fit", False), ("3", 0, 2, "set", True)]


class TestHistory:
    def test_it_says_what_each_upload_did_newest_first(self, kernel):
        kernel.workspace.attributes.add("total", "number")
        for cells, rules in (
            (["a"], {}),
            (["b"], {"conflict": "keep"}),
            ([""], {"blank": "clear"}),
            (["c"], {"conflict": "keep"}),
            (["d", "e"], {"combine": "first"}),
        ):
            rows = "".join(f"K1\t{cell}\n" for cell in cells)
            kernel.load(f"crmid\tcity\n{rows}", {"crmid": "crmid", "city": {"attribute": "city", **rules}}, again=True)
        assert history(kernel, "city") == [
            ("d", 4, 2, "set", True),
            ("c", 3, 2, "set", False),
            (None, 2, 2, "cleared", False),
            ("b", 1, 2, "kept out", False),
            ("a", 0, 2, "set", False),
        ]

    def test_a_sum_of_several_lines_is_combined(self, kernel):
        kernel.workspace.attributes.add("total", "number")
        columns = {"crmid": "crmid", "v": {"attribute": "total", "combine": "sum"}}
        kernel.load("crmid\tv\nK1\t1.5\nK1\t2.5\n", columns)
        (entry,) = kernel.workspace.profiles.value_history("crmid", "K1", "total")
        assert (entry["value"], entry["effect"], entry["lines"]) == ("4", "combined", 2)

    def test_nothing_is_current_of_a_value_that_was_cleared(self, kernel):
        columns = {"crmid": "crmid", "city": {"attribute": "city", "blank": "clear"}}
        kernel.load("crmid\tcity\nK1\tPune\n", columns)
        kernel.load("crmid\tcity\nK1\t\n", columns)
        assert not any(is_current for *_, is_current in history(kernel, "city"))

    def test_an_entry_names_attribute_source_and_file(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"}, "Shop", name="orders.csv")
        found = kernel.workspace.profiles.value_history("crmid", "K1")
        assert [(e["attribute"], e["value"], e["source"], e["file"]) for e in found] == [
            ("crmid", "K1", "Shop", "orders.csv"),
            ("city", "Pune", "Shop", "orders.csv"),
        ]

    def test_after_a_merge_the_rows_of_both_are_one_history(self, kernel):
        kernel.load("crmid\temail\tcity\n\ta@example.in\tPune\n", COLUMNS)
        kernel.load("crmid\temail\tcity\nK1\t\tGoa\n", COLUMNS)
        kernel.load("crmid\temail\tcity\nK1\ta@example.in\t\n", COLUMNS)
        assert history(kernel, "city") == [("Goa", 1, 2, "set", True), ("Pune", 0, 2, "set", False)]
        assert origin(kernel, "city")["value"] == "Goa"

    def test_an_upload_that_was_replaced_said_nothing(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        kernel.load("crmid\tcity\nK1\tGoa\n", {"crmid": "crmid", "city": "city"}, replace="values")
        assert history(kernel, "city") == [("Goa", 1, 2, "set", True)]

    def test_members_that_a_file_ended_keep_their_history(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        kernel.load("crmid\tcity\nK2\tGoa\n", {"crmid": "crmid", "city": "city"}, replace="members")
        assert history(kernel, "city") == [("Pune", 0, 2, "set", True)]

    def test_pii_is_masked_unless_revealed_and_revealing_is_on_the_record(self, kernel):
        kernel.load("crmid\temail\tcity\nK1\tpriya@example.in\tPune\n", COLUMNS)
        masked = json.dumps(kernel.workspace.profiles.value_history("crmid", "K1"), default=str)
        assert "priya" not in masked
        assert history(kernel, "email", reveal=True) == [("priya@example.in", 0, 2, "set", True)]
        with kernel.workspace.engine.session() as session:
            ((what, detail),) = session.rows("SELECT object, detail FROM audit WHERE action = 'reveal'")
        assert (what, json.loads(detail)) == ("1-2", {"by": "crmid", "history": "email"})

    @pytest.mark.parametrize(
        ("by", "attribute", "code"),
        [("K9", "city", "no_such_profile"), ("K1", "shoe_size", "unknown_attribute"), ("", None, "bad_value")],
    )
    def test_who_or_what_is_not_there_is_said(self, kernel, by, attribute, code):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        with pytest.raises(InputError) as caught:
            kernel.workspace.profiles.value_history("crmid", by, attribute, reveal=True)
        assert caught.value.code == code


# ── against the reference ───────────────────────────────────────────────────────────────────────────────


@judged(15)
@given(made=uploads())
def test_lineage_agrees_with_the_reference(templates: Templates, made: list[Upload]) -> None:
    """Every value of everybody names the very lines from which a plain reading of all files gets it."""
    with templates.workspace(shared_limit=LIMIT, threads=2) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for upload in made:
            reference.load(upload)
            product.load(upload)
        numbers = {number: upload for upload, number in product._upload_of.items()}
        for person in reference.state.values():
            for by, value in sorted(person.identifiers)[:1]:
                expected = expected_entries(reference.live, person.records)
                found = product.ws.profiles.value_history(by, value, reveal=True)
                assert entries(product, found) == expected
                shown = product.ws.profiles.show(by, value, reveal=True)
                assert shown["profile_id"] == profile_id(numbers[min(person.records)[0]] << 32 | min(person.records)[1])
                assert {n: as_text(v) for n, v in person.values.items()} == {
                    n: entry["value"] for n, entry in shown["attributes"].items()
                }
                current = {e["attribute"]: e for e in found if e["is_current"]}
                assert current.keys() == shown["attributes"].keys()
                for name, entry in shown["attributes"].items():
                    assert {k: current[name][k] for k in entry} == entry


def entries(product: Product, found: list[dict[str, object]]) -> list[tuple[object, ...]]:
    """(upload, attribute, value, line, lines, effect, is_current), sorted."""
    rows = product.rows("SELECT request_id, upload_no FROM upload WHERE upload_no IS NOT NULL")
    of = {request_id: product._upload_of[number] for request_id, number in rows}
    names = ("attribute", "value", "line", "lines", "effect", "is_current")
    assert [of[str(e["request_id"])] for e in found] == sorted((of[str(e["request_id"])] for e in found), reverse=True)
    return sorted((of[str(e["request_id"])], *(e[name] for name in names)) for e in found)


def expected_entries(live: list[Upload], records: frozenset[Key]) -> list[tuple[object, ...]]:
    """The same from the raw files, by the rules as documented."""
    made: list[list[object]] = []
    current: dict[str, list[object]] = {}
    for upload in live:
        own = [record for record in read(upload).records if record.key in records]
        for column in upload.columns:
            name = column.field.name
            said = [(record.key[1], record.cells[name]) for record in own if name in record.cells]
            if not said:
                continue
            value = combine([cell for _, cell in said], column.combine)
            line, lines = holder(column, said, value)
            entry = [upload.number, name, as_text(value), line, lines, "set", False]
            made.append(entry)
            if value is None:
                entry[5] = "does not fit"
            elif isinstance(value, Cleared):
                entry[5] = "cleared"
                current.pop(name, None)
            elif column.conflict == "keep" and name in current:
                entry[5] = "kept out"
            else:
                entry[5] = "combined" if lines > 1 else "set"
                current[name] = entry
    for entry in current.values():
        entry[6] = True
    return sorted(tuple(entry) for entry in made)


def holder(column: Column, said: list[tuple[int, object]], value: object) -> tuple[int, int]:
    """The line that holds a combined value, and how many lines made it."""
    filled = [line for line, cell in said if not isinstance(cell, Cleared)]
    if column.combine in ("sum", "count"):
        return (filled[-1], len(filled)) if filled else (said[-1][0], 1)
    if column.combine in ("min", "max") and filled:
        return min(line for line, cell in said if cell == value), 1
    return said[0 if column.combine == "first" else -1][0], 1


def as_text(value: object) -> str | None:
    if value is None or isinstance(value, Cleared):
        return None
    return format(value.normalize() + 0, "f") if isinstance(value, Decimal) else str(value)
