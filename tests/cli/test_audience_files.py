"""am file: what came is given back by command."""

from __future__ import annotations

import pytest

NAME = "ftp_dpm_21_1600000000.sync"
TEXT = b"a\td_sid=1\nbroken\n"


@pytest.fixture
def request_id(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21")
    onramp.json("am", "trait", "add", "Buyer", "--dpid", "21", "--id", "1")
    (tmp_path / NAME).write_bytes(TEXT)
    return onramp.json("am", "ingest", tmp_path / NAME)["request_id"]


def test_a_file_is_written_as_it_came_and_replaces_none(onramp, request_id, tmp_path):
    (listed,) = onramp.json("am", "file", request_id)
    assert (listed["file"], listed["size"], listed["code"], listed["is_here"]) == (NAME, len(TEXT), None, True)
    out = tmp_path / "out"
    out.mkdir()
    told = onramp.json("am", "file", request_id, NAME, "--out", out)
    assert told == {"file": NAME, "out": str(out / NAME), "size": len(TEXT)}
    assert (out / NAME).read_bytes() == TEXT
    assert (out / NAME).stat().st_mode & 0o777 == 0o600
    assert onramp.refuse("am", "file", request_id, NAME, "--out", out)["code"] == "out_exists"
    assert onramp.refuse("am", "file", request_id, NAME, "--out", out / "no" / "x")["code"] == "no_such_folder"


def test_what_cannot_be_given_is_refused(onramp, request_id, tmp_path):
    assert onramp.refuse("am", "file", request_id, NAME)["code"] == "usage"
    assert onramp.refuse("am", "file", request_id, "x", "--out", tmp_path)["code"] == "no_such_file"
    assert onramp.refuse("am", "file", "R-0")["code"] == "no_such_batch"
    assert onramp.json("am", "forget", "21", "a")["files"] == 1
    assert onramp.json("am", "file", request_id) == []
