"""Notices reach people and programs once, whatever their servers do, and no load is any the worse for it."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
import socket
import ssl
from datetime import timedelta

import pytest
from aiosmtpd.smtp import AuthResult

from ingest_core.clock import now
from ingest_core.errors import OnrampError, StateError
from ingest_core.notices.model import LONGEST_PAUSE, pause
from ingest_core.notices.notices import Notices
from ingest_core.workspace import Workspace
from tests.notices.conftest import set_up
from tests.transport.test_mail import certificate

__all__ = ["certificate"]  # fixture

ASHA, RAVI = "asha@example.com", "ravi@example.com"
COLUMNS = {"crmid": "crmid", "city": "city"}
ROWS = "crmid\tcity\nK1\tPune\nK2\tAgra\n\tGoa\n\nK2\tDelhi\n"
SECRET = "a secret of twenty-five c"


def never() -> bool:
    return False


def due_now(workspace):
    """As if the pause of what failed were over."""
    with workspace.engine.session() as session:
        session.run("UPDATE notice_sending SET next_try = ? WHERE state = 'waiting'", [now()])
    return Notices(workspace.engine, workspace.configuration, workspace.settings)


def sendings(workspace):
    return [sending for notice in workspace.notices.list(limit=1000) for sending in notice.sendings]


def states(workspace):
    return sorted({(sending.state, sending.error) for sending in sendings(workspace)}, key=repr)


def parts(message):
    return [part.get_payload(decode=True).decode().replace("\r\n", "\n") for part in message.get_payload()]


class TestMail:
    def test_everybody_gets_start_and_end_with_one_id_per_event(self, kernel, post):
        receipt = kernel.load(ROWS, COLUMNS, notify=(ASHA, RAVI))
        kernel.workspace.notices.turn(never)
        assert sorted(post.recipients) == [ASHA, ASHA, RAVI, RAVI]
        ids = {}
        for message in post.messages:
            ids.setdefault(message["Message-ID"], []).append(message["To"])
        assert sorted(map(sorted, ids.values())) == [[ASHA, RAVI], [ASHA, RAVI]]
        assert all(re.fullmatch(r"<N\d{8}-[A-Z2-7]{8}@example\.com>", found) for found in ids)
        assert {message["References"] for message in post.messages} == {f"<{receipt.request_id}.thread@example.com>"}
        assert states(kernel.workspace) == [("sent", None)]
        kernel.workspace.notices.turn(never)
        assert len(post.messages) == 4

    def test_the_end_says_the_figures_the_reasons_and_where_to_look(self, kernel, post):
        receipt = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        message = post.messages[-1]
        assert message["Subject"] == "[CRM] people.tsv was loaded: 4 rows, 1 of them rejected"
        text, html = parts(message)
        figures = {label: int(value) for label, value in re.findall(r"^([^\d\n]+?) {2,}(\d+)$", text, re.MULTILINE)}
        account = ("People stored", "More rows of the same people", "Rows rejected", "Blank lines")
        assert sum(figures[label] for label in account) == figures["Lines in all"] == receipt.lines == 5
        assert figures["New profiles"] == receipt.created == 2
        link = f"https://onramp.example.com/upload?upload={receipt.request_id}"
        for part in (text, html):
            assert "No identifier in the row" in part
            assert "Fill at least one identifier" in part
            assert link in part
            assert not any(value in part for value in ("Pune", "Agra", "Goa", "Delhi", "K1", "K2"))

    def test_names_of_files_break_out_of_nothing(self, kernel, post):
        name = "a\r\nBcc: eve@example.com\r\n\r\n<img src=x onerror=alert(1)>\u202egnp.tsv"
        plan = kernel.plan(ROWS, COLUMNS, name=name, notify=(ASHA,))
        kernel.workspace.loads.load(plan)
        kernel.workspace.notices.turn(never)
        assert set(post.recipients) == {ASHA}
        for message in post.messages:
            assert message["Bcc"] is None
            text, html = parts(message)
            assert "<img" not in html
            assert "\u202e" not in text + html + str(message["Subject"])

    def test_a_password_goes_over_an_encrypted_connection(self, kernel, box, serve, certificate):
        def authenticate(server, session, envelope, mechanism, data):
            return AuthResult(success=(data.login, data.password) == (b"onramp", b"correct horse"), handled=False)

        port = serve(tls_context=certificate, authenticator=authenticate, auth_required=True)
        set_up(kernel.workspace, port, mail_security="starttls", mail_user="onramp", mail_password="wrong horse")
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert ("waiting", "mail_login_refused") in states(kernel.workspace)  # it goes out once the password is mended
        kernel.workspace.configuration.set({"mail_password": "correct horse"})
        due_now(kernel.workspace).turn(never)
        assert (len(box.messages), states(kernel.workspace)) == (2, [("sent", None)])

    def test_a_server_whose_certificate_is_wrong_gets_nothing(self, kernel, box, serve, certificate, monkeypatch):
        monkeypatch.delenv("SSL_CERT_FILE")
        assert isinstance(certificate, ssl.SSLContext)
        set_up(kernel.workspace, serve(tls_context=certificate), mail_security="starttls")
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert ("waiting", "mail_not_secure") in states(kernel.workspace)
        assert box.messages == []


class TestServersThatFail:
    @pytest.mark.parametrize(
        ("where", "answer", "expected"),
        [
            ("answer", "451 later", ("waiting", "mail_refused")),
            ("to_recipient", "450 later", ("waiting", "mail_refused")),
            ("to_recipient", "499 later, in its own way", ("waiting", "mail_refused")),
            ("answer", "554 never", ("given up", "mail_refused")),
            ("to_recipient", "550 nobody of that name", ("given up", "mail_refused")),
        ],
    )
    def test_a_refusal_is_final_or_tried_again_and_the_load_is_as_ever(self, kernel, post, where, answer, expected):
        setattr(post, where, answer)
        receipt = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert states(kernel.workspace) == [expected]
        assert (receipt.status, receipt.stored) == ("Completed", 2)
        setattr(post, where, "250 OK")
        arrived = len(post.messages)
        due_now(kernel.workspace).turn(never)
        assert len(post.messages) - arrived == (2 if expected[0] == "waiting" else 0)

    def test_one_address_that_is_refused_does_not_keep_the_others_waiting(self, kernel, post):
        async def only_ravi(server, session, envelope, address, options):
            if address == ASHA:
                return "550 nobody of that name"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        post.handle_RCPT = only_ravi
        kernel.load(ROWS, COLUMNS, notify=(ASHA, RAVI))
        kernel.workspace.notices.turn(never)
        assert post.recipients == [RAVI, RAVI]
        assert states(kernel.workspace) == [("given up", "mail_refused"), ("sent", None)]

    def test_down_it_is_asked_once_and_then_left_alone_for_a_while(self, kernel):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            set_up(kernel.workspace, silent.getsockname()[1])
            for number in range(3):
                kernel.load(f"crmid\tcity\nK{number}\tPune\n", COLUMNS, notify=(ASHA,))
            for _ in range(5):
                kernel.workspace.notices.turn(never)
        assert sorted(sending.attempts for sending in sendings(kernel.workspace)) == [0, 0, 0, 0, 0, 1]
        assert {sending.state for sending in sendings(kernel.workspace)} == {"waiting"}

    def test_hanging_it_costs_the_load_nothing(self, kernel, monkeypatch):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            set_up(kernel.workspace, silent.getsockname()[1])
            assert kernel.load(ROWS, COLUMNS, notify=(ASHA,)).status == "Completed"
            server = dataclasses.replace(kernel.workspace.configuration.mail_server(), seconds=0.3)
            monkeypatch.setattr(kernel.workspace.configuration, "mail_server", lambda: server)
            kernel.workspace.notices.turn(never)
        assert ("waiting", "mail_unreachable") in states(kernel.workspace)

    def test_a_lost_confirmation_makes_at_most_a_second_copy_of_the_same_message(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        post.is_dropping = True
        kernel.workspace.notices.turn(never)
        post.is_dropping = False
        due_now(kernel.workspace).turn(never)
        ids = [message["Message-ID"] for message in post.messages]
        assert (len(ids), len(set(ids))) == (3, 2)
        twice = next(found for found in ids if ids.count(found) == 2)
        first, second = [message.as_bytes() for message in post.messages if message["Message-ID"] == twice]
        assert first == second
        assert states(kernel.workspace) == [("sent", None)]

    def test_another_sender_or_address_since_the_first_attempt_changes_no_id(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        post.answer = "451 later"
        kernel.workspace.notices.turn(never)
        post.answer = "250 OK"
        kernel.workspace.configuration.set({"mail_sender": "data@other.example"})
        due_now(kernel.workspace).turn(never)
        ids = [message["Message-ID"] for message in post.messages]
        assert (len(ids), len(set(ids))) == (4, 2)

    def test_it_is_given_up_after_days_and_a_person_can_try_again(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        post.answer = "451 later"
        with kernel.workspace.engine.session() as session:
            session.run("UPDATE notice_sending SET since = ?", [now() - timedelta(hours=73)])
        kernel.workspace.notices.turn(never)
        assert states(kernel.workspace) == [("given up", "mail_refused")]
        post.answer = "250 OK"
        [start, end] = kernel.workspace.notices.list(state="given up")
        assert kernel.workspace.notices.retry(end.notice_id).state == "waiting"
        kernel.workspace.notices.turn(never)
        assert kernel.workspace.notices.get(end.notice_id).state == "sent"
        assert kernel.workspace.notices.get(start.notice_id).state == "given up"
        with pytest.raises(StateError) as caught:
            kernel.workspace.notices.retry(end.notice_id)
        assert caught.value.code == "nothing_to_retry"

    def test_the_pauses_double_up_to_an_hour_and_are_spread(self):
        means = [pause(attempts, 0.5) for attempts in range(1, 40)]
        assert means[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
        assert max(means) == LONGEST_PAUSE == means[-1]
        assert pause(1, 0.0) < pause(1, 0.5) < pause(1, 0.999)

    def test_a_clock_that_was_years_ahead_delays_nothing(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        with kernel.workspace.engine.session() as session:
            session.run("UPDATE notice_sending SET next_try = ?", [now() + timedelta(days=3650)])
        kernel.workspace.notices.turn(never)
        assert states(kernel.workspace) == [("sent", None)]


class TestWithoutServer:
    def test_notices_are_kept_readable_and_go_out_when_a_person_says_so(self, kernel, box, serve):
        receipt = kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert states(kernel.workspace) == [("kept", None)]
        shown = kernel.workspace.notices.get(kernel.workspace.notices.list(request_id=receipt.request_id)[0].notice_id)
        assert "people.tsv was loaded" in shown.text
        set_up(kernel.workspace, serve())
        kernel.workspace.notices.turn(never)
        assert box.messages == []  # news of last month are not sent because a server was set up today
        assert kernel.workspace.notices.send_kept() == 2
        kernel.workspace.notices.turn(never)
        assert len(box.messages) == 2

    def test_counts_by_state(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        assert kernel.workspace.notices.counts() == {"waiting": 2, "sent": 0, "given up": 0, "kept": 0}
        kernel.workspace.notices.turn(never)
        assert kernel.workspace.notices.counts() == {"waiting": 0, "sent": 2, "given up": 0, "kept": 0}


class TestKilled:
    @pytest.mark.parametrize(
        ("point", "expected"),
        [
            ("notice claim:before", 0),
            ("notice claim:after", 0),
            ("notice send:before", 0),
            ("notice send:after", 1),
            ("notice note:after", 1),
        ],
    )
    def test_between_any_two_steps_it_is_neither_lost_nor_another_message(
        self, kernel, post, home, monkeypatch, point, expected
    ):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        monkeypatch.setenv("ONRAMP_FAULT", f"{point}:error")
        with pytest.raises(OnrampError):
            kernel.workspace.notices.turn(never)
        monkeypatch.delenv("ONRAMP_FAULT")
        assert len(post.messages) == expected
        kernel.workspace.close()
        with Workspace.open(home) as reopened:
            due_now(reopened).turn(never)
            assert states(reopened) == [("sent", None)]
        ids = [message["Message-ID"] for message in post.messages]
        assert len(set(ids)) == 2
        assert len(ids) == (3 if point == "notice send:after" else 2)  # only there a confirmation was lost


class TestLongLoads:
    def test_it_is_told_once_that_a_load_takes_long(self, kernel, post):
        seen = []

        def progress(phase, done, total):
            if not seen and phase != "receive":
                with kernel.workspace.engine.session() as session:
                    session.run(
                        "UPDATE upload SET started_at = ? WHERE status = 'In Progress'", [now() - timedelta(hours=1)]
                    )
                for _ in range(2):
                    kernel.workspace.notices.turn(never)
                seen.append(phase)

        kernel.workspace.loads.load(kernel.plan(ROWS, COLUMNS, notify=(ASHA,)), progress)
        kernel.workspace.notices.turn(never)
        kinds = [notice.kind for notice in kernel.workspace.notices.list()]
        assert kinds == ["upload_ended", "upload_running", "upload_started"]
        assert "is still being loaded" in parts(post.messages[1])[0]

    def test_a_short_one_is_not_told_in_between(self, kernel, post):
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert "upload_running" not in {notice.kind for notice in kernel.workspace.notices.list()}


class TestWebhook:
    def set_up(self, workspace, hook, **more):
        workspace.configuration.set({"webhook_url": hook.url, "webhook_secret": SECRET, **more})

    def test_every_event_is_posted_signed_whoever_else_is_told(self, kernel, hook):
        self.set_up(kernel.workspace, hook)
        receipt = kernel.load(ROWS, COLUMNS)
        kernel.workspace.notices.turn(never)
        bodies = [json.loads(request.body) for request in hook.received]
        assert [body["event"] for body in bodies] == ["upload_started", "upload_ended"]
        end = bodies[1]
        assert (end["request_id"], end["data"]["stored"], end["data"]["lines"]) == (receipt.request_id, 2, 5)
        assert end["id"] == hook.received[1].headers["Onramp-Event"]
        stamp, signed = re.fullmatch(r"t=(\d+),v1=(\w+)", hook.received[1].headers["Onramp-Signature"]).groups()
        assert (
            signed
            == hmac.new(SECRET.encode(), f"{stamp}.".encode() + hook.received[1].body, hashlib.sha256).hexdigest()
        )

    def test_refused_it_is_posted_again_with_the_same_id_and_body(self, kernel, hook):
        self.set_up(kernel.workspace, hook)
        hook.status = 503
        kernel.load(ROWS, COLUMNS)
        kernel.workspace.notices.turn(never)
        assert states(kernel.workspace) == [("waiting", "webhook_refused")]
        hook.status = 200
        due_now(kernel.workspace).turn(never)
        first, second = [request for request in hook.received if json.loads(request.body)["event"] == "upload_ended"]
        assert (first.body, first.headers["Onramp-Event"]) == (second.body, second.headers["Onramp-Event"])

    def test_the_secret_is_sealed_and_shown_nowhere(self, kernel, hook, home):
        self.set_up(kernel.workspace, hook)
        kernel.load(ROWS, COLUMNS)
        kernel.workspace.notices.turn(never)
        shown = repr(kernel.workspace.configuration.all()) + (home / "settings.json").read_text()
        with kernel.workspace.engine.session() as session:
            shown += repr(session.rows("FROM audit")) + repr(session.rows("FROM notice"))
        assert SECRET not in shown + repr(kernel.workspace.settings)
        assert SECRET not in "".join(request.body.decode() + repr(request.headers) for request in hook.received)

    def test_without_a_secret_nothing_unsigned_leaves(self, kernel, hook):
        kernel.workspace.configuration.set({"webhook_url": hook.url})
        kernel.load(ROWS, COLUMNS)
        kernel.workspace.notices.turn(never)
        assert (states(kernel.workspace), hook.received) == ([("kept", None)], [])

    def test_mail_goes_out_while_the_webhook_is_down(self, kernel, post, hook):
        self.set_up(kernel.workspace, hook)
        hook.is_dropping = True
        kernel.load(ROWS, COLUMNS, notify=(ASHA,))
        kernel.workspace.notices.turn(never)
        assert len(post.messages) == 2

    def test_the_environment_may_name_it(self, kernel, hook, home, monkeypatch):
        monkeypatch.setenv("ONRAMP_WEBHOOK_URL", hook.url)
        monkeypatch.setenv("ONRAMP_WEBHOOK_SECRET", SECRET)
        kernel.workspace.close()
        with Workspace.open(home) as reopened:
            kernel.workspace = reopened
            kernel.load(ROWS, COLUMNS)
            reopened.notices.turn(never)
        assert len(hook.received) == 2


def test_old_notices_are_forgotten_but_not_those_that_wait(kernel, post):
    kernel.load(ROWS, COLUMNS, notify=(ASHA,))
    kernel.workspace.notices.turn(never)
    kernel.load("crmid\tcity\nK9\tPune\n", COLUMNS, notify=(ASHA,))
    with kernel.workspace.engine.session() as session:
        session.run("UPDATE notice SET happened_at = ?", [now() - timedelta(days=91)])
    assert kernel.workspace.notices.forget_old() == 2
    assert kernel.workspace.notices.counts() == {"waiting": 2, "sent": 0, "given up": 0, "kept": 0}


def test_the_rounds_of_the_workspace_send(kernel, post):
    kernel.workspace.rounds.start()
    kernel.load(ROWS, COLUMNS, notify=(ASHA,))
    kernel.workspace.rounds.wake("notices")
    end = now() + timedelta(seconds=60)
    while len(post.messages) < 2 and now() < end:
        kernel.workspace.rounds.wake("notices")
    assert len(post.messages) == 2
    assert kernel.workspace.rounds.stop()
