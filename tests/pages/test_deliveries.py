"""Destinations, deliveries and a new delivery on the screen: what is sent, where to, and what became of it."""

from __future__ import annotations

import pytest

from ingest_core.deliveries.order import Column, Order
from ingest_core.transport.places import FolderPlace
from tests.pages.shown import texts


@pytest.fixture
def partner(workspace, tmp_path):
    """The folder of the destination Partner."""
    folder = tmp_path / "partner"
    folder.mkdir()
    workspace.destinations.add("Partner", FolderPlace(path=str(folder)))
    return folder


@pytest.fixture
def segment(workspace, receipt):
    workspace.segments.add("EVERYBODY", {"all": []})
    return "EVERYBODY"


def plain(page) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


def order(**more) -> Order:
    return Order(kind="segment", object="EVERYBODY", destination="Partner", **more)


# ── destinations ─────────────────────────────────────────────────────────────────────────────────────────


def test_without_destinations_the_page_says_what_they_are_for(open_page):
    assert "No destinations yet" in texts(open_page("destinations"))


def test_the_list_says_where_each_leads_and_whether_it_works(open_page, workspace, partner):
    workspace.destinations.test("Partner")
    row = open_page("destinations").dataframe[0].value.iloc[0]
    assert (row["name"], row["kind"], row["where"], row["state"]) == ("Partner", "Folder", str(partner), ["Works"])


def test_the_test_says_of_each_step_whether_it_works(open_page, workspace, partner):
    page = open_page("destinations", destination="1")
    page.button(key="test_connection").click().run()
    said = plain(page)
    for step in ("Connect", "List files", "Leave a file", "Delete it"):
        assert f"**{step}** works" in said
    assert workspace.destinations.get("Partner").is_working
    assert [*partner.iterdir()] == []


def test_a_test_that_fails_says_what_and_the_next_move(open_page, workspace, partner):
    partner.rmdir()
    page = open_page("destinations", destination="1")
    page.button(key="test_connection").click().run()
    assert "**Connect** failed" in plain(page)
    assert "**Leave a file** not tried" in plain(page)
    assert not page.exception


def test_secrets_never_come_back_to_the_screen(open_page, workspace):
    from ingest_core.catalog.destinations import place_from
    from ingest_core.transport.places import Secrets

    place = place_from({"kind": "ftps", "host": "ftp.example.com", "user": "onramp"})
    workspace.destinations.add("Server", place, Secrets.model_validate({"password": "hush-hush"}))
    page = open_page("destinations", destination="1")
    field = page.text_input(key="change_1_password")
    assert (field.value, field.placeholder) == ("", "Kept. Type to replace it")
    assert "hush-hush" not in str(page)


def test_a_destination_is_changed_and_removed(open_page, workspace, partner, tmp_path):
    (tmp_path / "other").mkdir()
    page = open_page("destinations", destination="1")
    page.text_input(key="change_1_path").set_value(str(tmp_path / "other")).run()
    page.button(key="save_place").click().run()
    assert workspace.destinations.get("Partner").place.path == str(tmp_path / "other")
    page.button(key="remove_destination").click().run()
    assert workspace.destinations.list() == []


@pytest.mark.parametrize(("kind", "field"), [("Folder", "new_folder_path"), ("SFTP server", "new_sftp_private_key"),
                                             ("S3 bucket", "new_s3_bucket")])  # fmt: skip
def test_the_drawer_of_a_new_destination_has_the_fields_of_its_kind(open_page, kind, field):
    page = open_page("destinations")
    page.button(key="add_destination").click().run()
    page.button(key="add_destination").click()
    page.selectbox(key="new_place_kind").set_value({"Folder": "folder", "SFTP server": "sftp", "S3 bucket": "s3"}[kind])
    page.run()
    keys = {one.key for one in [*page.text_input, *page.text_area]}
    assert field in keys
    assert not {"new_ftps_password"} & keys


@pytest.mark.parametrize(("environment", "bucket"), [("production", "demdex-s2s-clients"),
                                                     ("beta", "demdex-s2s-clients-sandbox-us-east-1")])  # fmt: skip
def test_audience_manager_is_offered_with_everything_filled_in(open_page, workspace, environment, bucket):
    page = open_page("destinations")
    adding(page)
    page.selectbox(key="new_place_kind").set_value(environment)
    adding(page)
    assert page.text_input(key=f"new_{environment}_s3_bucket").value == bucket
    assert page.button(key="create_destination").disabled
    page.text_input(key="new_place_partner").set_value("acme")
    page.text_input(key="new_place_name").set_value("Adobe inbound")
    page.text_input(key=f"new_{environment}_s3_access_key").set_value("AKIAEXAMPLE")
    page.text_input(key=f"new_{environment}_s3_secret_key").set_value("s3cret")
    adding(page)
    page.button(key="create_destination").click()
    adding(page)
    (made,) = workspace.destinations.list()
    assert (made.place.bucket, made.place.acl, made.place.receiver.environment, made.place.receiver.partner) == (
        bucket, "bucket-owner-full-control", environment, "acme",
    )  # fmt: skip
    shown = open_page("destinations").dataframe[0].value
    assert shown["kind"].iloc[0] == f"Audience Manager, {environment} (S3)"
    assert shown["where"].iloc[0] == f"{bucket}/acme"


def test_audience_manager_is_offered_by_sftp_too(open_page):
    page = open_page("destinations")
    adding(page)
    page.selectbox(key="new_place_kind").set_value("beta")
    adding(page)
    page.segmented_control(key="new_place_by").set_value("sftp")
    adding(page)
    assert page.text_input(key="new_beta_sftp_host").value == "sandbox-ftp-in.demdex.com"


def adding(page):
    """A run in which the drawer of a new destination is open."""
    page.button(key="add_destination").click()
    page.run()
    assert not page.exception


# ── a new delivery ───────────────────────────────────────────────────────────────────────────────────────


def test_without_a_destination_there_is_nowhere_to_send_to(open_page, segment):
    assert "nowhere to send to yet" in texts(open_page("deliver"))


def test_a_segment_is_sent_hashed_by_one_press_however_often(open_page, workspace, partner, segment):
    page = open_page("deliver", segment_name=segment)
    shown = page.dataframe[-1].value
    assert list(shown.columns)[:3] == ["profile_id", "crmid", "email"]
    assert shown["email"].iloc[0].endswith("…")
    assert "asha@" not in str(shown)
    page.button(key="deliver").click().run()
    (waiting,) = workspace.deliveries.list()
    assert (waiting.status, waiting.order.destination, waiting.label) == ("waiting", "Partner", segment)
    workspace.deliveries.send_due()
    (file,) = partner.glob("*.tsv")
    assert len(file.read_text().splitlines()) == workspace.segments.count(segment) + 1
    assert "asha@" not in file.read_text()


def test_the_columns_of_the_address_are_the_columns_of_the_file(open_page, workspace, partner, segment):
    columns = "crmid:plain=id,email:google_email=Email"
    page = open_page("deliver", segment_name=segment, columns=columns)
    assert list(page.dataframe[-1].value.columns) == ["id", "Email"]
    page.button(key="deliver").click().run()
    order = workspace.deliveries.list()[0].order
    assert [(one.name, one.recipe) for one in order.columns] == [("id", "plain"), ("Email", "google_email")]


def test_personal_data_as_it_is_needs_a_reason_and_a_tick(open_page, workspace, partner, segment):
    page = open_page("deliver", segment_name=segment, columns="crmid:plain=id,email:plain=mail")
    assert page.dataframe[-1].value["mail"].iloc[0].startswith("a•••@")
    assert "Personal data as it is" in texts(page)
    assert page.button(key="deliver").disabled
    page.text_input(key="plain_reason").set_value("Contract 4711").run()
    page.checkbox(key="may_send").check().run()
    page.button(key="deliver").click().run()
    order = workspace.deliveries.list()[0].order
    assert (order.is_plain, order.reason) == (True, "Contract 4711")


def test_an_upload_page_leads_to_its_delivery(open_page, workspace, partner, receipt):
    page = open_page("upload", upload=receipt.request_id)
    page.button(key="send").click().run()
    assert page.selectbox(key="upload_chosen").value == receipt.request_id
    assert page.segmented_control(key="what").value == "upload"
    assert not page.button(key="deliver").disabled


def test_rejected_rows_go_out_for_a_reason(open_page, workspace, partner, receipt):
    page = open_page("deliver", what="Rejected rows", upload=receipt.request_id)
    assert page.button(key="deliver").disabled
    page.text_input(key="plain_reason").set_value("Back to the agency").run()
    page.checkbox(key="may_send").check().run()
    page.button(key="deliver").click().run()
    workspace.deliveries.send_due()
    assert "not an address" in next(partner.glob("*.tsv")).read_text()


def test_an_undone_upload_says_why_it_cannot_be_sent(open_page, workspace, partner, receipt):
    workspace.undo.undo(receipt.request_id)
    page = open_page("deliver", what="Stored rows", upload=receipt.request_id)
    assert [error.proto.body for error in page.error]
    assert not [one for one in page.button if one.key == "deliver"]


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_sent_says_how_to_begin(open_page):
    assert "Nothing was sent yet" in texts(open_page("deliveries"))


@pytest.fixture
def sent(workspace, partner, segment):
    """One delivered, one failed."""
    done = workspace.deliveries.deliver(order(file_name="x"))
    (partner / "y.tsv").write_text("other bytes")
    failed = workspace.deliveries.deliver(order(file_name="y", columns=(Column(name="id", attribute="crmid"),)))
    return done, failed


def test_the_history_is_filtered_by_the_address(open_page, sent):
    assert [state for (state,) in open_page("deliveries").dataframe[0].value["state"]] == ["Failed", "Delivered"]
    page = open_page("deliveries", delivery_state="Failed")
    assert list(page.dataframe[0].value["file"]) == ["y.tsv"]
    assert "No delivery matches" in texts(open_page("deliveries", search_deliveries="nothing of the kind"))


def test_the_drawer_shows_the_file_and_what_proves_that_it_is_whole(open_page, sent):
    done, _ = sent
    page = open_page("deliveries", delivery=done.delivery_id)
    assert done.sha256 in page.code[0].value
    assert f"{done.bytes:,} bytes" in plain(page)
    assert str(done.location) in plain(page)


def test_a_failed_delivery_says_why_and_is_tried_again(open_page, workspace, partner, sent):
    _, failed = sent
    page = open_page("deliveries", delivery=failed.delivery_id)
    assert page.error
    (partner / "y.tsv").unlink()
    page.button(key="retry_delivery").click().run()
    assert workspace.deliveries.get(failed.delivery_id).status == "waiting"
    workspace.deliveries.send_due()
    assert "Delivered" in texts(open_page("deliveries", delivery=failed.delivery_id))


def test_an_unknown_delivery_is_said_so(open_page, sent):
    page = open_page("deliveries", delivery="DNOTHING")
    assert page.error


def test_taking_an_upload_back_names_what_left(open_page, workspace, receipt, sent):
    page = open_page("upload", upload=receipt.request_id)
    page.button(key="undo").click().run()
    assert "cannot be called back: EVERYBODY to Partner" in plain(page)


def test_names_of_people_and_places_are_never_markup(open_page, workspace, tmp_path, receipt):
    (tmp_path / "p").mkdir()
    workspace.destinations.add("**bold** :smile:", FolderPlace(path=str(tmp_path / "p")))
    workspace.segments.add("EVERYBODY", {"all": []})
    done = workspace.deliveries.deliver(Order(kind="segment", object="EVERYBODY", destination="**bold** :smile:"))
    page = open_page("deliveries", delivery=done.delivery_id)
    assert "**bold**" not in texts(page)
