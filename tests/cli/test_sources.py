"""Sources by command: what the screens can change, a command can."""

from __future__ import annotations

import json

import pytest

from ingest_core.workspace import Workspace


def test_a_source_gets_another_name(onramp):
    assert onramp.json("source", "set", "CRM", "--name", "CRM contacts")["name"] == "CRM contacts"
    assert [source["name"] for source in onramp.json("source", "list")] == ["CRM contacts", "Shop"]
    assert onramp.refuse("source", "set", "Shop", "--name", "crm CONTACTS", exit_code=3)["code"] == "source_exists"


def test_a_source_comes_back_from_the_archive(onramp):
    onramp.json("source", "archive", "CRM")
    assert [source["name"] for source in onramp.json("source", "list")] == ["Shop"]
    assert onramp.json("source", "restore", "CRM")["archived_at"] is None
    assert [source["name"] for source in onramp.json("source", "list")] == ["CRM", "Shop"]


def test_recipients_are_checked_kept_once_and_taken_away(onramp):
    changed = onramp.json("source", "set", "CRM", "--recipients", "asha@Example.com, asha@example.com,ops@example.com")
    assert changed["settings"]["recipients"] == ["asha@example.com", "ops@example.com"]
    assert (
        onramp.json("source", "set", "CRM", "--threshold", "5")["settings"]["recipients"]
        == changed["settings"]["recipients"]
    )
    assert onramp.refuse("source", "set", "CRM", "--recipients", "asha")["code"] == "bad_address"
    assert onramp.json("source", "set", "CRM", "--recipients", "off")["settings"]["recipients"] == []
    made = onramp.json("source", "add", "Leads", "--recipients", "a@example.com")
    assert made["settings"]["recipients"] == ["a@example.com"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], ["asha@example.com"]),
        (["--notify", "none"], []),
        (["--notify", "me@example.com"], ["me@example.com"]),
    ],
)
def test_an_upload_tells_the_recipients_of_its_source_unless_others_are_named(onramp, people, options, told):
    onramp.json("source", "set", "CRM", "--recipients", "asha@example.com")
    onramp.json("ingest", people, "--source", "CRM", "--auto", *options)
    with Workspace.open(onramp.home) as workspace, workspace.engine.session() as session:
        assert json.loads(session.value("SELECT options FROM upload"))["notify"] == told


def test_what_is_said_of_a_data_source_is_changed_by_command(onramp):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21")
    changed = onramp.json(
        "source", "set", "Ids", "--dpid", "22", "--id-type", "cross_device", "--inbound-id-type", "dpuuid",
        "--owner", "other", "--access-mapping", "on", "--profile-days", "90", "--id-attribute", "crmid",
        "--id-placement", "first column", "--case-sensitive", "off",
    )  # fmt: skip
    expected = {
        "dpid": 22, "id_type": "cross_device", "inbound_id_type": "dpuuid", "owner": "other", "id_attribute": "crmid",
        "id_placement": "first column", "effect": {"ended": 0, "back": 0},
    }  # fmt: skip
    assert expected.items() <= changed.items()
    assert {"access_mapping": True, "profile_days": 90, "is_case_sensitive": False}.items() <= changed[
        "settings"
    ].items()
    off = onramp.json("source", "set", "Ids", "--id-placement", "off", "--id-attribute", "off", "--owner", "self")
    assert (off["id_placement"], off["id_attribute"], off["owner"]) == (None, None, "self")
    assert "effect" not in off
    assert onramp.refuse("source", "set", "Ids", "--id-attribute", "email")["code"] == "personal_id"


def test_a_kept_file_locks_what_its_ids_mean(onramp, tmp_path):
    onramp.json("source", "add", "Ids", "--kind", "data_source", "--dpid", "21")
    onramp.json("am", "trait", "add", "Buyer", "--dpid", "21", "--id", "1")
    file = tmp_path / "ftp_dpm_21_1600000000.sync"
    file.write_text("a\td_sid=1\n")
    onramp.json("am", "ingest", file)
    assert onramp.refuse("source", "set", "Ids", "--id-type", "cookie", exit_code=3)["code"] == "source_in_use"
