"""The settings page: each tab shows what is stored, changes it through the core, and refuses in words."""

from __future__ import annotations

import pytest

from ingest_core.settings import load_settings
from pages.configure import retention
from tests.pages.shown import press_inside, texts

LABELS = {
    "Limits": "Sent by the browser (MB)",
    "Policy": "Asha@… and asha@… are one address",
    "Blocked values": "Value",
    "Retention": "Rejected rows (days)",
    "Mail": "Server",
    "Keys": "Check keys",
    "About": "#### Versions",
}
"""Tab → something that only it shows."""


@pytest.fixture
def tab(open_page):
    return lambda name: open_page("settings", tab=name)


@pytest.mark.parametrize("name", LABELS)
def test_each_tab_is_in_the_url(tab, name):
    page = tab(name)
    assert not page.error
    assert page.title[0].value == "Settings"
    labels = [widget.label for widget in [*page.number_input, *page.toggle, *page.text_input, *page.button]]
    assert LABELS[name] in [*labels, *(block.value for block in page.markdown)]


def test_a_limit_is_changed_at_once_and_kept(tab, workspace):
    page = tab("Limits")
    assert page.number_input(key="set_browser_limit_bytes").value == 40
    page.number_input(key="set_browser_limit_bytes").set_value(100.0)
    page.button(key="save_files").click().run()
    assert not page.error
    assert workspace.settings.browser_limit_bytes == 100_000_000
    assert load_settings(workspace.home).browser_limit_bytes == 100_000_000
    page.button(key="reset_files").click().run()
    assert workspace.settings.browser_limit_bytes == 40_000_000
    assert page.number_input(key="set_browser_limit_bytes").value == 40


def test_a_value_that_cannot_be_is_refused_in_words(tab, workspace):
    page = tab("Limits")
    page.number_input(key="set_column_limit").set_value(0)
    page.button(key="save_files").click().run()
    assert "Nothing was changed" in page.error[0].proto.title or "Nothing was changed" in texts(page)
    assert workspace.settings.column_limit == 2_000


def test_a_change_made_elsewhere_is_shown_and_not_taken_back(tab, workspace):
    page = tab("Limits")
    workspace.configuration.set({"column_limit": 77})
    page.number_input(key="set_ratio_limit").set_value(9)
    page.button(key="save_files").click().run()
    assert (workspace.settings.column_limit, workspace.settings.ratio_limit) == (77, 9)
    assert page.number_input(key="set_column_limit").value == 77


def test_what_waits_for_a_restart_is_told(tab, workspace):
    page = tab("Limits")
    page.number_input(key="set_threads").set_value(workspace.settings.threads + 1)
    page.button(key="save_engine").click().run()
    assert "At the next start of the app: threads" in page.info[0].value


def test_what_the_environment_says_cannot_be_changed(tab, workspace, monkeypatch):
    monkeypatch.setenv("ONRAMP_COLUMN_LIMIT", "2000")
    assert tab("Limits").number_input(key="set_column_limit").disabled


def test_a_policy_is_chosen_and_a_rule_of_ones_own_makes_it_custom(tab, workspace):
    page = tab("Policy")
    page.button(key="use_friendly").click().run()
    assert workspace.configuration.policy == "friendly"
    assert "use_friendly" not in [button.key for button in page.button]
    page.selectbox(key="set_other_formats").select("refuse")
    page.button(key="save_rules").click().run()
    assert workspace.configuration.policy == "custom"
    assert "Custom" in texts(page)


def test_the_country_of_numbers_can_be_chosen_and_taken_away(tab, workspace):
    for wanted in ("IN", ""):
        page = tab("Policy")
        page.selectbox(key="set_phone_country").select(wanted)
        page.button(key="save_values").click().run()
        assert workspace.settings.phone_country == (wanted or None)


def test_a_value_is_tested_against_the_patterns(tab):
    page = tab("Blocked values")
    page.selectbox(key="test_attribute").select("email")
    page.text_input(key="test_value").set_value("none@none.com").run()
    assert "Blocked" in texts(page)
    assert "anonymous" in texts(page)
    page.text_input(key="test_value").set_value("asha@example.com").run()
    assert "Not blocked" in texts(page)
    assert "asha" not in str(page.query_params)


def test_a_pattern_is_added_removed_and_reset(tab, workspace):
    page = tab("Blocked values")
    page.text_input(key="new_pattern").set_value("(").run()
    page.button(key="add_pattern").click().run()
    assert page.error
    page.text_input(key="new_pattern").set_value("unknown").run()
    page.button(key="add_pattern").click().run()
    assert workspace.settings.blocked[-1].pattern == "unknown"
    assert list(page.dataframe[0].value["pattern"])[-1] == "unknown"
    page.session_state["removing"] = "-1"  # as a click on the row's button does
    page.run()
    assert "-1" not in [one.pattern for one in workspace.settings.blocked]
    page.button(key="reset_blocked").click().run()
    assert len(workspace.settings.blocked) == 6
    assert "reset_blocked" not in [button.key for button in page.button]


def test_retention_says_what_would_go_and_removes_it(tab, workspace, receipt):
    page = tab("Retention")
    assert page.number_input(key="set_reject_keep_days").value is None
    page.number_input(key="set_reject_keep_days").set_value(0)
    page.button(key="save_retention").click().run()
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures == {
        "Unfinished ingests": "0",
        "Rejected rows": "2",
        "Uploads taken back": "0",
        "Rows of the log": "0",
        "Inbox files": "0",
        "Audience lines": "0",
        "Sampled lines": "0",
        "Audience files": "0",
    }
    page.button(key="clean_up").click().run()
    press_inside(page, "clean_up", "confirm_clean_up")
    workspace.operations.chores.wait(60)
    page = tab("Retention")
    assert "Removed 2 rejected rows" in texts(page)
    assert {metric.value for metric in page.metric} == {"0"}
    assert "Last clean-up" in texts(page)
    assert workspace.history.get(receipt.request_id).rejected == 2


def test_a_count_becomes_words():
    assert retention.sentence({"drafts": 1, "uploads": 0}) == "1 unfinished ingest"
    assert retention.sentence({"drafts": 2, "uploads": 1, "values": 3}) == (
        "2 unfinished ingests, 1 upload that was taken back and 3 personal values that nothing holds"
    )
    assert retention.sentence({"drafts": 0}) == ""


def test_a_mail_password_is_kept_and_never_comes_back(tab, workspace):
    page = tab("Mail")
    assert page.button(key="send_test").disabled
    page.text_input(key="set_mail_host").set_value("localhost")
    page.text_input(key="set_mail_sender").set_value("onramp@example.com")
    page.text_input(key="mail_password").set_value("correct horse")
    page.button(key="save_mail").click().run()
    assert not page.error
    assert workspace.configuration.mail_server().password == "correct horse"
    page = tab("Mail")
    assert page.text_input(key="mail_password").value == ""
    assert page.text_input(key="mail_password").placeholder == "Kept. Type to replace it"
    assert "correct horse" not in str(page.main)
    page.button(key="forget_password").click().run()
    assert workspace.settings.mail_password is None


def test_a_mail_that_cannot_be_sent_says_why(tab, workspace):
    workspace.configuration.set({"mail_host": "localhost", "mail_port": 1, "mail_sender": "onramp@example.com"})
    page = tab("Mail")
    page.text_input(key="test_address").set_value("nobody")
    page.button(key="send_test").click().run()
    assert "Give one plain address" in texts(page)
    page.text_input(key="test_address").set_value("asha@example.com")
    page.button(key="send_test").click().run()
    assert "Check its name, port and security" in texts(page)


def test_keys_are_checked_and_changed_in_the_background(tab, workspace, receipt):
    page = tab("Keys")
    page.button(key="check_keys").click().run()
    workspace.operations.chores.wait(60)
    assert "The keys open everything" in texts(tab("Keys"))
    page = tab("Keys")
    page.button(key="rotate_keys").click().run()
    press_inside(page, "rotate_keys", "confirm_rotation")
    workspace.operations.chores.wait(60)
    page = tab("Keys")
    assert "Key version 2 is in use" in texts(page)
    assert {metric.label: metric.value for metric in page.metric} == {"Key version": "2", "Keys in use": "1"}
    page.button(key="verify_audit").click().run()
    workspace.operations.chores.wait(60)
    assert "Nobody changed the audit log: 2 entries" in texts(tab("Keys"))
