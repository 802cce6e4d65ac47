"""Exports on the screen: orders, segments over traits, runs; checked while they are written, done in the background."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import DeliveryError
from ingest_core.transport.places import FolderPlace
from tests.audience_manager.memory import MemoryFile
from tests.pages.shown import texts


@pytest.fixture
def audience(workspace):
    """A data source, three traits, two people, a segment."""
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    for trait, name in ((1, "Gold"), (2, "Silver"), (3, "Reader")):
        workspace.audience.traits.add(name, 478, trait_id=trait)
    ingest(workspace, 0, "customer-asha\td_sid=1", "customer-rahul\td_sid=1,d_sid=2")
    workspace.outbound.segments.add("Loyal", "1T OR 2T", 9)
    return workspace


def ingest(workspace, number, *lines):
    file = MemoryFile(f"ftp_dpm_478_179000000{number}.sync", "".join(f"{line}\n" for line in lines).encode())
    workspace.audience.ingest([file], BatchOptions(now()))


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def order(audience, place):
    made = Order(order_id=215, name="Partner", master=478, folder=str(place))
    return audience.outbound.orders.add(made)


def plain(page) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


def rows(page, name="name"):
    return {row[name]: row for row in page.dataframe[0].value.to_dict("records")} if page.dataframe else {}


def work(workspace):
    """What the background does."""
    workspace.outbound.errands.turn(lambda: False)


def keys(page):
    return {one.key for one in page.button}


class TestOrders:
    def test_without_data_sources_it_is_said_what_is_missing(self, open_page):
        page = open_page("am_exports")
        assert "No orders yet" in texts(page)
        assert "new_order" not in keys(page)

    def test_a_row_says_what_is_told_to_whom_and_how_it_went(self, open_page, audience, order, place):
        row = rows(open_page("am_exports"))["Partner"]
        assert (row["id"], row["state"], row["what"], row["to"]) == (
            "215", ["Never run"], "All segments", f"Folder {place}",
        )  # fmt: skip
        audience.outbound.exports.run(215, user="asha")
        row = rows(open_page("am_exports"))["Partner"]
        assert (row["state"], row["rows"], row["mode"]) == (["Delivered"], 2, "What changed")

    def test_an_order_is_made_in_the_drawer(self, open_page, audience, place):
        page = open_page("am_exports", order="new")
        assert page.button(key="create_order").disabled
        assert "Still needed: name, destination" in plain(page)
        page.text_input(key="order_name_new").set_value("Agency").run()
        page.text_input(key="order_folder_new").set_value(str(place)).run()
        page.multiselect(key="order_items_segments_new").set_value([9])
        page.toggle(key="order_gzip_new").set_value(True)
        page.text_input(key="order_pid_alias_new").set_value("acme").run()
        assert not page.button(key="create_order").disabled
        page.button(key="create_order").click().run()
        (made,) = audience.outbound.orders.list()
        assert (made.order_id, made.name, made.items, made.master, made.gzip, made.pid_alias, made.folder) == (
            1, "Agency", (9,), 478, True, "acme", str(place),
        )  # fmt: skip
        assert page.query_params["order"] in ("1", ["1"])
        assert audience.outbound.runs.list() == []

    def test_a_destination_is_chosen_by_name(self, open_page, audience, place):
        audience.destinations.add("Partner bucket", FolderPlace(path=str(place)))
        page = open_page("am_exports", order="new")
        assert page.selectbox(key="order_destination_new").value == "Partner bucket"
        page.text_input(key="order_name_new").set_value("Agency").run()
        page.button(key="create_order").click().run()
        assert audience.outbound.orders.list()[0].destination == "Partner bucket"

    @pytest.mark.parametrize(
        ("field", "text", "said"),
        [
            ("content", "<WHAT>", "cannot stand here"),
            ("header", "<DP_UUID>", "cannot stand here"),
            ("file_name", "partner.sync", "needs <TIMESTAMP>"),
            ("name", "partner", "Another order has this name"),
            ("folder", "place", "whole path"),
            ("pid_alias", "a__b", "single underscores"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, open_page, order, place, field, text, said):
        page = open_page("am_exports", order="new")
        page.text_input(key="order_name_new").set_value("Agency")
        page.text_input(key="order_folder_new").set_value(str(place))
        page.text_input(key=f"order_{field}_new").set_value(text).run()
        assert said in plain(page)
        assert page.button(key="create_order").disabled

    def test_name_header_and_rows_are_shown_with_invented_people(self, open_page, audience, place):
        page = open_page("am_exports", order="new")
        page.text_input(key="order_name_new").set_value("Agency")
        page.text_input(key="order_folder_new").set_value(str(place))
        page.text_input(key="order_header_new").set_value("id<TAB>segments").run()
        name, sample = (one.value for one in page.code[-2:])
        assert name.startswith("ftp_1_478_iter_")
        assert sample.splitlines()[:2] == ["id⇥segments", "C-1042 9,101"]
        assert "asha" not in sample

    def test_an_order_is_changed_and_keeps_what_its_receiver_knows(self, open_page, audience, order):
        audience.outbound.exports.run(215, user="asha")
        page = open_page("am_exports", order="215")
        assert page.button(key="save_order").disabled
        page.toggle(key="order_gzip_215").set_value(True).run()
        assert "is forgotten, and the next run" not in plain(page)
        page.button(key="save_order").click().run()
        assert audience.outbound.orders.get(215).gzip
        assert audience.outbound.exports.preview(215).counts["rows"] == 0

    def test_a_change_that_makes_the_receiver_start_anew_says_so(self, open_page, order):
        page = open_page("am_exports", order="215")
        page.segmented_control(key="order_what_215").set_value("traits").run()
        assert "the next run tells everything" in "\n".join(one.value for one in page.warning)

    def test_removing_says_its_consequence(self, open_page, audience, order):
        page = open_page("am_exports", order="215")
        assert "not even who leaves from now on" in plain(page)
        page.button(key="remove_order_for_good").click().run()
        assert audience.outbound.orders.list() == []
        assert "order" not in page.query_params

    def test_an_order_that_is_gone_opens_nothing(self, open_page, audience):
        assert "order" not in open_page("am_exports", order="77").query_params


class TestExport:
    def test_two_clicks_and_two_tabs_are_one_run(self, open_page, audience, order, place):
        first, second = open_page("am_exports", order="215"), open_page("am_exports", order="215")
        first.button(key="export_iter").click().run()
        second.button(key="export_full").click().run()
        assert [one.wanted for one in audience.outbound.errands.list()] == [{"mode": "iter"}]
        assert first.get("progress")
        assert first.button(key="export_iter").disabled
        work(audience)
        (run,) = audience.outbound.runs.list()
        assert (run.mode, run.status, run.requested_by) == ("iter", "delivered", "Asha Menon")
        page = open_page("am_exports", order="215")
        assert not page.button(key="export_iter").disabled
        assert "2 rows, in 1 file" in plain(page)

    def test_what_was_asked_for_is_stopped(self, open_page, audience, order):
        page = open_page("am_exports", order="215")
        page.button(key="export_full").click().run()
        page.button(key="stop_export").click().run()
        work(audience)
        assert audience.outbound.runs.list() == []

    def test_the_preview_has_counts_files_and_masked_rows_and_sends_nothing(self, open_page, audience, order, place):
        page = open_page("am_exports", order="215")
        page.button(key="work_it_out").click().run()
        assert [one.value for one in page.metric][:3] == ["2", "2", "0"]
        shown = "\n".join(one.value for one in page.code)
        assert "cu••• 9" in shown
        assert "asha" not in shown
        assert list(place.iterdir()) == []
        ingest(audience, 1, "customer-asha\td_unsid=1")
        audience.outbound.exports.run(215, user="asha")
        page.run()
        assert "Nothing is sent or kept by this" in plain(page)

    def test_one_that_could_not_be_made_says_why(self, open_page, audience, order):
        audience.outbound.errands.ask("export", "215", {"mode": "iter"}, "asha")
        with audience.engine.session() as session:
            session.run("UPDATE am_errand SET state = 'working'")
        audience.outbound.errands.take_up()
        page = open_page("am_exports", order="215")
        assert "Nothing was sent" in str(page.error[0].proto)
        assert not page.button(key="export_iter").disabled

    def test_what_did_not_arrive_and_what_was_given_up_stand_in_the_way_and_say_so(
        self, open_page, audience, order, place
    ):
        place.rmdir()
        with pytest.raises(DeliveryError):
            audience.outbound.exports.run(215, user="asha")
        page = open_page("am_exports", order="215")
        assert "Nobody knows what of it arrived" in "\n".join(one.value for one in page.warning)
        page.button(key="look_at_run").click().run()
        run = audience.outbound.runs.list()[0]
        assert page.query_params["run"] in (run.run_id, [run.run_id])
        audience.outbound.runs.give_up(run, "asha")
        page = open_page("am_exports", order="215")
        assert page.button(key="export_iter").disabled
        assert not page.button(key="export_full").disabled

    def test_traits_that_controls_keep_back_are_named_with_their_label(self, open_page, audience, order):
        audience.outbound.orders.set_controls(478, ("ads",))
        audience.outbound.orders.change(215, order.model_copy(update={"labels": ("ads",)}))
        page = open_page("am_exports", order="215")
        assert "Left out: 3 traits of **CRM ids (478)**, by the export control ads" in plain(page)
        assert "Kept from Partner" in plain(page)

    def test_controls_are_set_by_data_source(self, open_page, audience, order):
        audience.outbound.orders.set_controls(478, ("ads",))
        page = open_page("am_exports")
        page.multiselect(key="control_478_ads").set_value([]).run()
        page.button(key="save_control_478").click().run()
        assert audience.outbound.orders.controls() == []


class TestSegments:
    def test_without_any_it_is_said_how_to_begin(self, open_page, workspace):
        assert "No segments over traits yet" in texts(open_page("am_exports", tab="Segments"))

    def test_they_are_listed_with_their_profiles_and_who_is_told(self, open_page, audience, order):
        audience.outbound.segments.add("Nobody", "3T", 10)
        found = rows(open_page("am_exports", tab="Segments"))
        assert {name: row["profiles"] for name, row in found.items()} == {"Loyal": 2, "Nobody": 0}
        assert found["Loyal"]["orders"] == "Partner"
        assert list(rows(open_page("am_exports", tab="Segments", find_segment="1t or"))) == ["Loyal"]
        assert "No segment matches" in texts(open_page("am_exports", tab="Segments", find_segment="nothing"))

    def test_a_rule_is_checked_and_counted_while_it_is_written(self, open_page, audience):
        page = open_page("am_exports", trait_segment="new")
        page.text_input(key="segment_name_new").set_value("Both")
        page.text_input(key="segment_rule_new").set_value("1T AND").run()
        assert page.button(key="segment_save_new").disabled
        page.text_input(key="segment_rule_new").set_value("not 3t").run()
        assert "true of somebody without any trait" in plain(page)
        page.text_input(key="segment_rule_new").set_value("(1t) and 2t or 77t").run()
        said = plain(page)
        assert "The rule can be used:] 1T AND 2T OR 77T" in said
        assert "true of **1 profile** now: 1 of CRM ids (478)" in said
        assert "There is no trait 77" in said
        page.button(key="segment_save_new").click().run()
        assert audience.outbound.segments.get(10).rule == "1T AND 2T OR 77T"
        assert "trait_segment" not in page.query_params

    def test_a_segment_is_changed(self, open_page, audience):
        page = open_page("am_exports", trait_segment="9")
        assert page.button(key="segment_save_9").disabled
        page.text_input(key="segment_rule_9").set_value("2T").run()
        page.button(key="segment_save_9").click().run()
        assert audience.outbound.segments.get(9).rule == "2T"

    def test_removing_says_who_is_told_about_how_many(self, open_page, audience, order):
        audience.outbound.exports.run(215, user="asha")
        page = open_page("am_exports", trait_segment="9")
        assert "Partner: 2 ids told to be in it" in plain(page)
        page.button(key="remove_segment_for_good").click().run()
        assert audience.outbound.segments.list() == []
        assert audience.outbound.exports.preview(215).counts == {"rows": 2, "added": 0, "removed": 2}


class TestRuns:
    def test_before_the_first_one_it_is_said_how_they_come(self, open_page, order):
        assert "Nothing was exported yet" in texts(open_page("am_exports", tab="Runs"))

    def test_they_are_filtered_by_order_and_state_in_the_address(self, open_page, audience, order, place):
        audience.outbound.orders.add(Order(order_id=216, name="Other", what="traits", master=478, folder=str(place)))
        for number in (215, 215, 216):
            audience.outbound.exports.run(number, user="asha")
        assert len(rows(open_page("am_exports", tab="Runs"), "run")) == 3
        names = [row["of"] for row in rows(open_page("am_exports", tab="Runs", runs_of="Other (216)"), "run").values()]
        assert names == ["Other (216)"]
        states = [
            row["state"] for row in rows(open_page("am_exports", tab="Runs", runs_state="Nothing new"), "run").values()
        ]
        assert states == [["Nothing new"]]
        assert "No run is so" in texts(open_page("am_exports", tab="Runs", runs_state="Prepared"))

    def test_a_run_shows_its_files_with_what_proves_them_whole(self, open_page, audience, order):
        run = audience.outbound.exports.run(215, user="asha")
        page = open_page("am_exports", tab="Runs", run=run.run_id)
        shown = "\n".join(one.value for one in page.code)
        assert run.files[0].md5 in shown
        assert run.files[0].sha256 in shown
        assert run.control in plain(page)

    def test_names_of_orders_are_never_markup(self, open_page, audience, place):
        audience.outbound.orders.add(Order(order_id=5, name="**bold** :smile:", master=478, folder=str(place)))
        audience.outbound.exports.run(5, user="asha")
        assert "**bold**" not in texts(open_page("am_exports", order="5"))
