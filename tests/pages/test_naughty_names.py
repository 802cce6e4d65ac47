"""Names that look like code stand on every screen as they were typed."""

from __future__ import annotations

import pytest

from ingest_core.explore.notebooks import Cell
from ingest_core.files import PathSource
from ingest_core.models import Options
from pages.ui.text import escape
from tests.pages.conftest import day_first
from tests.pages.shown import texts

NAMES = [
    "<script>alert(1)</script>",
    "![x](https://example.com/x.png)",
    "[link](javascript:alert(1))",
    "**bold** _thin_ `code` ~~gone~~",
    ":red[danger] :material/delete: :smile:",
    "$x^2$ and $$y$$",
    "{{constructor}} ${7*7} %s %d {0}",
    "' OR 1=1; DROP TABLE upload; --",
    "../../etc/passwd",
    "＝cmd|' /C calc'!A0",
    "Ω≈ç√∫˜µ≤≥÷ 田中さん 👾 مرحبا",
    "a" * 200,
]


@pytest.fixture(params=NAMES, ids=range(len(NAMES)))
def named(request, workspace, file):
    """(name, request id) of a workspace in which everything has the name."""
    name = request.param
    source = workspace.sources.add(name, description=name)
    mapping = day_first(workspace.suggest(workspace.inspect(file, source), source))
    workspace.attributes.add("naughty", "string", display_name=name, segment="NAUGHTY")
    workspace.segments.add("AUDIENCE", {"source": name}, name, tags=[name[:50]])
    workspace.explore.notebooks.create(name, "profiles", [Cell(sql="SELECT 1")])
    receipt = workspace.loads.load(workspace.plan(PathSource(file.path, name), source, mapping, Options()))
    return name, str(receipt.request_id)


@pytest.mark.parametrize("named", NAMES[:2], indirect=True, ids=["script", "image"])
@pytest.mark.parametrize("page", ["sources", "history", "segments", "attributes", "explore", "profiles"])
def test_a_table_shows_it_in_a_cell_and_nothing_reads_it_as_markdown(named, open_page, page):
    shown = open_page(page)
    cells = [str(cell) for table in shown.dataframe for cell in table.value.to_numpy().ravel()]
    assert any(named[0] in cell for cell in cells)
    assert named[0] not in texts(shown)


def test_the_pages_of_one_thing_show_it(named, open_page, workspace):
    name, request_id = named
    source = str(workspace.sources.get(name).source_id)
    assert open_page("source", source=source).title[0].value == escape(name)
    assert open_page("upload", upload=request_id).title[0].value == escape(name)
    segment = str(workspace.segments.show("AUDIENCE")["segment_id"])
    assert escape(name) in texts(open_page("segment", segment=segment))
    notebook = workspace.explore.notebooks.list()[0].notebook_id
    assert open_page("explore", notebook=notebook).title[0].value == escape(name)
