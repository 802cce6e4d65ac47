"""Pre-flight on the screen: files judged, put right, renamed, sent; each once, and nothing is lost by a reload."""

from __future__ import annotations

import json
import os
import time

import pytest

from ingest_core.audience_manager import preflight, splitting
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.clock import now
from ingest_core.transport.places import FolderPlace, S3Place, Secrets
from ingest_core.transport.presets import fields_of
from tests.pages.shown import press_inside, texts

GOOD = "u1\td_sid=2\nu2\td_sid=2\n"
ODD = "u1\td_sid=2,\r\nu2\td_sid=2\r\n"
BAD = "u1\td_sid=2\r\nno tab\r\nasha@example.com\td_sid=2\r\nu4\td_sid=77\r\n"


@pytest.fixture
def audience(workspace):
    workspace.sources.add("CRM ids", kind="data_source", dpid=478, id_type="cross_device")
    workspace.sources.add("Cookies", kind="data_source", dpid=33, id_type="cookie")
    workspace.audience.traits.add("Buyer", 478, trait_id=2)
    return workspace.audience


@pytest.fixture
def bucket(workspace, tmp_path):
    folder = tmp_path / "bucket"
    folder.mkdir()
    workspace.destinations.add("Bucket", FolderPlace(path=str(folder)))
    return folder


def name(hours=0, ending="sync"):
    return f"ftp_dpm_478_{int(now().timestamp()) + 3600 * hours}.{ending}"


def basket(workspace, *files):
    held = workspace.received.begin()
    for called, text in files:
        writer = workspace.landing.create(called)
        writer.write(text.encode())
        file = ReceivedFile(landing_id=writer.finish(), name=called, size=len(text.encode()))
        held = workspace.received.add(held.inbound_id, file)
    return held


def plain(page):
    return texts(page).replace("\\", "").replace("\u2060", "")


def problems(page, at=0):
    tables = [one.value for one in page.dataframe if "code" in one.value]
    return dict(zip(tables[at]["code"], tables[at]["level"].map(lambda level: level[0]), strict=True))


# ── looked at ───────────────────────────────────────────────────────────────────────────────────────────────


def test_without_files_it_says_what_it_is_for(open_page, audience):
    page = open_page("am_preflight")
    assert "What pre-flight is for" in plain(page)
    assert "Go on with" not in plain(page)


def test_what_was_begun_is_found_again(open_page, workspace, audience):
    basket(workspace, (name(), GOOD))
    assert "Go on with" in plain(open_page("am_preflight"))


def test_a_file_that_is_fine_can_be_sent(open_page, workspace, audience):
    shown = plain(open_page("am_preflight", preflight=basket(workspace, (name(), GOOD)).inbound_id))
    assert "Can be sent" in shown
    assert "Not to be sent" not in shown
    assert "A data file with ids of CRM ids (478) and their traits" in shown
    assert "2 of 2 records would be stored" in shown
    assert workspace.audience.receipts() == []


def test_errors_block_and_come_before_warnings(open_page, workspace, audience):
    held = basket(workspace, (name(), BAD), (name(1), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    shown = plain(page)
    assert "**2 files:** 1 with errors, 1 fine." in shown
    found = problems(page)
    assert list(found.values()) == sorted(found.values())
    assert (found["no_tab"], found["pii_in_user_id"], found["crlf"], found["traits_unknown"]) == (
        "Error", "Error", "Warning", "Warning",
    )  # fmt: skip
    assert "**Unknown here:** 77" in shown
    assert "asha@example.com" not in shown


def test_a_code_is_explained_with_its_places(open_page, workspace, audience):
    held = basket(workspace, (name(), BAD))
    page = open_page("am_preflight", preflight=held.inbound_id, code="no_tab", of=held.files[0].landing_id)
    assert "It blocks the file." in plain(page)
    assert [list(one.value["line"]) for one in page.dataframe if "why" in one.value] == [[2]]
    other = open_page("am_preflight", preflight=held.inbound_id, code="nonsense", of=held.files[0].landing_id)
    assert "Code nonsense" not in plain(other)


def test_the_whole_key_is_judged_when_a_place_is_named(open_page, workspace, audience):
    held = basket(workspace, (name(), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id, place="acme/date=2020-01-01")
    assert problems(page) == {"date_folder_not_today": "Warning"}
    page = open_page("am_preflight", preflight=held.inbound_id, place="acme")
    assert f"Judged as acme/date={now():%Y-%m-%d}" in plain(page)
    assert "Can be sent" in plain(page)


def test_a_page_that_is_drawn_again_or_in_another_window_works_nothing_out_twice(
    open_page, workspace, audience, monkeypatch
):
    asked = []
    real = workspace.outbound.preflight
    monkeypatch.setattr(workspace.outbound, "preflight", lambda *a, **more: asked.append(1) or real(*a, **more))
    held = basket(workspace, (name(), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.run()
    open_page("am_preflight", preflight=held.inbound_id)
    assert len(asked) == 1
    audience.traits.add("Other", 478, trait_id=77)
    page.run()
    assert len(asked) == 2


def test_names_of_files_are_shown_as_they_are(open_page, workspace, audience):
    page = open_page("am_preflight", preflight=basket(workspace, ("**bold** <b>x</b>.sync", GOOD)).inbound_id)
    assert not any("**bold** <b>" in one.value for one in page.markdown)


# ── put right ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_put_right_and_judged_again(open_page, workspace, audience):
    held = basket(workspace, (name(), ODD))
    (file,) = held.files
    page = open_page("am_preflight", preflight=held.inbound_id)
    assert "2 lines: Line ends: CR LF → LF" in plain(page)
    page.button(key=f"fix_{file.landing_id}").click().run()
    assert not page.exception
    shown = plain(open_page("am_preflight", preflight=held.inbound_id))
    assert "Can be sent" in shown
    assert "**Put right.**" in shown
    (new,) = workspace.received.get(held.inbound_id).files
    assert workspace.received.source(new).open().read() == GOOD.encode()


def test_a_second_click_or_window_fixes_nothing_twice(open_page, workspace, audience):
    held = basket(workspace, (name(), ODD))
    (file,) = held.files
    one, other = (open_page("am_preflight", preflight=held.inbound_id) for _ in range(2))
    for page in (one, other):
        page.button(key=f"fix_{file.landing_id}").click().run()
        assert not page.exception
        assert not page.error
        assert "Can be sent" in plain(page)
    assert len(workspace.received.get(held.inbound_id).files[0].earlier) == 1
    assert len(workspace.landing.ids()) == 2


def test_a_large_file_is_split(open_page, workspace, audience, monkeypatch):
    monkeypatch.setattr(preflight, "PART_BYTES", 5_000)
    monkeypatch.setattr(splitting, "PLAIN_BYTES", 5_000)
    held = basket(workspace, (name(), "".join(f"user{n}\td_sid=2\n" for n in range(1_000))))
    page = open_page("am_preflight", preflight=held.inbound_id)
    assert "Better in about 4 parts" in plain(page)
    page.button(key=f"split_{held.files[0].landing_id}").click().run()
    assert not page.exception
    files = workspace.received.get(held.inbound_id).files
    assert [one.name for one in files] == [f"{held.files[0].name}.{number}" for number in range(1, 5)]
    assert "1,000 of 1,000 records would be stored" in plain(page)


def test_a_wrong_name_gets_a_better_one(open_page, workspace, audience):
    held = basket(workspace, ("crm 478 export full.csv", GOOD))
    (file,) = held.files
    page = open_page("am_preflight", preflight=held.inbound_id)
    assert "Not to be sent" in plain(page)
    page.button(key=f"rename_{file.landing_id}").click().run()
    assert any(one.value.startswith("ftp_dpm_478_") and one.value.endswith(".overwrite") for one in page.code)
    press_inside(page, f"rename_{file.landing_id}", "confirm_rename")
    shown = plain(open_page("am_preflight", preflight=held.inbound_id))
    assert "Can be sent" in shown
    assert "**Renamed.** It was crm 478 export full.csv" in shown


def test_a_file_is_taken_out_and_a_basket_discarded(open_page, workspace, audience):
    held = basket(workspace, (name(), GOOD), (name(1), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key=f"out_{held.files[0].landing_id}").click().run()
    assert len(workspace.received.get(held.inbound_id).files) == 1
    page.button(key="discard").click().run()
    assert not page.exception
    assert workspace.landing.ids() == []


# ── sent and processed ──────────────────────────────────────────────────────────────────────────────────────


def test_without_a_destination_there_is_a_way_to_one(open_page, workspace, audience):
    page = open_page("am_preflight", preflight=basket(workspace, (name(), GOOD)).inbound_id)
    page.button(key="send").click().run()
    assert "nowhere to send to" in plain(page)


def test_a_file_is_sent_once_into_the_folder_of_the_partner(open_page, workspace, audience, bucket):
    held = basket(workspace, (name(), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id, place="acme")
    page.button(key="send").click().run()
    press_inside(page, "send", "confirm_send")
    page.button(key="send").click().run()
    press_inside(page, "send", "confirm_send")  # a second click
    workspace.deliveries.send_due()
    (sent,) = workspace.deliveries.list()
    assert sent.status == "delivered"
    path = bucket / "acme" / f"date={now():%Y-%m-%d}" / held.files[0].name
    assert path.read_bytes() == GOOD.encode()
    assert "to **Bucket**" in plain(open_page("am_preflight", preflight=held.inbound_id, place="acme"))


def test_warnings_ask_before_a_file_is_sent(open_page, workspace, audience, bucket):
    held = basket(workspace, (name(), ODD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key="send").click().run()
    assert page.button(key="confirm_send").disabled
    page.button(key="send").click()
    page.checkbox(key="seen_warnings").check().run()
    assert workspace.deliveries.count() == 0
    page.checkbox(key="seen_warnings").check()
    press_inside(page, "send", "confirm_send")
    assert workspace.deliveries.count() == 1


def test_a_blocked_file_is_sent_only_for_a_reason_which_is_kept(open_page, workspace, audience, bucket):
    held = basket(workspace, (name(), BAD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key="send").click().run()
    assert page.multiselect(key="send_files").value == []
    page.button(key="send").click()
    page.multiselect(key="send_files").select(held.files[0].name).run()
    page.button(key="send").click()
    page.text_input(key="send_reason").input("Agreed with Adobe").run()
    press_inside(page, "send", "confirm_send")
    with workspace.engine.session() as session:
        (told,) = session.rows("SELECT detail FROM audit WHERE action = 'am send'")
    assert json.loads(told[0])["reason"] == "Agreed with Adobe"


def test_a_name_that_was_used_for_other_bytes_is_told(open_page, workspace, audience, bucket):
    called = name()
    (bucket / called).write_bytes(b"theirs")
    held = basket(workspace, (called, GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key="send").click().run()
    press_inside(page, "send", "confirm_send")
    workspace.deliveries.send_due()
    shown = plain(open_page("am_preflight", preflight=held.inbound_id))
    assert "A file of this name with other bytes is there already" in shown
    assert (bucket / called).read_bytes() == b"theirs"


def test_files_are_processed_here_once(open_page, workspace, audience):
    held = basket(workspace, (name(), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key="process_here").click().run()
    assert not page.exception
    workspace.receiving.turn(lambda: False)
    assert len(audience.receipts()) == 1
    page = open_page("am_preflight", preflight=held.inbound_id)
    assert "handed over to be processed here" in page.info[0].value


def test_a_basket_that_is_not_there_is_told(open_page, audience):
    assert open_page("am_preflight", preflight="nothing").error


# ── files that come in ──────────────────────────────────────────────────────────────────────────────────────


def put(workspace, called, text):
    path = workspace.inbox.folder() / called
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - 60,) * 2)


def test_all_files_of_the_inbox_are_taken_at_once_and_the_basket_is_in_the_url(open_page, workspace, audience):
    for hours in range(2):
        put(workspace, name(hours), GOOD)
    page = open_page("am_preflight")
    next(button for button in page.button if button.label == "Take all 2 files").click().run()
    assert not page.exception
    (held,) = workspace.received.open()
    assert page.query_params["preflight"] == held.inbound_id
    assert len(held.files) == 2
    assert workspace.inbox.waiting() == []
    assert "**2 files:** 2 " in plain(page)


def test_a_folder_of_the_inbox_is_opened(open_page, workspace, audience):
    called = name()
    put(workspace, f"export/{called}", GOOD)
    page = open_page("am_preflight", inbox_folder="export")
    file = workspace.inbox.inside("export").find(called)
    page.button(key=f"take_{file.file_id}").click().run()
    assert [one.name for held in workspace.received.open() for one in held.files] == [called]


def test_the_folder_of_the_partner_is_known_from_the_destination(open_page, workspace, audience):
    place = S3Place.model_validate(fields_of("production", "s3", "acme") | {"access_key": "AKIAEXAMPLE"})
    workspace.destinations.add("Adobe inbound", place, Secrets(secret_key="invented-secret"))
    held = basket(workspace, (name(), GOOD))
    page = open_page("am_preflight", preflight=held.inbound_id)
    page.button(key="send").click().run()
    assert [one.value for one in page.code if "date=" in one.value] == [
        f"acme/date={now():%Y-%m-%d}/{held.files[0].name}"
    ]
