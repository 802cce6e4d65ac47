"""Explore a file and export the notebook, as a person does it."""

from __future__ import annotations

import json
import zipfile

from playwright.sync_api import expect

from tests.browser.hands import heading, press, settled

CITIES = ("Pune", "Goa", "Oslo")
BY_CITY = "SELECT city, count(*) AS people FROM typed GROUP BY 1 ORDER BY 2 DESC, 1"


def make_file(path):
    rows = ["crmid\tcity\tamount", *(f"C{i}\t{CITIES[i % 3]}\t{i}.5" for i in range(31))]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return path


def at_rest(page):
    """Nothing runs any more, and the page says so."""
    expect(page.locator(".st-key-notebook_bar").get_by_text("Saved")).to_be_visible(timeout=90_000)
    settled(page)


def test_explore_a_file_and_export_the_notebook(server, page, outside, tmp_path):
    page.goto(f"{server}/explore")
    heading(page, "Explore")
    page.locator("input[type=file]").set_input_files(make_file(tmp_path / "shops.tsv"))
    heading(page, "shops.tsv")
    expect(page.get_by_text("31 rows in")).to_be_visible(timeout=90_000)  # its first rows show at once
    at_rest(page)

    press(page, "Add a query")
    editor = page.get_by_label("Query 2", exact=True)
    editor.fill(BY_CITY)
    editor.press("Control+Enter")
    expect(page.get_by_text("3 rows in")).to_be_visible(timeout=60_000)
    at_rest(page)
    expect(page.get_by_role("button", name="Bars")).to_be_visible()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(1)

    press(page, "Bars")
    page.get_by_text("Points", exact=True).click()
    expect(page.locator("button", has_text="Points").first).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")

    page.reload()  # queries and charts are kept, results are not
    heading(page, "shops.tsv")
    expect(page.get_by_label("Query 2", exact=True)).to_have_value(BY_CITY)
    expect(page.get_by_text("Run to see the result.").first).to_be_visible()
    at_rest(page)
    press(page, "Run all")
    expect(page.get_by_role("button", name="Points")).to_be_visible(timeout=60_000)
    at_rest(page)

    press(page, "Export")
    expect(page.get_by_text("personal data included")).to_be_visible()
    with page.expect_download(timeout=90_000) as download:
        page.get_by_role("button", name="Download the notebook").click()
    check(download.value.path())
    page.goto(f"{server}/explore")
    heading(page, "Explore")
    expect(page.get_by_text("1 notebook.")).to_be_visible()
    assert outside == []


def check(path):
    """The archive holds a notebook in Jupyter's format with the queries and the chosen chart, and its data."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == [
            "data/file.parquet", "data/rejects.parquet", "data/typed.parquet", "notebook.ipynb",
        ]  # fmt: skip
        found = json.loads(archive.read("notebook.ipynb"))
    assert (found["nbformat"], found["metadata"]["kernelspec"]["language"]) == (4, "python")
    for cell in found["cells"]:
        assert cell["cell_type"] in ("markdown", "code")
        assert cell["cell_type"] == "markdown" or cell["outputs"] == []
    code = ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == "code"]
    assert any(BY_CITY in text for text in code)
    assert any(text.startswith("px.scatter(rows_2, x='city', y='people')") for text in code)
