"""Whether a mapping can be used for a file."""

import pytest

from ingest_core.errors import InputError
from ingest_core.mapping.rules import check_mapping
from ingest_core.models import ColumnMapping, Mapping


def mapping(*columns):
    return Mapping(columns=tuple(ColumnMapping(**column) for column in columns))


def col(column, attribute=None, **rest):
    return {"column": column, "attribute": attribute, **rest}


ID = col("id", "crmid")


def test_a_good_mapping_is_laid_over_the_columns(attributes):
    resolved = check_mapping(
        mapping(ID, col("mail", "email", pii=True, identifier="secondary"), col("old", "city"), col("note")),
        ["note", "mail", "extra", "id"],
        attributes,
    )
    assert [(index, a.name) for index, _, a in resolved.columns] == [(3, "crmid"), (1, "email")]
    assert (resolved.ignored, resolved.missing) == (("note", "extra"), ("old",))


def test_one_column_may_feed_several_attributes(attributes):
    resolved = check_mapping(
        mapping(ID, col("amount", "total", combine="sum"), col("amount", "purchases", combine="count")),
        ["id", "amount"],
        attributes,
    )
    assert [(index, a.name) for index, _, a in resolved.columns] == [(0, "crmid"), (1, "total"), (1, "purchases")]


@pytest.mark.parametrize("name", ["slot num", "slot_num", "SLOT_NUM"])
def test_a_column_is_found_by_its_own_its_repaired_name_and_any_case(attributes, name):
    resolved = check_mapping(mapping(ID, col(name, "tier")), ["id", "slot num"], attributes)
    assert [index for index, _, _ in resolved.columns] == [0, 1]


def test_the_second_of_two_equal_names_is_found_by_its_repaired_name(attributes):
    resolved = check_mapping(mapping(ID, col("email_2", "email"), col("email")), ["id", "email", "email"], attributes)
    assert [index for index, _, _ in resolved.columns] == [0, 2]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ([ID, col("x", "nobody")], "unknown_attribute"),
        ([col("x", "city")], "no_identifier_mapped"),
        ([], "no_identifier_mapped"),
        ([col("gone", "crmid"), col("x", "city")], "no_identifier_mapped"),
        ([ID, col("x", "city", pii=True)], "mapping_conflict"),
        ([ID, col("x", "email", pii=False)], "mapping_conflict"),
        ([ID, col("x", "email", identifier="primary")], "mapping_conflict"),
        ([ID, col("x", "city", identifier="secondary")], "mapping_conflict"),
        ([ID, col("x", "city"), col("y", "city")], "attribute_mapped_twice"),
        ([ID, col("x", "birth_date", format="DMY")], "unknown_format"),
        ([ID, col("x", "city", format="DD/MM/YYYY")], "unknown_format"),
        ([ID, col("x", "tier", combine="sum")], "combine_not_possible"),
        ([ID, col("x", "tier", combine="count")], "combine_not_possible"),
        ([ID, col("x", "birth_date", combine="min")], "combine_not_possible"),
        ([ID, col("x", "email", combine="max")], "combine_not_possible"),
        ([col("id", "crmid", combine="max")], "combine_not_possible"),
        ([ID, col("x", "consent", combine="min")], "combine_not_possible"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(attributes, columns, code):
    with pytest.raises(InputError) as caught:
        check_mapping(mapping(*columns), ["id", "x", "y"], attributes)
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize(
    ("attribute", "combine"),
    [("total", "sum"), ("total", "min"), ("purchases", "count"), ("tier", "first"), ("tier", "max"), ("email", "last")],
)
def test_what_can_be_combined_is_accepted(attributes, attribute, combine):
    assert check_mapping(mapping(ID, col("x", attribute, combine=combine)), ["id", "x"], attributes).columns


@pytest.mark.parametrize("fmt", [None, "", "DD/MM/YYYY"])
def test_a_known_format_or_none_is_accepted(attributes, fmt):
    assert check_mapping(mapping(ID, col("x", "birth_date", format=fmt)), ["id", "x"], attributes).columns


def test_a_bad_header_that_the_mapping_does_not_name_is_refused_with_its_repair(attributes):
    with pytest.raises(InputError) as caught:
        check_mapping(mapping(ID), ["id", "slot num", "", "e-mail"], attributes)
    assert caught.value.code == "bad_header"
    assert caught.value.facts["repairs"] == {"slot num": "slot_num", "": "column_3", "e-mail": "e_mail"}
    assert "slot_num" in caught.value.hint


def test_naming_a_bad_header_is_enough_also_to_ignore_it(attributes):
    resolved = check_mapping(mapping(ID, col("slot num"), col("column_3")), ["id", "slot num", ""], attributes)
    assert resolved.ignored == ("slot num", "")
