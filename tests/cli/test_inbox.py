"""The inbox by command: listed, loaded, put away."""

from __future__ import annotations

import os
import time

import pytest


@pytest.fixture
def waiting(onramp, people):
    """A file that has lain in the inbox for a minute."""
    folder = onramp.json("inbox", "list")["folder"]
    path = people.rename(f"{folder}/people.tsv")
    moment = time.time() - 60
    os.utime(path, (moment, moment))
    return path


def test_an_empty_inbox_says_where_it_is(onramp):
    assert onramp.run("inbox", "list").out == f"No file waits in {onramp.home / 'inbox'}\n"


def test_files_that_wait_are_listed(onramp, waiting):
    (file,) = onramp.json("inbox", "list")["files"]
    assert (file["name"], file["size"], file["is_growing"]) == ("people.tsv", waiting.stat().st_size, False)
    assert "people.tsv" in onramp.run("inbox", "list").out


def test_a_file_of_the_inbox_is_loaded_and_put_away(onramp, waiting):
    preview = onramp.json("ingest", "people.tsv", "--inbox", "--source", "CRM", "--auto", "--dry-run")
    assert waiting.exists()
    receipt = onramp.json("ingest", "people.tsv", "--inbox", "--source", "CRM", "--auto")
    assert (receipt["file"], receipt["stored"]) == ("people.tsv", preview["stored"])
    assert not waiting.exists()
    assert (waiting.parent / "done" / "people.tsv").exists()
    error = onramp.refuse("ingest", "people.tsv", "--inbox", "--source", "CRM", "--auto")
    assert error["code"] == "not_in_inbox"


def test_a_file_that_was_not_loaded_stays(onramp, waiting):
    assert onramp.refuse("ingest", "people.tsv", "--inbox", "--source", "CRM")["code"] == "no_mapping"
    assert waiting.exists()


def test_a_file_for_later_is_kept_encrypted_and_put_away(onramp, waiting):
    onramp.json("ingest", "people.tsv", "--inbox", "--source", "CRM", "--auto", "--at", "2099-01-31")
    assert not waiting.exists()


def test_no_path_leads_out_of_the_inbox(onramp, waiting):
    error = onramp.refuse("ingest", "../onramp.duckdb", "--inbox", "--source", "CRM", "--auto")
    assert error["code"] == "not_in_inbox"
