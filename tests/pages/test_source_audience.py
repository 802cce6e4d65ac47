"""The settings of a data source: what Audience Manager knows of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import texts


@pytest.fixture
def people(workspace):
    made = workspace.sources.add("People", kind="data_source", dpid=21, id_type="cross_device", owner="self")
    workspace.audience.traits.add("Buyer", 21, trait_id=1, ttl_days=0)
    return made


def opened(open_page, source):
    return open_page("source", source=str(source.source_id), tab="Settings")


def stored(workspace, days=100):
    file = MemoryFile("ftp_dpm_21_1600000000.sync", b"a\td_sid=1\n")
    workspace.audience.ingest([file], BatchOptions(now() - timedelta(days=days)))


def test_a_source_of_customers_has_no_such_card(open_page, source):
    assert not [button for button in opened(open_page, source).button if button.key == "save_audience"]


def test_all_fields_are_saved_together(open_page, workspace, people):
    page = opened(open_page, people)
    page.number_input(key="audience_dpid").set_value(50)
    page.selectbox(key="audience_owner").set_value("other")
    page.selectbox(key="audience_inbound_id_type").set_value("dpuuid")
    page.selectbox(key="audience_id_attribute").set_value("crmid")
    page.text_input(key="audience_id_placement").set_value("first column")
    page.number_input(key="audience_days").set_value(90)
    page.toggle(key="audience_case").set_value(False)
    page.toggle(key="audience_access").set_value(True)
    page.toggle(key="audience_sampling").set_value(True)
    page.button(key="save_audience").click().run()
    assert "Remove them first" in page.error[0].value  # its trait names the DPID
    assert workspace.sources.get(people.source_id) == people
    page.number_input(key="audience_dpid").set_value(21)
    page.multiselect(key="audience_controls").set_value(["ads"])
    page.button(key="save_audience").click().run()
    assert not page.error
    made = workspace.sources.get(people.source_id)
    assert (made.dpid, made.owner, made.inbound_id_type, made.id_attribute) == (21, "other", "dpuuid", "crmid")
    assert (made.id_placement, made.settings.profile_days, made.settings.is_case_sensitive) == (
        "first column",
        90,
        False,
    )
    assert made.settings.access_mapping
    assert made.settings.sampling_until > now() + timedelta(days=13)
    assert workspace.outbound.orders.controls() == [{"dpid": 21, "label": "ads"}]


def test_what_ids_mean_is_locked_with_the_reason_once_a_file_was_stored(open_page, workspace, people):
    stored(workspace)
    page = opened(open_page, people)
    assert "1 file of this source was stored" in texts(page)
    for widget in (
        page.number_input(key="audience_dpid"), page.selectbox(key="audience_id_type"),
        page.selectbox(key="audience_inbound_id_type"),
    ):  # fmt: skip
        assert widget.disabled
    page.selectbox(key="audience_owner").set_value("other")
    page.button(key="save_audience").click().run()
    assert not page.error
    assert workspace.sources.get(people.source_id).owner == "other"


def test_other_days_say_what_they_end_before_they_are_saved(open_page, workspace, people):
    stored(workspace)
    page = opened(open_page, people)
    page.number_input(key="audience_days").set_value(60).run()
    assert "1 profile would be over" in texts(page)
    assert workspace.sources.get(people.source_id).settings.profile_days == 720
