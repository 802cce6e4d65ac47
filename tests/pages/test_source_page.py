"""A source: recipients, archive, versions of the mapping, template, and the drawers that make and change one."""

from __future__ import annotations

import json

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.conftest import FILE, day_first
from tests.pages.shown import press_inside, texts


@pytest.fixture
def two_versions(workspace, source, receipt, tmp_path):
    """The second file has the city skipped."""
    path = tmp_path / "second.tsv"
    path.write_text(FILE.replace("C2", "C9"), "utf-8")
    mapping = workspace.mappings.current(source)
    columns = [c.model_copy(update={"attribute": None}) if c.column == "city" else c for c in mapping.columns]
    changed = mapping.model_copy(update={"columns": tuple(columns)})
    workspace.loads.load(workspace.plan(PathSource(path), source, changed, Options()))


class TestSettings:
    def open(self, open_page, source):
        return open_page("source", source=str(source.source_id), tab="Settings")

    def test_recipients_are_saved(self, open_page, workspace, source):
        page = self.open(open_page, source)
        page.multiselect(key="recipients").set_value(["Asha@Example.com", "ops@example.com"])
        page.button(key="save_settings").click().run()
        saved = workspace.sources.get(source.source_id).settings.recipients
        assert saved == ("Asha@example.com", "ops@example.com")

    def test_what_is_no_address_is_refused_and_nothing_is_saved(self, open_page, workspace, source):
        page = self.open(open_page, source)
        page.multiselect(key="recipients").set_value(["asha at example"])
        page.button(key="save_settings").click().run()
        assert "name@domain" in page.error[0].value.replace("\\", "").replace("\u2060", "")
        assert workspace.sources.get(source.source_id).settings.recipients == ()

    def test_a_new_ingest_tells_the_recipients_of_its_source(self, open_page, workspace, source):
        settings = source.settings.model_copy(update={"recipients": ("asha@example.com",)})
        workspace.sources.update(source.source_id, settings=settings)
        (workspace.inbox.folder() / "contacts.tsv").write_text(FILE)
        draft_id = workspace.drafts.create(source.source_id)
        from pages.ui.draft import Draft

        draft = Draft.load(workspace, draft_id)
        writer = workspace.landing.create("a.tsv", 1)
        draft.take_file(writer.finish(), "a.tsv", 1)
        assert workspace.drafts.load(draft_id)["options"]["notify"] == ["asha@example.com"]

    def test_a_source_goes_into_the_archive_and_comes_back(self, open_page, workspace, source):
        page = self.open(open_page, source)
        page.button(key="archive_source").click().run()
        assert workspace.sources.get(source.source_id).archived_at is not None
        assert not [button for button in page.button if button.key == "ingest"]
        page.button(key="restore").click().run()
        assert workspace.sources.get(source.source_id).archived_at is None
        assert page.button(key="ingest")


class TestMapping:
    def test_versions_tell_who_saved_what_when_and_what_changed(self, open_page, source, two_versions):
        page = open_page("source", source=str(source.source_id), tab="Mapping")
        versions = page.dataframe[1].value
        assert list(versions["version"]) == ["2", "1"]
        assert list(versions["uploads"]) == [1, 1]
        assert list(versions["changes"]) == ["changed city", "5 columns matched or skipped"]
        assert set(versions["person"]) == {"Asha Menon"}

    def test_an_older_version_is_in_the_url(self, open_page, source, two_versions):
        page = open_page("source", source=str(source.source_id), tab="Mapping", version="1")
        shown = page.dataframe[0].value.set_index("Column in file")
        assert shown.loc["city", "Attribute"] == "City"
        page = open_page("source", source=str(source.source_id), tab="Mapping")
        assert page.dataframe[0].value.set_index("Column in file").loc["city", "Attribute"] == "Skipped"

    def test_the_template_has_the_columns_that_are_loaded(self, workspace, source, two_versions):
        from ingest_core.catalog.mappings import template

        newest, first = workspace.mappings.all(source)
        assert template(first) == "cust_id\temail_addr\tfname\tdob\tcity\n"
        assert template(newest) == "cust_id\temail_addr\tfname\tdob\n"

    def test_the_mapping_can_be_taken_along_as_the_command_line_reads_it(self, workspace, source, receipt):
        from ingest_core.catalog import parse_mapping

        mapping = workspace.mappings.current(source)
        assert parse_mapping(json.dumps(json.loads(mapping.model_dump_json()))) == mapping


class TestNewSource:
    def drawer(self, open_page, workspace, **fields):
        workspace.sources.add("Store purchases")
        page = open_page()
        page.button(key="new_source").click().run()
        for key, value in fields.items():
            widget = page.radio if key == "kind" else page.number_input if key == "dpid" else page.text_input
            page.button(key="new_source").click()
            widget(key=f"new_source_{key}").set_value(value).run()
        return page

    @pytest.mark.parametrize("name", ["store PURCHASES", " Store purchases "])
    def test_a_name_that_is_taken_is_said_while_it_is_typed(self, open_page, workspace, name):
        page = self.drawer(open_page, workspace, name=name)
        assert "There is a source of this name already" in texts(page)

    def test_an_id_sync_needs_its_dpid(self, open_page, workspace):
        page = self.drawer(open_page, workspace, name="Web ids", kind="id_sync")
        assert "An ID sync needs the DPID" in texts(page)
        assert page.button(key="create_source").disabled

    def test_what_is_said_of_audience_manager_is_kept(self, open_page, workspace):
        page = self.drawer(open_page, workspace, name="Web ids", kind="id_sync", dpid=53196)
        press_inside(page, "new_source", "create_source")
        made = workspace.sources.get("Web ids")
        assert (made.kind, made.dpid, made.id_type) == ("data_source", 53196, "cross_device")
        assert page.title[0].value == "Web ids"


def test_an_unusual_volume_is_told_and_the_usual_one_is_drawn(open_page, workspace, source, tmp_path):
    for number, rows in enumerate((100, 100, 100, 20)):
        path = tmp_path / f"file{number}.tsv"
        path.write_text("crmid\tcity\n" + "".join(f"C{i}\tCity {number}\n" for i in range(rows)), "utf-8")
        file = PathSource(path)
        mapping = workspace.suggest(workspace.inspect(file, source), source)
        workspace.loads.load(workspace.plan(file, source, day_first(mapping), Options()))
    page = open_page("source", source=str(source.source_id))
    assert "The last file had 20 rows; files of this source usually have about 100." in texts(page)
