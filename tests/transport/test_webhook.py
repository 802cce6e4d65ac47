"""A signed body arrives where it was meant to, and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket

import pytest

from ingest_core.errors import ConfigError, DeliveryError
from ingest_core.transport.webhook import Webhook, signature
from tests.transport.hook import hook

__all__ = ["hook"]  # fixture

SECRET = "a secret of twenty-five c"
BODY = '{"subject": "Übung"}'.encode()


def test_the_body_arrives_signed(hook):
    assert Webhook(hook.url, SECRET).post("N1", BODY) == 204
    [request] = hook.received
    assert (request.path, request.body) == ("/onramp?token=abc", BODY)
    assert request.headers["Onramp-Event"] == "N1"
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    moment, found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["Onramp-Signature"]).groups()
    expected = hmac.new(SECRET.encode(), f"{moment}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert found == expected


def test_the_signature_is_what_the_documentation_says():
    """A vector that a receiver in another language can be checked with."""
    assert signature("0123456789abcdef", 1_700_000_000, b'{"id":"N1"}') == (
        "t=1700000000,v1=" + hmac.new(b"0123456789abcdef", b'1700000000.{"id":"N1"}', "sha256").hexdigest()
    )


def error_of(webhook, kind=DeliveryError):
    with pytest.raises(kind) as caught:
        webhook.post("N1", BODY)
    error = caught.value
    assert error.__cause__ is None
    assert not any(word in repr(error.as_dict()) + repr(webhook) for word in (SECRET, "v1="))
    assert "token" not in repr(error.as_dict())
    return error


@pytest.mark.parametrize(("status", "is_later"), [(400, True), (404, True), (429, True), (500, True), (410, False)])
def test_any_other_answer_is_a_refusal(hook, status, is_later):
    hook.status = status
    error = error_of(Webhook(hook.url, SECRET))
    assert (error.code, error.is_retryable, error.facts["status"]) == ("webhook_refused", is_later, status)


def test_a_redirect_is_not_followed(hook):
    hook.status, hook.location = 307, hook.url
    assert error_of(Webhook(hook.url, SECRET)).code == "webhook_redirects"
    assert len(hook.received) == 1


def test_a_receiver_that_is_not_there_hangs_drips_or_hangs_up_is_tried_again(hook):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert error_of(Webhook(closed, SECRET)).is_retryable
        silent.listen()
        assert error_of(Webhook(closed, SECRET, seconds=0.3)).is_retryable
    hook.is_dropping = True
    assert error_of(Webhook(hook.url, SECRET)).code == "webhook_unreachable"
    hook.is_dropping, hook.drip_seconds = False, 0.1
    assert error_of(Webhook(hook.url, SECRET, seconds=0.3)).code == "webhook_unreachable"
    assert error_of(Webhook("http://does-not-exist.invalid/", SECRET)).code == "webhook_unreachable"


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://100.100.100.200/",
        "https://0.0.0.0/",
        "https://[fe80::1]/",
        "https://224.0.0.1/",
    ],
)
@pytest.mark.parametrize("is_plain_allowed", [False, True])
def test_addresses_that_only_machines_use_are_refused(url, is_plain_allowed):
    error = error_of(Webhook(url, SECRET, is_plain_allowed=is_plain_allowed, seconds=1), ConfigError)
    assert error.code == "webhook_address"


def test_a_name_that_leads_to_this_machine_has_to_say_so(hook, monkeypatch):
    real = socket.getaddrinfo

    def resolve(host, *rest, **options):
        return real("127.0.0.1" if host == "receiver.example" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = f"http://receiver.example:{hook.port}/"
    assert error_of(Webhook(url, SECRET), ConfigError).code == "webhook_address"
    assert hook.received == []
    assert Webhook(url, SECRET, is_plain_allowed=True).post("N1", BODY) == 204
    assert hook.received[0].headers["Host"] == f"receiver.example:{hook.port}"


def test_plain_http_leaves_this_machine_only_when_allowed(monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was connected"))
    error = error_of(Webhook("http://192.0.2.1/", SECRET), ConfigError)
    assert error.code == "webhook_not_secure"


def test_what_does_not_speak_tls_gets_nothing(hook):
    error = error_of(Webhook(hook.url.replace("http:", "https:"), SECRET, seconds=2), ConfigError)
    assert error.code == "webhook_not_secure"
    assert hook.received == []
