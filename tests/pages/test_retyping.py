"""Another type for an attribute: what would fail is told before anything is changed."""

from __future__ import annotations

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.shown import texts

ROWS = "cust_id\tsize\nC1\t40\nC2\t41\nC3\tlarge\n"


@pytest.fixture
def sizes(workspace, source, tmp_path):
    """Three people with a size as text, of which one is no number."""
    workspace.attributes.add("size", "string")
    path = tmp_path / "sizes.tsv"
    path.write_text(ROWS, "utf-8")
    file = PathSource(path)
    mapping = workspace.suggest(workspace.inspect(file, source), source)
    columns = [c.model_copy(update={"attribute": "size"}) if c.column == "size" else c for c in mapping.columns]
    workspace.loads.load(
        workspace.plan(file, source, mapping.model_copy(update={"columns": tuple(columns)}), Options())
    )


@pytest.fixture
def drawer(open_page, sizes):
    """The page with the drawer of one attribute open, as a click on the row's button opens it."""
    page = open_page("attributes")

    def opened(attribute="size"):
        page.session_state["retyped_attribute"] = attribute
        return page.run()

    return opened


def test_only_what_can_change_offers_it(open_page, sizes):
    offers = open_page("attributes").dataframe[0].value.set_index("name")["change"].notna()
    assert (offers["size"], offers["city"]) == (True, True)
    assert (offers["crmid"], offers["email"], offers["first_name"]) == (False, False, False)


def test_what_would_fail_comes_first_and_changes_nothing(drawer, workspace):
    page = drawer()
    page.session_state["retyped_attribute"] = "size"
    page.selectbox(key="new_type").select("integer").run()
    assert "3 profiles have a value; **2** of them stay as they are." in texts(page)
    assert "**1** would have no value: their text does not fit, such as “large”." in texts(page)
    assert workspace.attributes.get("size").type == "string"


def test_the_type_is_changed_and_back_without_a_loss(drawer, workspace):
    for kind, value in (("integer", None), ("string", "large")):
        page = drawer()
        page.session_state["retyped_attribute"] = "size"
        page.selectbox(key="new_type").select(kind).run()
        page.session_state["retyped_attribute"] = "size"
        page.button(key="confirm_type").click().run()
        assert not page.error
        assert workspace.attributes.get("size").type == kind
        shown = workspace.profiles.show("crmid", "C3")["attributes"].get("size", {"value": None})
        assert shown["value"] == value


def test_a_type_that_cannot_be_changed_is_refused_in_words(drawer):
    page = drawer("crmid")  # as an old page would, whose button is gone now
    page.session_state["retyped_attribute"] = "crmid"
    page.selectbox(key="new_type").select("integer").run()
    assert "Create a new attribute and load the files into that one" in texts(page)
    assert "confirm_type" not in [button.key for button in page.button]
