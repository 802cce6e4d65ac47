"""The header fingerprint."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ingest_core.files import repair_names
from ingest_core.mapping.fingerprint import fingerprint, mapping_fingerprint
from ingest_core.models import ColumnMapping, Mapping


def test_order_case_repairs_and_unicode_form_make_no_other_header():
    known = fingerprint(["email", "slot_num", "Prénom"])
    assert fingerprint(["slot num", unicodedata.normalize("NFD", "prénom"), "EMAIL"]) == known


def test_another_column_makes_another_header():
    assert fingerprint(["a", "b"]) != fingerprint(["a", "c"])
    assert fingerprint(["a", "b"]) != fingerprint(["a"])
    assert fingerprint(["ab", "c"]) != fingerprint(["a", "bc"])


@given(st.lists(st.text(max_size=5), max_size=6))
def test_repaired_names_have_the_fingerprint_of_the_file(columns):
    assert fingerprint(repair_names(columns)) == fingerprint(columns)


def test_a_mapping_has_the_fingerprint_of_its_header_though_a_column_feeds_two_attributes():
    mapping = Mapping(
        columns=(
            ColumnMapping(column="amount", attribute="total"),
            ColumnMapping(column="amount", attribute="purchases"),
            ColumnMapping(column="email", attribute="email"),
            ColumnMapping(column="note"),
        )
    )
    assert mapping_fingerprint(mapping) == fingerprint(["email", "note", "amount"])
