"""The notices: listed by state, read as they go out, sent again; who is told is chosen where uploads are."""

from __future__ import annotations

import pytest

from ingest_core.models import Options, SourceSettings
from pages.ui.notice_words import told, told_when
from tests.pages.conftest import day_first
from tests.pages.shown import texts
from tests.transport.hook import hook
from tests.transport.post import box, serve

__all__ = ["box", "hook", "serve"]  # fixtures

ASHA, RAVI = "asha@example.com", "ravi@example.com"


@pytest.fixture
def load(workspace, source, file):
    """load(*addresses) → an upload that tells them."""

    def loading(*addresses):
        mapping = day_first(workspace.suggest(workspace.inspect(file, source), source))
        return workspace.loads.load(workspace.plan(file, source, mapping, Options(notify=addresses, again=True)))

    return loading


def turn(workspace):
    workspace.notices.turn(lambda: False)


def set_up_mail(workspace, port):
    workspace.configuration.set(
        {"mail_host": "localhost", "mail_port": port, "mail_security": "none", "mail_sender": "onramp@example.com"}
    )


def end_of(workspace):
    return next(notice for notice in workspace.notices.list() if notice.kind == "upload_ended")


def test_nothing_was_told_yet(open_page):
    page = open_page("notices")
    assert not page.error
    assert "Nobody was told anything yet" in texts(page)


def test_they_are_listed_newest_first_and_by_state(open_page, workspace, load):
    load(ASHA, RAVI)
    turn(workspace)
    page = open_page("notices")
    frame = page.dataframe[0].value
    assert list(frame["event"]) == ["Upload ended", "Upload started"]
    assert list(frame["to"]) == [f"{ASHA} and 1 more"] * 2
    assert [list(cell) for cell in frame["state"]] == [["Kept"], ["Kept"]]
    assert "0 waiting, 0 sent, 0 given up, 2 kept." in texts(page)
    assert not open_page("notices", notice_state="Sent").dataframe
    assert len(open_page("notices", notice_state="Kept").dataframe[0].value) == 2


def test_those_of_one_upload(open_page, workspace, load):
    load(ASHA)
    second = load(ASHA)
    page = open_page("notices", upload=second.request_id)
    assert len(page.dataframe[0].value) == 2
    assert "only" in texts(page)


def test_one_is_shown_as_it_goes_out(open_page, workspace, load):
    receipt = load(ASHA)
    turn(workspace)
    notice = end_of(workspace)
    for view, expected in (
        ("Plain text", "Why rows were rejected"),
        ("Webhook", f'"request_id": "{receipt.request_id}"'),
    ):
        page = open_page("notices", notice=notice.notice_id, notice_view=view)
        assert not page.error
        assert expected in page.code[0].value
    said = texts(page)
    assert "Kept: no mail server." in said
    assert notice.subject in page.title[0].value.replace("\\", "")


def test_what_was_kept_goes_out_when_a_person_says_so(open_page, workspace, load, box, serve):
    load(ASHA)
    turn(workspace)
    page = open_page("notices")
    assert "2 notices were kept" in texts(page)
    assert "send_kept" not in [button.key for button in page.button]  # there is no server yet
    set_up_mail(workspace, serve())
    turn(workspace)
    assert box.messages == []
    page = open_page("notices")
    page.button(key="send_kept").click().run()
    turn(workspace)
    assert len(box.messages) == 2
    assert "were kept" not in texts(open_page("notices"))


def test_one_that_was_given_up_is_sent_again_once(open_page, workspace, load, box, serve):
    set_up_mail(workspace, serve())
    box.to_recipient = "550 nobody of that name"
    load(ASHA)
    turn(workspace)
    notice = end_of(workspace)
    page = open_page("notices", notice=notice.notice_id)
    assert "The mail server refused it." in texts(page)
    box.to_recipient = "250 OK"
    page.button(key="retry").click().run()
    turn(workspace)
    page = open_page("notices", notice=notice.notice_id)
    assert "retry" not in [button.key for button in page.button]
    assert [message["Message-ID"] for message in box.messages] == [workspace.notices.get(notice.notice_id).message_id]


def test_one_that_is_not_there_says_so(open_page):
    page = open_page("notices", notice="N0")
    assert "See all under Notices" in texts(page)


def test_the_result_says_who_was_told(open_page, workspace, load, box, serve):
    receipt = load(ASHA, RAVI)
    turn(workspace)
    notices = workspace.notices.list(request_id=receipt.request_id)
    assert told(notices) == "Kept for 2 people: no mail server"
    assert not open_page("upload", upload=receipt.request_id).error
    set_up_mail(workspace, serve())
    workspace.notices.send_kept()
    turn(workspace)
    assert told(workspace.notices.list(request_id=receipt.request_id)) == "Sent to 2 people"


def test_the_source_says_who_is_told_and_when(open_page, workspace, source):
    page = open_page("source", source=str(source.source_id), tab="Settings")
    assert sorted(page.pills(key="notify_on").value) == ["end", "processing", "start"]
    page.pills(key="notify_on").set_value(["end"])
    page.multiselect(key="recipients").set_value([ASHA])
    page.button(key="save_settings").click().run()
    assert not page.error
    kept = workspace.sources.get(source.source_id).settings
    assert (kept.notify_on, kept.recipients) == (("end",), (ASHA,))


def test_events_in_words():
    assert told_when(SourceSettings().notify_on) == "begins, takes long and ends"
    assert told_when(("end",)) == "ends"
    assert told_when(()) == ""


class TestWebhook:
    def tab(self, open_page):
        return open_page("settings", tab="Mail")

    def test_address_and_secret_are_kept_and_the_secret_never_comes_back(self, open_page, workspace, hook):
        page = self.tab(open_page)
        assert page.button(key="test_webhook").disabled
        page.text_input(key="set_webhook_url").set_value(hook.url)
        page.text_input(key="webhook_secret").set_value("a secret of twenty-five c")
        page.button(key="save_webhook").click().run()
        assert not page.error
        page = self.tab(open_page)
        assert page.text_input(key="webhook_secret").value == ""
        assert "twenty-five" not in str(page.main)
        page.button(key="test_webhook").click().run()
        assert "The receiver answered with status 204" in page.success[0].value
        assert hook.received[0].headers["Onramp-Event"] == "test"
        page.button(key="forget_secret").click().run()
        assert workspace.settings.webhook_secret is None

    def test_a_secret_is_made_shown_once_and_kept(self, open_page, workspace):
        page = self.tab(open_page)
        page.button(key="make_secret").click().run()
        made = page.text_input(key="webhook_secret").value
        assert len(made) >= 32
        page.button(key="save_webhook").click().run()
        assert workspace.settings.webhook_secret.startswith("sealed:")
        assert made not in str(self.tab(open_page).main)

    def test_a_short_secret_and_a_wrong_address_are_refused(self, open_page, workspace):
        page = self.tab(open_page)
        page.text_input(key="webhook_secret").set_value("short")
        page.button(key="save_webhook").click().run()
        assert "16 characters" in page.error[0].proto.title or "16 characters" in texts(page)
        assert workspace.settings.webhook_secret is None

    def test_what_cannot_be_posted_says_why(self, open_page, workspace, hook):
        hook.status = 500
        workspace.configuration.set({"webhook_url": hook.url, "webhook_secret": "a secret of twenty-five c"})
        page = self.tab(open_page)
        page.button(key="test_webhook").click().run()
        assert "Look at the receiver's log" in texts(page).replace("\\", "")
