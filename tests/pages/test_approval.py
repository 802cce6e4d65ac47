"""Uploads that wait for a person: seen everywhere, explained in words, answered with yes or no."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options, SourceSettings
from tests.pages.shown import press_inside, texts


def rows(people, filled):
    """A file of so many people, of whom ``filled`` have a city."""
    lines = [f"C{i}\t{'Pune' if i < filled else ''}" for i in range(people)]
    return "cust_id\tcity\n" + "\n".join(lines) + "\n"


@pytest.fixture
def gated(workspace, source, tmp_path):
    """A source that asks, and its first file."""
    gated = workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=30))
    path = tmp_path / "first.tsv"
    path.write_text(rows(40, 40), "utf-8")
    file = PathSource(path)
    mapping = workspace.suggest(workspace.inspect(file, gated), gated)
    workspace.loads.load(workspace.plan(file, gated, mapping, Options()))
    return gated


def landed(workspace, text, name="second.tsv"):
    writer = workspace.landing.create(name, len(text.encode()))
    writer.write(text.encode())
    return writer.finish()


@pytest.fixture
def held(workspace, gated):
    """The request id of an upload with twice the people and hardly a city."""
    landing = landed(workspace, rows(80, 4))
    mapping = workspace.mappings.current(gated)
    request_id = workspace.jobs.submit(landing, gated, mapping, Options(), idempotency_key="k")
    workspace.jobs.run_waiting()
    assert workspace.history.get(request_id).held
    return request_id


@pytest.fixture
def odd_draft(workspace, gated):
    """A draft whose file is far off."""
    text = rows(80, 4)
    draft_id = workspace.drafts.create(gated.source_id)
    landing = landed(workspace, text)
    mapping = workspace.mappings.current(gated)
    workspace.drafts.save(
        draft_id,
        {
            "landing_id": landing, "file": "second.tsv", "size": len(text), "header": ["cust_id", "city"],
            "columns": [column.model_dump() for column in mapping.columns],
        },
    )  # fmt: skip
    return draft_id


def test_the_page_says_in_words_and_figures_how_the_file_differs(open_page, held):
    page = open_page("upload", upload=held)
    said = texts(page)
    assert "Waits for approval" in said
    assert "80 rows instead of 40" in said
    assert "City is filled in 5 % of the rows instead of 100 %" in said.replace("\\", "")
    table = page.dataframe[0].value.set_index("what")
    assert list(table.loc["Rows"]) == ["40", "80", "+100 %"]
    assert list(table.loc["City filled"]) == ["100 %", "5 %", "−95 points"]


def test_load_it_anyway_loads_it_once(open_page, workspace, held):
    page = open_page("upload", upload=held)
    page.button(key="approve").click().run()
    assert "Waiting for its turn" in texts(page)
    workspace.jobs.run_waiting()
    assert workspace.history.get(held).status == "Completed"
    assert workspace.profiles.count() == 80


def test_discard_asks_once_and_keeps_nothing(open_page, workspace, held):
    page = open_page("upload", upload=held)
    page.button(key="discard").click().run()
    assert workspace.history.get(held).held
    press_inside(page, "discard", "confirm_discard")
    receipt = workspace.history.get(held)
    assert (receipt.status, receipt.badges) == ("Failed", ("Cancelled",))
    assert workspace.landing.ids() == []
    assert workspace.profiles.count() == 40


@pytest.mark.parametrize("name", ["sources", "history", "source"])
def test_it_is_seen_where_people_look(open_page, gated, held, name):
    page = open_page(name, **({"source": str(gated.source_id)} if name == "source" else {}))
    assert "Waits for approval" in texts(page)
    assert "second" in texts(page)


def test_a_source_whose_upload_waits_is_not_running(open_page, held):
    page = open_page()
    assert list(page.dataframe[0].value["state"].iloc[0]) == ["Waits for approval", "Healthy"]
    assert {metric.label: metric.value for metric in page.metric}["Uploads running"] == "0"
    assert len(open_page("sources", state="Waits for approval").dataframe[0].value) == 1
    assert not open_page("sources", state="Running").dataframe


def test_the_history_shows_the_badge(open_page, held):
    frame = open_page("history").dataframe[0].value.set_index("request_id")
    assert list(frame.loc[held, "state"]) == ["Waits for approval"]


def test_the_dry_run_asks_before_a_file_that_is_far_off(open_page, workspace, odd_draft):
    page = open_page("ingest", draft=odd_draft, step="run")
    assert "80 rows instead of 40" in texts(page)
    assert page.button(key="load").disabled
    page.checkbox(key="accept_drift").check().run()
    assert not page.button(key="load").disabled
    assert "80 rows instead of 40" in texts(page)
    assert workspace.drafts.load(odd_draft)["options"]["accept_drift"]
    page.button(key="load").click().run()
    workspace.jobs.run_waiting()
    newest = workspace.history.list(limit=1)[0]
    assert (newest.status, newest.held, newest.lines) == ("Completed", None, 80)


def test_a_yes_is_remembered_and_can_be_taken_back(open_page, workspace, odd_draft):
    open_page("ingest", draft=odd_draft, step="run").checkbox(key="accept_drift").check().run()
    page = open_page("ingest", draft=odd_draft, step="run")
    assert page.checkbox(key="accept_drift").value
    page.checkbox(key="accept_drift").uncheck().run()
    assert page.button(key="load").disabled
    assert not workspace.drafts.load(odd_draft)["options"]["accept_drift"]


def test_a_file_like_the_last_one_is_not_asked_about(open_page, workspace, gated, odd_draft):
    workspace.sources.update(gated.source_id, settings=SourceSettings())
    page = open_page("ingest", draft=odd_draft, step="run")
    assert not page.button(key="load").disabled
    assert not page.checkbox


def test_the_limit_is_a_setting_of_the_source(open_page, workspace, source):
    page = open_page("source", source=str(source.source_id), tab="Settings")
    page.segmented_control(key="drift_mode").set_value("ask").run()
    page.number_input(key="drift").set_value(25.0).run()
    page.button(key="save_settings").click().run()
    assert workspace.sources.get(source.source_id).settings.drift_percent == 25
    page.segmented_control(key="drift_mode").set_value("load").run()
    page.button(key="save_settings").click().run()
    assert workspace.sources.get(source.source_id).settings.drift_percent is None
