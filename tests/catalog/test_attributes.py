"""Attributes: a closed list of built-in ones, and custom ones as real columns."""

from __future__ import annotations

import unicodedata

import pytest

from ingest_core.errors import OnrampError
from ingest_core.mapping.types import TYPES
from tests.catalog.names import KEPT, REFUSED

BUILT_IN = [  # domain.md §4: name, type, identifier rank, PII
    ("crmid", "string", "primary", False),
    ("email", "email", "secondary", True),
    ("phone", "phone", "secondary", True),
    ("first_name", "string", None, True),
    ("last_name", "string", None, True),
    ("birth_date", "date", None, True),
    ("gender", "string", None, False),
    ("city", "string", None, False),
    ("region", "string", None, False),
    ("postal_code", "string", None, False),
    ("country", "country", None, False),
    ("language", "string", None, False),
]


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def columns_of(workspace, table):
    with workspace.engine.session() as session:
        return dict(session.rows("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [table]))


def test_built_in_attributes_are_a_closed_list(workspace):
    found = workspace.attributes.list()
    assert [(a.name, a.type, a.identifier, a.pii) for a in found] == BUILT_IN
    assert all(a.is_builtin for a in found)
    ranked = [a.priority for a in found if a.identifier]
    assert ranked == sorted(set(ranked)), "crmid before email before phone"


def test_opening_again_adds_nothing(workspace):
    before = workspace.attributes.list()
    workspace.attributes.create_built_in()
    assert workspace.attributes.list() == before


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("pii", [False, True])
def test_a_custom_attribute_is_a_column_of_log_and_profile(workspace, kind, pii):
    made = workspace.attributes.add("slot_num", kind, pii=pii, segment="SLOT_NUM", macro="SLOT")
    assert (made.name, made.display_name, made.type, made.pii) == ("slot_num", "Slot num", kind, pii)
    assert (made.segment, made.macro, made.is_builtin, made.identifier) == ("SLOT_NUM", "SLOT", False, None)
    assert columns_of(workspace, "record")[made.column] == ("UUID" if pii else "VARCHAR")
    expected = "UUID" if pii else TYPES[kind].sql_type
    assert columns_of(workspace, "profile")[made.column].replace(" ", "") == expected.replace(" ", "")
    assert f"i{made.attribute_id}" not in columns_of(workspace, "record")


@pytest.mark.parametrize("pii", [False, True])
def test_an_identifier_has_a_token_in_the_log(workspace, pii):
    made = workspace.attributes.add("device", "string", identifier="secondary", pii=pii)
    assert (f"i{made.attribute_id}" in columns_of(workspace, "record")) is not pii
    assert made.priority > workspace.attributes.get("phone").priority


@pytest.mark.parametrize(
    "bad", ["slot", "Slot_Num", "SLOT__NUM", "_SLOT", "SLOT_", "1SLOT", "SLOT NUM", "", "ÄB", "A" * 101]
)
def test_segment_and_macro_names_are_upper_snake_case(workspace, bad):
    assert code_of(workspace.attributes.add, "slot", "string", segment=bad) == "bad_upper_snake"
    assert code_of(workspace.attributes.add, "slot", "string", macro=bad) == "bad_upper_snake"


def test_types_are_the_known_ones(workspace):
    assert code_of(workspace.attributes.add, "slot", "blob") == "unknown_type"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("slot", {}), ("SLOT", {}), ("EMAIL", {}), ("other", {"segment": "SLOT_SEGMENT"}),
        ("other", {"macro": "SLOT_MACRO"}), ("other", {"macro": "FIRST_NAME"}),
    ],
)  # fmt: skip
def test_names_segment_names_and_macro_names_are_given_once(workspace, name, more):
    workspace.attributes.add("slot", "string", segment="SLOT_SEGMENT", macro="SLOT_MACRO")
    before = (workspace.attributes.list(), columns_of(workspace, "record"))
    assert code_of(workspace.attributes.add, name, "string", **more) == "attribute_exists"
    assert (workspace.attributes.list(), columns_of(workspace, "record")) == before


def test_attributes_are_found_in_any_case(workspace):
    assert workspace.attributes.get("EMail").name == "email"
    assert code_of(workspace.attributes.get, "shoe_size") == "unknown_attribute"


@pytest.mark.parametrize("name", [name for name in KEPT if not set(name.strip()) & {" ", "-"}])
def test_any_other_name_is_kept_as_it_is(workspace, name):
    """Column names are generated (F14): whatever the name says, it stays data."""
    made = workspace.attributes.add(name, "string", display_name="=1+1 ' \"")
    assert (made.name, made.display_name) == (unicodedata.normalize("NFC", name).strip(), "=1+1 ' \"")
    assert workspace.attributes.get(made.name) == made
    assert made.column in columns_of(workspace, "profile")


@pytest.mark.parametrize("name", [*REFUSED, *(name for name in KEPT if set(name.strip()) & {" ", "-"})])
def test_a_name_that_no_column_can_have_is_refused(workspace, name):
    assert code_of(workspace.attributes.add, name, "string") == "bad_name"
    assert len(workspace.attributes.list()) == len(BUILT_IN)


def test_columns_that_collide_by_case_are_two_attributes_columns(kernel):
    """A1 and a1 are one identifier for the engine; generated names never meet."""
    made = [kernel.workspace.attributes.add(name, "string") for name in ("a1", "pid", "rid", "rowid", "line", "select")]
    kernel.load(
        "crmid\ta1\tpid\trid\trowid\tline\tselect\nK1\t1\t2\t3\t4\t5\t6\n",
        {"crmid": "crmid", **{a.name: a.name for a in made}},
    )
    assert kernel.values("crmid", "K1") == {
        "crmid": "K1", "a1": "1", "pid": "2", "rid": "3", "rowid": "4", "line": "5", "select": "6",
    }  # fmt: skip


class TestMarkingAsPii:
    def test_an_attribute_without_values_becomes_pii(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        marked = kernel.workspace.attributes.mark_pii("gender")
        assert marked.pii
        assert columns_of(kernel.workspace, "record")[marked.column] == "UUID"
        assert columns_of(kernel.workspace, "profile")[marked.column] == "UUID"
        kernel.load("crmid\tgender\nK1\tf\n", {"crmid": "crmid", "gender": "gender"})
        assert kernel.values("crmid", "K1") == {"crmid": "K1", "city": "Pune", "gender": "f"}

    def test_marking_twice_or_what_is_pii_already_changes_nothing(self, workspace):
        assert workspace.attributes.mark_pii("email") == workspace.attributes.get("email")
        assert workspace.attributes.mark_pii("city") == workspace.attributes.mark_pii("CITY")

    def test_an_identifier_becomes_pii(self, kernel):
        kernel.workspace.attributes.mark_pii("crmid")
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        kernel.load("crmid\tcity\nK1\tGoa\nK2\tPune\n", {"crmid": "crmid", "city": "city"})
        assert kernel.values("crmid", "K1") == {"crmid": "K1", "city": "Goa"}
        assert kernel.workspace.profiles.count() == 2

    def test_stored_plain_values_cannot_become_pii(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        assert code_of(kernel.workspace.attributes.mark_pii, "city") == "attribute_in_use"
        assert not kernel.workspace.attributes.get("city").pii
        assert kernel.values("crmid", "K1")["city"] == "Pune"

    def test_an_unknown_name_is_refused(self, workspace):
        assert code_of(workspace.attributes.mark_pii, "shoe_size") == "unknown_attribute"
