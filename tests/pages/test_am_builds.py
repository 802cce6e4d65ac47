"""Builds on the screen: written with live checks, previewed, sent once, looked at twice, edited and removed."""

from __future__ import annotations

import hashlib

import pytest

from ingest_core.audience_manager.outbound.build import Build
from pages.builds import carries
from pages.builds import draft as drafts
from tests.pages.shown import press_inside, texts


@pytest.fixture
def folder(workspace, receipt, tmp_path):
    """A place for files, data sources and traits; the people of ``receipt``: C1 of Thane, C2 of Pune."""
    workspace.sources.add(
        "CRM ids", kind="data_source", dpid=478, id_type="cross_device", id_attribute="crmid"
    )  # fmt: skip
    workspace.sources.add("Shop ids", kind="data_source", dpid=33, id_type="cross_device")
    for trait, name, dpid in ((101, "Customers", 478), (205, "Lives in Pune", 478), (8, "Shop", 33)):
        workspace.audience.traits.add(name, dpid, trait_id=trait)
    place = tmp_path / "place"
    place.mkdir()
    return place


def keep(workspace, folder, **fields):
    made = {
        "name": "Gold", "id": {"attribute": "crmid"}, "dpid": 478, "items": [{"trait": 101}],
        "folder": None if folder is None else str(folder), **fields,
    }  # fmt: skip
    return workspace.outbound.builds.keep(Build.model_validate(made))


def plain(page) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


def code(page) -> str:
    return "\n".join(block.value for block in page.code)


def send_button(page):
    return next(one for one in page.button if (one.key or "").startswith("send_build_"))


def work_off(workspace, page):
    """The round of the background, once; the page as it is afterwards."""
    workspace.outbound.errands.turn(lambda: False)
    page.run()
    assert not page.exception


def rows(workspace):
    return [(run.status, run.counts.get("rows")) for run in workspace.outbound.runs.list("build")]


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────


def test_without_builds_the_page_says_what_they_are(open_page):
    assert "No build yet" in texts(open_page("am_builds"))


def test_the_list_says_what_each_is_and_how_its_last_run_ended(open_page, workspace, folder):
    keep(workspace, folder)
    keep(workspace, folder, name="Never", changed=True, items=[{"attribute": "city", "key": "city"}])
    workspace.outbound.builds.run("Gold", user="asha")
    table = open_page("am_builds").dataframe[0].value.set_index("name")
    gold, never = table.loc["Gold"], table.loc["Never"]
    assert (gold["state"], gold["rows"], gold["source"]) == (["Delivered"], 2, "CRM ids (478)")
    assert (gold["who"], gold["id"], gold["mode"], gold["carries"]) == (
        "Everybody", "crmid", "Sync", "Customers (101) for everybody",
    )  # fmt: skip
    assert (never["state"], never["mode"], never["carries"]) == (["Never run"], "Sync, only changes", "city as city")


# ── the editor ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def editor(open_page, workspace, folder):
    """A new build with a name, customer ids and one trait; nothing is kept yet."""
    page = open_page("am_build_edit")
    page.text_input(key="build_name").set_value("Gold").run()
    page.selectbox(key="build_id").set_value("crmid").run()
    page.selectbox(key="trait_first").set_value("101").run()
    page.segmented_control(key="build_to").set_value("A folder of this machine").run()
    page.text_input(key="build_folder").set_value(str(folder)).run()
    return page


def test_an_empty_build_says_what_is_missing_at_each_field(open_page, folder):
    page = open_page("am_build_edit")
    said = plain(page)
    for missing in (
        "Give the build a name.", "Choose the attribute that holds the ids.", "Choose whose ids these are.",
        "Choose a trait, or type the id of one.", "Look at: name, id, data source, items.",
    ):  # fmt: skip
        assert missing in said
    assert page.button(key="save_build").disabled
    assert "draft" not in page.query_params


def test_a_build_is_written_previewed_and_kept(editor, workspace, folder):
    assert editor.selectbox(key="build_dpid").value == 478  # it names crmid as the attribute of its ids
    assert code(editor) == "C1 ⇥ d_sid=101\nC2 ⇥ d_sid=101"
    assert "Customer ids" in plain(editor)
    assert "2 of 2 profiles" in plain(editor)
    assert not editor.button(key="save_build").disabled
    editor.button(key="save_build").click().run()
    (build,) = workspace.outbound.builds.list()
    assert (build.name, build.dpid, build.folder, [one.trait for one in build.items]) == (
        "Gold", 478, str(folder), [101],
    )  # fmt: skip
    assert editor.title[0].value == "Gold"


def test_a_reload_loses_nothing_and_two_windows_write_two_drafts(editor, open_page):
    again = open_page("am_build_edit", draft=editor.query_params["draft"])
    assert (again.text_input(key="build_name").value, again.selectbox(key="trait_first").value) == ("Gold", "101")
    other = open_page("am_build_edit")
    other.text_input(key="build_name").set_value("Silver").run()
    assert other.query_params["draft"] != editor.query_params["draft"]
    assert editor.run().text_input(key="build_name").value == "Gold"


def test_an_address_leaves_hashed_without_being_told_so(editor, workspace):
    editor.selectbox(key="build_id").set_value("email").run()
    assert "Hashed e-mail addresses" in plain(editor)
    first = min(hashlib.sha256(one.encode()).hexdigest() for one in ("asha@example.com", "rahul@example.com"))
    assert {line[:10] for line in code(editor).splitlines()} >= {first[:10]}
    assert first not in code(editor)
    assert "@" not in code(editor)
    editor.button(key="save_build").click().run()
    assert workspace.outbound.builds.list()[0].id.recipe == "am_email"


def test_personal_data_that_cannot_be_hashed_is_not_offered_and_says_why(editor):
    labels = [str(one) for one in editor.selectbox(key="build_id").options]
    assert "E-mail, hashed" in labels
    assert not [one for one in labels if one.startswith(("First", "Phone"))]
    assert "it never leaves" in plain(editor)


def test_a_trait_by_value_offers_the_values_that_people_have(editor, workspace):
    editor.button(key="remove_first").click().run()
    editor.button(key="add_values").click().run()
    uid = next(one.key for one in editor.selectbox if (one.key or "").startswith("attribute_")).partition("_")[2]
    editor.selectbox(key=f"attribute_{uid}").set_value("city").run()
    assert sorted(editor.session_state[f"base_{uid}"][1]["value"]) == ["Pune", "Thane"]
    assert "Give at least one value a trait." in plain(editor)
    assert editor.button(key="save_build").disabled


def test_values_with_a_trait_stand_first_and_a_change_of_the_table_is_kept(open_page, workspace, folder):
    keep(workspace, folder, items=[{"attribute": "city", "traits": {"Nashik": 101, "pune": 205}}])
    page = open_page("am_build_edit", build="Gold")
    base = page.session_state["base_item0"][1]
    assert list(base["value"]) == ["Nashik", "pune", "Thane"]
    assert list(base["trait"])[:2] == ["Customers (101)", "Lives in Pune (205)"]
    assert base["people"].isna().tolist() == [True, False, False]
    delta = {
        "edited_rows": {2: {"trait": "Customers (101)"}, "1": {"trait": None}}, "deleted_rows": [0],
        "added_rows": [{"value": "Goa", "trait": "Lives in Pune (205)"}, {"trait": "Customers (101)"}],
    }  # fmt: skip
    assert carries.traits_of(base.to_dict("records"), delta) == {"Thane": 101, "Goa": 205}


def test_a_value_as_signal_is_called_like_its_attribute_until_it_is_renamed(editor, workspace):
    editor.button(key="add_signal").click().run()
    uid = next(one.key for one in editor.selectbox if (one.key or "").startswith("attribute_")).partition("_")[2]
    editor.selectbox(key=f"attribute_{uid}").set_value("city").run()
    assert code(editor) == "C1 ⇥ city=Thane,d_sid=101\nC2 ⇥ city=Pune,d_sid=101"
    editor.text_input(key=f"key_{uid}").set_value("a b").run()
    assert "A key has letters" in plain(editor)
    assert editor.button(key="save_build").disabled


def test_a_trait_of_another_source_is_worth_a_look_and_an_unknown_one_too(open_page, workspace, folder):
    keep(workspace, folder, items=[{"trait": 8}, {"trait": 999}])
    page = open_page("am_build_edit", build="Gold")
    assert "Trait 8 belongs to another data source" in plain(page)
    assert "There is no trait 999 here." in plain(page)
    assert not page.button(key="save_build").disabled


def test_gzip_and_openpgp_never_stand_together(editor, workspace):
    editor.segmented_control(key="build_packing").set_value("Gzip").run()
    editor.segmented_control(key="build_packing").set_value("OpenPGP").run()
    assert "There is no public key yet" in plain(editor)
    editor.segmented_control(key="build_packing").set_value("Gzip").run()
    editor.button(key="save_build").click().run()
    (build,) = workspace.outbound.builds.list()
    assert (build.gzip, build.pgp) == (True, ())


def test_an_id_sync_has_other_columns_instead_of_items(editor, workspace):
    editor.segmented_control(key="build_kind").set_value("id_sync").run()
    assert editor.button(key="save_build").disabled
    uid = next(one.key for one in editor.selectbox if (one.key or "").startswith("attribute_")).partition("_")[2]
    editor.selectbox(key=f"attribute_{uid}").set_value("email").run()
    editor.selectbox(key=f"dpid_{uid}").set_value(33).run()
    assert code(editor).startswith("C1 ⇥ ")
    editor.button(key="save_build").click().run()
    (build,) = workspace.outbound.builds.list()
    assert (build.kind, build.is_c2c, build.items, build.others[0].dpid) == ("id_sync", True, (), 33)


def test_whose_people_are_chosen_or_nobody_is_sent(editor, workspace):
    editor.segmented_control(key="build_who").set_value("segment").run()
    assert "Choose a segment." in plain(editor)
    assert editor.button(key="save_build").disabled
    editor.segmented_control(key="build_who").set_value("source").run()
    editor.selectbox(key="build_source").set_value("CRM contacts").run()
    assert "2 profiles now" in plain(editor)
    editor.button(key="save_build").click().run()
    assert workspace.outbound.builds.list()[0].source == "CRM contacts"


def test_a_new_build_does_not_take_the_place_of_another(editor, workspace, folder):
    keep(workspace, folder, name="GOLD")
    editor.run()
    assert "There is a build of this name already." in plain(editor)
    assert editor.button(key="save_build").disabled


def test_discarding_leaves_no_trace(editor, workspace):
    editor.button(key="discard_build").click().run()
    assert (workspace.drafts.list(), workspace.outbound.builds.list()) == ([], [])


def test_a_segment_leads_to_a_build_of_its_people(open_page, workspace, folder):
    workspace.segments.add("CUSTOMERS", {"source": "CRM contacts"})
    page = open_page("segment", segment="1")
    page.button(key="build_segment").click().run()
    assert (page.segmented_control(key="build_who").value, page.selectbox(key="build_segment").value) == (
        "segment", "CUSTOMERS",
    )  # fmt: skip
    assert "2 profiles now" in plain(page)


def test_a_kept_build_is_changed_and_says_what_is_forgotten_then(open_page, workspace, folder):
    keep(workspace, folder)
    page = open_page("am_build_edit", build="Gold")
    assert page.text_input(key="build_name").disabled
    page.segmented_control(key="build_mode").set_value("overwrite").run()
    assert not page.warning
    page.selectbox(key="build_dpid").set_value(33).run()
    assert "the next run sends everything" in page.warning[0].value
    page.button(key="save_build").click().run()
    (build,) = workspace.outbound.builds.list()
    assert (build.mode, build.dpid) == ("overwrite", 33)


def test_a_change_of_somebody_else_meanwhile_is_decided_by_the_person(open_page, workspace, folder):
    keep(workspace, folder)
    page = open_page("am_build_edit", build="Gold")
    page.toggle(key="build_changed").set_value(True).run()
    keep(workspace, folder, mode="overwrite")
    page.run()
    assert "was changed meanwhile" in plain(page)
    assert page.button(key="save_build").disabled
    page.button(key="keep_mine").click().run()
    page.button(key="save_build").click().run()
    (build,) = workspace.outbound.builds.list()
    assert (build.mode, build.changed) == ("sync", True)


def test_a_draft_is_the_build_again_whatever_it_holds(workspace, folder):
    build = keep(
        workspace, folder, segment=None, source="CRM contacts", target=33, mode="overwrite", changed=True, gzip=True,
        items=[{"trait": 8}, {"attribute": "city", "key": "town"}, {"attribute": "city", "traits": {"Pune": 8}}],
        partner="acme", environment="beta", look_above_rows=1, look_above_removals=0, split_bytes=2_000,
    )  # fmt: skip
    written = drafts.BuildDraft.of_build("Gold")
    assert workspace.outbound.editing.check(written.build_fields).build == build


# ── sending ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_would_be_sent_stands_there_before_it_goes(open_page, workspace, folder):
    keep(workspace, folder, items=[{"attribute": "city", "key": "city"}])
    page = open_page("am_build", build="Gold")
    figures = {one.label: one.value for one in page.metric}
    assert (figures["Rows"], figures["Removals"], figures["Files"]) == ("2", "0", "1")
    assert "ftp_dpm_478_" in plain(page)
    assert code(page) == "C1 ⇥ city=Thane\nC2 ⇥ city=Pune"
    assert list(folder.iterdir()) == []


def test_one_press_is_one_run_however_often_it_comes(open_page, workspace, folder):
    keep(workspace, folder)
    page, other = open_page("am_build", build="Gold"), open_page("am_build", build="Gold")
    send_button(page).click().run()
    send_button(other).click().run()
    work_off(workspace, page)
    assert rows(workspace) == [("delivered", 2)]
    assert len(list(folder.iterdir())) == 1
    assert page.dataframe[-1].value.iloc[0]["state"] == ["Delivered"]


def test_a_window_that_did_not_see_a_newer_run_sends_nothing(open_page, workspace, folder):
    keep(workspace, folder)
    page = open_page("am_build", build="Gold")
    workspace.outbound.builds.run("Gold", user="Bina Rao")
    send_button(page).click().run()
    work_off(workspace, page)
    assert rows(workspace) == [("delivered", 2)]
    assert "was made meanwhile" in page.error[0].proto.body + str(page.error[0].proto)


def test_only_what_changed_and_everything_once_more(open_page, workspace, folder):
    keep(workspace, folder, changed=True)
    workspace.outbound.builds.run("Gold", user="asha")
    page = open_page("am_build", build="Gold")
    assert "Nothing changed since the last run" in plain(page)
    page.toggle(key="build_full").set_value(True).run()
    assert {one.label: one.value for one in page.metric}["Rows"] == "2"
    send_button(page).click().run()
    work_off(workspace, page)
    assert rows(workspace) == [("delivered", 2), ("delivered", 2)]


def test_what_is_left_out_says_why_and_what_to_do(open_page, workspace, folder):
    keep(workspace, folder, id={"attribute": "email", "recipe": "am_email"}, items=[{"attribute": "city", "key": "c"}])
    workspace.profiles.count()
    page = open_page("am_build", build="Gold")
    assert "left out" not in plain(page)
    keep(workspace, folder, id={"attribute": "city"}, dpid=20914, target=478)
    page = open_page("am_build", build="Gold")
    assert "2 profiles left out: **Not a device id of this source.**" in plain(page)


def test_it_is_checked_as_audience_manager_would(open_page, workspace, folder):
    keep(workspace, folder, partner="acme", gzip=True)
    page = open_page("am_build", build="Gold")
    page.button(key="check_build").click().run()
    assert "would take it without a word" in plain(page)
    assert "2 of 2 records would be stored" in plain(page)
    assert (workspace.audience.count_receipts(), rows(workspace)) == (0, [])


def test_a_build_without_a_place_is_previewed_and_not_sent(open_page, workspace, folder):
    keep(workspace, None)
    page = open_page("am_build", build="Gold")
    assert send_button(page).disabled
    assert "no place yet" in plain(page)


def test_a_large_run_waits_until_somebody_else_agrees(open_page, workspace, folder, monkeypatch):
    keep(workspace, folder, look_above_rows=1)
    page = open_page("am_build", build="Gold")
    assert send_button(page).label == "Ask for a second look"
    send_button(page).click().run()
    work_off(workspace, page)
    assert "Needs a second look: 2 rows and 0 removals" in plain(page)
    assert list(folder.iterdir()) == []
    waiting = workspace.outbound.approvals.list(answer="waiting")[0]
    assert "needs a second look: 2 rows" in plain(open_page("am_builds"))
    with workspace.seen_by("Bina Rao") as other:
        keep(other, folder, name="Other")  # somebody else is known now
    page.run()
    assert page.button(key=f"approve_{waiting.run_id}").disabled
    assert "somebody else approves it, such as Bina Rao" in plain(page)
    monkeypatch.setattr(workspace, "user", "Bina Rao")
    page.run()
    page.button(key=f"approve_{waiting.run_id}").click().run()
    work_off(workspace, page)
    assert rows(workspace) == [("delivered", 2)]
    assert workspace.outbound.approvals.get(waiting.run_id).answered_by == "Bina Rao"


def test_a_large_run_is_declined_with_a_reason(open_page, workspace, folder):
    keep(workspace, folder, look_above_rows=1)
    page = open_page("am_build", build="Gold")
    send_button(page).click().run()
    work_off(workspace, page)
    waiting = workspace.outbound.approvals.list(answer="waiting")[0]
    assert page.button(key=f"decline_{waiting.run_id}").disabled
    page.text_input(key="look_note").set_value("Too many").run()
    page.button(key=f"decline_{waiting.run_id}").click().run()
    assert rows(workspace) == [("declined", 2)]
    assert list(folder.iterdir()) == []


def test_a_run_that_did_not_arrive_is_told_and_leads_to_its_drawer(open_page, workspace, folder):
    keep(workspace, folder)
    page = open_page("am_build", build="Gold")
    folder.rmdir()
    send_button(page).click().run()
    work_off(workspace, page)
    assert "did not arrive" in plain(page)
    run = workspace.outbound.runs.list()[0]
    page.button(key=f"look_{run.run_id}").click().run()
    assert page.query_params["run"] == run.run_id


def test_a_build_is_removed_with_what_that_means(open_page, workspace, folder):
    keep(workspace, folder)
    workspace.outbound.builds.run("Gold", user="asha")
    page = open_page("am_build", build="Gold")
    page.button(key="remove_build").click().run()
    press_inside(page, "remove_build", "remove_build_for_good")
    assert workspace.outbound.builds.list() == []
    assert rows(workspace) == [("delivered", 2)]
    assert "not there" in texts(open_page("am_build", build="Gold"))


def test_names_are_never_markup(open_page, workspace, folder):
    keep(workspace, folder, name="**bold** :smile:", partner="a`b`*c*")
    for page in (
        open_page("am_build", build="**bold** :smile:"), open_page("am_build_edit", build="**bold** :smile:"),
        open_page("am_builds"),
    ):  # fmt: skip
        assert "**bold**" not in texts(page)
