"""Where values come from and what they were before: on the profile, and for everybody an upload touched."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.conftest import day_first
from tests.pages.shown import texts

SECOND = "cust_id\temail_addr\tfname\tdob\tcity\nC2\trahul@example.com\tRahul\t13/11/1984\tNagpur\n"


@pytest.fixture
def moved(workspace, source, receipt, tmp_path):
    """A second upload: Rahul has moved."""
    path = tmp_path / "second.tsv"
    path.write_text(SECOND, "utf-8")
    mapping = day_first(workspace.mappings.current(source))
    return workspace.loads.load(workspace.plan(PathSource(path), source, mapping, Options()))


@pytest.fixture
def rahul(workspace, moved):
    return workspace.profiles.show("crmid", "C2")["profile_id"]


def history_of(open_page, profile, attribute):
    """The page with the history of one attribute open."""
    return open_page("profiles", profile=profile, history=attribute)


def test_the_history_of_a_value_names_every_upload_newest_first(open_page, rahul, moved):
    said = texts(history_of(open_page, rahul, "city")).replace("\\", "")
    assert said.index("**Nagpur**") < said.index("**Pune**")
    assert "**Nagpur** :green-badge" in said
    assert "CRM contacts, second.tsv, line 2" in said
    assert "2 uploads said something about it" in said


def test_the_history_of_personal_data_is_masked_until_a_reason_is_given(open_page, workspace, rahul):
    page = history_of(open_page, rahul, "email")
    assert "rahul@example" not in texts(page).replace("\\", "").replace("\u2060", "")
    page.text_input(key="reveal_reason").set_value("ticket 4711").run()
    page.button(key="reveal").click().run()
    assert "rahul@example.com" in texts(page).replace("\\", "").replace("\u2060", "")
    with workspace.engine.session() as session:
        assert session.rows("SELECT object FROM audit WHERE action = 'reveal'") == [(rahul,)]


def test_profiles_changed_shows_before_and_after(open_page, workspace, moved, rahul):
    city = workspace.attributes.get("city").column
    page = open_page("upload", upload=moved.request_id, tab="Profiles changed")
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["person"], list(row["kind"]), row[city]) == (rahul, ["Updated"], "Pune → Nagpur")


def test_profiles_changed_is_masked_and_filtered_by_kind(open_page, workspace, receipt):
    page = open_page("upload", upload=receipt.request_id, tab="Profiles changed")
    frame = page.dataframe[0].value
    assert len(frame) == 2
    assert "asha@example.com" not in str(frame.to_dict())
    assert "People 1 to 2 in the order of the lines, as they are known today: 2 created" in texts(page)
    page = open_page("upload", upload=receipt.request_id, tab="Profiles changed", kind="Updated")
    assert not page.dataframe


def test_who_joins_a_source_without_another_change_is_told(open_page, workspace, receipt, tmp_path):
    other = workspace.sources.add("Store visits")
    path = tmp_path / "visits.tsv"
    path.write_text("cust_id\nC1\nC9\n", "utf-8")
    file = PathSource(path)
    mapping = workspace.suggest(workspace.inspect(file, other), other)
    visits = workspace.loads.load(workspace.plan(file, other, mapping, Options()))
    page = open_page("upload", upload=visits.request_id, tab="Profiles changed")
    kinds = [list(kinds) for kinds in page.dataframe[0].value["kind"]]
    assert kinds == [["Updated", "New in the source"], ["Created"]]
    page.pills(key="kind").set_value("created").run()
    assert [list(kinds) for kinds in page.dataframe[0].value["kind"]] == [["Created"]]
