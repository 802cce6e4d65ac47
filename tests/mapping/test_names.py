"""How headers and attribute names meet."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.mapping.names import match_name, squash, words
from ingest_core.mapping.synonyms import NOISE, PII_WORDS, SYNONYMS


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("customerEmail_Addr", ("customer", "email", "addr")),
        ("E-Mail", ("e", "mail")),
        ("HTTPServer id", ("http", "server", "id")),
        ("Prénom", ("prenom",)),
        ("Straße", ("strasse",)),
        ("slot num", ("slot", "num")),
        ("__", ()),
    ],
)
def test_a_name_is_taken_apart_into_plain_words(name, parts):
    assert words(name) == parts


@pytest.mark.parametrize(
    ("header", "attribute", "how"),
    [
        ("email", "email", "exact"),
        ("E-mail", "email", "exact"),
        ("First Name", "first_name", "exact"),
        ("Customer ID", "crmid", "exact"),
        ("hm", "phone", "synonym"),
        ("Mobile No.", "phone", "synonym"),
        ("cell", "phone", "synonym"),
        ("tel", "phone", "synonym"),
        ("client_no", "crmid", "synonym"),
        ("cust_id", "crmid", "synonym"),
        ("mail", "email", "synonym"),
        ("fname", "first_name", "synonym"),
        ("Vorname", "first_name", "synonym"),
        ("dob", "birth_date", "synonym"),
        ("PLZ", "postal_code", "synonym"),
        ("billing_city", "city", "part"),
        ("customer_mail", "email", "part"),
        ("emial_address", "email", "similar"),
        ("birth_dat", "birth_date", "similar"),
        ("last_name", "first_name", "none"),
        ("store_id", "crmid", "none"),
        ("pin", "region", "none"),
        ("amount", "email", "none"),
        ("", "email", "none"),
    ],
)
def test_a_header_matches_an_attribute(attributes, header, attribute, how):
    assert match_name(header, next(a for a in attributes if a.name == attribute)).how == how


def test_own_names_come_before_synonyms_of_others(attributes):
    for attribute in attributes:
        others = [other for other in attributes if other.name != attribute.name]
        assert not [other.name for other in others if match_name(attribute.name, other).how in ("exact", "synonym")]


def test_the_table_of_synonyms_is_written_as_headers_are_read():
    known = [word for synonyms in SYNONYMS.values() for word in synonyms]
    assert len(known) == len(set(known)), "a synonym may name one attribute only"
    for word in {*known, *NOISE, *PII_WORDS}:
        assert re.fullmatch("[a-z0-9]+", word)
        assert squash(word) == word


@given(st.text())
def test_any_name_can_be_squashed_and_stays_so(name):
    once = squash(name)
    assert squash(once) == once
