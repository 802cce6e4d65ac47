"""profile find, list, timeline and the reason for revealing, by command."""

from __future__ import annotations

import pytest

from tests.cli.onramp import write_table


@pytest.fixture
def two_uploads(onramp, tmp_path):
    first = write_table(tmp_path / "march.tsv", "crmid|email|city", "C1|anna@example.com|Bonn", "C2||Oslo")
    second = write_table(tmp_path / "april.tsv", "crmid|city", "C1|Kiel")
    return onramp.load(first, "--auto"), onramp.load(second, "--auto")


def test_a_value_is_found_as_whatever_it_is(onramp, two_uploads):
    found = onramp.json("profile", "find", "ANNA@example.com")
    assert [(one["profile_id"], one["by"]) for one in found["matches"]] == [("1-2", ["email"])]
    assert onramp.run("profile", "find", "C2").out.splitlines()[1].split()[:2] == ["1-3", "crmid"]
    assert onramp.run("profile", "find", "C9").out == "Nobody is known by this value.\n"
    assert onramp.refuse("profile", "find", "")["code"] == "bad_value"


def test_everybody_a_page_at_a_time(onramp, two_uploads):
    page = onramp.json("profile", "list", "--limit", "1")
    assert ([one["profile_id"] for one in page["profiles"]], page["total"], page["older"]) == (["1-3"], 2, 1)
    text = onramp.run("profile", "list", "--older-than", "1-3").out
    assert text.splitlines()[-1] == "2 to 2 of 2, the newest first"
    assert "a•••@example.com" in text
    assert onramp.refuse("profile", "list", "--source", "Nowhere")["code"] == "no_such_source"
    assert onramp.refuse("profile", "list", "--older-than", "1-3", "--newer-than", "1-2")["code"] == "usage"


def test_the_timeline_of_a_person(onramp, two_uploads):
    newest, oldest = onramp.json("profile", "timeline", "--by", "crmid=C1")
    assert [(s["attribute"], s["before"], s["value"], s["effect"]) for s in newest["said"]] == [
        ("crmid", "C1", "C1", "set"), ("city", "Bonn", "Kiel", "set"),
    ]  # fmt: skip
    assert oldest["is_first"]
    onramp.json("undo", two_uploads[1]["request_id"])
    text = onramp.run("profile", "timeline", "--by", "crmid=C1").out
    assert [line for line in text.splitlines() if "undone" in line and "Kiel" in line and "not counted" in line]


@pytest.mark.parametrize("command", ["show", "history", "timeline"])
def test_a_reason_goes_with_revealing_and_names_nobody(onramp, two_uploads, command):
    ask = ("profile", command, "--by", "crmid=C1")
    assert onramp.refuse(*ask, "--reason", "ticket 4711")["code"] == "usage"
    assert onramp.refuse(*ask, "--reveal", "--reason", "Call ANNA@example.com")["code"] == "personal_reason"
    assert onramp.refuse(*ask, "--reveal", "--reason", "x" * 201)["code"] == "bad_reason"
    assert "anna@example.com" in str(onramp.json(*ask, "--reveal", "--reason", "ticket 4711"))
