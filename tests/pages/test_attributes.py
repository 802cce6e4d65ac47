"""The list of attributes and the drawer of one: what it holds, who uses it, its names, a new one."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.shown import texts
from tests.workspaces import mapping_of


def names(page):
    return page.dataframe[0].value["name"].tolist()


def plain(page):
    return texts(page).replace("\\", "")


@pytest.fixture
def used(workspace, receipt):
    """City is asked for by a segment; two people, in Thane and Pune."""
    workspace.attributes.change("city", segment="CITY")
    workspace.segments.add("IN_PUNE", {"attribute": "city", "operator": "equals", "value": "Pune"})
    workspace.attributes.add("shoe_size", "integer", macro="SHOE_SIZE")


def test_values_that_several_have_are_bars_with_words(open_page, workspace, source, tmp_path):
    path = tmp_path / "towns.tsv"
    path.write_text("crmid\tcity\nK1\tPune\nK2\t<b>Goa</b>\nK3\tPune\n", "utf-8")
    columns = mapping_of({"crmid": "crmid", "city": "city"})
    workspace.loads.load(workspace.plan(PathSource(path), source, columns, Options()))
    page = open_page("attributes", attribute="city")
    assert "Commonest values" in texts(page)
    (chart,) = page.get("plotly_chart")
    assert chart.proto.alt == "Commonest values by profiles: Pune 2, <b>Goa</b> 1"


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────


def test_who_uses_each_attribute_is_in_the_list(open_page, used):
    frame = open_page("attributes").dataframe[0].value.set_index("name")
    assert list(frame.loc["city", ["sources", "segments", "segment", "macro"]]) == [
        "CRM contacts", "IN_PUNE", "CITY", "CITY",
    ]  # fmt: skip
    assert frame.loc["city", "filled"] == 1.0
    assert frame.loc["shoe_size", "sources"] == ""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Identifiers", ["crmid", "email", "phone"]),
        ("PII", ["email", "phone", "first_name", "last_name", "birth_date"]),
        ("Custom", ["shoe_size"]),
        ("In segments", ["city"]),
        ("Unused", ["phone", "last_name", "gender", "region", "postal_code", "country", "language", "shoe_size"]),
    ],
)
def test_filters_are_in_the_url(open_page, used, kind, expected):
    assert names(open_page("attributes", kind=kind)) == expected


@pytest.mark.parametrize(
    ("sought", "expected"), [("SHOE", ["shoe_size"]), ("e-mail", ["email"]), ("whole", ["shoe_size"])]
)
def test_the_search_is_in_the_url_and_looks_at_names_and_types(open_page, used, sought, expected):
    assert names(open_page("attributes", sought=sought)) == expected


def test_nothing_found_says_what_to_do(open_page, used):
    page = open_page("attributes", sought="nothing like it")
    assert "No attribute matches" in texts(page)
    assert not page.dataframe


# ── the drawer ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_drawer_says_what_it_holds_and_who_uses_it(open_page, used):
    page = open_page("attributes", attribute="city")
    shown = {metric.label: (metric.value, metric.delta) for metric in page.metric}
    assert shown["Filled"] == ("100 %", "2 of 2 profiles")
    assert shown["Different values"][0] == "2"
    assert "Commonest values" not in texts(page)  # nobody shares a town with another
    assert "{{CITY}}" in plain(page)
    assert [link.label for link in page.get("page_link")] == ["CRM contacts", "IN\\_PUNE"]


@pytest.mark.parametrize("attribute", ["email", "crmid"])
def test_values_that_name_people_are_not_in_the_drawer(open_page, used, attribute):
    page = open_page("attributes", attribute=attribute)
    assert "Commonest values" not in texts(page)
    assert "asha@example" not in str([part.proto for part in page.main]).lower()


def test_an_unknown_attribute_in_the_url_is_a_message(open_page, used):
    assert open_page("attributes", attribute="nothing").error


def test_without_profiles_the_drawer_has_no_share(open_page, workspace):
    page = open_page("attributes", attribute="city")
    assert page.metric[0].value == "–"
    assert "No source fills it" in texts(page)


def test_names_are_changed_and_taken_away(open_page, workspace, used):
    number = workspace.attributes.get("city").attribute_id
    page = open_page("attributes", attribute="city")
    page.text_input(key=f"edit_{number}_shown").set_value("Home town")
    page.text_input(key=f"edit_{number}_segment").set_value("TOWN")
    page.toggle(key=f"edit_{number}_macro_on").set_value(False).run()
    page.button(key=f"edit_{number}_save").click().run()
    assert not page.error
    city = workspace.attributes.get("city")
    assert (city.display_name, city.segment, city.macro) == ("Home town", "TOWN", None)


def test_a_wrong_name_cannot_be_saved(open_page, workspace, used):
    number = workspace.attributes.get("city").attribute_id
    page = open_page("attributes", attribute="city")
    page.text_input(key=f"edit_{number}_segment").set_value("not upper").run()
    assert page.button(key=f"edit_{number}_save").disabled


def test_a_taken_name_is_refused_in_words(open_page, workspace, used):
    number = workspace.attributes.get("shoe_size").attribute_id
    page = open_page("attributes", attribute="shoe_size")
    page.text_input(key=f"edit_{number}_macro").set_value("CITY").run()
    page.button(key=f"edit_{number}_save").click().run()
    assert page.error
    assert workspace.attributes.get("shoe_size").macro == "SHOE_SIZE"


def test_what_holds_nothing_can_become_personal_data_and_what_holds_values_cannot(open_page, workspace, used):
    page = open_page("attributes", attribute="shoe_size")
    page.button(key="mark_pii").click().run()
    assert workspace.attributes.get("shoe_size").pii
    page = open_page("attributes", attribute="city")
    assert "mark_pii" not in [button.key for button in page.button]
    assert "create a new attribute marked as PII" in texts(page)


# ── a new one ────────────────────────────────────────────────────────────────────────────────────────────


def fill(page, **values):
    """Opens the drawer of a new attribute and fills it; AppTest runs the whole page, so the opener is pressed along."""
    page.button(key="new_attribute").click().run()
    for kind, fields in values.items():
        for key, value in fields.items():
            page.button(key="new_attribute").click()
            getattr(page, kind)(key=key).set_value(value).run()
    return page


def test_a_new_attribute_may_identify_customers(open_page, workspace):
    page = fill(open_page("attributes"), text_input={"attribute_name": "loyalty_card"})
    page.button(key="new_attribute").click()
    page.segmented_control(key="attribute_rank").set_value("secondary").run()
    assert "the same value names the same customer" in texts(page)
    page.button(key="new_attribute").click()
    page.button(key="create_attribute").click().run()
    made = workspace.attributes.get("loyalty_card")
    assert (made.identifier, made.display_name, made.pii) == ("secondary", "Loyalty card", False)


def test_a_segment_name_is_suggested_and_checked_while_it_is_typed(open_page, workspace):
    page = fill(
        open_page("attributes"),
        text_input={"attribute_name": "shoe size (eu)"},
        toggle={"attribute_segment_on": True},
    )
    page.button(key="new_attribute").click().run()
    assert page.text_input(key="attribute_segment").value == "SHOE_SIZE_EU"
    page.button(key="new_attribute").click()
    page.text_input(key="attribute_segment").set_value("shoe size").run()
    assert page.button(key="create_attribute").disabled
