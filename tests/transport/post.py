"""A real mail server on loopback that keeps what arrives."""

from __future__ import annotations

import email
import socket

import pytest
from aiosmtpd.controller import Controller

SECONDS_TO_START = 60
"""A busy machine is no failure."""


class Box:
    """Keeps what arrives; answers as it is told."""

    def __init__(self) -> None:
        self.messages: list[email.message.Message] = []
        self.recipients: list[str] = []
        self.answer = "250 OK"
        self.to_recipient = "250 OK"
        self.is_dropping = False  # the line goes dead between the message and its confirmation
        self.goodbye: str | None = None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.messages.append(email.message_from_bytes(envelope.content))
        self.recipients += envelope.rcpt_tos
        if self.is_dropping:
            server.transport.abort()
        return self.answer

    async def handle_QUIT(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        return self.goodbye or "221 Bye"


@pytest.fixture
def box():
    return Box()


@pytest.fixture
def serve(box):
    """serve(**options) → a server of ours that listens on loopback."""
    running = []

    def serving(**options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        running.append(Controller(box, hostname="localhost", port=port, ready_timeout=SECONDS_TO_START, **options))
        running[-1].start()
        return port

    yield serving
    for controller in running:
        controller.stop()
