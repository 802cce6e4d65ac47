"""Posts signed JSON to one address. Nothing else is followed, and what the other side says goes nowhere.

The signature is ``Onramp-Signature: t=SECONDS,v1=HEX``: HMAC-SHA256 with the secret over ``SECONDS.BODY``, so that
whoever knows the secret can tell that the body is ours and not an old one sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from ingest_core.errors import ConfigError, DeliveryError

SECONDS = 10
"""For each answer; for all of it three times as much."""

MOST_BYTES = 1 << 16
"""Read of an answer: it only has to be one."""

SIGNATURE = "Onramp-Signature"

_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "192.0.0.192/32")
)
"""Where clouds tell a machine its own secrets: never what somebody means by a webhook."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def signature(secret: str, moment: int, body: bytes) -> str:
    """The value of the header for a body sent at a moment (seconds since 1970)."""
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


@dataclass(frozen=True)
class Webhook:
    """One address and its secret. ``is_plain_allowed``: http, and names of this machine, to anywhere."""

    url: str
    secret: str = field(repr=False)
    is_plain_allowed: bool = False
    seconds: float = SECONDS

    def post(self, event_id: str, body: bytes) -> int:
        """Sends a body once; returns the status, which is 2xx. The same ``event_id`` twice is the same event.

        ConfigError ``webhook_not_secure``, ``webhook_address``; DeliveryError ``webhook_unreachable``,
        ``webhook_refused``. No error quotes the address's path or the answer.
        """
        parts = urlsplit(self.url)
        moment = int(time.time())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Onramp",
            "Onramp-Event": event_id,
            SIGNATURE: signature(self.secret, moment, body),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with _told(parts):
            connection = self._connected(parts)
            with _within(connection, self.seconds * 3):
                connection.request("POST", target, body=body, headers=headers)
                answer = connection.getresponse()
                status = answer.status
                with suppress(OSError, http.client.HTTPException):  # it has answered: the rest is nothing to us
                    answer.read(MOST_BYTES)
        if not 200 <= status < 300:
            raise _refused(status, parts)
        return status

    def _connected(self, parts: SplitResult) -> http.client.HTTPConnection:
        """To an address that was looked at, not only to a name that may mean another one a moment later."""
        is_tls, host = parts.scheme == "https", parts.hostname or ""
        port = parts.port or (443 if is_tls else 80)
        address = self._address(host, port)
        if not is_tls and not address.is_loopback and not self.is_plain_allowed:
            raise ConfigError(
                "The webhook's address begins with http, so anybody on the way could read it. Nothing was sent.",
                code="webhook_not_secure",
                hint="Use https, or allow plain http in the settings of the webhook.",
            )
        plain = socket.create_connection((str(address), port), timeout=self.seconds)
        try:
            wire = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if is_tls else plain
        except BaseException:
            plain.close()
            raise
        connection = http.client.HTTPConnection(host, port, timeout=self.seconds)
        connection.sock = wire
        return connection

    def _address(self, host: str, port: int) -> Address:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [_plain(str(entry[4][0])) for entry in found]
        is_here = _is_this_machine(host) or self.is_plain_allowed
        for address in addresses:
            if _is_forbidden(address) or (address.is_loopback and not is_here):
                raise ConfigError(
                    "The webhook's name leads to an address that is kept for machines themselves. Nothing was sent.",
                    code="webhook_address",
                    hint="Give the address of the receiver.",
                )
        return addresses[0]


def _plain(text: str) -> Address:
    """An address; an IPv4 one that is written as IPv6 is that."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_forbidden(address: Address) -> bool:
    is_special = address.is_multicast or address.is_unspecified
    return is_special or any(address in network for network in _METADATA if network.version == address.version)


def _is_this_machine(host: str) -> bool:
    """Whether an address says openly that it means this machine."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


@contextmanager
def _within(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Ends an exchange that goes on and on, a byte now and then."""

    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        with suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.close()
    if is_cut.is_set():
        raise TimeoutError


@contextmanager
def _told(parts: SplitResult) -> Iterator[None]:
    """Whatever goes wrong on the way as one of our errors, without the path, which may hold a token."""
    facts: dict[str, object] = {"host": parts.hostname}
    try:
        yield
    except ssl.SSLError:
        raise ConfigError(
            "The webhook's encryption or certificate is not as it should be. Nothing was sent.",
            code="webhook_not_secure",
            hint="Its certificate must fit its name and be valid.",
            facts=facts,
        ) from None
    except (OSError, http.client.HTTPException, UnicodeError):
        raise DeliveryError(
            "The webhook could not be reached, or broke off before it confirmed.",
            code="webhook_unreachable",
            hint="Check its address, and that it answers within seconds.",
            facts=facts,
            is_retryable=True,
        ) from None


def _refused(status: int, parts: SplitResult) -> DeliveryError:
    is_redirect = 300 <= status < 400
    return DeliveryError(
        f"The webhook answered with status {status} instead of taking the notice.",
        code="webhook_redirects" if is_redirect else "webhook_refused",
        hint="Give the address that it leads to: it is not followed." if is_redirect else "Look at the receiver's log.",
        facts={"host": parts.hostname, "status": status},
        is_retryable=status != http.client.GONE,  # a receiver that is being put in place says anything else for a while
    )
