"""What an attribute holds and who uses it."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]  # fixtures

FILE = "crmid\temail\tcity\ttotal\nK1\ta@x.example\tPune\t10.50\nK2\tb@x.example\tPune\t9\nK3\tc@x.example\tGoa\t\n"


@pytest.fixture
def facts(kernel):
    kernel.workspace.attributes.add("total", "number", segment="TOTAL")
    kernel.workspace.attributes.change("city", segment="CITY")
    columns = {"crmid": "crmid", "email": "email", "city": "city", "total": "total"}
    receipt = kernel.load(FILE, columns)
    kernel.workspace.segments.add("IN_PUNE", {"attribute": "city", "operator": "equals", "value": "Pune"})
    assert receipt.stored == 3
    return kernel.workspace.attribute_facts


def test_how_full_it_is_and_what_is_common(facts):
    shown = facts.show("city")
    assert (shown["profiles"], shown["filled"], shown["distinct"]) == (3, 3, 2)
    assert shown["top"] == [{"value": "Pune", "profiles": 2}, {"value": "Goa", "profiles": 1}]
    assert (shown["least"], shown["greatest"]) == (None, None)


def test_numbers_have_ends_as_people_write_them(facts):
    shown = facts.show("total")
    assert (shown["filled"], shown["least"], shown["greatest"]) == (2, "9", "10.5")
    assert shown["top"] == []  # each is there once: none is common


@pytest.mark.parametrize("name", ["email", "crmid"])
def test_values_that_name_people_are_not_told(facts, name):
    shown = facts.show(name)
    assert (shown["filled"], shown["distinct"], shown["top"]) == (3, 3, [])
    assert (shown["least"], shown["greatest"]) == (None, None)


def test_who_uses_it(facts):
    uses = facts.uses()
    assert uses["city"] == {"sources": ["CRM"], "segments": ["IN_PUNE"]}
    assert uses["total"] == {"sources": ["CRM"], "segments": []}
    assert uses["phone"] == {"sources": [], "segments": []}
    assert facts.show("CITY")["segments"] == ["IN_PUNE"]


def test_without_profiles_and_without_the_attribute(kernel):
    shown = kernel.workspace.attribute_facts.show("city")
    assert (shown["profiles"], shown["filled"], shown["distinct"], shown["top"]) == (0, 0, 0, [])
    with pytest.raises(InputError) as refused:
        kernel.workspace.attribute_facts.show("shoe_size")
    assert refused.value.code == "unknown_attribute"
