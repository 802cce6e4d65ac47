"""From a new order into a folder to files that tell exactly who came and who left."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from playwright.sync_api import expect

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.browser.conftest import served

LINES = ("C-1\td_sid=1", "C-2\td_sid=1,d_sid=2", "C-3\td_sid=2")


@pytest.fixture(scope="module")
def address(tmp_path_factory, repository):
    """A server with one data source, two traits and three customers."""
    home = tmp_path_factory.mktemp("exports") / "home"
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
        workspace.audience.traits.add("Gold", 478, trait_id=1)
        workspace.audience.traits.add("Reader", 478, trait_id=2)
        file = MemoryFile("ftp_dpm_478_1790000000.sync", "".join(f"{line}\n" for line in LINES).encode())
        workspace.audience.ingest([file], BatchOptions(now()))
    with served(home, repository) as at:
        yield at


@pytest.fixture
def page(browser, address):
    context = browser.new_context(viewport={"width": 1360, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    opened.goto(f"{address}/am_exports")
    yield opened
    context.close()


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "partner"
    folder.mkdir()
    return folder


def written(place, mode):
    """The rows of the only run of a mode, after its control file was found to be right."""
    (control,) = place.glob(f"*_{mode}_*.info")
    told = json.loads(control.read_text("utf-8"))
    rows = []
    for one in told["Files"]:
        data = (place / one["FileName"]).read_bytes()
        assert (one["FileByteSize"], one["md5"]) == (len(data), hashlib.md5(data).hexdigest())
        rows += data.decode().splitlines()
    assert told["Totals"]["TotalNumberLines"] == len(rows)
    return rows


def close(page):
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def segment(page, name, rule, found):
    """A new segment, by its drawer."""
    page.get_by_role("button", name="New segment").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("textbox", name="Name").fill(name)
    drawer.get_by_role("textbox", name="Rule").fill(rule)
    expect(drawer.get_by_text(found)).to_be_visible()
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"{name} saved")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_order_tells_everything_then_only_what_changed(page, address, place):
    segment(page, "Loyal", "1t", "true of 2 profiles now")
    segment(page, "Readers", "2T AND NOT 1T", "true of 1 profile now")

    page.get_by_role("button", name="New order").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("textbox", name="Name").fill("Partner")
    drawer.get_by_role("textbox", name="Folder").fill("partner")
    expect(drawer.get_by_text("A folder is a whole path")).to_be_visible()
    drawer.get_by_role("textbox", name="Folder").fill(str(place))
    expect(drawer.get_by_text("C-1042 1,2")).to_be_visible()  # invented people
    drawer.get_by_role("button", name="Create the order").dblclick()

    expect(page).to_have_url(re.compile(r"order=1\b"))
    drawer.get_by_role("button", name="Export everything").dblclick()
    expect(drawer.get_by_text("3 rows, in 1 file")).to_be_visible()
    assert written(place, "full") == ["C-1 1", "C-2 1", "C-3 2"]

    page.goto(f"{address}/am_exports?tab=Segments")
    page.reload()
    expect(page.get_by_text("2 segments. Profiles are counted")).to_be_visible()
    page.goto(f"{address}/am_exports?trait_segment=1")
    drawer.get_by_role("textbox", name="Rule").fill("1T AND 2T")
    expect(drawer.get_by_text("true of 1 profile now")).to_be_visible()
    drawer.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    page.goto(f"{address}/am_exports?order=1")
    drawer.get_by_text("What the next run would tell").click()
    drawer.get_by_role("button", name="Work it out").click()
    expect(drawer.get_by_text("C•••  1")).to_be_visible()
    drawer.get_by_role("button", name="Export what changed").click()
    expect(drawer.get_by_text("1 row, 1 removed, in 1 file")).to_be_visible()
    assert written(place, "iter") == ["C-1  1"]
    drawer.get_by_role("button", name="Export what changed").click()
    expect(drawer.get_by_text("Nothing changed since the last run that arrived")).to_be_visible()
    assert len(list(place.iterdir())) == 4

    drawer.get_by_role("button", name="See its runs").click()
    expect(page).to_have_url(re.compile(r"tab=Runs"))
    expect(page.get_by_text("3 runs.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("3 runs.")).to_be_visible()


def test_a_place_that_is_down_is_said_and_the_same_run_is_sent_again(page, address, place):
    page.goto(f"{address}/am_exports?order=new")
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("textbox", name="Name").fill("Other")
    drawer.get_by_role("textbox", name="Folder").fill(str(place))
    drawer.get_by_text("Traits", exact=True).click()
    expect(drawer.get_by_text("Who has which trait.")).to_be_visible()
    expect(drawer.get_by_text("C-1042⇥1,2")).to_be_visible()
    place.rmdir()
    drawer.get_by_role("button", name="Create the order").click()
    drawer.get_by_role("button", name="Export what changed").click()
    expect(drawer.get_by_text("The last run did not arrive")).to_be_visible()
    place.mkdir()
    drawer.get_by_role("button", name="Look at it").click()
    drawer.get_by_role("button", name="Send again").click()
    expect(drawer.get_by_text("Delivered")).to_be_visible()
    assert written(place, "iter") == ["C-1\t1", "C-2\t1,2", "C-3\t2"]
    close(page)
    expect(page.get_by_text("did not arrive at")).to_have_count(0)
