"""Finding a customer by whatever identifier, the table of everybody, the drawer of one: masked, by id in the URL."""

from __future__ import annotations

import json

import pytest

from ingest_core.files import PathSource
from ingest_core.models import Options
from tests.pages.shown import texts
from tests.workspaces import mapping_of


@pytest.fixture
def load(workspace, tmp_path):
    """load("Shop", text, columns) → the receipt."""

    def loaded(source, text, columns, **options):
        path = tmp_path / f"file{len(list(tmp_path.iterdir()))}.tsv"
        path.write_text(text, "utf-8")
        known = {one.name: one for one in workspace.sources.list()}
        of = known.get(source) or workspace.sources.add(source)
        return workspace.loads.load(workspace.plan(PathSource(path), of, mapping_of(columns), Options(**options)))

    return loaded


@pytest.fixture
def people(load):
    """K1 came together from a shop's address and a CRM's number; K2 is in the CRM alone."""
    load("Shop", "email\tcity\npriya@example.in\tGoa\n", {"email": "email", "city": "city"})
    load("CRM", "crmid\tcity\nK1\tPune\nK2\tAgra\n", {"crmid": "crmid", "city": "city"}, segment="create:IN_CRM")
    return load("App", "crmid\temail\tcity\nK1\tpriya@example.in\tMumbai\n",
                {"crmid": "crmid", "email": "email", "city": "city"})  # fmt: skip


def audited(workspace):
    with workspace.engine.session() as session:
        rows = session.rows("SELECT object, detail FROM audit WHERE action = 'reveal' ORDER BY seq")
    return [(what, json.loads(detail)) for what, detail in rows]


def plain(page):
    """What the page says without the marks that keep Markdown from reading it."""
    return texts(page).replace("\\", "").replace("\u2060", "")


def search(page, value):
    page.text_input(key="profile_value").set_value(value).run()
    assert not page.exception
    return page


# ── the search box ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["K1", "PRIYA@example.in", "1-2"])
def test_a_value_of_any_identifier_opens_its_only_profile(open_page, people, value):
    page = search(open_page("profiles"), value)
    assert page.query_params["profile"] == "1-2"
    assert "One customer has this value" in texts(page)


def test_the_searched_value_is_never_in_the_url(open_page, people):
    page = search(open_page("profiles"), "priya@example.in")
    assert "priya" not in str(page.query_params)


def test_several_hits_are_a_short_table_and_none_is_opened(open_page, load, people):
    load("Phones", "crmid\tphone\nK5\t+919876543210\n+919876543210\t\n", {"crmid": "crmid", "phone": "phone"})
    page = search(open_page("profiles"), "+919876543210")
    assert "2 customers have this value" in texts(page)
    found = page.dataframe[0].value
    assert list(found["by"]) == ["Customer ID", "Phone"]
    assert "profile" not in page.query_params


def test_nobody_found_says_as_what_it_was_looked_for_and_leaves_the_table(open_page, people):
    page = search(open_page("profiles"), "nobody@example.in")
    assert "Nobody is known by this value" in texts(page)
    assert "Looked for as: Customer ID, E" in texts(page)
    assert len(page.dataframe[0].value) == 2
    assert "profile" not in page.query_params


def test_a_value_that_many_share_says_why_it_names_nobody(open_page, load):
    rows = "".join(f"K{i}\tdesk@example.in\n" for i in range(30))
    load("CRM", f"crmid\temail\n{rows}", {"crmid": "crmid", "email": "email"})
    assert "it belongs to too many people" in texts(search(open_page("profiles"), "desk@example.in"))


def test_the_drawer_stays_closed_after_it_was_closed_though_the_value_still_stands(open_page, people):
    page = search(open_page("profiles"), "K1")
    del page.query_params["profile"]
    page.run()
    assert "profile" not in page.query_params


# ── everybody ────────────────────────────────────────────────────────────────────────────────────────────


def test_without_profiles_it_says_how_they_come(open_page, workspace):
    page = open_page("profiles")
    assert "No profiles yet" in texts(page)
    assert not page.dataframe


def test_everybody_is_masked_with_identifiers_first(open_page, workspace, people):
    frame = open_page("profiles").dataframe[0].value
    attributes = {a.name: a.column for a in workspace.attributes.list()}
    assert list(frame.columns) == [
        "person", attributes["crmid"], attributes["email"], attributes["city"], "sources", "since",
    ]  # fmt: skip
    assert list(frame["person"]) == ["2-3", "1-2"]
    assert list(frame[attributes["email"]])[1] == "p•••@example.in"
    assert [list(names) for names in frame["sources"]] == [["CRM"], ["App", "CRM", "Shop"]]


def test_filters_of_the_url_leave_who_belongs(open_page, people):
    assert list(open_page("profiles", in_source="Shop").dataframe[0].value["person"]) == ["1-2"]
    page = open_page("profiles", in_segment="IN_CRM")
    assert len(page.dataframe[0].value) == 2
    page.selectbox(key="in_source").select("Shop").run()
    assert "1 profile of 2" in texts(page)


def test_pages_are_places_in_the_url(open_page, load):
    rows = "".join(f"K{i:03}\n" for i in range(120))
    load("CRM", f"crmid\n{rows}", {"crmid": "crmid"})
    page = open_page("profiles")
    assert "1 to 50 of 120 profiles, the newest first" in texts(page)
    assert page.button(key="page_newer").disabled
    page.button(key="page_older").click().run()
    assert "51 to 100 of 120 profiles" in texts(page)
    assert page.query_params["older_than"] == "1-72"
    again = open_page("profiles", older_than="1-72")
    assert list(again.dataframe[0].value["person"]) == list(page.dataframe[0].value["person"])
    page.button(key="page_oldest").click().run()
    assert "71 to 120 of 120 profiles" in texts(page)
    assert "older_than" not in page.query_params
    page.button(key="page_newest").click().run()
    assert "1 to 50 of 120" in texts(page)


def test_another_filter_begins_at_the_first_page(open_page, people):
    page = open_page("profiles", older_than="2-3")
    page.selectbox(key="in_source").select("CRM").run()
    assert "older_than" not in page.query_params
    assert len(page.dataframe[0].value) == 2


@pytest.mark.parametrize("params", [{"older_than": "x"}, {"profile": "9-9"}, {"profile": "x"}])
def test_a_broken_address_is_a_message_with_a_next_move(open_page, people, params):
    page = open_page("profiles", **params)
    assert page.error[0].value


# ── the drawer ───────────────────────────────────────────────────────────────────────────────────────────


def drawer(open_page, **params):
    """The page with the drawer of K1 open; its table is the last one."""
    return open_page("profiles", profile="1-2", **params)


def test_each_value_names_file_line_and_upload(open_page, people):
    table = drawer(open_page).dataframe[-1].value.set_index("attribute")
    assert list(table.loc["City", ["value", "line", "upload"]]) == ["Mumbai", "2", people.request_id]
    assert "CRM" in texts(drawer(open_page))


def test_personal_data_needs_a_reason_is_shown_once_and_audited_without_it(open_page, workspace, people):
    page = drawer(open_page)
    assert page.button(key="reveal").disabled
    page.text_input(key="reveal_reason").set_value("ticket 4711").run()
    assert "priya@example.in" not in str(page.dataframe[-1].value["value"].tolist())
    page.button(key="reveal").click().run()
    assert "priya@example.in" in page.dataframe[-1].value["value"].tolist()
    assert audited(workspace) == [("1-2", {"by": "profile_id", "reason": "ticket 4711"})]
    page.run()
    assert "priya@example.in" not in page.dataframe[-1].value["value"].tolist()
    assert len(audited(workspace)) == 1
    assert "priya" not in str(audited(workspace))


def test_a_reason_that_names_the_person_shows_nothing(open_page, workspace, people):
    page = drawer(open_page)
    page.text_input(key="reveal_reason").set_value("Priya@example.in called").run()
    page.button(key="reveal").click().run()
    assert "Nothing was shown" in str(page.error[0].proto)
    assert "priya@example.in" not in str(page.dataframe[-1].value["value"].tolist())
    assert audited(workspace) == []


def test_who_has_no_personal_data_offers_none(open_page, people):
    page = open_page("profiles", profile="2-3")
    assert "reveal" not in [button.key for button in page.button]


def test_the_timeline_says_what_each_upload_did(open_page, workspace, load, people):
    undone = load("App", "crmid\tcity\nK1\tNowhere\n", {"crmid": "crmid", "city": "city"})
    workspace.undo.undo(undone.request_id)
    said = plain(drawer(open_page, about="Timeline"))
    assert said.index("Undone by Asha Menon") < said.index("City: Nowhere") < said.index("City: Pune → **Mumbai**")
    assert "Profiles **1-2** and **2-2** became one, by Customer ID K1 and E-mail p•••@example.in" in said
    assert said.index("City: Goa → **Pune**") < said.index("First seen")
    assert "The same as before: Customer ID" in said
    assert "4 uploads with rows of this customer" in said


def test_the_timeline_is_masked_until_asked_for_and_the_entry_says_what(open_page, workspace, people):
    page = drawer(open_page, about="Timeline")
    assert "priya@" not in plain(page)
    page.text_input(key="reveal_reason").set_value("ticket 4711").run()
    page.button(key="reveal").click().run()
    assert "priya@example.in" in plain(page)
    assert audited(workspace) == [("1-2", {"by": "profile_id", "timeline": "all", "reason": "ticket 4711"})]


def test_where_the_person_belongs_and_what_brought_them(open_page, workspace, people):
    page = drawer(open_page, about="Sources and segments")
    table = page.dataframe[-1].value.set_index("source")
    assert sorted(table.index) == ["App", "CRM", "Shop"]
    assert table.loc["App", "upload"] == people.request_id
    assert "3 sources, 1 segment." in texts(page)


def test_what_came_together_is_told_and_what_did_not_too(open_page, people):
    assert "Profiles **1-2** and **2-2** became one" in plain(drawer(open_page, about="Came together"))
    alone = texts(open_page("profiles", profile="2-3", about="Came together"))
    assert "Nothing was joined" in alone


def test_the_history_of_a_value_is_in_the_url_and_leads_back(open_page, people):
    page = drawer(open_page, history="city")
    said = plain(page)
    assert said.index("**Mumbai**") < said.index("**Pune**") < said.index("**Goa**")
    assert "3 uploads said something about it" in said
    page.button(key="all_values").click().run()
    assert "history" not in page.query_params
    assert page.query_params["profile"] == "1-2"


def test_an_attribute_that_is_not_there_shows_the_values(open_page, people):
    assert "Mumbai" in drawer(open_page, history="shoe_size").dataframe[-1].value["value"].tolist()


# ── erasing ──────────────────────────────────────────────────────────────────────────────────────────────


def test_erasing_says_what_would_go_wants_a_reason_and_then_the_customer_is_gone(open_page, people, workspace):
    page = drawer(open_page)
    page.button(key="erase_look").click().run()
    said = plain(page)
    assert "leave the record log, and the profile is gone" in said
    assert page.button(key="erase_now").disabled
    page.text_input(key="erase_reason").set_value("request 4711").run()
    before = workspace.profiles.count()
    page.button(key="erase_now").click().run()
    assert not page.exception
    assert workspace.profiles.count() == before - 1
    assert "profile" not in page.query_params


def test_a_look_at_what_would_go_changes_nothing(open_page, people, workspace):
    before = workspace.digest()
    page = drawer(open_page)
    page.button(key="erase_look").click().run()
    assert workspace.digest() == before
