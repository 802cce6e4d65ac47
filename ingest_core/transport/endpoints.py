"""Whom we talk to: addresses are looked up, judged and only then connected to, always with a time limit."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from ingest_core.errors import DeliveryError
from ingest_core.transport.failures import unreachable

SECONDS = 30.0
"""How long one step of a connection may take: connecting, and each wait for bytes."""

_CLOUD_METADATA = frozenset(ip_address(text) for text in ("100.100.100.200", "192.0.0.192", "fd00:ec2::254"))


def is_refused(host: str) -> bool:
    """Whether this is the address of something that hands out credentials (cloud metadata), or of nobody.

    Names are not looked up here; ``open_socket`` does so and judges what it finds.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return host.rstrip(".").lower() in ("metadata", "metadata.google.internal")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in _CLOUD_METADATA


def open_socket(host: str, port: int, seconds: float) -> socket.socket:
    """A connected socket. DeliveryError ``place_unreachable`` (retryable), ``endpoint_refused``."""
    if is_refused(host):
        raise endpoint_refused()
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise unreachable(host, port) from None
    if any(is_refused(str(address[0])) for *_, address in found):
        raise endpoint_refused()
    for family, kind, protocol, _, address in found:
        made = socket.socket(family, kind, protocol)
        made.settimeout(seconds)
        try:
            made.connect(address)
        except OSError:
            made.close()
        else:
            return made
    raise unreachable(host, port)


def endpoint_refused() -> DeliveryError:
    """The name leads to an address that nobody of ours talks to."""
    return DeliveryError(
        "The name of this destination leads to an address of the machine's own network set-up. Nothing was sent.",
        code="endpoint_refused",
        hint="Name the server itself. Link-local and metadata addresses are never talked to.",
    )
