from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.errors import InputError
from ingest_core.mapping.types import data_type


@pytest.mark.parametrize(
    ("country", "text", "expected"),
    [
        (None, "+919876543210", "+919876543210"),
        (None, "+91 98765-43210", "+919876543210"),
        (None, "00919876543210", "+919876543210"),
        (None, "00 44 20 7946 0018", "+442079460018"),
        (None, "tel:+44-20-7946-0018", "+442079460018"),
        (None, "TEL: +44 20 7946 0018", "+442079460018"),
        (None, "+44 (0)20 7946 0018", "+442079460018"),
        (None, "(+44) 20 7946 0018", "+442079460018"),
        (None, "+39 06 698 12345", "+390669812345"),
        (None, "+٩١٩٨٧٦٥٤٣٢١٠", "+919876543210"),
        (None, "＋４４ 20 7946 0018", "+442079460018"),
        (None, "+1 (202) 555-0143", "+12025550143"),
        ("IN", "98765 43210", "+919876543210"),
        ("IN", "098765 43210", "+919876543210"),
        ("IN", "919876543210", "+919876543210"),
        ("IN", "9198765432", "+919198765432"),
        ("IN", "0091 98765 43210", "+919876543210"),
        ("IN", "+44 20 7946 0018", "+442079460018"),
        ("US", "(202) 555-0143", "+12025550143"),
        ("US", "1-202-555-0143", "+12025550143"),
        ("US", "011 44 20 7946 0018", "+442079460018"),
        ("US", "0044 20 7946 0018", "+442079460018"),
        ("CA", "416.555.0143", "+14165550143"),
        ("GB", "020 7946 0018", "+442079460018"),
        ("DE", "030/123456", "+4930123456"),
        ("IT", "06 698 12345", "+390669812345"),
        ("AR", "011 15-2345-6789", "+5491123456789"),
        ("BR", "(11) 98765-4321", "+5511987654321"),
    ],
)
def test_numbers_become_e164(convert, country, text, expected):
    assert convert("phone", [text], country) == [(expected, None)]
    assert convert("phone", [text], phone_country=country) == [(expected, None)]


@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        (None, "9.19E+11", "spreadsheet_damage"),
        ("IN", "9,19876543E+11", "spreadsheet_damage"),
        ("IN", "9E11", "spreadsheet_damage"),
        (None, "98765 43210", "phone_needs_country"),
        (None, "020 7946 0018", "phone_needs_country"),
        (None, "123", "not_a_phone"),
        (None, "0", "not_a_phone"),
        (None, "+", "not_a_phone"),
        (None, "+12", "not_a_phone"),
        (None, "+999123456789", "not_a_phone"),
        (None, "+1 555 0143", "not_a_phone"),
        (None, "+44 20 7946 0018 x123", "not_a_phone"),
        (None, "+44 20 7946 0018 ext. 5", "not_a_phone"),
        (None, "+44 20 7946 0018;ext=5", "not_a_phone"),
        (None, "+44 20 7946 0018, +44 20 7946 0019", "not_a_phone"),
        ("US", "1-800-FLOWERS", "not_a_phone"),
        ("US", "555-0143", "not_a_phone"),
        ("IN", "12345", "not_a_phone"),
        ("IN", "-9876543210", "not_a_phone"),
        ("IN", "n/a", "not_a_phone"),
        ("IN", "0000000000", "not_a_phone"),
        ("IN", "9" * 38, "not_a_phone"),
        ("IN", "9" * 5000, "not_a_phone"),
        ("IN", "anna@example.com", "not_a_phone"),
        ("GB", "\u00b2" * 10, "not_a_phone"),
    ],
)
def test_what_is_not_a_possible_number_is_refused(convert, country, text, code):
    assert convert("phone", [text], country) == [(None, code)]


def test_the_format_of_the_column_goes_before_the_country_of_the_source(convert):
    assert convert("phone", ["020 7946 0018"], "gb", phone_country="IN") == [("+442079460018", None)]


def test_an_unknown_country_is_an_input_error():
    with pytest.raises(InputError) as caught:
        data_type("phone").convert(pa.array(["1"]), "XX")
    assert caught.value.code == "unknown_format"


def test_candidates_count_international_numbers_only():
    assert data_type("phone").candidates(pa.array(["+919876543210", "9876543210", None])) == {"": 1}


def test_masks_show_the_calling_code_and_the_last_four_digits():
    assert data_type("phone").mask("+919876544412") == "+91 •••••• 4412"
    assert data_type("phone").mask("+2901234") == "+290 •••"
    assert data_type("phone").mask("98765 44412") == "•••"
    assert data_type("phone").mask("+999123456789") == "•••"
