"""A plan that was made before an attribute was changed or added: it knows no type that is gone and loses no value."""

from __future__ import annotations

import pytest

from ingest_core.errors import StateError
from ingest_core.plan.current import with_current_attributes

COLUMNS = {"crmid": "crmid", "level": "level"}


@pytest.fixture
def stale(kernel):
    """A plan that fills an attribute of type string."""
    kernel.workspace.attributes.add("level", "string")
    kernel.load("crmid\tlevel\nK1\t5\n", COLUMNS)
    return kernel.plan("crmid\tlevel\nK1\tgold\n", COLUMNS)


def current(kernel, plan):
    with kernel.workspace.engine.session() as session:
        return with_current_attributes(session, plan)


def test_a_plan_whose_attributes_are_as_they_were_stays_as_it_is(kernel, stale):
    assert current(kernel, stale) == stale


def test_a_plan_learns_of_attributes_and_names_that_came_since(kernel, stale):
    kernel.workspace.attributes.add("tier", "string")
    kernel.workspace.attributes.change("level", display_name="Member level")
    kernel.workspace.attributes.change("city", type="integer")  # not in this file
    assert {(a.name, a.type) for a in current(kernel, stale).attributes} >= {("tier", "string"), ("city", "integer")}


def test_a_plan_for_a_type_that_is_gone_is_refused(kernel, stale):
    kernel.workspace.attributes.change("level", type="integer")
    with pytest.raises(StateError) as caught:
        current(kernel, stale)
    assert (caught.value.code, caught.value.facts) == ("attribute_changed", {"attributes": ["level"]})


def test_a_plan_that_would_store_what_is_personal_data_now_is_refused(kernel):
    kernel.workspace.attributes.add("level", "string")
    plan = kernel.plan("crmid\tlevel\nK1\tgold\n", COLUMNS)
    kernel.workspace.attributes.mark_pii("level")
    with pytest.raises(StateError) as caught:
        current(kernel, plan)
    assert caught.value.code == "attribute_changed"


def test_a_load_of_such_a_plan_says_so_and_changes_nothing(kernel, stale):
    kernel.workspace.attributes.change("level", type="integer")
    before = kernel.workspace.digest()
    with pytest.raises(StateError) as caught:
        kernel.workspace.loads.load(stale)
    assert (caught.value.code, kernel.workspace.digest()) == ("attribute_changed", before)


def test_a_load_keeps_the_values_of_attributes_that_came_since(kernel, stale):
    kernel.workspace.attributes.add("tier", "string")
    kernel.load("crmid\ttier\nK1\tfirst\n", {"crmid": "crmid", "tier": "tier"})
    kernel.workspace.loads.load(stale)
    assert kernel.values("crmid", "K1") == {"crmid": "K1", "level": "gold", "tier": "first"}
