"""Segments on screen: the list, one of them, and the builder whose every change is kept."""

from __future__ import annotations

import json
from datetime import date, time

import pytest

from pages.ui import kept
from tests.pages.shown import press_inside, texts

PUNE = {"attribute": "city", "operator": "equals", "value": "Pune"}
ALL = {"all": []}


@pytest.fixture
def segments(workspace, receipt):
    """Two people: Asha in Mumbai or Thane, Rahul in Pune."""
    workspace.attributes.change("city", segment="CITY")
    workspace.attributes.add("amount", "number", display_name="Amount", segment="AMOUNT")
    return workspace.segments


@pytest.fixture
def draft(workspace):
    """draft(rule, …) → the id of a begun segment."""

    def begun(rule, **said):
        draft_id = workspace.drafts.create(None)
        workspace.drafts.save(draft_id, {"kind": "segment", "rule": rule, **said})
        return draft_id

    return begun


def plain(page):
    """What the page says, without the backslashes that keep text from being interpreted."""
    return texts(page).replace("\\", "")


def choose(page, key, value):
    page.selectbox(key=key).set_value(value).run()
    assert not page.exception


def rule_of(page, workspace):
    return workspace.drafts.load(draft_of(page))["rule"]


def draft_of(page):
    """The id in the URL."""
    found = page.query_params["draft"]
    return found if isinstance(found, str) else found[0]


class TestTheList:
    def test_without_people_it_leads_to_the_sources_and_with_people_to_the_builder(self, open_page, workspace):
        page = open_page("segments")
        assert "Load a first file" in texts(page)
        page.button(key="new_segment").click().run()
        assert page.title[0].value == "New segment"

    def test_a_row_says_count_change_rule_and_tags(self, open_page, segments):
        segments.add("IN_PUNE", PUNE, "Who **lives** in <b>Pune</b>", tags=["b", "*a*"], priority=3)
        page = open_page("segments")
        row = page.dataframe[0].value.iloc[0]
        assert (row["name"], row["count"], row["change"], row["words"]) == ("IN_PUNE", 1, "–", "City is Pune")
        assert (list(row["tags"]), row["priority"], row["by"]) == (["*a*", "b"], 3, "Asha Menon")
        assert row["description"] == "Who **lives** in <b>Pune</b>"
        segments.edit("IN_PUNE", rule=ALL)
        assert open_page("segments").dataframe[0].value.iloc[0]["change"] == "+1"

    def test_search_and_tags_are_in_the_url(self, open_page, segments):
        segments.add("IN_PUNE", PUNE, tags=["city"])
        segments.add("EVERYBODY", ALL)
        assert list(open_page("segments", find="pune").dataframe[0].value["name"]) == ["IN_PUNE"]
        assert list(open_page("segments", with_tags="city").dataframe[0].value["name"]) == ["IN_PUNE"]
        assert "No segment matches" in texts(open_page("segments", find="nothing like it"))

    def test_a_rule_that_does_not_fit_any_more_is_marked(self, open_page, workspace, segments):
        segments.add("RICH", {"attribute": "AMOUNT", "operator": ">", "value": 1})
        workspace.attributes.change("amount", type="string")
        row = open_page("segments").dataframe[0].value.iloc[0]
        assert list(row["state"]) == ["Needs a new rule"]
        assert row["words"].startswith("Cannot be counted: amount")

    def test_what_was_begun_is_offered_again_or_thrown_away(self, open_page, workspace, draft):
        draft_id = draft(ALL, name="SPRING")
        page = open_page("segments")
        assert "**SPRING**" in texts(page)
        page.button(key=f"continue_{draft_id}").click().run()
        assert page.text_input(key="segment_name").value == "SPRING"
        page = open_page("segments")
        page.button(key=f"discard_{draft_id}").click().run()
        assert workspace.drafts.load(draft_id) is None

    def test_overlap_compares_the_largest_or_those_of_the_url(self, open_page, segments):
        segments.add("IN_PUNE", PUNE)
        assert "two segments are needed" in texts(open_page("segments", view="Overlap"))
        segments.add("EVERYBODY", ALL)
        segments.add("NOBODY", {"any": []})
        page = open_page("segments", view="Overlap")
        table = page.dataframe[0].value
        assert table.set_index("Segment").loc["IN_PUNE"].to_dict() == {"EVERYBODY": 2 - 1, "IN_PUNE": 1, "NOBODY": 0}
        page.multiselect(key="compare").set_value(["NOBODY", "IN_PUNE"]).run()
        assert list(page.dataframe[0].value["Segment"]) == ["NOBODY", "IN_PUNE"]


class TestOneSegment:
    def test_figures_rule_and_people_are_shown_masked(self, open_page, segments):
        segments.add("IN_PUNE", PUNE, "For *Pune*")
        segments.add("OTHERS", {"not": {"segment": "IN_PUNE"}})
        page = open_page("segment", segment="1")
        figures = {metric.label: metric.value for metric in page.metric}
        assert (figures["People"], figures["Share of all profiles"], figures["Segments built on it"]) == (
            "1",
            "50 %",
            "1",
        )
        assert "City is Pune" in texts(page)
        assert "For *Pune*" in plain(page)
        assert "Used by" in texts(page)
        people = page.dataframe[-1].value
        assert len(people) == 1
        assert "rahul@example.com" not in people.to_string()
        assert "r•••@example.com" in people.to_string()

    def test_counts_over_time_name_their_cause(self, open_page, workspace, segments, source, file):
        segments.add("EVERYBODY", ALL)
        segments.edit("EVERYBODY", rule=PUNE)
        page = open_page("segment", segment="1")
        counts = page.dataframe[0].value
        assert list(counts["cause"]) == ["Rule changed", "Segment made"]
        assert list(counts["change"]) == ["-1", "–"]

    def test_people_come_in_pages_and_the_page_is_in_the_url(self, open_page, workspace):
        workspace.load_sample_data()
        workspace.segments.add("EVERYBODY", ALL)
        second = open_page("segment", segment="1", people_page="2").dataframe[-1].value
        assert list(second["person"]) == [one["profile_id"] for one in workspace.segments.members("EVERYBODY", 25, 25)]

    @pytest.mark.parametrize("number", ["99", "", "x", "1"])
    def test_a_segment_that_is_not_there_says_so(self, open_page, workspace, number):
        assert "This segment is not there" in texts(open_page("segment", segment=number))

    def test_one_whose_rule_does_not_fit_leads_to_the_builder(self, open_page, workspace, segments):
        segments.add("RICH", {"attribute": "AMOUNT", "operator": ">", "value": 1})
        workspace.attributes.change("amount", type="string")
        page = open_page("segment", segment="1")
        assert "no people until its rule is corrected" in texts(page)
        page.button(key="correct_rule").click().run()
        assert page.title[0].value == "Edit RICH"
        assert "Amount (string) has no such operator" in plain(page)

    def test_delete_asks_once_and_names_what_is_built_on_it(self, open_page, workspace, segments):
        segments.add("IN_PUNE", PUNE)
        segments.add("OTHERS", {"not": {"segment": "IN_PUNE"}})
        page = open_page("segment", segment="1")
        page.button(key="delete_segment").click().run()
        assert "Take it out of their rules first" in texts(page)
        assert segments.names() == ["IN_PUNE", "OTHERS"]
        page = open_page("segment", segment="2")
        page.button(key="delete_segment").click().run()
        press_inside(page, "delete_segment", "confirm_delete")
        assert segments.names() == ["IN_PUNE"]
        assert page.title[0].value == "Segments"


class TestTheBuilder:
    def test_a_segment_is_made_by_clicking_and_counts_as_the_core_does(self, open_page, workspace, segments):
        page = open_page("segment_edit")
        assert workspace.drafts.list() == []  # a page that is only looked at leaves nothing
        assert page.button(key="save_segment").disabled
        page.text_input(key="segment_name").set_value("NOT_IN_PUNE").run()
        choose(page, "rule.all[0]:subject", "attribute:city")
        choose(page, "rule.all[0]:value", "Pune")
        page.button(key="rule:group").click().run()
        choose(page, "rule.all[1]:kind", "none")
        choose(page, "rule.all[1].not.any[0]:subject", "source")
        choose(page, "rule.all[1].not.any[0]:source", "CRM contacts")
        choose(page, "rule.all[1].not.any[0]:in", True)
        rule = {"all": [PUNE, {"not": {"any": [{"not": {"source": "CRM contacts"}}]}}]}
        assert rule_of(page, workspace) == rule
        assert "**1** of 2 profiles" in texts(page)
        assert "City is Pune and not not in the source CRM contacts" in plain(page)
        page.multiselect(key="segment_tags").set_value(["new"]).run()
        page.number_input(key="segment_priority").set_value(4).run()
        page.button(key="save_segment").click().run()
        assert page.title[0].value.replace("\\", "") == "NOT_IN_PUNE"
        made = segments.show("NOT_IN_PUNE")
        assert (made["count"], made["rule"], made["tags"], made["priority"]) == (1, rule, ["new"], 4)
        assert workspace.drafts.list() == []

    def test_a_draft_opened_again_shows_everything(self, open_page, segments, draft):
        rule = {"any": [PUNE, {"attribute": "amount", "operator": "between", "value": [1, "2.50"]}]}
        page = open_page("segment_edit", draft=draft(rule, name="ODD_ONES", description="x", tags=["t"], priority=2))
        assert page.text_input(key="segment_name").value == "ODD_ONES"
        assert page.selectbox(key="rule:kind").value == "any"
        assert page.selectbox(key="rule.any[0]:operator").value == "equals"
        assert page.text_input(key="rule.any[1]:value1:text").value == "2.50"

    @pytest.mark.parametrize("name", ["spring", "SPRING__X", "1SPRING", "IN_PUNE"])
    def test_a_name_is_checked_while_it_is_typed(self, open_page, segments, name):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit")
        page.button(key="rule:add").click().run()
        page.text_input(key="segment_name").set_value(name).run()
        assert any("already" in caption.value or "Capital letters" in caption.value for caption in page.caption)
        assert page.button(key="save_segment").disabled

    def test_a_wrong_value_is_said_below_its_condition(self, open_page, segments, draft):
        rule = {"all": [PUNE, {"attribute": "amount", "operator": "greater", "value": 1}]}
        page = open_page("segment_edit", draft=draft(rule, name="RICH"))
        page.text_input(key="rule.all[1]:value:text").set_value("much").run()
        assert "is not a number" in plain(page)
        assert page.button(key="save_segment").disabled
        page.text_input(key="rule.all[1]:value:text").set_value("10.5").run()
        assert not page.button(key="save_segment").disabled

    def test_what_was_typed_as_a_number_is_one_in_the_rule(self, open_page, workspace, segments, draft):
        page = open_page(
            "segment_edit", draft=draft({"all": [{"attribute": "amount", "operator": "equals", "value": 1}]})
        )
        for typed, kept_as in (
            ("7", 7),
            ("10.5", 10.5),
            ("0.12345678901234567890", "0.12345678901234567890"),
            ("1e3", "1e3"),
        ):
            page.text_input(key="rule.all[0]:value:text").set_value(typed).run()
            assert rule_of(page, workspace)["all"][0]["value"] == kept_as
            assert page.text_input(key="rule.all[0]:value:text").value == typed

    def test_a_day_and_a_time_are_chosen_where_the_attribute_has_times(self, open_page, workspace, segments):
        workspace.attributes.add("seen", "datetime", display_name="Seen", segment="SEEN")
        page = open_page("segment_edit")
        choose(page, "rule.all[0]:subject", "attribute:seen")
        choose(page, "rule.all[0]:operator", "on_or_after")
        page.date_input(key="rule.all[0]:value:day").set_value(date(2026, 3, 1)).run()
        assert rule_of(page, workspace)["all"][0]["value"] == "2026-03-01"
        page.time_input(key="rule.all[0]:value:hour").set_value(time(14, 30)).run()
        assert rule_of(page, workspace)["all"][0]["value"] == "2026-03-01 14:30"
        choose(page, "rule.all[0]:operator", "in_the_last_days")
        page.number_input(key="rule.all[0]:days").set_value(30).run()
        assert rule_of(page, workspace)["all"][0]["value"] == 30
        assert "Seen is in the last 30 days" in plain(page)

    def test_an_upload_or_another_segment_can_be_asked_for(self, open_page, workspace, segments, receipt):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit")
        choose(page, "rule.all[0]:subject", "upload")
        choose(page, "rule.all[0]:upload", receipt.request_id)
        page.button(key="rule:add").click().run()
        choose(page, "rule.all[1]:subject", "segment")
        choose(page, "rule.all[1]:segment", "IN_PUNE")
        assert rule_of(page, workspace) == {"all": [{"upload": receipt.request_id}, {"segment": "IN_PUNE"}]}
        assert "**1** of 2 profiles" in texts(page)

    def test_a_segment_cannot_be_built_on_itself(self, open_page, segments, draft):
        segments.add("IN_PUNE", PUNE)
        segments.add("OTHERS", {"not": {"segment": "IN_PUNE"}})
        page = open_page("segment_edit", draft=draft({"all": [{"segment": "OTHERS"}]}, name="IN_PUNE", segment_id=1))
        assert "the segments go round in a circle" in plain(page).lower()
        assert "IN_PUNE" not in page.selectbox(key="rule.all[0]:segment").options

    def test_personal_data_can_only_be_asked_for_presence(self, open_page, workspace, segments):
        workspace.attributes.change("email", segment="EMAIL")
        page = open_page("segment_edit")
        choose(page, "rule.all[0]:subject", "attribute:email")
        assert page.selectbox(key="rule.all[0]:operator").options == ["is present", "is absent"]
        assert "**2** of 2 profiles" in texts(page)

    @pytest.mark.parametrize(
        ("action", "rule"),
        [
            ("Move down", {"all": [ALL, PUNE]}), ("Repeat", {"all": [PUNE, PUNE, ALL]}),
            ("Put into a group", {"all": [{"any": [PUNE]}, ALL]}), ("Say the opposite", {"all": [{"not": PUNE}, ALL]}),
            ("Remove", {"all": [ALL]}),
        ],
    )  # fmt: skip
    def test_a_condition_has_a_menu_and_every_change_can_be_undone(
        self, open_page, workspace, segments, draft, action, rule
    ):
        page = open_page("segment_edit", draft=draft({"all": [PUNE, ALL]}))
        page.menu_button(key="rule.all[0]:menu").set_value(action).run()
        assert not page.exception
        assert rule_of(page, workspace) == rule
        page.button(key="undo_rule").click().run()
        assert rule_of(page, workspace) == {"all": [PUNE, ALL]}

    def test_a_rule_deeper_than_the_screen_is_shown_and_kept(self, open_page, workspace, segments, draft):
        deep = PUNE
        for _ in range(8):
            deep = {"any": [deep]}
        page = open_page("segment_edit", draft=draft({"all": [deep, PUNE]}, name="DEEP"))
        assert "A group of 1 condition" in texts(page)
        page.button(key="save_segment").click().run()
        assert segments.show("DEEP")["rule"] == {"all": [deep, PUNE]}

    def test_a_very_wide_rule_does_not_fill_the_screen_with_inputs(self, open_page, segments, draft):
        page = open_page("segment_edit", draft=draft({"any": [PUNE] * 300}, name="WIDE"))
        assert len(page.selectbox) < 100
        assert "more to this rule than fits" in texts(page)

    def test_what_is_no_part_of_a_rule_is_shown_as_such(self, open_page, segments, draft):
        page = open_page("segment_edit", draft=draft({"all": [{"what": 1}, "x", {"attribute": "none_such"}]}))
        assert "a rule has no such part" in plain(page).lower()
        assert page.button(key="save_segment").disabled


class TestJson:
    def test_the_same_tree_can_be_pasted(self, open_page, workspace, segments):
        page = open_page("segment_edit", show="Rule as JSON")
        page.text_area(key="rule_json").set_value('{"attribute": "CITY", "operator": "is", "value": "pune"}').run()
        assert rule_of(page, workspace) == {"all": [{"attribute": "city", "operator": "equals", "value": "pune"}]}
        assert "**1** of 2 profiles" in texts(page)
        assert json.loads(page.text_area(key="rule_json").value) == rule_of(page, workspace)

    def test_a_rule_with_a_mistake_can_be_corrected_by_clicking(self, open_page, segments):
        page = open_page("segment_edit", show="Rule as JSON")
        page.text_area(key="rule_json").set_value('{"attribute": "AMOUNT", "operator": ">", "value": "much"}').run()
        page = open_page("segment_edit", draft=draft_of(page))
        assert page.selectbox(key="rule.all[0]:operator").value == "greater"
        assert "is not a number" in plain(page)
        page.text_input(key="rule.all[0]:value:text").set_value("5").run()
        assert "**0** of 2 profiles" in texts(page)

    def test_text_that_is_no_json_is_kept_and_the_rule_stays(self, open_page, workspace, segments, draft):
        page = open_page("segment_edit", draft=draft({"all": [PUNE]}, name="X"), show="Rule as JSON")
        page.text_area(key="rule_json").set_value('{"all": [}').run()
        assert "at line 1, column 10" in plain(page)
        assert rule_of(page, workspace) == {"all": [PUNE]}
        again = open_page("segment_edit", draft=draft_of(page), show="Rule as JSON")
        assert again.text_area(key="rule_json").value == '{"all": [}'
        assert again.button(key="save_segment").disabled

    def test_every_problem_is_listed_with_its_path(self, open_page, segments):
        page = open_page("segment_edit", show="Rule as JSON")
        page.text_area(key="rule_json").set_value('{"any": [{"source": "X"}, {"attribute": "city"}]}').run()
        assert "rule.any[0].source: There is no such source" in plain(page)
        assert "rule.any[1].operator" in plain(page)


class TestSaving:
    def test_an_edit_changes_the_segment_and_its_name(self, open_page, segments):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit", segment="1")
        page.text_input(key="segment_name").set_value("IN_MUMBAI").run()
        choose(page, "rule.all[0]:value", "Thane")
        page.button(key="save_segment").click().run()
        assert [(one["name"], one["words"]) for one in segments.list()] == [("IN_MUMBAI", "City is Thane")]

    def test_a_draft_that_was_saved_cannot_be_saved_again(self, open_page, segments, draft):
        draft_id = draft({"all": [PUNE]}, name="IN_PUNE")
        first, second = open_page("segment_edit", draft=draft_id), open_page("segment_edit", draft=draft_id)
        first.button(key="save_segment").click().run()
        second.button(key="save_segment").click().run()
        assert "This draft is finished" in texts(second)
        assert segments.names() == ["IN_PUNE"]

    def test_two_windows_do_not_disturb_each_other(self, open_page, workspace, segments):
        first, second = open_page("segment_edit"), open_page("segment_edit")
        first.text_input(key="segment_name").set_value("ONE").run()
        second.text_input(key="segment_name").set_value("TWO").run()
        assert {state["name"] for _, state in kept.all_of("segment")} == {"ONE", "TWO"}

    def test_a_change_made_meanwhile_is_noticed_and_decided(self, open_page, segments):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit", segment="1")
        page.text_input(key="segment_description").set_value("mine").run()
        segments.edit("IN_PUNE", rule=ALL)
        page.run()
        assert "was changed meanwhile" in texts(page)
        assert page.button(key="save_segment").disabled
        page.button(key="keep_mine").click().run()
        page.button(key="save_segment").click().run()
        assert (segments.show("IN_PUNE")["words"], segments.show("IN_PUNE")["description"]) == ("City is Pune", "mine")

    def test_the_other_change_can_be_taken(self, open_page, workspace, segments):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit", segment="1")
        page.text_input(key="segment_description").set_value("mine").run()
        segments.edit("IN_PUNE", description="theirs")
        page.run()
        page.button(key="take_theirs").click().run()
        assert page.text_input(key="segment_description").value == "theirs"
        assert workspace.drafts.list() == []

    def test_a_segment_deleted_meanwhile_is_made_anew(self, open_page, segments):
        segments.add("IN_PUNE", PUNE)
        page = open_page("segment_edit", segment="1")
        page.text_input(key="segment_description").set_value("mine").run()
        segments.delete("IN_PUNE")
        page.run()
        assert "Saving makes it anew" in texts(page)
        page.button(key="save_segment").click().run()
        assert segments.show("IN_PUNE")["description"] == "mine"

    def test_discarding_leaves_nothing(self, open_page, workspace, segments, draft):
        page = open_page("segment_edit", draft=draft({"all": [PUNE]}, name="X"))
        page.button(key="discard").click().run()
        assert page.title[0].value == "Segments"
        assert (workspace.drafts.list(), segments.names()) == ([], [])
