"""Baskets of files: checked before, processed once whatever is clicked or killed, and what becomes of them is told."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.batch_list import Asked
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.errors import InputError, StateError
from ingest_core.workspace import Workspace

NAME = "ftp_dpm_21_1700000000.overwrite"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def workspace(home):
    with Workspace.open(home, user="Asha") as opened:
        opened.sources.add("CRM ids", kind="data_source", dpid=21, id_type="cross_device")
        opened.audience.traits.add("Named", 21, trait_id=2)
        yield opened


def put(workspace, inbound_id, name=NAME, text="u1\td_sid=2\nbroken\n"):
    writer = workspace.landing.create(name)
    writer.write(text.encode())
    file = ReceivedFile(landing_id=writer.finish(), name=name, size=len(text))
    return workspace.received.add(inbound_id, file)


def basket(workspace, **file):
    return put(workspace, workspace.received.begin().inbound_id, **file)


def turn(workspace):
    return workspace.receiving.turn(lambda: False)


def test_files_are_checked_before_anything_is_stored(workspace):
    held = basket(workspace)
    (check,) = workspace.received.check(held, workspace.audience.registered()).files
    assert check.by_category == {"ok": 1, "format_error": 1}
    assert [problem.code for problem in check.problems] == ["no_tab"]
    assert workspace.audience.receipts() == []


def test_a_basket_is_processed_once_however_often_it_is_asked_for(workspace):
    held = basket(workspace)
    for _ in range(2):
        assert workspace.received.process(held.inbound_id).state == "waiting"
    turn(workspace)
    assert workspace.received.process(held.inbound_id).state == "done"
    turn(workspace)
    (batch,) = workspace.audience.receipts()
    done = workspace.received.get(held.inbound_id)
    assert (done.request_id, batch.uploaded_by, batch.received, batch.stored) == (batch.request_id, "Asha", 2, 1)
    assert workspace.landing.ids() == [held.files[0].landing_id]  # kept as it came


def test_files_of_a_batch_that_began_are_not_changed(workspace):
    held = basket(workspace)
    workspace.received.process(held.inbound_id)
    with pytest.raises(StateError) as caught:
        put(workspace, held.inbound_id, name="ftp_dpm_21_1700000001.sync")
    assert caught.value.code == "batch_begun"
    with pytest.raises(StateError):
        workspace.received.discard(held.inbound_id)


def test_an_empty_basket_cannot_be_processed(workspace):
    with pytest.raises(InputError) as caught:
        workspace.received.process(workspace.received.begin().inbound_id)
    assert caught.value.code == "no_file"


def test_a_file_of_the_same_name_takes_the_place_of_the_other(workspace):
    held = put(workspace, basket(workspace).inbound_id, text="u2\td_sid=2\n")
    assert [file.size for file in held.files] == [11]
    assert workspace.landing.ids() == [held.files[0].landing_id]
    assert workspace.received.remove(held.inbound_id, held.files[0].landing_id).files == ()
    assert workspace.landing.ids() == []


def test_a_discarded_basket_leaves_nothing(workspace):
    held = basket(workspace)
    workspace.received.discard(held.inbound_id)
    assert workspace.landing.ids() == []
    with pytest.raises(InputError) as caught:
        workspace.received.get(held.inbound_id)
    assert caught.value.code == "no_such_batch"


def test_beta_stores_nothing_and_keeps_its_receipt(workspace):
    held = basket(workspace)
    workspace.received.process(held.inbound_id, "beta")
    turn(workspace)
    done = workspace.received.get(held.inbound_id)
    assert (done.state, done.request_id) == ("done", None)
    assert done.outcome["report"]["receipts"][0]["no_matching_aam_id"] == 1
    assert workspace.landing.ids() == []
    assert workspace.audience.receipts() == []


def test_what_a_killed_process_left_is_processed_by_the_next_one(home, workspace):
    held = basket(workspace)
    workspace.received.process(held.inbound_id)
    workspace.received.take_next()
    workspace.close()
    with Workspace.open(home, user="Ravi") as opened:
        assert opened.landing.ids() == [held.files[0].landing_id]
        turn(opened)
        (batch,) = opened.audience.receipts()
        assert batch.uploaded_by == "Asha"


def test_files_that_kill_every_process_are_given_up(workspace):
    held = basket(workspace)
    workspace.received.process(held.inbound_id)
    for _ in range(3):
        assert workspace.received.take_next() is not None
        workspace.received.take_up()
    done = workspace.received.get(held.inbound_id)
    assert (done.state, done.outcome["error"]["code"]) == ("failed", "gave_up")


def test_receipts_are_found_by_file_source_and_refusal(workspace):
    held = basket(workspace)
    put(workspace, held.inbound_id, name="ftp_dpm_21_1700000001.sync.gz", text="no gzip")
    workspace.received.process(held.inbound_id)
    turn(workspace)
    find = workspace.audience.receipts
    assert len(find(Asked(search="OVERWRITE"))) == len(find(Asked(dpid=21))) == len(find(Asked(only_refused=True))) == 1
    assert find(Asked(search="nothing")) == find(Asked(dpid=22)) == []
    (batch,) = find()
    assert [(one.file, one.code) for one in batch.refused] == [("ftp_dpm_21_1700000001.sync.gz", "corrupt_gzip")]
    detail = workspace.audience.receipt(batch.request_id)
    assert [file.stored_records for file in detail.per_file] == [1]
    assert workspace.audience.count_receipts() == 1


def renamed(workspace, held, name):
    (file,) = held.files
    return workspace.received.rename(held.inbound_id, file.landing_id, name)


def test_a_renamed_file_keeps_its_bytes_and_remembers_its_name(workspace):
    held = renamed(workspace, basket(workspace, name="people.sync"), NAME)
    (file,) = held.files
    assert (file.name, [one.name for one in file.earlier]) == (NAME, ["people.sync"])
    assert held == workspace.received.get(held.inbound_id)
    (source,) = workspace.received.sources(held)
    assert (source.name, source.open().read()) == (NAME, b"u1\td_sid=2\nbroken\n")
    assert renamed(workspace, held, NAME) == held


def test_no_two_files_of_a_basket_have_one_name(workspace):
    held = basket(workspace)
    held = put(workspace, held.inbound_id, name="people.sync")
    with pytest.raises(InputError) as refused:
        workspace.received.rename(held.inbound_id, held.files[1].landing_id, NAME)
    assert refused.value.code == "name_in_batch"
    for name in ("", "../x"):
        with pytest.raises(InputError) as refused:
            workspace.received.rename(held.inbound_id, held.files[1].landing_id, name)
        assert refused.value.code == "no_name"


def test_what_was_replaced_in_another_window_is_not_replaced_again(workspace):
    held = basket(workspace)
    other = put(workspace, workspace.received.begin().inbound_id, text="u2\td_sid=2\n").files[0]
    (file,) = held.files
    new = other.model_copy(update={"earlier": file.before("fixed", {"crlf": 1})})
    workspace.received.replace(held.inbound_id, file.landing_id, [new])
    with pytest.raises(StateError) as refused:
        workspace.received.replace(held.inbound_id, file.landing_id, [new])
    assert refused.value.code == "file_replaced"


def test_originals_stay_as_long_as_what_was_made_of_them(home):
    with Workspace.open(home, user="Asha") as workspace:
        held = basket(workspace)
        (file,) = held.files
        new = put(workspace, workspace.received.begin().inbound_id, name="other.sync").files[0]
        made = ReceivedFile(landing_id=new.landing_id, name=NAME, size=new.size, earlier=file.before("fixed"))
        held = workspace.received.replace(held.inbound_id, file.landing_id, [made])
    with Workspace.open(home, user="Asha") as workspace:  # files that nobody needs go when it is opened
        assert {file.landing_id, new.landing_id} == set(workspace.landing.ids())
        (kept,) = workspace.received.get(held.inbound_id).files
        assert workspace.received.source(kept.earlier[0]).open().read() == b"u1\td_sid=2\nbroken\n"
        workspace.received.discard(held.inbound_id)
        assert file.landing_id not in workspace.landing.ids()
