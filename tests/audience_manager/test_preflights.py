"""Baskets before they are sent: judged once, put right in place, sent under their own names or not at all."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from ingest_core.audience_manager.naming import Wanted
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.audience_manager.sending import Way, place_given
from ingest_core.clock import now
from ingest_core.errors import InputError, StateError
from ingest_core.transport.places import FolderPlace
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, template, workspace

__all__ = ["home", "template", "workspace"]

CRM, SHOP = 21, 33


@pytest.fixture
def desk(workspace, tmp_path):
    for dpid, name in ((CRM, "CRM"), (SHOP, "Shop")):
        workspace.sources.add(name, kind="data_source", dpid=dpid, id_type="cross_device")
    workspace.audience.traits.add("Gold", CRM, trait_id=5)
    (tmp_path / "bucket").mkdir()
    workspace.destinations.add("Bucket", FolderPlace(path=str(tmp_path / "bucket")))
    return workspace


@pytest.fixture
def bucket(tmp_path):
    return tmp_path / "bucket"


def stamp(hours=0):
    return int((now() + timedelta(hours=hours)).timestamp())


def basket(desk, *files):
    held = desk.received.begin()
    for name, text in files:
        writer = desk.landing.create(name)
        writer.write(text.encode())
        file = ReceivedFile(landing_id=writer.finish(), name=name, size=len(text.encode()))
        held = desk.received.add(held.inbound_id, file)
    return held


def look(desk, held, place=""):
    return desk.preflights.look(held, desk.audience.registered(), place)


def judged(desk, held, place=""):
    """What is handed to be sent: each file with what was said of it."""
    return list(zip(desk.received.sources(held), look(desk, held, place).found.files, strict=True))


def send(desk, held, **way):
    place = place_given(way.pop("place", ""), now())
    return desk.preflights.sending.send(judged(desk, held, place), Way("Bucket", place, **way))


def codes(found):
    return {one.code for file in found.files for one in (*file.check.problems, *file.remarks)}


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def audit(desk, action):
    with desk.engine.session() as session:
        rows = session.rows("SELECT detail FROM audit WHERE action = ? ORDER BY seq", [action])
    return [json.loads(detail) for (detail,) in rows]


# ── looked at ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_basket_is_worked_out_once_until_something_is_another(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\nu2\td_sid=6\n"))
    first = look(desk, held)
    assert look(desk, held) is first
    assert codes(first.found) == {"traits_unknown", "lines_without_trait"}
    desk.audience.traits.add("Silver", CRM, trait_id=6)
    assert codes(look(desk, held).found) == set()
    assert look(desk, held, "acme").place == f"acme/date={now():%Y-%m-%d}"
    assert codes(look(desk, held, "acme/date=2020-01-01").found) == {"date_folder_not_today"}


def test_a_batch_that_was_processed_meanwhile_is_known(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    held = basket(desk, (name, "u1\td_sid=5\n"))
    assert look(desk, held).found.verdict == "fine"
    desk.audience.ingest([MemoryFile(name, b"u1\td_sid=5\n")], BatchOptions(now()))
    assert codes(look(desk, held).found) == {"duplicate_file"}


def test_a_message_for_the_keys_of_its_receiver_is_no_error(desk):
    name = f"ftp_dpm_21_{stamp()}.sync.gpg"
    found = look(desk, basket(desk, (name, "-----BEGIN PGP MESSAGE-----\n\nx\n"))).found
    assert (codes(found), found.verdict) == ({"not_decrypted"}, "ask")


# ── put right ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_fixed_file_takes_the_place_of_the_other_which_stays(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    held = basket(desk, (name, "u1\td_sid=5,\r\nu2\td_sid=5\r\n"))
    (file,) = held.files
    made = desk.preflights.fix(held.inbound_id, file.landing_id)
    assert made.changes == {"crlf": 2, "empty_item": 1}
    held = desk.received.get(held.inbound_id)
    (new,) = held.files
    assert desk.received.source(new).open().read() == b"u1\td_sid=5\nu2\td_sid=5\n"
    assert new.size == 22
    assert (new.earlier[0].landing_id, new.earlier[0].changes) == (file.landing_id, made.changes)
    assert look(desk, held).found.verdict == "fine"


def test_a_second_click_fixes_nothing_twice_and_leaves_no_file(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\r\n"))
    (file,) = held.files
    desk.preflights.fix(held.inbound_id, file.landing_id)
    with pytest.raises(StateError) as refused:
        desk.preflights.fix(held.inbound_id, file.landing_id)
    assert refused.value.code == "file_replaced"
    assert len(desk.landing.ids()) == 2


def test_what_cannot_be_fixed_leaves_the_basket_as_it_is(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync.gz", "no gzip"))
    with pytest.raises(Exception, match="no gzip") as refused:
        desk.preflights.fix(held.inbound_id, held.files[0].landing_id)
    assert refused.value.code == "corrupt_gzip"
    assert desk.received.get(held.inbound_id) == held
    assert desk.landing.ids() == [held.files[0].landing_id]


def test_a_wrong_name_gets_a_right_one(desk):
    held = basket(desk, ("crm 21 full.csv", "u1\td_sid=5\n"))
    assert look(desk, held).found.verdict == "blocked"
    (file,) = held.files
    wanted = desk.preflights.guess(file, desk.audience.registered())
    assert wanted == Wanted(dpids=(21,), mode="overwrite")
    name = desk.preflights.name(held, file, wanted)
    held = desk.received.rename(held.inbound_id, file.landing_id, name)
    assert look(desk, held).found.verdict == "fine"


def test_a_suggested_name_was_never_used(desk):
    sent = [f"ftp_dpm_21_{stamp() + n}.sync" for n in range(60)]
    for name in sent:
        desk.audience.ingest([MemoryFile(name, f"{name}\td_sid=5\n".encode())], BatchOptions(now()))
    held = basket(desk, ("people.sync", "u1\td_sid=5\n"))
    assert desk.preflights.name(held, held.files[0], Wanted(dpids=(21,))) not in sent
    assert "ftp_dpm_33_" in desk.preflights.name(held, held.files[0], Wanted(dpids=(33,)))


def test_a_large_file_is_put_into_its_basket_in_parts(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    text = "".join(f"user{n}\td_sid=5\n" for n in range(1_000))
    held = basket(desk, (name, text))
    (file,) = held.files
    parts = desk.preflights.split(held.inbound_id, file.landing_id, most=6_000)
    held = desk.received.get(held.inbound_id)
    assert [one.name for one in held.files] == [f"{name}.{number}" for number in range(1, len(parts) + 1)]
    assert b"".join(source.open().read() for source in desk.received.sources(held)) == text.encode()
    found = look(desk, held).found
    assert (found.verdict, found.receipt.receipts[0].stored_records) == ("fine", 1_000)
    for one in held.files:
        desk.received.remove(held.inbound_id, one.landing_id)
    assert desk.landing.ids() == []


def test_a_second_click_splits_nothing_twice(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\n" * 200))
    (file,) = held.files
    parts = desk.preflights.split(held.inbound_id, file.landing_id, most=1_200)
    with pytest.raises(StateError) as refused:
        desk.preflights.split(held.inbound_id, file.landing_id, most=1_200)
    assert refused.value.code == "file_replaced"
    assert len(desk.landing.ids()) == len(parts) + 1


# ── sent ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_leaves_under_its_own_name_and_nothing_beside_it(desk, bucket):
    name = f"ftp_dpm_21_{stamp()}.sync"
    held = basket(desk, (name, "u1\td_sid=5\n"))
    (delivery,) = send(desk, held, place="acme")
    assert desk.deliveries.send(delivery.delivery_id).status == "delivered"
    assert files_in(bucket) == [f"acme/date={now():%Y-%m-%d}/{name}"]
    assert (bucket / files_in(bucket)[0]).read_bytes() == b"u1\td_sid=5\n"
    (told,) = audit(desk, "am send")
    assert (told["verdict"], told["reason"], told["destination"]) == ("fine", None, "Bucket")


def test_the_same_bytes_at_the_same_place_are_one_delivery(desk, bucket):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\n"))
    (first,) = send(desk, held)
    (second,) = send(desk, held)
    assert first.delivery_id == second.delivery_id
    desk.deliveries.send_due()
    assert send(desk, held)[0].status == "delivered"
    assert desk.deliveries.count() == 1
    assert len(audit(desk, "am send")) == 1


def test_a_name_is_never_used_for_other_bytes(desk, bucket):
    name = f"ftp_dpm_21_{stamp()}.sync"
    send(desk, basket(desk, (name, "u1\td_sid=5\n")))
    desk.deliveries.send_due()
    (bucket / name).unlink()  # its receiver took it
    with pytest.raises(StateError) as refused:
        send(desk, basket(desk, (name, "u2\td_sid=5\n")))
    assert refused.value.code == "name_was_used"
    assert desk.deliveries.count() == 1


def test_a_name_that_somebody_else_used_there_is_told_by_the_delivery(desk, bucket):
    name = f"ftp_dpm_21_{stamp()}.sync"
    (bucket / name).write_bytes(b"theirs")
    held = basket(desk, (name, "u1\td_sid=5\n"))
    (delivery,) = send(desk, held)
    sent = desk.deliveries.send(delivery.delivery_id)
    assert (sent.status, sent.error["code"]) == ("failed", "file_exists")
    assert (bucket / name).read_bytes() == b"theirs"
    (bucket / name).unlink()
    (again,) = send(desk, held)
    assert (again.delivery_id, again.status) == (delivery.delivery_id, "waiting")
    assert desk.deliveries.send(again.delivery_id).status == "delivered"


def test_a_file_that_never_set_out_leaves_its_name_free(desk, bucket):
    bucket.rmdir()
    name = f"ftp_dpm_21_{stamp()}.sync"
    (first,) = send(desk, basket(desk, (name, "u1\td_sid=5\n")))
    desk.deliveries.send(first.delivery_id)
    desk.deliveries.cancel(first.delivery_id)
    bucket.mkdir()
    (second,) = send(desk, basket(desk, (name, "u2\td_sid=5\n")))
    assert desk.deliveries.send(second.delivery_id).status == "delivered"
    assert (bucket / name).read_bytes() == b"u2\td_sid=5\n"


def test_a_file_whose_failed_delivery_is_long_ago_is_sent_anew(desk, bucket):
    name = f"ftp_dpm_21_{stamp()}.sync"
    (bucket / name).write_bytes(b"theirs")
    held = basket(desk, (name, "u1\td_sid=5\n"))
    (first,) = send(desk, held)
    desk.deliveries.send(first.delivery_id)
    with desk.engine.write, desk.engine.session() as session:
        session.run("UPDATE delivery SET finished_at = ?", [now() - timedelta(days=20)])
    (bucket / name).unlink()
    (again,) = send(desk, held)
    assert again.delivery_id != first.delivery_id
    assert desk.deliveries.send(again.delivery_id).status == "delivered"
    assert send(desk, held)[0].delivery_id == again.delivery_id


def test_warnings_ask(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\r\n"))
    with pytest.raises(StateError) as refused:
        send(desk, held)
    assert refused.value.code == "unseen_warnings"
    assert send(desk, held, has_seen_warnings=True)[0].status == "waiting"


def test_blocked_files_go_only_for_a_reason_which_is_kept(desk):
    held = basket(desk, (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\nno tab\n"))
    for why in (None, "  "):
        with pytest.raises(StateError) as refused:
            send(desk, held, reason=why, has_seen_warnings=True)
        assert refused.value.code == "blocked"
    with pytest.raises(InputError) as refused:
        send(desk, held, reason="asha@example.com asked for it")
    assert refused.value.code == "personal_reason"
    assert desk.deliveries.count() == 0
    send(desk, held, reason="One line of a test user, agreed with Adobe")
    (told,) = audit(desk, "am send")
    assert (told["verdict"], told["errors"]) == ("blocked", ["no_tab"])
    assert told["reason"] == "One line of a test user, agreed with Adobe"


def test_all_files_are_sent_or_none(desk):
    good, bad = (f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5\n"), (f"ftp_dpm_21_{stamp(1)}.sync", "no tab\n")
    with pytest.raises(StateError):
        send(desk, basket(desk, good, bad))
    assert desk.deliveries.count() == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [("", ""), ("  ", ""), ("/", ""), ("acme", "acme/date=2026-11-28"), ("a/b/", "a/b/date=2026-11-28"),
     ("acme/date=2026-11-27/", "acme/date=2026-11-27"), ("acme/date=soon", "acme/date=soon")],
)  # fmt: skip
def test_a_partner_is_enough_for_a_place(text, place):
    assert place_given(text, now().replace(year=2026, month=11, day=28)) == place
