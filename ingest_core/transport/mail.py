"""Sends messages through an SMTP server. Connections are encrypted and the server's certificate is checked."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

from ingest_core.errors import DeliveryError, InputError
from ingest_core.settings import is_address

SECONDS = 20
"""For each answer of the server."""

GOODBYE_SECONDS = 2
"""For the answer to QUIT, when the message is the server's already."""


@dataclass(frozen=True)
class MailServer:
    """One server and who sends through it. ``none`` sends in the clear and never with a password."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = SECONDS

    def send(
        self,
        recipient: str,
        subject: str,
        text: str,
        *,
        html: str | None = None,
        message_id: str | None = None,
        thread: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """Sends one message to one person; returns its Message-ID. The same id twice is the same message.

        ``html`` says the same as ``text``; ``thread`` is the id that messages about one thing have in common; ``at`` is
        the moment that it tells of. InputError ``bad_address``; DeliveryError ``mail_unreachable``,
        ``mail_not_secure``, ``mail_login_refused``, ``mail_refused``, retryable where waiting may help. No error quotes
        the server's words or a secret.
        """
        if not is_address(recipient):
            raise InputError(
                "This is no e-mail address. Nothing was sent.", code="bad_address", hint="Give one plain address."
            )
        message = EmailMessage()
        message["From"], message["To"] = self.sender, recipient
        message["Subject"] = " ".join(subject.split())
        message["Date"] = format_datetime((at or datetime.now(UTC)).astimezone(UTC))
        message["Message-ID"] = message_id or make_msgid(domain=self.domain)
        if thread is not None:
            message["References"] = thread
        message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers
        message.set_content(text, cte="quoted-printable")
        if html is not None:
            message.add_alternative(html, subtype="html", cte="quoted-printable")
            message.set_boundary(hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:32])
        with _told(self), self._connected() as server:
            if self.user and self.password:
                server.login(self.user, self.password)
            server.send_message(message, from_addr=self.sender, to_addrs=[recipient])
        return str(message["Message-ID"])

    @property
    def domain(self) -> str:
        """Of the sender: the right side of a Message-ID."""
        return self.sender.rpartition("@")[2]

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self.security == "none" and self.password:
            raise _not_secure("A password is never sent over a connection that is not encrypted. Nothing was sent.")
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            yield server
            _leave(server)
        finally:
            server.close()


def _leave(server: smtplib.SMTP) -> None:
    """The message is taken: whatever the server makes of a goodbye, it would be sent twice if that were an error."""
    with suppress(OSError, smtplib.SMTPException):
        if server.sock is not None:
            server.sock.settimeout(GOODBYE_SECONDS)
        server.quit()


@contextmanager
def _told(server: MailServer) -> Iterator[None]:
    """Whatever goes wrong as one of our errors. A server's words may quote addresses and names: they go nowhere."""
    facts = {"host": server.host, "port": server.port}
    try:
        yield
    except ssl.SSLError:
        raise _not_secure(
            "The mail server's encryption or certificate is not as it should be. Nothing was sent."
        ) from None
    except smtplib.SMTPNotSupportedError:
        raise _not_secure("The mail server does not offer what is needed to send securely. Nothing was sent.") from None
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(
            "The mail server did not accept user name and password. Nothing was sent.",
            code="mail_login_refused",
            hint="Set them again; some servers want a password made for this app.",
            facts=facts,
            is_retryable=_is_later(error.smtp_code),
        ) from None
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise _refused(error, facts) from None
    except (OSError, smtplib.SMTPException):
        raise DeliveryError(
            "The mail server could not be reached, or broke off before it confirmed the message.",
            code="mail_unreachable",
            hint="Check its name, port and security: STARTTLS is usually on port 587, TLS on 465.",
            facts=facts,
            is_retryable=True,
        ) from None


def _refused(
    error: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused, facts: dict[str, object]
) -> DeliveryError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    else:
        code = error.smtp_code
    is_later = _is_later(code)
    return DeliveryError(
        f"The mail server refused the message with code {code}. Nothing was sent.",
        code="mail_refused",
        hint="It may take it later: try again in some minutes."
        if is_later
        else "Check that the sender may send through this server, and the address it goes to.",
        facts={**facts, "smtp_code": code},
        is_retryable=is_later,
    )


def _is_later(code: int) -> bool:
    """A server says 4xx when it may take the same message another time, 5xx when it never will (RFC 5321, 4.2.1)."""
    return 400 <= code < 500


def _not_secure(message: str) -> DeliveryError:
    return DeliveryError(
        message,
        code="mail_not_secure",
        hint="Choose STARTTLS or TLS as the server offers it; its certificate must fit its name.",
    )
