"""Messages with macros on screen: kept while they are written, rendered masked, missing values counted."""

from __future__ import annotations

import pytest

from tests.pages.shown import texts


@pytest.fixture
def people(workspace, receipt):
    """Asha in Thane, Rahul in Pune; a segment of one and a segment of nobody."""
    workspace.attributes.change("city", segment="CITY")
    workspace.segments.add("IN_PUNE", {"attribute": "CITY", "operator": "is", "value": "Pune"})
    workspace.segments.add("NOBODY", {"any": []})
    return workspace


def plain(page):
    return texts(page).replace("\\", "")


def written(page, text):
    page.text_area(key="message_text").set_value(text).run()
    assert not page.exception
    return page


def message_id(page):
    found = page.query_params["message"]
    return found if isinstance(found, str) else found[0]


def revealed(workspace):
    with workspace.engine.session() as session:
        return session.rows("SELECT object FROM audit WHERE action = 'reveal'")


def test_a_workspace_without_people_lists_macros_and_has_nobody_to_show(open_page, workspace):
    page = open_page("macros")
    assert "FIRST_NAME" in list(page.dataframe[0].value["macro"])
    assert "nobody to show it for" in texts(page)
    assert workspace.drafts.list() == []


def test_a_message_is_rendered_masked_and_line_by_line(open_page, people):
    page = written(open_page("macros"), "Hi {{FIRST_NAME}},\n*welcome* to <b>{{CITY}}</b>")
    shown = [markdown.value for markdown in page.markdown if "blue-background" in markdown.value]
    assert ":blue-background[A•••]" in shown[0]
    assert "\\*welcome\\*" in shown[0]
    assert "  \n" in shown[0]
    assert "Asha" not in shown[0]
    assert revealed(people) == []


def test_a_message_survives_a_reload_and_is_not_in_the_url(open_page, people):
    page = written(open_page("macros"), "Dear Mr Rahul {{CITY}}")
    assert "Rahul" not in str(page.query_params)
    again = open_page("macros", message=message_id(page))
    assert again.text_area(key="message_text").value == "Dear Mr Rahul {{CITY}}"
    assert open_page("macros").text_area(key="message_text").value == ""


def test_missing_values_are_counted_for_the_choice_and_for_every_segment(open_page, people):
    page = written(open_page("macros", for_segment="IN_PUNE"), "{{CITY}} {{GENDER}}")
    assert {metric.label: metric.value for metric in page.metric} == {"City": "0", "Gender": "1"}
    table = page.dataframe[1].value.set_index("segment")
    assert table.loc["Everybody", ["members", "without", "CITY", "GENDER"]].tolist() == [2, 2, 0, 2]
    assert table.loc["IN_PUNE", ["members", "without", "GENDER"]].tolist() == [1, 1, 1]
    assert table.loc["NOBODY", "share"] == "–"


def test_another_person_comes_at_a_click_and_is_in_the_url(open_page, people):
    page = written(open_page("macros"), "{{CITY}}")
    assert "Thane" in plain(page)
    page.button(key="another").click().run()
    assert "Pune" in plain(page)
    assert "Thane" in plain(open_page("macros", message=message_id(page), person="3"))


def test_personal_data_is_shown_once_and_written_to_the_audit_log(open_page, people):
    page = written(open_page("macros"), "Hi {{FIRST_NAME}}")
    page.button(key="reveal_message").click().run()
    assert "Asha" in plain(page)
    assert revealed(people) == [("1-2",)]
    page.run()
    assert "Asha" not in plain(page).replace("Asha Menon", "")


def test_what_is_no_macro_is_named_with_what_may_have_been_meant(open_page, people):
    page = written(open_page("macros"), "{{FIRSTNAME}} {{<b>x</b>}}")
    assert "Did you mean **FIRST_NAME**?" in plain(page)
    assert "The list above has all macros" in plain(page)
    assert not page.metric


def test_a_missing_value_is_marked_in_the_message(open_page, people):
    assert "no value" in texts(written(open_page("macros"), "Hi {{GENDER}}!"))


def test_nobody_of_a_segment_has_no_message(open_page, people):
    page = written(open_page("macros", for_segment="NOBODY"), "Hi {{CITY}}")
    assert "nobody to show it for" in texts(page)
    assert page.button(key="another").disabled
