"""Booleans, web addresses, countries and currencies; and the register of types."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.errors import InputError
from ingest_core.mapping.types import TYPES, data_type
from ingest_core.reasons import REASONS


def test_booleans_know_six_pairs_of_words(convert):
    yes, no = ["true", "YES", "y", "T", "On", "1"], ["false", "No", "N", "f", "OFF", "0"]
    assert convert("boolean", yes) == [("true", None)] * 6
    assert convert("boolean", no) == [("false", None)] * 6
    assert convert("boolean", ["ja", "2", "١", "truee"]) == [(None, "not_a_boolean")] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPS://Example.COM/Path?Q=A#F", "https://example.com/Path?Q=A#F"),
        ("http://example.com", "http://example.com"),
        ("http://localhost:8501/", "http://localhost:8501/"),
        ("http://[::1]/a", "http://[::1]/a"),
        ("https://BÜRO.de/Ä", "https://büro.de/Ä"),
        ("https://Anna@Example.com/", "https://Anna@example.com/"),
    ],
)
def test_web_addresses_keep_their_path(convert, text, expected):
    assert convert("url", [text]) == [(expected, None)]


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "ftp://example.com",
        "http://",
        "http:///x",
        "https://a b.de",
        "https://a.de/x y",
        "http://-a.de",
        "http://a..de",
        "http://[::z]/",
        "http://a.de:99999",
        "javascript:alert(1)",
        "http://a.de/\u2028x",
        "http://" + "a" * 300,
    ],
)
def test_what_is_not_a_web_address_is_refused(convert, text):
    assert convert("url", [text]) == [(None, "not_a_url")]


def test_countries_are_known_by_code_and_name(convert):
    texts = ["de", "DEU", "germany", "UK", "u.s.a.", "Côte d’Ivoire", "COTE D IVOIRE", "Viet Nam", "Vietnam", "Türkiye"]
    expected = ["DE", "DE", "DE", "GB", "US", "CI", "CI", "VN", "VN", "TR"]
    assert [text for text, _ in convert("country", texts)] == expected
    assert convert("country", ["Atlantis", "Korea", "D", "?", "x" * 999]) == [(None, "not_a_country")] * 5


def test_currencies_are_codes_in_current_use(convert):
    assert convert("currency", ["eur", "USD"]) == [("EUR", None), ("USD", None)]
    assert convert("currency", ["$", "DEM", "ınr", "EURO"]) == [(None, "not_a_currency")] * 4


def test_every_type_of_the_domain_is_registered_and_its_reason_catalogued():
    names = [
        "string",
        "number",
        "integer",
        "boolean",
        "date",
        "datetime",
        "email",
        "phone",
        "url",
        "country",
        "currency",
    ]
    assert names == list(TYPES)
    assert all(kind.reason in REASONS for kind in TYPES.values())
    assert {kind.name for kind in TYPES.values() if kind.can_sum} == {"number", "integer"}


def test_an_unknown_type_or_format_is_an_input_error():
    with pytest.raises(InputError) as unknown:
        data_type("telephone")
    assert unknown.value.code == "unknown_type"
    with pytest.raises(InputError) as wrong:
        data_type("date").convert(pa.array(["x"]), "YYYY")
    assert wrong.value.code == "unknown_format"


def test_fits_is_null_for_blank_cells():
    assert data_type("integer").fits(pa.array(["1", None, "x"]), None).to_pylist() == [True, None, False]
    assert data_type("integer").fits(pa.array(["1", None]), None).to_pylist() == [True, None]
