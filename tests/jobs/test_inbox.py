"""The inbox: lists what is whole, takes it encrypted, loses nothing, and reaches nothing outside its folder."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from ingest_core.errors import FileError, InputError, StateError, Stopped
from ingest_core.jobs import inbox as module
from ingest_core.jobs.inbox import DONE, Inbox, tidy
from ingest_core.settings import load_settings

DATA = b"crmid\tcity\n" + b"".join(b"C%d\tPune\n" % i for i in range(200_000))


@pytest.fixture
def box(workspace):
    return workspace.inbox


def put(box, name, data=DATA, age=60):
    path = box.folder() / name
    path.write_bytes(data)
    moment = time.time() - age
    os.utime(path, (moment, moment))
    return path


def names(box):
    return [file.name for file in box.waiting()]


class TestListing:
    def test_the_folder_is_made_when_it_is_first_asked_for_and_is_private(self, workspace):
        assert not (workspace.home / "inbox").exists()
        assert workspace.inbox.waiting() == []
        assert (workspace.home / "inbox").stat().st_mode & 0o777 == 0o700

    def test_files_are_listed_newest_first_with_size(self, box):
        put(box, "old.tsv", b"a\n1\n", age=500)
        put(box, "new.tsv", age=50)
        assert [(file.name, file.size) for file in box.waiting()] == [("new.tsv", len(DATA)), ("old.tsv", 4)]

    @pytest.mark.parametrize(
        "name", [".hidden.tsv", "~$people.xlsx", "a.tsv.part", "a.TMP", "a.crdownload", "a.tsv~", "a.filepart", ".tsv"]
    )
    def test_hidden_and_unfinished_names_are_left_out(self, box, name):
        put(box, name)
        assert names(box) == []

    def test_links_folders_and_pipes_are_left_out(self, box, tmp_path):
        secret = tmp_path / "secret.tsv"
        secret.write_bytes(DATA)
        (box.folder() / "link.tsv").symlink_to(secret)
        (box.folder() / "folder.tsv").mkdir()
        os.mkfifo(box.folder() / "pipe.tsv")
        assert names(box) == []

    def test_a_file_just_written_is_said_to_grow(self, box):
        put(box, "a.tsv", age=0)
        put(box, "b.tsv", age=30)
        put(box, "c.tsv", age=-3600)  # a share whose clock is ahead
        assert {file.name: file.is_growing for file in box.waiting()} == {"a.tsv": True, "b.tsv": False, "c.tsv": False}

    def test_a_name_that_is_no_text_has_one_and_an_id(self, box):
        entry = os.fsdecode(b"K\xf6ln.tsv")
        put(box, entry)
        (file,) = box.waiting()
        assert (file.name, file.entry) == ("K�ln.tsv", entry)
        assert file.file_id.isalnum()
        assert box.take(file.file_id).size == len(DATA)

    def test_another_folder_can_be_set(self, workspace, tmp_path, monkeypatch):
        monkeypatch.setenv("ONRAMP_INBOX_FOLDER", str(tmp_path / "share"))
        assert module.inbox_folder(workspace.home, load_settings(workspace.home)) == tmp_path / "share"

    def test_a_folder_that_cannot_be_made_is_said(self, workspace, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StateError) as caught:
            Inbox(tmp_path / "file", workspace.settings, workspace.landing).waiting()
        assert caught.value.code == "no_inbox"


class TestTaking:
    def test_a_file_is_copied_whole_and_encrypted(self, box, workspace):
        put(box, "people.tsv")
        told = []
        taken = box.take("people.tsv", lambda *told_of: told.append(told_of))
        file = workspace.landing.open(taken.landing_id)
        assert (file.name, file.open().read()) == ("people.tsv", DATA)
        assert taken.sha256 == workspace.inspect(file).sha256
        assert told[-1] == ("receive", len(DATA), len(DATA))
        assert not any(DATA[:40] in path.read_bytes() for path in workspace.landing.paths(taken.landing_id))
        assert names(box) == ["people.tsv"]  # until it is put away

    @pytest.mark.parametrize(
        "name", ["../onramp.duckdb", "/etc/passwd", "..", ".", "", "done", "done/x.tsv", "link.tsv", "people.tsv\0"]
    )
    def test_nothing_outside_the_folder_can_be_named(self, box, tmp_path, name):
        (tmp_path / "secret.tsv").write_bytes(DATA)
        (box.folder() / "link.tsv").symlink_to(tmp_path / "secret.tsv")
        (box.folder() / DONE).mkdir()
        put(box, f"{DONE}/x.tsv")
        with pytest.raises(InputError) as caught:
            box.take(name)
        assert caught.value.code == "not_in_inbox"

    def test_a_link_put_in_its_place_is_not_followed(self, box, tmp_path):
        path = put(box, "people.tsv")
        source = box.open("people.tsv")
        secret = tmp_path / "secret.tsv"
        secret.write_bytes(DATA)
        path.unlink()
        path.symlink_to(secret)
        with pytest.raises(FileError):
            source.open()

    def test_a_file_that_grows_while_it_is_copied_is_not_taken(self, box, workspace):
        path = put(box, "people.tsv")

        def writes_on(*_):
            with path.open("ab") as file:
                file.write(b"C0\tPune\n")

        with pytest.raises(StateError) as caught:
            box.take("people.tsv", writes_on)
        assert caught.value.code == "file_growing"
        assert workspace.landing.ids() == []

    def test_a_file_just_written_is_not_taken(self, box, workspace):
        put(box, "people.tsv", age=0)
        with pytest.raises(StateError):
            box.take("people.tsv")
        assert workspace.landing.ids() == []

    def test_a_stop_in_the_middle_leaves_nothing(self, box, workspace):
        put(box, "people.tsv")

        def stop(phase, done, total):
            if done > 1_000_000:
                raise Stopped

        with pytest.raises(Stopped):
            box.take("people.tsv", stop)
        assert workspace.landing.ids() == []
        assert names(box) == ["people.tsv"]

    def test_the_limit_is_that_of_files_from_folders(self, box, workspace):
        put(box, "large.tsv")
        settings = workspace.settings.model_copy(update={"file_limit_bytes": len(DATA) - 1})
        small = Inbox(workspace.home, settings, workspace.landing)
        with pytest.raises(FileError) as caught:
            small.take("large.tsv")
        assert caught.value.code == "too_large"
        assert workspace.settings.file_limit_bytes > workspace.settings.browser_limit_bytes

    def test_an_empty_file_is_not_taken(self, box):
        put(box, "empty.tsv", b"")
        with pytest.raises(FileError) as caught:
            box.take("empty.tsv")
        assert caught.value.code == "empty_file"


class TestPuttingAway:
    def test_the_original_is_kept_beside_the_others_and_not_offered_again(self, box):
        put(box, "people.tsv")
        assert box.put_away("people.tsv")
        assert names(box) == []
        assert (box.folder() / DONE / "people.tsv").read_bytes() == DATA
        assert (box.folder() / DONE).stat().st_mode & 0o777 == 0o700
        assert not box.put_away("people.tsv")

    def test_one_of_the_same_name_does_not_replace_the_former(self, box):
        for data in (b"a\n1\n", b"a\n2\n", b"a\n3\n"):
            put(box, "people.tsv", data)
            box.put_away("people.tsv")
        kept = {path.name: path.read_bytes() for path in (box.folder() / DONE).iterdir()}
        assert kept == {"people.tsv": b"a\n1\n", "people (2).tsv": b"a\n2\n", "people (3).tsv": b"a\n3\n"}

    def test_it_goes_after_its_days_and_not_before(self, box, monkeypatch):
        put(box, "people.tsv", age=10_000_000)  # written long ago, taken now
        box.put_away("people.tsv")
        assert tidy(box.folder(), 7) == 0
        moment = module.now()
        monkeypatch.setattr(module, "now", lambda: moment + timedelta(days=7, seconds=1))
        assert tidy(box.folder(), None) == 0
        put(box, "waiting.tsv")
        assert tidy(box.folder(), 7) == 1
        assert names(box) == ["waiting.tsv"]

    def test_a_link_in_the_place_of_done_is_not_emptied(self, box, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "precious.tsv").write_bytes(DATA)
        (box.folder() / DONE).symlink_to(elsewhere)
        assert tidy(box.folder(), 0) == 0
        assert (elsewhere / "precious.tsv").exists()


class TestFolders:
    def test_a_folder_with_files_is_an_inbox_of_its_own(self, box):
        folder = box.folder() / "export"
        folder.mkdir()
        assert box.folders() == []
        put(box, "export/a.tsv")
        put(box, "b.tsv")
        assert (box.folders(), names(box), names(box.inside("export"))) == (["export"], ["b.tsv"], ["a.tsv"])
        taken = box.inside("export").take("a.tsv")
        assert taken.size == len(DATA)
        box.inside("export").put_away("a.tsv")
        assert (folder / DONE / "a.tsv").exists()
        assert box.folders() == []

    def test_nothing_outside_is_a_folder_of_the_inbox(self, box, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (box.folder() / "link").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere" / "secret.tsv").write_bytes(DATA)
        (box.folder() / DONE).mkdir()
        put(box, f"{DONE}/old.tsv")
        assert box.folders() == []
        for name in ("link", "..", "../elsewhere", "", ".hidden", "missing"):
            with pytest.raises(InputError) as refused:
                box.inside(name)
            assert refused.value.code == "not_in_inbox"
