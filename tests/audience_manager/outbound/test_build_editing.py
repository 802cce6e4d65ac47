"""What an editor of builds is told while a definition is written."""

from __future__ import annotations

import hashlib

import pytest

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.errors import InputError

CRM, SHOP, COOKIES = 21, 33, 44
HEAD = "crmid\temail\tcity\n"
PEOPLE = HEAD + "K1\tpriya@example.in\tPune\nK2\tbina@example.in\tPune\nK3\t\tGoa\nK4\t\t\n"
GOOD = {"name": "Gold", "id": {"attribute": "crmid"}, "dpid": CRM, "items": [{"trait": 5}], "folder": "/srv/out"}


@pytest.fixture
def editing(kernel):
    workspace = kernel.workspace
    workspace.sources.add(
        "CRM ids", kind="data_source", dpid=CRM, id_type="cross_device", id_attribute="crmid"
    )  # fmt: skip
    workspace.sources.add("Shop ids", kind="data_source", dpid=SHOP, id_type="cross_device")
    workspace.sources.add("Cookies", kind="data_source", dpid=COOKIES, id_type="cookie")
    for trait, dpid in ((5, CRM), (8, SHOP)):
        workspace.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait)
    columns = {"crmid": "crmid", "email": "email", "city": "city"}
    kernel.load(PEOPLE, columns, "People", segment="create:ALL_OF_THEM")
    return workspace.outbound.editing


def test_a_good_definition_has_no_problem(editing):
    found = editing.check(GOOD)
    assert (found.build, found.problems) == (Build.model_validate(GOOD), ())


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"name": ""}, ["name"]),
        ({"id": None}, ["id"]),
        ({"dpid": None}, ["dpid"]),
        ({"id": {"attribute": "email"}}, ["id"]),
        ({"id": {"attribute": "crmid", "recipe": "am_email"}}, ["id"]),
        ({"id": {"attribute": "shoe"}}, ["id"]),
        ({"dpid": 77}, ["dpid"]),
        ({"target": 78}, ["target"]),
        ({"dpid": 20914}, ["target"]),
        ({"target": 20914}, ["target"]),
        ({"items": []}, ["items"]),
        ({"items": [{"trait": 5}, {"trait": None}]}, ["items.1"]),
        ({"items": [{"attribute": "city", "key": "a b"}]}, ["items.0"]),
        ({"items": [{"trait": 5}, {"attribute": "first_name", "key": "name"}]}, ["items.1"]),
        ({"items": [{"attribute": "city", "traits": {"Pune": "many"}}]}, ["items.0"]),
        ({"kind": "id_sync"}, ["others"]),
        ({"kind": "id_sync", "mode": "overwrite", "others": [{"attribute": "city", "dpid": SHOP}]}, ["mode"]),
        ({"kind": "id_sync", "others": [{"attribute": "phone", "dpid": SHOP}]}, ["others.0"]),
        ({"kind": "id_sync", "others": [{"attribute": "city", "dpid": CRM}]}, ["others"]),
        ({"kind": "id_sync", "others": [{"attribute": "city", "dpid": 77}]}, ["others"]),
        ({"gzip": True, "pgp": ["partner"]}, ["packing", "packing"]),
        ({"folder": None, "destination": "Nowhere"}, ["place"]),
        ({"destination": "Nowhere"}, ["place", "place"]),
        ({"segment": "GONE"}, ["who"]),
        ({"segment": "ALL_OF_THEM", "source": "People"}, ["who"]),
        ({"partner": "a/b"}, ["partner"]),
        ({"partner": "date=today"}, ["partner"]),
        ({"split_bytes": 1}, ["split_bytes"]),
        ({"look_above_rows": -1}, ["look"]),
        ({"name": "", "dpid": 77, "items": []}, ["name", "items", "dpid"]),
        ({"name": "", "dpid": None}, ["name", "dpid"]),
    ],
)
def test_a_problem_stands_at_the_field_where_it_is_put_right(editing, fields, places):
    found = editing.check({**GOOD, **fields})
    assert [one.field for one in found.problems if one.is_error] == places
    assert found.build is None
    assert all(one.message.endswith(".") for one in found.problems)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"items": [{"trait": 99}]}, "traits_unknown"),
        ({"items": [{"trait": 8}]}, "traits_of_another_source"),
        ({"folder": None}, "no_place"),
    ],
)
def test_what_can_be_built_and_is_worth_a_look_blocks_nothing(editing, fields, code):
    found = editing.check({**GOOD, **fields})
    assert found.build is not None
    assert [(one.code, one.is_error) for one in found.problems] == [(code, False)]


def test_what_an_editor_lets_pass_is_kept_without_a_word(editing, kernel):
    found = editing.check({**GOOD, "segment": "all_of_them", "target": SHOP, "items": [{"trait": 8}]})
    assert kernel.workspace.outbound.builds.keep(found.build) == found.build


def test_an_address_is_offered_hashed_and_other_personal_data_not_at_all(editing):
    offered = {one.attribute: one for one in editing.columns()}
    assert (offered["crmid"].recipe, offered["crmid"].refused, offered["crmid"].dpid) == ("plain", "", CRM)
    assert (offered["email"].recipe, offered["email"].refused) == ("am_email", "")
    assert "never leaves" in offered["phone"].refused
    assert offered["profile_id"].refused == ""


@pytest.mark.parametrize(
    ("attribute", "recipe", "dpid", "told"),
    [
        ("crmid", "plain", CRM, ("customer", "", 4, 4)),
        ("email", "am_email", SHOP, ("hashed", "", 2, 4)),
        ("city", "plain", COOKIES, ("cookie", "", 3, 4)),
        ("city", "plain", 20915, ("device", "a GUID in upper case (8-4-4-4-12)", 3, 4)),
        ("city", "plain", 0, ("uuid", "38 digits", 3, 4)),
        ("profile_id", "plain", None, ("customer", "", 4, 4)),
    ],
)
def test_an_id_says_what_it_is_and_how_many_have_one(editing, attribute, recipe, dpid, told):
    found = editing.told_id(attribute, recipe, dpid)
    assert (found.what, found.form, found.filled, found.profiles) == told


def test_values_are_offered_by_how_many_have_them_and_never_of_personal_data(editing):
    assert editing.values("city") == [{"value": "Pune", "count": 2}, {"value": "Goa", "count": 1}]
    with pytest.raises(InputError) as caught:
        editing.values("email")
    assert caught.value.code == "personal_data"


def test_people_are_counted_by_whose_they_are(editing):
    assert [editing.people(*who) for who in ((None, None), ("ALL_OF_THEM", None), (None, "people"))] == [4, 4, 4]
    with pytest.raises(InputError) as caught:
        editing.people(None, "Nothing")
    assert caught.value.code == "no_such_source"


def test_the_first_lines_stand_as_they_would_in_the_file(editing):
    build = Build.model_validate({**GOOD, "items": [{"attribute": "city", "traits": {"pune": 5}}]})
    assert editing.lines(build) == ["K1\td_sid=5", "K2\td_sid=5"]
    assert editing.lines(build, 1) == ["K1\td_sid=5"]
    hashed = build.model_copy(update={"id": build.id.model_copy(update={"attribute": "email", "recipe": "am_email"})})
    assert editing.lines(hashed, 1) == [f"{hashlib.sha256(b'priya@example.in').hexdigest()}\td_sid=5"]
