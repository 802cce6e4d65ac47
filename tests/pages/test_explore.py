"""Explore in the app: where it begins, a notebook with what it answered, and what happens when something is wrong."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from ingest_core.explore.notebooks import Cell, Chart, ExploredFile
from tests.pages.conftest import FILE
from tests.pages.shown import texts

BY_CITY = "SELECT city, count(*) AS people FROM typed GROUP BY 1 ORDER BY 2 DESC, 1"


@pytest.fixture
def notebook(workspace):
    """notebook("SELECT 1", …) → a notebook over a file that was received for it."""

    def made(*cells: str | Cell, name: str = "contacts.tsv"):
        writer = workspace.landing.create(name, len(FILE.encode()))
        writer.write(FILE.encode())
        begun = workspace.explore.begin_file(name, len(FILE.encode()), writer.finish())
        given = tuple(Cell(sql=cell) if isinstance(cell, str) else cell for cell in cells)
        return workspace.explore.notebooks.save(begun.notebook_id, given or begun.cells)

    return made


@pytest.fixture
def show(open_page):
    """A notebook on its page, its data read."""

    def shown(found) -> AppTest:
        return settled(open_page("explore", notebook=found.notebook_id))

    return shown


def sheet(page: AppTest):
    return page.session_state["sheet"]


def settled(page: AppTest) -> AppTest:
    """As it is when nothing runs any more."""
    end = time.monotonic() + 120
    bench = sheet(page).bench
    while bench is not None and bench.work() is not None:
        assert time.monotonic() < end, "it did not end"
        time.sleep(0.05)
    page.run()
    assert not page.exception
    return page


def key(page: AppTest, place: int) -> str:
    return list(sheet(page).cells)[place]


def press(page: AppTest, name: str) -> AppTest:
    page.button(key=name).click().run()
    return settled(page)


def grids(page: AppTest, about: str):
    """Tables by what they say to those who cannot see them."""
    return [grid.value for grid in page.dataframe if grid.proto.alt.startswith(about)]


def result(page: AppTest, place: int) -> list[list[object]]:
    """Of the queries that were answered with a table."""
    return grids(page, "Result of the query")[place].values.tolist()


class TestBeginning:
    def test_an_empty_workspace_says_what_it_is_for(self, open_page):
        page = open_page("explore")
        assert "before anything is uploaded" in texts(page)
        assert "No notebooks yet" in texts(page)
        assert page.button(key="explore_profiles").disabled

    def test_notebooks_are_listed_with_what_they_are_over(self, open_page, workspace, notebook):
        notebook(name="contacts.tsv")
        workspace.explore.notebooks.create("Old", "file", (), ExploredFile(name="old.tsv", size=1))
        workspace.explore.begin_profiles()
        found = open_page("explore").dataframe[0].value
        assert list(found["name"]) == ["Profiles", "Old", "contacts.tsv"]
        assert list(found["over"]) == ["Masked profiles", "old.tsv, which is gone", "contacts.tsv"]

    def test_profiles_are_explored_once_however_often_one_clicks(self, open_page, workspace, receipt):
        page = open_page("explore")
        page.button(key="explore_profiles").click().run()
        settled(page)
        assert page.title[0].value == "Profiles"
        assert "All 2 profiles; personal data is masked as of" in texts(page)
        assert len(result(page, 0)) == 2
        assert "asha@example.com" not in str(result(page, 0))
        open_page("explore").button(key="explore_profiles").click().run()
        assert len(workspace.explore.notebooks.list()) == 1


class TestNotebook:
    def test_it_says_what_it_is_over_and_offers_questions(self, show, notebook):
        page = show(notebook(BY_CITY))
        said = texts(page)
        assert page.title[0].value == "contacts\\.tsv"
        assert "5 rows, 5 columns" in said
        assert "Run to see the result" in said
        assert "First rows" in [button.label for button in page.button]
        assert list(grids(page, "Columns of the table typed")[0]["Column"])[-1] == "line"

    def test_a_query_shows_its_table_and_chart(self, show, notebook):
        page = show(notebook(BY_CITY))
        press(page, f"run_{key(page, 0)}")
        assert result(page, 0) == [["Chennai", 1], ["Delhi", 1], ["Mumbai", 1], ["Pune", 1], ["Thane", 1]]
        assert "5 rows in" in texts(page)
        assert len(page.get("plotly_chart")) == 1

    def test_all_queries_run_and_a_wrong_one_says_why(self, show, notebook):
        page = show(notebook("SELECT 1 AS one", "SELECT nothing FROM typed", "SELECT 2 AS two"))
        press(page, "run_all")
        assert (result(page, 0), result(page, 1)) == ([[1]], [[2]])
        assert "nothing" in texts(page)
        assert len(page.error) == 1

    def test_a_question_becomes_a_query_with_its_answer(self, show, notebook, workspace):
        found = notebook(BY_CITY)
        page = show(found)
        press(page, "start_all_First rows")
        assert len(result(page, 0)) == 5
        page.selectbox(key="column").select("city").run()
        press(page, "start_city_Rows per value")
        assert len(workspace.explore.notebooks.load(found.notebook_id).cells) == 3
        assert result(page, 1)[0] == ["Chennai", 1]

    def test_an_empty_query_is_filled_before_another_is_added(self, show, notebook, workspace):
        found = notebook("")
        page = show(found)
        press(page, "start_all_First rows")
        assert [cell.sql.split("\n")[0] for cell in sheet(page).cells.values()] == ["SELECT *"]
        for _ in range(2):
            page.button(key="add_cell").click().run()
        assert len(workspace.explore.notebooks.load(found.notebook_id).cells) == 2

    def test_a_changed_chart_is_saved_with_its_query(self, show, notebook, workspace):
        found = notebook(BY_CITY)
        page = show(found)
        cell = press(page, f"run_{key(page, 0)}") and key(page, 0)
        page.segmented_control(key=f"kind_{cell}_bar").set_value("line").run()
        assert not page.exception
        assert workspace.explore.notebooks.load(found.notebook_id).cells[0].chart == Chart(
            kind="line", x="city", y="people"
        )

    def test_a_chart_of_a_column_that_is_gone_says_so(self, show, notebook):
        page = show(notebook(Cell(sql="SELECT 1 AS a, 2 AS b", chart=Chart(kind="bar", x="gone", y="b"))))
        press(page, f"run_{key(page, 0)}")
        assert "does not have: gone" in texts(page)
        assert result(page, 0) == [[1, 2]]
        cell = key(page, 0)
        page.selectbox(key=f"x_{cell}_gone").select("a").run()
        assert "does not have" not in texts(page)
        assert sheet(page).cells[cell].chart == Chart(kind="bar", x="a", y="b")

    def test_text_of_people_is_shown_as_it_stands(self, show, notebook):
        page = show(notebook("SELECT '**x**' AS \"<b>y</b>\"", name="<b>*files*</b>.tsv"))
        press(page, "run_all")
        frame = grids(page, "Result of the query")[0]
        assert (list(frame.columns), frame.iloc[0, 0]) == (["<b>y</b>"], "**x**")
        assert page.title[0].value == "\\<b\\>\\*files\\*\\</b\\>\\.tsv"

    def test_results_end_with_the_page_and_queries_stay(self, show, notebook):
        found = notebook(BY_CITY)
        press(show(found), "run_all")
        again = show(found)
        assert "Run to see the result" in texts(again)
        assert [cell.sql for cell in sheet(again).cells.values()] == [BY_CITY]

    def test_a_result_that_is_cut_says_so(self, show, notebook):
        page = show(notebook("FROM range(20000)"))
        press(page, "run_all")
        assert "The first 10,000 rows" in texts(page)


def test_the_file_of_an_unfinished_ingest_is_explored_once(open_page, workspace, draft_id):
    for _ in range(2):
        open_page("ingest", draft=draft_id, step="check").button(key="explore_file").click().run()
    (found,) = workspace.explore.notebooks.list()
    page = settled(open_page("explore", notebook=found.notebook_id))
    press(page, "run_all")
    assert len(result(page, 0)) == 5
    assert "the file of an unfinished ingest" in texts(page)
    assert len(workspace.landing.ids()) == 1


class TestWhatChangedMeanwhile:
    def test_a_notebook_saved_elsewhere_is_not_written_over(self, show, notebook, workspace):
        found = notebook(BY_CITY)
        page = show(found)
        workspace.explore.notebooks.save(found.notebook_id, [Cell(sql="SELECT 'theirs'")])
        page.button(key="add_cell").click().run()
        assert "not saved any more" in texts(page)
        assert workspace.explore.notebooks.load(found.notebook_id).cells == (Cell(sql="SELECT 'theirs'"),)
        page.button(key="load_again").click().run()
        assert [cell.sql for cell in sheet(page).cells.values()] == ["SELECT 'theirs'"]
        assert "not saved any more" not in texts(page)

    def test_it_is_noticed_before_anything_is_changed(self, show, notebook, workspace):
        found = notebook(BY_CITY)
        page = show(found)
        workspace.explore.notebooks.save(found.notebook_id, [])
        page.run()
        assert "not saved any more" in texts(page)

    def test_a_notebook_that_is_not_there_is_told(self, open_page):
        page = open_page("explore", notebook="0123456789abcdef")
        assert "There is no such notebook" in texts(page)
        assert not page.error

    def test_a_file_that_is_gone_is_asked_for_again_and_the_queries_show(self, open_page, workspace, notebook):
        found = notebook(BY_CITY)
        workspace.landing.delete(found.file.landing_id)
        page = open_page("explore", notebook=found.notebook_id)
        assert "Choose it again" in texts(page)
        assert page.button(key=f"run_{key(page, 0)}").disabled
        assert sheet(page).cells[key(page, 0)].sql == BY_CITY


def test_two_tabs_do_not_disturb_each_other(show, notebook):
    found = notebook(BY_CITY)
    one, two = show(found), show(found)
    press(one, "run_all")
    two.run()
    assert sheet(one).bench.session is not sheet(two).bench.session
    assert "Run to see the result" in texts(two)
    assert len(result(one, 0)) == 5
