"""The row function: cells in, typed text, tokens and rejects out."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.models import LineReject
from ingest_core.vault import CLEARED, token, tokens
from tests.plan.conftest import KEYS

NAMES = ("crmid", "email", "phone", "first_name", "city", "amount", "slot")


def tok(attribute_id, value):
    return token(KEYS.token_key(attribute_id), value)


def column(batch, name):
    return batch.table.column(name).to_pylist()


def codes(batch):
    return [(reject.line, reject.codes) for reject in batch.rejects]


def test_accepted_rows_carry_tokens_where_the_file_had_pii(convert):
    row = ("K1", " Priya@Example.IN ", "98765 43210", "Priya", " Pune ", "1,200.50", "007")
    batch = convert(NAMES, row, rules={"amount": {"format": None}})
    assert batch.rejects == []
    assert batch.table.column_names == ["line", "a1", "i1", "a2", "a3", "a4", "a5", "a6", "a7"]
    assert batch.table.to_pylist() == [
        {
            "line": 2, "a1": "K1", "i1": tok(1, "K1"), "a2": tok(2, "priya@example.in"), "a3": tok(3, "+919876543210"),
            "a4": tok(4, "Priya"), "a5": "Pune", "a6": "1200.5", "a7": "7",
        }
    ]  # fmt: skip
    assert [(a, t.to_pylist(), v.to_pylist()) for a, t, v in batch.values] == [
        (2, [tok(2, "priya@example.in")], ["priya@example.in"]),
        (3, [tok(3, "+919876543210")], ["+919876543210"]),
        (4, [tok(4, "Priya")], ["Priya"]),
    ]


def test_values_for_the_vault_are_distinct_and_only_of_accepted_rows(convert):
    batch = convert(
        ("crmid", "first_name", "slot"),
        ("K1", "Asha", "1"), ("K2", "Asha", "2"), ("K3", "Bina", "3"), ("K4", "Cy", "x"),
    )  # fmt: skip
    ((_, distinct, values),) = batch.values
    assert sorted(values.to_pylist()) == ["Asha", "Bina"]
    assert len(distinct) == 2
    assert codes(batch) == [(5, ("not_an_integer",))]


@pytest.mark.parametrize(
    "cell", ["0000000000", "0", "000-000", "-", "-1", "null", "NULL", "none", "n/a", "N/A", "Anonymous"]
)
@pytest.mark.parametrize("name", ["crmid", "device"])
def test_placeholders_identify_nobody(convert, name, cell):
    batch = convert((name, "city"), (cell, "Pune"), ("K1234", "Goa"))
    assert codes(batch) == [(2, ("blocked_identifier",))]
    assert batch.left_out.total() == 1
    assert column(batch, "line") == [3]


def test_cells_that_identify_nobody_are_counted_by_why(convert):
    batch = convert(
        ("crmid", "email", "phone", "device"),
        ("K1", "none@none.com", "0000000000", "abc"),
        ("K2", "TEST@x.com", "9999999999", "n/a"),
        ("K3", "anna@example.com", "12", "-1"),
    )
    assert batch.left_out == {
        ("email", "an address such as none@… or test@…"): 2,
        ("phone", "only zeros or dashes"): 1,
        ("phone", "one digit again and again"): 1,
        ("device", "fewer than 4 characters"): 1,
        ("device", "a word such as none or n/a"): 1,
        ("device", "-1"): 1,
    }


@pytest.mark.parametrize(
    "mail", ["none@none.com", "test@x.com", "TEST@X.COM", "null@a.b", "n/a@x.de", "anonymous@x.in"]
)
def test_placeholder_mails_identify_nobody(convert, mail):
    batch = convert(("crmid", "email"), ("K1", mail), ("", mail))
    assert column(batch, "a2") == [None]
    assert codes(batch) == [(3, ("blocked_identifier",))]
    assert [values.to_pylist() for _, _, values in batch.values] == [[]]


@pytest.mark.parametrize(
    ("phone", "is_usable"),
    [("0000000000", False), ("9999999999", False), ("+91 99999 99999", True), ("9876543210", True), ("-1", False)],
)
def test_placeholder_phones_identify_nobody(convert, phone, is_usable):
    batch = convert(("crmid", "phone"), ("K1", phone))
    assert (column(batch, "a3") != [None]) is is_usable


@pytest.mark.parametrize(
    ("cell", "is_usable"),
    [
        ("11111", True),
        ("1", True),
        ("7", True),
        ("1111111111", False),
        ("22222222222", False),
        ("0", False),
        ("ab", True),
    ],
)
def test_a_primary_may_be_short_and_of_equal_digits(convert, cell, is_usable):
    batch = convert(("crmid",), (cell,))
    assert (column(batch, "a1") == [cell]) is is_usable


@pytest.mark.parametrize(
    ("cell", "is_usable"), [("abc", False), ("abcd", True), ("名前名前", True), ("1111", False), ("1112", True)]
)
def test_a_secondary_needs_four_characters(convert, cell, is_usable):
    batch = convert(("crmid", "device"), ("K1", cell))
    assert (column(batch, "a8") == [cell]) is is_usable
    assert batch.left_out.total() == int(not is_usable)
    alone = convert(("device",), (cell,))
    assert codes(alone) == ([] if is_usable else [(2, ("blocked_identifier",))])


def test_a_row_without_any_identifier_is_rejected(convert):
    batch = convert(("crmid", "email", "city"), ("", "", "Pune"), (" ", "\u3000", "Goa"), ("K1", "", ""))
    assert codes(batch) == [(2, ("no_identifier",)), (3, ("no_identifier",))]
    assert [reject.column for reject in batch.rejects] == [0, 0]


def test_a_bad_identifier_says_what_is_wrong_with_it_not_that_there_is_none(convert):
    batch = convert(("email", "city"), ("priya.example.in", "Pune"))
    assert codes(batch) == [(2, ("not_an_email",))]


def test_a_row_has_all_its_codes_in_the_order_of_the_catalogue(convert):
    batch = convert(("city", "slot", "amount", "crmid", "email"), ("Pune", "x", "y", "", "mail"))
    assert codes(batch) == [(2, ("not_a_number", "not_an_integer", "not_an_email"))]
    assert batch.rejects[0].column == 2, "the column of the first code"


def test_rejects_carry_the_tokens_of_their_usable_identifiers(convert):
    batch = convert(("crmid", "email", "slot"), ("K1", "priya@example.in", "x"), ("0", "", "x"))
    assert [reject.tokens for reject in batch.rejects] == [(tok(1, "K1").bytes, tok(2, "priya@example.in").bytes), ()]


def test_rejects_of_lines_and_of_rows_stand_in_file_order(convert):
    line = LineReject(line=3, code="missing_cell", column=None, text="short")
    batch = convert(("crmid", "slot"), ("K1", "x"), rejects=(line,))
    batch2 = convert(
        ("crmid", "slot"), ("K1", "1"), ("K2", "x"), ("K3", "x"), rejects=(LineReject(1, "open_quote", 1, '"'),)
    )
    assert codes(batch) == [(2, ("not_an_integer",)), (3, ("missing_cell",))]
    assert [line for line, _ in codes(batch2)] == [1, 3, 4]


class TestBlankRules:
    @pytest.mark.parametrize(
        ("blank", "cells"),
        [
            ("keep", {"": None, " ": None, "NULL": "NULL", "Pune": "Pune"}),
            ("clear", {"": "", " ": "", "NULL": "NULL", "Pune": "Pune"}),
            ("NULL", {"": None, " ": None, "NULL": "", "null": "null", "Pune": "Pune"}),
        ],
    )
    def test_of_plain_columns(self, convert, blank, cells):
        rows = [("K1", cell) for cell in cells]
        batch = convert(("crmid", "city"), *rows, rules={"city": {"blank": blank}})
        assert column(batch, "a5") == list(cells.values())

    @pytest.mark.parametrize(("blank", "cell"), [("clear", ""), ("NULL", "NULL"), ("-", " - ")])
    def test_a_cleared_pii_cell_is_the_nil_token(self, convert, blank, cell):
        rules = {"first_name": {"blank": blank}}
        batch = convert(("crmid", "first_name"), ("K1", cell), ("K2", "Asha"), rules=rules)
        assert column(batch, "a4") == [CLEARED, tok(4, "Asha")]
        assert [values.to_pylist() for _, _, values in batch.values] == [["Asha"]]

    def test_a_clearing_token_need_not_fit_the_type(self, convert):
        batch = convert(("crmid", "slot"), ("K1", "gone"), rules={"slot": {"blank": "gone"}})
        assert (codes(batch), column(batch, "a7")) == ([], [""])

    def test_a_cleared_identifier_is_no_identifier(self, convert):
        batch = convert(("crmid", "device"), ("", ""), ("K1", ""), rules={"device": {"blank": "clear"}})
        assert codes(batch) == [(2, ("no_identifier",))]
        assert (column(batch, "a8"), column(batch, "i8")) == ([""], [None])


def test_a_bad_cell_may_be_left_empty_and_counted(convert):
    batch = convert(
        ("crmid", "slot", "amount"), ("K1", "x", "1"), ("K2", "2", "y"), ("K3", "z", "3"),
        rules={"slot": {"bad_cell": "empty"}},
    )  # fmt: skip
    assert codes(batch) == [(3, ("not_a_number",))]
    assert (column(batch, "line"), column(batch, "a7"), batch.emptied) == ([2, 4], [None, None], 2)


def test_a_bad_identifier_left_empty_is_no_identifier(convert):
    batch = convert(("email", "city"), ("mail", "Pune"), rules={"email": {"bad_cell": "empty"}})
    assert codes(batch) == [(2, ("no_identifier",))]


def test_count_makes_one_of_whatever_is_filled(convert):
    batch = convert(("crmid", "slot"), ("K1", "shoes"), ("K1", ""), ("K1", "3"), rules={"slot": {"combine": "count"}})
    assert column(batch, "a7") == ["1", None, "1"]


def test_erased_people_are_counted_and_not_stored(convert):
    key = KEYS.suppression_key(2)
    known = {2: tokens(key, pa.array(["priya@example.in"])).storage}
    batch = convert(
        ("crmid", "email", "slot"), ("K1", "PRIYA@example.in", "1"), ("K2", "b@example.in", "2"),
        ("K3", "priya@example.in", "x"), ("K4", "", "1"), suppressed=known,
    )  # fmt: skip
    assert batch.suppressed == 1
    assert column(batch, "line") == [3, 5]
    assert codes(batch) == [(4, ("not_an_integer",))], "rejecting comes first"
    assert [values.to_pylist() for _, _, values in batch.values] == [["b@example.in"]]


def test_every_line_comes_out_once(convert):
    line = LineReject(9, "missing_cell", None, "x")
    batch = convert(("crmid", "slot"), ("K1", "1"), ("", "1"), ("K3", "x"), rejects=(line,), blank=4)
    assert (batch.lines, batch.blank, batch.table.num_rows, len(batch.rejects)) == (8, 4, 1, 3)


def test_no_rows_are_no_rows(convert):
    batch = convert(NAMES)
    assert (batch.table.num_rows, batch.rejects, batch.lines) == (0, [], 0)


def test_all_rows_bad(convert):
    batch = convert(("crmid", "first_name"), ("", "Asha"), ("", "Bina"))
    assert (batch.table.num_rows, len(batch.rejects)) == (0, 2)
    assert [values.to_pylist() for _, _, values in batch.values] == [[]]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (("K1", "x", "Pune"), "K1,x,Pune"),
        (("K1", "x", "a,b"), 'K1,x,"a,b"'),
        (("K1", "x", 'say "hi"'), 'K1,x,"say ""hi"""'),
        (("K1", "x", "two\nlines"), 'K1,x,"two\nlines"'),
        (("K1", "x", ""), "K1,x,"),
        (("K1", "x", " a "), "K1,x, a "),
    ],
)
def test_the_original_text_of_a_rejected_csv_row_reads_the_same(convert, cells, text):
    batch = convert(("crmid", "slot", "city"), cells, quoting=True)
    assert [reject.text for reject in batch.rejects] == [text]


@pytest.mark.parametrize("cells", [("K1", "x", 'a "b", c'), ("", "", ""), (" K1", "x ", "\u00a0")])
def test_the_original_text_of_a_rejected_tsv_row_is_exact(convert, cells):
    batch = convert(("crmid", "slot", "city"), cells)
    assert [reject.text for reject in batch.rejects] == ["\t".join(cells)]
