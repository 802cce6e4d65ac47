from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.mapping.types import data_type

BAD, RANGE = (None, "not_a_number"), (None, "number_out_of_range")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.56", "1234.56"),
        ("007", "7"),
        ("+1.50", "1.5"),
        ("-0", "0"),
        ("-0.000", "0"),
        ("000", "0"),
        ("00.5", "0.5"),
        (".5", "0.5"),
        ("-.50", "-0.5"),
        ("5.", "5"),
        ("1,234.5", "1234.5"),
        ("1,234,567", "1234567"),
        ("12,34,567.8", "1234567.8"),
        ("1 234 567", "1234567"),
        ("1\u00a0234", "1234"),
        ("1\u202f234.5", "1234.5"),
        ("1'234.50", "1234.5"),
        ("1e3", "1000"),
        ("1.5E-3", "0.0015"),
        ("-2.50e+1", "-25"),
        ("0e999999999999", "0"),
        ("9" * 28 + "." + "9" * 10, "9" * 28 + "." + "9" * 10),
        ("1" + "0" * 27, "1" + "0" * 27),
        ("0" * 50 + "1", "1"),
        ("1.5" + "0" * 50, "1.5"),
        ("0.0000000001", "0.0000000001"),
    ],
)
def test_numbers_become_plain_decimals(convert, text, expected):
    assert convert("number", [text]) == [(expected, None)]


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1,2345",
        ",123",
        "1,234,56",
        "1,234 567",
        "1 23",
        "1.2.3",
        "12%",
        "$5",
        "5 €",
        "--1",
        "1-",
        "(1)",
        "1e",
        "e1",
        "e",
        ".",
        "-",
        "+",
        "nan",
        "inf",
        "0x10",
        "1_000",
        "١٢",
        "１２",
        "²",
        "1,234e",
        "1\n2",
        "1.5e3.5",
        "−1",
        "x" * 99,
    ],
)
def test_what_is_not_a_number_is_refused(convert, text):
    assert convert("number", [text]) == [BAD]


@pytest.mark.parametrize(
    "text", ["1" + "0" * 28, "0.00000000001", "1e28", "1e-11", "1e99999999999999999", "1e-999999999"]
)
def test_what_38_digits_cannot_hold_is_out_of_range(convert, text):
    assert convert("number", [text]) == [RANGE]


def test_the_decimal_comma_turns_the_signs_around(convert):
    texts = ["1.234,5", "1,5", "0,50", "1 234,5", "1.234.567", "1.5", "1,2,3", "1'234,5", ",5"]
    expected = ["1234.5", "1.5", "0.5", "1234.5", "1234567", None, None, "1234.5", "0.5"]
    assert [text for text, _ in convert("number", texts, ",")] == expected


def test_candidates_count_values_not_distinct_values():
    values = pa.array(["1.5", "1.5", "1,5", "1,234", "7", None, "x"])
    assert data_type("number").candidates(values) == {".": 4, ",": 3}


def test_whole_numbers(convert):
    good = {"12.0": "12", "+3": "3", "1,234.00": "1234", "1e3": "1000", "-0.0": "0"}
    limits = {"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808"}
    for text, expected in (good | limits).items():
        assert convert("integer", [text]) == [(expected, None)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12.5", "not_an_integer"),
        ("1e-1", "not_an_integer"),
        ("twelve", "not_an_integer"),
        ("9223372036854775808", "number_out_of_range"),
        ("-9223372036854775809", "number_out_of_range"),
        ("1e400000", "number_out_of_range"),
    ],
)
def test_what_is_no_whole_number_is_refused(convert, text, code):
    assert convert("integer", [text]) == [(None, code)]
