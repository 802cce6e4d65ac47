"""Another type for an attribute: what would fail is told before anything is changed."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.shown import texts

ROWS = "cust_id\tsize\nC1\t40\nC2\t41\nC3\tlarge\n"


@contextmanager
def busy(workspace):
    """Somebody else changes something all the while."""
    held, done = threading.Event(), threading.Event()

    def hold():
        with workspace.engine.write:
            held.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(30)
    try:
        yield
    finally:
        done.set()
        other.join()


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
    """The page with the drawer of an attribute open."""
    return lambda attribute="size": open_page("attributes", attribute=attribute)


def choose(page, workspace, kind, attribute="size"):
    """Chooses another type in the drawer."""
    known = workspace.attributes.get(attribute)
    return page.selectbox(key=f"new_type_{known.attribute_id}_{known.type}").select(kind).run()


def test_only_what_can_change_offers_it(drawer, workspace):
    for attribute, is_offered in (("size", True), ("city", True), ("crmid", False), ("email", False)):
        keys = [str(box.key) for box in drawer(attribute).selectbox]
        assert any(key.startswith("new_type") for key in keys) == is_offered, attribute
    assert "The type stays" in texts(drawer("email"))


def test_what_would_fail_comes_first_and_changes_nothing(drawer, workspace):
    page = choose(drawer(), workspace, "integer")
    assert "3 profiles have a value; **2** of them stay as they are." in texts(page)
    assert "**1** would have no value: their text does not fit, such as “large”." in texts(page)
    assert workspace.attributes.get("size").type == "string"


def test_the_type_is_changed_and_back_without_a_loss(drawer, workspace):
    for kind, value in (("integer", None), ("string", "large")):
        page = choose(drawer(), workspace, kind)
        page.button(key="confirm_type").click().run()
        assert not page.error
        assert workspace.attributes.get("size").type == kind
        shown = workspace.profiles.show("crmid", "C3")["attributes"].get("size", {"value": None})
        assert shown["value"] == value


def test_a_change_waits_for_nobody_who_loads(drawer, workspace):
    page = choose(drawer(), workspace, "integer")
    with busy(workspace):
        page.button(key="confirm_type").click().run()
    assert "Nothing was changed" in str(page.error[0].proto)
    assert workspace.attributes.get("size").type == "string"
