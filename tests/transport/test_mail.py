"""Messages through a real SMTP server on loopback: what arrives, what is refused, and what no error says."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest_core.errors import DeliveryError, InputError
from ingest_core.transport.mail import MailServer
from tests.transport.post import box, serve

__all__ = ["box", "serve"]  # fixtures

SENDER, ASHA, PASSWORD = "onramp@example.com", "asha@example.com", "correct horse battery"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"onramp", PASSWORD.encode()), handled=False)


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """A certificate for localhost that this process trusts."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return context


def server_at(port, security="none", **options):
    return MailServer("localhost", port, security, SENDER, seconds=5, **options)


def error_of(server, recipient=ASHA):
    with pytest.raises(DeliveryError) as caught:
        server.send(recipient, "Upload done", "3 rows stored.")
    error = caught.value
    assert error.__cause__ is None
    assert PASSWORD not in repr(error.as_dict()) + repr(server)
    return error


def test_a_message_arrives_as_it_was_sent(box, serve):
    sent = server_at(serve()).send(ASHA, "Upload done\nBcc: b@example.com", "3 rows stored. “Übung” 100 %")
    [message] = box.messages
    assert (message["From"], message["To"], message["Message-ID"]) == (SENDER, ASHA, sent)
    assert message["Subject"] == "Upload done Bcc: b@example.com"  # no second header
    assert box.recipients == [ASHA]
    assert message.get_payload(decode=True).decode().rstrip() == "3 rows stored. “Übung” 100 %"


def test_the_id_of_a_message_can_be_given_so_that_twice_is_once(box, serve):
    server = server_at(serve())
    for _ in range(2):
        assert server.send(ASHA, "Done", "Done.", message_id="<upload-1@onramp>") == "<upload-1@onramp>"
    assert {message["Message-ID"] for message in box.messages} == {"<upload-1@onramp>"}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_goes_over_an_encrypted_connection(box, serve, certificate, security):
    # TLS from the first byte is told to the server by ssl_context; STARTTLS by tls_context.
    how = {"ssl_context": certificate} if security == "tls" else {"tls_context": certificate}
    port = serve(authenticator=authenticate, auth_required=True, auth_require_tls=security == "starttls", **how)
    server_at(port, security, user="onramp", password=PASSWORD).send(ASHA, "Done", "Done.")
    assert len(box.messages) == 1
    error = error_of(server_at(port, security, user="onramp", password="wrong"))
    assert (error.code, error.is_retryable) == ("mail_login_refused", False)


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, certificate, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert error_of(server_at(serve(tls_context=certificate), "starttls")).code == "mail_not_secure"


def test_a_server_without_encryption_gets_nothing_that_should_be_encrypted(box, serve):
    port = serve(authenticator=authenticate, auth_require_tls=False)
    assert error_of(server_at(port, "starttls", user="onramp", password=PASSWORD)).code == "mail_not_secure"
    assert error_of(server_at(port, "none", user="onramp", password=PASSWORD)).code == "mail_not_secure"
    assert box.messages == []


@pytest.mark.parametrize(("answer", "is_later"), [("451 later", True), ("550 no asha@example.com here", False)])
@pytest.mark.parametrize("where", ["answer", "to_recipient"])
def test_a_refusal_says_whether_to_try_again_and_quotes_nobody(box, serve, answer, is_later, where):
    setattr(box, where, answer)
    error = error_of(server_at(serve()))
    assert (error.code, error.is_retryable) == ("mail_refused", is_later)
    assert error.facts["smtp_code"] == int(answer[:3])
    assert "asha" not in repr(error.as_dict())


def test_a_server_that_is_not_there_or_says_nothing_is_tried_again_later():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        closed = error_of(server_at(port))
        silent.listen()
        hanging = error_of(MailServer("localhost", port, "none", SENDER, seconds=0.3))
    for error in (closed, hanging):
        assert (error.code, error.is_retryable) == ("mail_unreachable", True)


@pytest.mark.parametrize(
    "address", ["asha", "a@example.com\nBcc: b@example.com", "A <a@example.com>", "a@x.org,b@x.org", ""]
)
def test_only_one_plain_address_is_sent_to(box, serve, address):
    with pytest.raises(InputError) as caught:
        server_at(serve()).send(address, "Done", "Done.")
    assert caught.value.code == "bad_address"
    assert box.messages == []


def test_both_parts_arrive_and_the_same_message_is_the_same_bytes(box, serve):
    server, at = server_at(serve()), datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
    for _ in range(2):
        server.send(
            ASHA, "Übung", "3 rows – stored", html="<p>3 rows &ndash; <b>stored</b> “Übung”</p>", at=at,
            message_id="<a@example.com>", thread="<thread@example.com>",
        )  # fmt: skip
    first, second = box.messages
    assert first.as_bytes() == second.as_bytes()
    assert [part.get_content_type() for part in first.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain, html = (part.get_payload(decode=True).decode() for part in first.get_payload())
    assert plain.rstrip() == "3 rows – stored"
    assert "<b>stored</b> “Übung”" in html
    assert first["Date"] == "Sat, 28 Nov 2026 02:30:00 +0000"
    assert (first["References"], first["Auto-Submitted"]) == ("<thread@example.com>", "auto-generated")


def test_a_server_that_is_rude_at_the_end_has_taken_the_message(box, serve):
    box.goodbye = "421 too busy to say goodbye"
    server_at(serve()).send(ASHA, "Done", "Done.")
    assert len(box.messages) == 1


def test_a_confirmation_that_is_lost_is_tried_again_and_does_not_say_that_nothing_was_sent(box, serve):
    box.is_dropping = True
    error = error_of(server_at(serve()))
    assert (error.code, error.is_retryable) == ("mail_unreachable", True)
    assert "Nothing was sent" not in error.message
    assert len(box.messages) == 1
