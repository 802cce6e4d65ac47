"""Sources: created, found, changed, archived."""

from __future__ import annotations

import unicodedata

import pytest

from ingest_core.errors import OnrampError
from ingest_core.models import SourceSettings
from tests.catalog.names import KEPT, REFUSED


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def test_a_source_has_what_it_was_given(workspace):
    made = workspace.sources.add(
        "Adobe", kind="data_source", description=" ids ", dpid=53196, id_type="cookie", inbound_id_type="x",
        owner="self", id_attribute="a", id_placement="p", settings=SourceSettings(phone_country="IN"),
    )  # fmt: skip
    assert made == workspace.sources.get("Adobe") == workspace.sources.get(made.source_id)
    assert made.description == "ids"
    assert (made.kind, made.dpid, made.id_type, made.settings.phone_country) == ("data_source", 53196, "cookie", "IN")
    assert made.created_at is not None


@pytest.mark.parametrize("again", ["CRM", "crm", "Crm", "  CRM  "])
def test_names_are_unique_without_regard_to_case(workspace, again):
    workspace.sources.add("CRM")
    assert code_of(workspace.sources.add, again) == "source_exists"
    assert len(workspace.sources.list()) == 1


def test_a_source_is_found_by_name_in_any_case(workspace):
    made = workspace.sources.add("Café")
    assert workspace.sources.get("CAFÉ") == made
    assert code_of(workspace.sources.get, "Shop") == code_of(workspace.sources.get, 99) == "no_such_source"


def test_sources_are_listed_by_name(workspace):
    for name in ("b", "C", "a"):
        workspace.sources.add(name)
    assert [source.name for source in workspace.sources.list()] == ["a", "b", "C"]


def test_archived_sources_leave_the_list_and_come_back(workspace):
    made = workspace.sources.add("CRM")
    for _ in range(2):
        workspace.sources.archive(made.source_id)
    assert workspace.sources.list() == []
    assert [s.archived_at is not None for s in workspace.sources.list(include_archived=True)] == [True]
    assert code_of(workspace.sources.add, "crm") == "source_exists"
    workspace.sources.archive(made.source_id, is_archived=False)
    assert workspace.sources.list() == [made]


def test_changing_a_source_leaves_the_rest(workspace):
    made = workspace.sources.add("CRM", description="first", settings=SourceSettings(threshold_percent=5))
    changed = workspace.sources.update(made.source_id, name="Shop")
    assert (changed.name, changed.description, changed.settings.threshold_percent) == ("Shop", "first", 5)
    changed = workspace.sources.update(made.source_id, description="", settings=SourceSettings(recipients=("a@b.de",)))
    assert (changed.name, changed.description) == ("Shop", "")
    assert changed.settings == SourceSettings(recipients=("a@b.de",))
    assert workspace.sources.update(made.source_id, name="shop").name == "shop"


def test_a_source_cannot_take_the_name_of_another(workspace):
    workspace.sources.add("CRM")
    shop = workspace.sources.add("Shop")
    assert code_of(workspace.sources.update, shop.source_id, name="crm") == "source_exists"
    assert code_of(workspace.sources.update, 99, name="x") == "no_such_source"


@pytest.mark.parametrize("dpid", [0, -1, 10**10])
def test_a_dpid_has_at_most_ten_digits(workspace, dpid):
    assert code_of(workspace.sources.add, "A", dpid=dpid) == "bad_dpid"
    assert workspace.sources.list() == []


@pytest.mark.parametrize("country", ["in", "XX", "India", ""])
def test_the_phone_country_is_one_that_has_phones(workspace, country):
    settings = SourceSettings(phone_country=country)
    assert code_of(workspace.sources.add, "A", settings=settings) == "bad_country"
    made = workspace.sources.add("A")
    assert code_of(workspace.sources.update, made.source_id, settings=settings) == "bad_country"


@pytest.mark.parametrize("name", KEPT)
def test_any_visible_name_is_kept_as_it_is(workspace, name):
    made = workspace.sources.add(name)
    assert made.name == unicodedata.normalize("NFC", name).strip()
    assert workspace.sources.list() == [made] == [workspace.sources.get(made.name)]


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_nobody_can_see_or_read_is_refused(workspace, name):
    assert code_of(workspace.sources.add, name) == "bad_name"
    assert workspace.sources.list() == []


def test_hostile_names_live_side_by_side(workspace):
    kept = {workspace.sources.add(name).name for name in KEPT if name != "NULL"}
    assert {source.name for source in workspace.sources.list()} == kept
    assert len(kept) == len(KEPT) - 1
