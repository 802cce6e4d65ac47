"""Traits: listed with their members, written in a drawer that checks the rule, taken in as CSV."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import texts


@pytest.fixture
def audience(workspace):
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    workspace.audience.traits.add("Likes red", 478, trait_id=1, rule='colour == "red"', folder="Taste")
    workspace.audience.traits.add("Named", 478, trait_id=2)
    file = MemoryFile("ftp_dpm_478_1790000000.sync", b"u1\tcolour=red\nu2\tcolour=red\n" + b"u3\tsize=S\n" * 3)
    workspace.audience.ingest([file], BatchOptions(now()))
    return workspace.audience


def rows(page):
    return {row["name"]: row for row in page.dataframe[0].value.to_dict("records")} if page.dataframe else {}


def test_without_data_sources_it_is_said_what_is_missing(open_page, workspace):
    assert "Create a data source with a DPID first" in texts(open_page("am_traits"))


def test_traits_are_listed_with_their_members_and_found_by_the_url(open_page, audience):
    found = rows(open_page("am_traits"))
    assert (found["Likes red"]["members"], found["Named"]["members"]) == (2, 0)
    assert list(rows(open_page("am_traits", find_trait="taste"))) == ["Likes red"]
    assert rows(open_page("am_traits", find_trait="nothing")) == {}


def test_a_rule_is_checked_while_it_is_written(open_page, audience):
    page = open_page("am_traits", trait="2")
    page.text_input(key="trait_rule_2").set_value("size ==").run()
    assert "This rule cannot be used" in texts(page)
    assert page.button(key="trait_save_2").disabled
    page = open_page("am_traits", trait="2")
    page.text_input(key="trait_rule_2").set_value('size = "s"').run()
    assert "The rule can be used" in texts(page)
    assert "**3** signals" in texts(page)


def test_a_trait_is_made_and_changed_in_the_drawer(open_page, audience):
    page = open_page("am_traits", trait="new")
    page.text_input(key="trait_name_new").set_value("Small")
    page.text_input(key="trait_rule_new").set_value('size == "S"').run()
    page.button(key="trait_save_new").click().run()
    assert not page.exception
    made = audience.trait_editing.get(3)
    assert (made.name, made.rule, made.dpid) == ("Small", 'size == "S"', 478)
    page = open_page("am_traits", trait="3")
    page.number_input(key="trait_ttl_3").set_value(30)
    page.button(key="trait_save_3").click().run()
    assert audience.trait_editing.get(3).ttl_days == 30


def test_a_trait_that_is_gone_opens_nothing(open_page, audience):
    page = open_page("am_traits", trait="99")
    assert "trait" not in page.query_params


def test_the_drawer_of_a_customer_shows_traits_with_file_and_line(open_page, workspace, receipt):
    workspace.sources.add("Ids", kind="data_source", dpid=21, id_type="cross_device", id_attribute="crmid")
    workspace.audience.traits.add("Buyer", 21, trait_id=7)
    file = MemoryFile("ftp_dpm_21_1790000000.sync", b"x\td_sid=7\nC1\td_sid=7\n")
    workspace.audience.ingest([file], BatchOptions(now()))
    who = workspace.profiles.show("crmid", "C1")["profile_id"]
    page = open_page("profiles", profile=who, about="Sources and segments")
    tables = [table.value for table in page.dataframe if "receipt" in table.value]
    (row,) = tables[0].to_dict("records")
    assert (row["name"], row["source"], row["file"], row["line"]) == (
        "Buyer",
        "Ids: C1",
        "ftp_dpm_21_1790000000.sync",
        2,
    )
