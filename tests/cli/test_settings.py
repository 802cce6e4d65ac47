"""settings, blocked and mail as a script sees them."""

from __future__ import annotations

import io
import json

import pytest

from ingest_core.settings import Settings
from tests.transport.post import box, serve

__all__ = ["box", "serve"]  # fixtures

PASSWORD = "correct horse battery"


def setting(onramp, name):
    return {row["name"]: row for row in onramp.json("settings", "list")["settings"]}[name]


def test_all_settings_are_listed_with_where_they_come_from(onramp, monkeypatch):
    monkeypatch.setenv("ONRAMP_UPLOAD_SECONDS", "60")
    onramp.json("settings", "set", "ratio_limit", "5")
    told = onramp.json("settings", "list")
    assert [row["name"] for row in told["settings"]] == list(Settings.model_fields)
    assert {row["name"]: (row["value"], row["from"]) for row in told["settings"] if row["from"] != "default"} == {
        "upload_seconds": (60, "environment"), "ratio_limit": (5, "file"),
    }  # fmt: skip
    assert all(row["about"] for row in told["settings"])
    text = onramp.run("settings", "list").out
    assert text.startswith("Policy: strict\n")
    assert "6 patterns" in text


def test_a_setting_is_changed_and_reset(onramp):
    told = onramp.json("settings", "set", "browser_limit_bytes", "100MB")
    assert told == {
        "changed": [
            {"name": "browser_limit_bytes", "old": 40_000_000, "new": 100_000_000, "effect": "at once"},
        ],
        "policy": "custom",
    }  # fmt: skip
    assert setting(onramp, "browser_limit_bytes")["value"] == 100_000_000
    assert onramp.run("settings", "set", "browser_limit_bytes", "100 MB").out == "Nothing to change.\n"
    assert onramp.run("settings", "reset", "browser_limit_bytes").out.startswith(
        "browser_limit_bytes: 100000000 → 40000000\n"
    )
    onramp.json("settings", "set", "reject_keep_days", "30")
    onramp.json("settings", "set", "reject_keep_days", "none")
    assert setting(onramp, "reject_keep_days")["value"] is None


def test_a_policy_is_set_by_name(onramp, people):
    people.write_text(people.read_text().replace("first_name", "first name"))
    onramp.refuse("ingest", people, "--source", "CRM", "--auto")
    assert onramp.json("settings", "set", "policy", "friendly")["policy"] == "friendly"
    receipt = onramp.load(people, "--auto")
    assert any("first name" in notice for notice in receipt["notices"])


def test_settings_that_cannot_be(onramp, monkeypatch):
    for arguments, code in (
        (["threads", "none"], "bad_setting"), (["blocked", "["], "bad_setting"),
        (["colour", "red"], "no_such_setting"), (["policy", "lax"], "no_such_policy"),
    ):  # fmt: skip
        assert onramp.refuse("settings", "set", *arguments)["code"] == code
    monkeypatch.setenv("ONRAMP_RATIO_LIMIT", "7")
    assert onramp.refuse("settings", "set", "ratio_limit", "8")["code"] == "setting_in_environment"


def test_a_secret_comes_from_standard_input_and_is_never_printed(onramp, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    told = onramp.run("settings", "set", "mail_password", "-")
    listed = onramp.run("--json", "settings", "list")
    assert told.code == 0
    assert PASSWORD not in told.out + told.err + listed.out + (onramp.home / "settings.json").read_text()
    assert setting(onramp, "mail_password")["value"] == "kept, not shown"


def test_patterns_are_listed_added_tested_and_removed(onramp):
    assert onramp.json("blocked", "test", "unknown@example.com") == {"outcome": "identifies", "pattern": None}
    onramp.json("blocked", "add", "unknown@.*", "--rank", "secondary")
    assert onramp.json("blocked", "list")[-1] == {"pattern": "unknown@.*", "rank": "secondary", "title": ""}
    assert onramp.json("blocked", "test", "unknown@example.com") == {"outcome": "blocked", "pattern": "unknown@.*"}
    assert onramp.json("blocked", "test", "0000", "--attribute", "crmid")["pattern"] == "[0-]*"
    assert onramp.run("blocked", "remove", "unknown@.*").out.startswith("blocked: 7 → 6 patterns")
    assert onramp.refuse("blocked", "remove", "unknown@.*")["code"] == "no_such_pattern"
    assert onramp.refuse("blocked", "add", "(")["code"] == "bad_setting"
    assert onramp.refuse("blocked", "test", "x", "--attribute", "city")["code"] == "not_an_identifier"


def test_a_test_message_is_sent(onramp, box, serve):
    assert onramp.refuse("mail", "test", "asha@example.com")["code"] == "no_mail_server"
    server = {
        "mail_host": "localhost",
        "mail_port": serve(),
        "mail_security": "none",
        "mail_sender": "onramp@example.com",
    }
    for name, value in server.items():
        onramp.json("settings", "set", name, value)
    told = onramp.json("mail", "test", "asha@example.com")
    assert [message["Message-ID"] for message in box.messages] == [told["message_id"]]
    onramp.json("settings", "set", "mail_port", 1)
    done = onramp.run("--json", "mail", "test", "asha@example.com")
    assert (done.code, json.loads(done.out)["error"]["code"]) == (4, "mail_unreachable")


@pytest.mark.parametrize("name", ["settings", "blocked", "mail"])
def test_groups_ask_for_a_command(onramp, name):
    assert onramp.refuse(name)["code"] == "usage"
