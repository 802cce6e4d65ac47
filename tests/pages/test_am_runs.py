"""Runs of builds on the screen: what was sent, what waits, another try and its end."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.errors import DeliveryError
from tests.pages.shown import texts


@pytest.fixture
def folder(workspace, receipt, tmp_path):
    """A place for files, a data source and two traits; the people of ``receipt``."""
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    for trait, name in ((101, "Customers"), (205, "Lives in Pune")):
        workspace.audience.traits.add(name, 478, trait_id=trait)
    place = tmp_path / "place"
    place.mkdir()
    return place


def keep(workspace, folder, **fields):
    made = {
        "name": "Gold", "id": {"attribute": "crmid"}, "dpid": 478, "items": [{"trait": 101}], "folder": str(folder),
        **fields,
    }  # fmt: skip
    return workspace.outbound.builds.keep(Build.model_validate(made))


def plain(page) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


@pytest.fixture
def delivered(workspace, folder):
    keep(workspace, folder)
    return workspace.outbound.builds.run("Gold", user="asha")


@pytest.fixture
def prepared(workspace, folder):
    """A run whose place was not there."""
    keep(workspace, folder, changed=True)
    folder.rmdir()
    with pytest.raises(DeliveryError):
        workspace.outbound.builds.run("Gold", user="asha")
    return workspace.outbound.runs.list()[0]


def test_a_run_stands_in_the_list_with_what_was_sent(open_page, delivered, folder):
    row = open_page("am_builds").dataframe[-1].value.iloc[0]
    assert (row["run"], row["of"], row["state"], row["rows"]) == (delivered.run_id, "Gold", ["Delivered"], 2)
    assert (row["to"], row["who"]) == (f"Folder {folder}", "asha")


def test_the_drawer_shows_each_file_with_what_proves_it_whole(open_page, delivered):
    page = open_page("am_builds", run=delivered.run_id)
    (file,) = delivered.files
    assert {file.md5, file.sha256} <= {*page.code[-1].value.split()}
    assert file.name in plain(page)
    assert file.location in plain(page)
    assert not [one for one in page.button if one.key == "send_run_again"]


def test_many_files_stand_in_a_table(open_page, workspace, folder):
    keep(workspace, folder, name="Small", split_bytes=1_000)
    run = workspace.outbound.builds.run("Small", user="asha")
    files = tuple(run.files[0].model_copy(update={"name": f"part{n}"}) for n in range(7))
    workspace.outbound.runs._set(run.run_no, {"files": f"[{','.join(file.model_dump_json() for file in files)}]"})
    page = open_page("am_builds", run=run.run_id)
    assert list(page.dataframe[-1].value["name"]) == [f"part{n}" for n in range(7)]


def test_what_did_not_arrive_is_sent_again_as_it_was_made(open_page, workspace, prepared, folder):
    page = open_page("am_builds", run=prepared.run_id)
    assert page.error
    assert "did not arrive" in plain(page)
    folder.mkdir()
    page.button(key="send_run_again").click().run()
    assert workspace.outbound.runs.get(prepared.run_id).status == "delivered"
    assert len(list(folder.iterdir())) == 1
    assert not [one for one in page.button if one.key == "send_run_again"]


def test_a_place_that_is_down_still_is_told_and_nothing_is_lost(open_page, workspace, prepared):
    page = open_page("am_builds", run=prepared.run_id)
    page.button(key="send_run_again").click().run()
    assert page.error
    assert workspace.outbound.runs.get(prepared.run_id).status == "prepared"


def test_giving_up_says_its_price_and_is_written_down(open_page, workspace, prepared):
    page = open_page("am_builds", run=prepared.run_id)
    assert "the next run has to send everything once" in plain(page)
    page.button(key="give_up_for_good").click().run()
    assert workspace.outbound.runs.get(prepared.run_id).status == "given up"
    with workspace.engine.session() as session:
        assert session.rows("SELECT actor, object FROM audit WHERE action = 'give up am run'") == [
            ("Asha Menon", prepared.run_id)
        ]


def test_an_unknown_run_is_said_so(open_page, delivered):
    assert open_page("am_builds", run="R0").error
