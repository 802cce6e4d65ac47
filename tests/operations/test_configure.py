"""Settings change as a whole or not at all, at once where they can, and on the audit log without secrets."""

from __future__ import annotations

import json
import stat

import pytest

from ingest_core.errors import ConfigError, InputError, OnrampError
from ingest_core.ledger import audit
from ingest_core.settings import BLOCKED, Settings, load_settings
from ingest_core.vault.secrets import open_text
from ingest_core.workspace import Workspace
from tests.operations.conftest import COLUMNS, FIRST, people

PASSWORD = "correct horse battery"


@pytest.fixture
def configuration(workspace):
    return workspace.configuration


def audited(workspace):
    with workspace.engine.session() as session:
        rows = session.rows("SELECT actor, object, detail FROM audit WHERE action = 'change setting' ORDER BY seq")
    return [(actor, name, json.loads(detail)) for actor, name, detail in rows]


def refused(call, *arguments):
    with pytest.raises(OnrampError) as caught:
        call(*arguments)
    assert caught.value.message.endswith("Nothing was changed.") or caught.value.code == "no_mail_server"
    return caught.value


def test_a_change_counts_at_once_and_at_the_next_opening(workspace, configuration):
    [change] = configuration.set({"browser_limit_bytes": "100 MB"})
    assert (change.old, change.new, change.effect) == (40_000_000, 100_000_000, "at once")
    assert workspace.settings.browser_limit_bytes == 100_000_000
    assert load_settings(workspace.home).browser_limit_bytes == 100_000_000
    assert stat.S_IMODE((workspace.home / "settings.json").stat().st_mode) == 0o600
    assert audited(workspace) == [("asha", "browser_limit_bytes", {"old": 40_000_000, "new": 100_000_000})]


def test_every_service_uses_the_new_value(kernel):
    wide = people("C1|anna@example.com|Anna|Bonn")
    kernel.workspace.configuration.set({"column_limit": 3})
    with pytest.raises(OnrampError):
        kernel.load(wide, COLUMNS)
    kernel.workspace.configuration.reset("column_limit")
    assert kernel.load(wide, COLUMNS).stored == 1


def test_what_the_database_is_opened_with_waits_for_a_restart(workspace, configuration):
    [change] = configuration.set({"threads": 3})
    assert change.effect == "at restart"
    waiting = [row["name"] for row in configuration.all() if row["is_waiting"]]
    assert waiting == ["threads"]
    with workspace.engine.session() as session:
        assert session.value("SELECT current_setting('threads')") != 3
    workspace.close()
    with Workspace.open(workspace.home) as again:
        assert not [row for row in again.configuration.all() if row["is_waiting"]]
        with again.engine.session() as session:
            assert session.value("SELECT current_setting('threads')") == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("browser_limit_bytes", "much"),
        ("browser_limit_bytes", 0),
        ("threads", 0),
        ("phone_country", "XX"),
        ("reject_keep_days", -1),
        ("memory_limit", "lots"),
        ("blocked", [{"pattern": "("}]),
        ("blocked", [{"pattern": r"\Qopen"}]),
        ("blocked", [{"pattern": ""}]),
        ("blocked", "no list"),
        ("mail_sender", "Onramp <a@example.com>"),
        ("mail_sender", "a@example.com\nBcc: b@example.com"),
        ("mail_host", "smtp.example.com/x"),
        ("base_url", "ftp://example.com"),
        ("other_formats", "guess"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_changes_nothing(workspace, configuration, name, value):
    error = refused(configuration.set, {"file_limit_bytes": 7, name: value})
    assert (error.code, error.facts) == ("bad_setting", {"setting": name})
    assert workspace.settings == Settings()
    assert not (workspace.home / "settings.json").exists()
    assert audited(workspace) == []


def test_names_that_are_none_are_refused(configuration):
    assert refused(configuration.set, {"colour": "red"}).code == "no_such_setting"
    assert refused(configuration.reset, "colour").code == "no_such_setting"
    assert refused(configuration.set, {"policy": "lax"}).code == "no_such_policy"


def test_the_same_value_again_is_no_change(workspace, configuration):
    assert configuration.set({"upload_seconds": 60})
    assert configuration.set({"upload_seconds": "60"}) == []
    assert len(audited(workspace)) == 1


def test_a_reset_brings_the_default_back_and_keeps_the_rest(workspace, configuration):
    configuration.set({"upload_seconds": 60, "ratio_limit": 5})
    [change] = configuration.reset("upload_seconds")
    assert (change.old, change.new) == (60, 3_600)
    assert json.loads((workspace.home / "settings.json").read_text()) == {"ratio_limit": 5}
    assert {row["name"]: row["from"] for row in configuration.all()}["ratio_limit"] == "file"


def test_what_the_environment_says_is_fixed(workspace, configuration, monkeypatch):
    monkeypatch.setenv("ONRAMP_UPLOAD_SECONDS", "60")
    workspace.close()
    with Workspace.open(workspace.home) as opened:
        fixed = {row["name"]: row for row in opened.configuration.all()}["upload_seconds"]
        assert (fixed["value"], fixed["from"]) == (60, "environment")
        assert opened.configuration.is_fixed("upload_seconds")
        for change in (
            lambda: opened.configuration.set({"upload_seconds": 61}),
            lambda: opened.configuration.set({"upload_seconds": "never"}),
            lambda: opened.configuration.reset("upload_seconds"),
        ):
            with pytest.raises(ConfigError) as caught:
                change()
            assert caught.value.code == "setting_in_environment"
        assert opened.configuration.set({"upload_seconds": 60}) == []


def test_policies_are_sets_of_rules_and_anything_else_is_custom(configuration):
    assert configuration.policy == "strict"
    changed = {change.name for change in configuration.set({"policy": "friendly"})}
    assert changed == {"browser_limit_bytes", "strict_header"}
    assert configuration.policy == "friendly"
    configuration.set({"other_formats": "refuse"})
    assert configuration.policy == "custom"
    configuration.reset("policy")
    assert configuration.policy == "strict"


def test_a_password_is_kept_encrypted_and_never_shown(workspace, configuration):
    [change] = configuration.set({"mail_password": PASSWORD})
    said = json.dumps(configuration.all()) + repr(change) + repr(workspace.settings) + json.dumps(audited(workspace))
    kept = (workspace.home / "settings.json").read_text()
    assert PASSWORD not in said + kept
    configuration.set({"mail_host": "localhost", "mail_sender": "onramp@example.com"})
    assert configuration.mail_server().password == PASSWORD
    assert PASSWORD not in repr(configuration.mail_server())
    workspace.close()
    with Workspace.open(workspace.home) as again:
        assert again.configuration.mail_server().password == PASSWORD
        again.operations.rotate_keys()
        assert again.configuration.mail_server().password == PASSWORD


def test_a_password_that_was_moved_or_changed_is_told(workspace, configuration):
    configuration.set({"mail_password": PASSWORD})
    sealed = workspace.settings.mail_password
    for name, text in (("other", sealed), ("mail_password", sealed[:-4] + "AAAA"), ("mail_password", "sealed:%")):
        with pytest.raises(ConfigError) as caught:
            open_text(workspace._keyset, name, text)
        assert caught.value.code == "secret_damaged"


def test_a_mail_server_is_asked_for_before_anything_is_sent(configuration):
    assert refused(configuration.test_mail, "asha@example.com").code == "no_mail_server"


def test_patterns_come_and_go(workspace, configuration):
    assert configuration.block("unknown")
    assert configuration.block("unknown") == []
    assert workspace.settings.blocked == (*BLOCKED, type(BLOCKED[0])(pattern="unknown"))
    assert audited(workspace)[-1][2] == {"old": 6, "new": 7}  # a pattern may be somebody's address
    assert configuration.unblock("unknown")
    assert refused(configuration.unblock, "unknown").code == "no_such_pattern"
    configuration.unblock("-1")
    configuration.reset("blocked")
    assert workspace.settings.blocked == BLOCKED


def test_a_file_that_cannot_be_written_leaves_settings_and_log_as_they_were(workspace, configuration, monkeypatch):
    configuration.set({"ratio_limit": 5})

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("ingest_core.operations.configure._write", full)
        with pytest.raises(OSError, match="No space"):
            configuration.set({"ratio_limit": 6})
    assert workspace.settings.ratio_limit == 5
    assert load_settings(workspace.home).ratio_limit == 5
    assert len(audited(workspace)) == 1


def test_a_log_that_cannot_be_written_leaves_the_file_as_it_was(workspace, configuration, monkeypatch):
    def broken(*_):
        raise InputError("No.", code="no", hint="No.")

    monkeypatch.setattr("ingest_core.operations.configure.write_audit", broken)
    with pytest.raises(InputError):
        configuration.set({"ratio_limit": 6})
    assert not (workspace.home / "settings.json").exists()
    assert workspace.settings == Settings()


def test_settings_that_a_hand_broke_keep_the_workspace_closed_and_quote_nothing(home):
    (home / "settings.json").write_text(json.dumps({"mail_password": PASSWORD, "threads": "many"}))
    with pytest.raises(ConfigError) as caught:
        Workspace.open(home)
    assert caught.value.facts == {"settings": ["threads"]}
    assert caught.value.__cause__ is None
    (home / "settings.json").write_text("[]")
    with pytest.raises(ConfigError):
        Workspace.open(home)


def test_changes_are_in_the_chain_of_the_log(workspace, configuration):
    configuration.set({"ratio_limit": 6, "upload_seconds": 7})
    with workspace.engine.session() as session:
        assert audit.verify_audit(session) is None


@pytest.mark.parametrize(
    ("attribute", "value", "outcome"),
    [
        ("email", "none@none.com", "blocked"),
        ("email", " NONE@x.org ", "blocked"),
        ("email", "asha@example.com", "identifies"),
        ("email", "asha", "unfit"),
        ("crmid", "0000-00", "blocked"),
        ("crmid", "11111", "identifies"),
        ("crmid", "1111111111", "blocked"),
        ("crmid", "7", "identifies"),
        ("crmid", "  ", "empty"),
        ("phone", "9999999999", "blocked"),
        ("phone", "+49 30 123456", "identifies"),
    ],
)
def test_the_test_of_a_value_says_what_a_load_does(kernel, attribute, value, outcome):
    verdict = kernel.workspace.configuration.judge(value, attribute)
    assert verdict.outcome == outcome
    assert (verdict.pattern is not None) == (outcome == "blocked")
    other = {"crmid": "email"}.get(attribute, "crmid")
    columns = {"it": attribute, "other": other, "city": "city"}
    sure = {"crmid": "K77", "email": "sure@example.com"}[other]
    receipt = kernel.load(f"it\tother\tcity\n{value}\t{sure}\tPune\n", columns)
    left_out = any("placeholders" in notice for notice in receipt.notices)
    assert (left_out, receipt.rejected) == (outcome in ("blocked", "short"), int(outcome == "unfit"))


def test_only_identifiers_are_tested(configuration):
    with pytest.raises(InputError) as caught:
        configuration.judge("Pune", "city")
    assert caught.value.code == "not_an_identifier"


def test_a_new_pattern_counts_for_the_next_file_only(kernel):
    kernel.load(FIRST, COLUMNS)
    kernel.workspace.configuration.block("C2")
    before = kernel.workspace.digest()
    kernel.workspace.rebuild()
    assert kernel.workspace.digest() == before  # what was stored stays, also in a rebuild
    receipt = kernel.load(people("C2|ben@example.com|Bennie|Goa"), COLUMNS)
    assert any("placeholders" in notice for notice in receipt.notices)
