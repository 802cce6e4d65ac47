"""Signals of data files on screens: the switch at the mapping, both receipts, undo of both, the wizard's first look."""

from __future__ import annotations

import pytest

from ingest_core.models import ColumnMapping, Mapping
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import press_inside, texts

NAME = "ftp_dpm_478_1366545717.sync"


@pytest.fixture
def visitors(workspace):
    made = workspace.sources.add(
        "Visitors", kind="data_source", dpid=478, id_type="cross_device", owner="self", id_attribute="crmid"
    )
    workspace.audience.traits.add("Buyer", 478, trait_id=24)
    return made


@pytest.fixture
def mapped(workspace, visitors):
    pairs = (("id_478", "crmid"), ("city", "city"))
    columns = tuple(ColumnMapping(column=name, attribute=attribute) for name, attribute in pairs)
    workspace.mappings.save(visitors, Mapping(columns=columns))
    return visitors


def processed(workspace, data=b"C1\tcity=Oslo,d_sid=24\nC2\tword\n"):
    report = workspace.audience.ingest([MemoryFile(NAME, data)])
    return report.request_id, workspace.signal_uploads.load(report.request_id)


def city_count(workspace):
    column = workspace.attributes.get("city").column
    with workspace.engine.session() as session:
        return session.value(f"SELECT count({column}) FROM profile")


def on_mapping(open_page, source):
    return open_page("source", source=str(source.source_id), tab="Mapping")


def test_only_data_sources_have_signals_to_map(open_page, source, visitors):
    assert "Signals as attributes" not in texts(on_mapping(open_page, source))
    page = on_mapping(open_page, visitors)
    assert "Signals as attributes" in texts(page)
    assert page.toggle(key="load_signals").disabled
    assert page.button(key="map_signals").label == "Map signals to attributes"


def test_the_switch_is_saved_at_once_and_survives_a_reload(open_page, workspace, mapped):
    page = on_mapping(open_page, mapped)
    assert "→ City" in texts(page)
    page.toggle(key="load_signals").set_value(True).run()
    assert workspace.sources.get("Visitors").settings.load_signals
    page = on_mapping(open_page, mapped)
    assert page.toggle(key="load_signals").value is True
    page.toggle(key="load_signals").set_value(False).run()
    assert not workspace.sources.get("Visitors").settings.load_signals


@pytest.fixture
def loading(workspace, mapped):
    workspace.audience.source_editing.change(mapped.source_id, settings={"load_signals": True})
    return mapped


def test_both_receipts_name_the_other(open_page, workspace, loading):
    batch, (load,) = processed(workspace)
    page = open_page("am_receipt", receipt=batch)
    assert "Signals in profiles" in texts(page)
    assert "1 person of Visitors, 1 line rejected" in texts(page)
    page = open_page("upload", upload=load.request_id)
    assert "Signals of an Audience Manager file" in texts(page)


def test_a_file_without_a_mapping_says_where_to_make_one(open_page, workspace, loading):
    report = workspace.audience.ingest(
        [MemoryFile("ftp_dpm_20914_478_1366545717.sync", b"e4fe9bde-caa0-47b6-908d-ffba3fa184f2\tcity=Rome,d_sid=24\n")]
    )
    workspace.signal_uploads.load(report.request_id)
    assert "has no mapping that takes the ids" in texts(open_page("am_receipt", receipt=report.request_id))


@pytest.mark.parametrize("is_both", [False, True])
def test_undo_of_a_batch_offers_to_take_the_values_back_too(open_page, workspace, loading, is_both):
    batch, _ = processed(workspace)
    page = open_page("am_receipt", receipt=batch)
    page.button(key="undo").click().run()
    assert "Take back the values in profiles, too (1 upload)" in [box.label for box in page.checkbox]
    if is_both:
        page.checkbox(key="with_signals").check()
    press_inside(page, "undo", "confirm_undo")
    assert workspace.audience.members() == {}
    assert city_count(workspace) == (0 if is_both else 1)
    page = open_page("am_receipt", receipt=batch)
    page.button(key="redo").click().run()
    if is_both:
        page.checkbox(key="with_signals").check()
    else:
        assert not page.checkbox
    press_inside(page, "redo", "confirm_undo")
    assert (len(workspace.audience.members()), city_count(workspace)) == (1, 1)


def test_the_report_leads_to_the_mapping_of_the_chosen_source(open_page, workspace, loading):
    lines = b"".join(b"C%d\tshoe=43\n" % n for n in range(120))
    workspace.audience.ingest([MemoryFile(NAME, lines)])
    page = open_page("am_report", tab="Unused signals", data_source="Visitors (478)")
    assert "shoe" in str([frame.value for frame in page.dataframe])


@pytest.fixture
def draft(workspace, visitors):
    """An ingest of a data file under way."""
    data = b"C1\tcity=Oslo,shoe-size=43\nC2\tCity=Goa,24\nC3\tword\n"
    writer = workspace.landing.create(NAME, len(data))
    writer.write(data)
    made = workspace.drafts.create(visitors.source_id)
    workspace.drafts.save(made, {"landing_id": writer.finish(), "file": NAME, "size": len(data)})
    return made


def test_the_wizard_checks_a_data_file_as_what_it_is_or_as_a_table(open_page, workspace, draft):
    page = open_page("ingest", draft=draft, step="check")
    assert not page.exception
    assert "ids of data source 478, 2 keys of signals" in texts(page)
    assert {metric.label: metric.value for metric in page.metric}["Lines that are no rows"] == "1"
    page.button(key="read_as_table").click().run()
    assert workspace.drafts.load(draft)["overrides"] == {"delimiter": "\t"}
    assert {metric.label: metric.value for metric in page.metric}["Columns"] == "2"
    page.button(key="as_found").click().run()
    assert {metric.label: metric.value for metric in page.metric}["Columns"] == "5"


def test_the_wizard_offers_the_ids_as_what_their_data_source_says(open_page, workspace, draft):
    page = open_page("ingest", draft=draft, step="match")
    assert not page.exception
    columns = {column["column"]: column for column in workspace.drafts.load(draft)["columns"]}
    assert (columns["id_478"]["attribute"], columns["id_478"]["confidence"]) == ("crmid", 1.0)
    assert (columns["city"]["attribute"], columns["shoe_size"]["attribute"]) == ("city", None)
