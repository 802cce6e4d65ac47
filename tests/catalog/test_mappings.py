"""Mapping versions: only added, found again by header."""

from __future__ import annotations

import json

import pytest

from ingest_core.catalog import parse_mapping
from ingest_core.errors import InputError
from ingest_core.models import ColumnMapping, Mapping
from tests.workspaces import mapping_of

FIRST = mapping_of({"id": "crmid", "mail": "email"})
SECOND = mapping_of({"id": "crmid", "mail": None})


@pytest.fixture
def source(workspace):
    return workspace.sources.add("CRM")


def test_versions_are_only_added(workspace, source):
    mappings = workspace.mappings
    assert (mappings.all(source), mappings.current(source)) == ([], None)
    one = mappings.save(source, FIRST)
    two = mappings.save(source, SECOND)
    assert (one.version, two.version, one.source) == (1, 2, "CRM")
    assert mappings.all(source) == [two, one]
    assert mappings.current(source) == two
    assert mappings.version(source, 1) == one


def test_saying_the_same_again_is_the_same_version(workspace, source):
    one = workspace.mappings.save(source, FIRST)
    assert workspace.mappings.save(source, FIRST) == one
    with_guesses = Mapping(columns=tuple(c.model_copy(update={"confidence": 1.0, "why": "x"}) for c in FIRST.columns))
    assert workspace.mappings.save(source, with_guesses).version == 1


def test_going_back_to_an_older_one_is_a_new_version(workspace, source):
    versions = [workspace.mappings.save(source, mapping).version for mapping in (FIRST, SECOND, FIRST)]
    assert versions == [1, 2, 3]


def test_versions_are_counted_per_source(workspace, source):
    shop = workspace.sources.add("Shop")
    workspace.mappings.save(source, FIRST)
    workspace.mappings.save(source, SECOND)
    assert workspace.mappings.save(shop, FIRST).version == 1
    assert workspace.mappings.current(source).version == 2


def test_a_mapping_is_found_by_the_header_it_was_made_for(workspace, source):
    first = workspace.mappings.save(source, FIRST, ["id", "mail"])
    other = workspace.mappings.save(source, mapping_of({"key": "crmid"}), ["key", "extra"])
    newer = workspace.mappings.save(source, SECOND, ["id", "mail"])
    find = workspace.mappings.for_header
    assert (find(source, ["id", "mail"]), find(source, ["key", "extra"])) == (newer, other)
    assert find(source, ["id"]) is None
    assert find(workspace.sources.add("Shop"), ["id", "mail"]) is None
    assert first.version == 1


def test_the_same_mapping_for_another_header_is_found_there(workspace, source):
    workspace.mappings.save(source, FIRST, ["id", "mail"])
    second = workspace.mappings.save(source, FIRST, ["id", "mail", "extra"])
    assert workspace.mappings.for_header(source, ["id", "mail", "extra"]) == second


def test_every_rule_is_kept(workspace, source):
    column = ColumnMapping(
        column="Total, net", attribute="crmid", pii=True, identifier="primary", format="decimal_comma",
        blank="NULL", conflict="keep", combine="first", bad_cell="empty",
    )  # fmt: skip
    saved = workspace.mappings.save(source, Mapping(columns=(column,)))
    assert workspace.mappings.version(source, 1).columns == saved.columns == (column,)


def test_an_unknown_version_is_refused(workspace, source):
    with pytest.raises(InputError) as caught:
        workspace.mappings.version(source, 1)
    assert caught.value.code == "no_such_mapping"


def test_a_mapping_file_may_have_extra_keys():
    text = json.dumps({"columns": [{"column": "id", "attribute": "crmid", "why": "name", "future": 1}], "lines": 5})
    assert parse_mapping(text).columns == (ColumnMapping(column="id", attribute="crmid", why="name"),)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "the whole file"), ("{", "the whole file"), ("[]", "the whole file"), ("{}", "columns"),
        ('{"columns": [{"attribute": "priya@example.in"}]}', "columns.0.column"),
        ('{"columns": [{"column": "priya@example.in", "combine": "priya@example.in"}]}', "columns.0.combine"),
        ('{"columns": "priya@example.in"}', "columns"),
    ],
)  # fmt: skip
def test_a_bad_mapping_file_names_places_never_contents(text, place):
    with pytest.raises(InputError) as caught:
        parse_mapping(text)
    error = caught.value
    assert (error.code, error.facts["places"]) == ("bad_mapping", [place])
    assert "priya" not in f"{error} {error.as_dict()}"
