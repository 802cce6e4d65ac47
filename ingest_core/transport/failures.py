"""What can go wrong at a place, each told in one way. No text quotes a server's words or a secret."""

from __future__ import annotations

import errno

from ingest_core.errors import DeliveryError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def unreachable(host: str, port: int | None = None) -> DeliveryError:
    """Nobody answers there, or the connection ended."""
    return DeliveryError(
        "The destination could not be reached, or the connection broke off. Nothing half-done is left under a file's "
        "own name.",
        code="place_unreachable",
        hint="It is tried again. If it stays so, check host, port and the network.",
        facts={"host": host} | ({} if port is None else {"port": port}),
        is_retryable=True,
    )


def too_slow(host: str, seconds: float) -> DeliveryError:
    """It went silent."""
    return DeliveryError(
        f"The destination did not answer for {seconds:g} seconds. Nothing half-done is left under a file's own name.",
        code="place_silent",
        hint="It is tried again.",
        facts={"host": host, "seconds": seconds},
        is_retryable=True,
    )


def login_refused(host: str) -> DeliveryError:
    """Who we say we are is not accepted."""
    return DeliveryError(
        "The destination did not accept the login. Nothing was changed there.",
        code="login_refused",
        hint="Set user and secrets again; perhaps they ran out.",
        facts={"host": host},
    )


def not_secure(host: str) -> DeliveryError:
    """Encryption is missing, or the certificate does not fit."""
    return DeliveryError(
        "The destination's encryption or certificate is not as it should be. Nothing was sent.",
        code="place_not_secure",
        hint="The certificate must fit the host's name and come from an authority that is trusted; name one of your "
        "own with the destination's certificate.",
        facts={"host": host},
    )


def place_full(name: str = "") -> DeliveryError:
    """No room is left there."""
    return DeliveryError(
        "The destination is full, or a quota is used up. Nothing is left there under the file's name.",
        code="place_full",
        hint="Free some space there; then it is tried again.",
        facts={"file": name} if name else {},
        is_retryable=True,
    )


def place_busy(reply: int | None = None) -> DeliveryError:
    """Not now, says the server."""
    return DeliveryError(
        "The destination cannot take or give files at the moment. Nothing was changed there.",
        code="place_busy",
        hint="It is tried again.",
        facts={} if reply is None else {"reply": reply},
        is_retryable=True,
    )


def place_refused(reply: int | None = None) -> DeliveryError:
    """Never, says the server: this user may not."""
    return DeliveryError(
        "The destination refused. Nothing was changed there.",
        code="place_refused",
        hint="Check the folder or bucket, and what this user may do there: list, read, write, rename, delete.",
        facts={} if reply is None else {"reply": reply},
    )


def no_such_place() -> DeliveryError:
    """Folder or bucket is not there. It may come: a mount, a folder that the other side makes."""
    return DeliveryError(
        "The folder or bucket of this destination is not there. Nothing was changed.",
        code="place_missing",
        hint="Create it, mount it, or correct its name.",
        is_retryable=True,
    )


def damaged(name: str) -> DeliveryError:
    """What arrived is not what was sent."""
    return DeliveryError(
        "The bytes that arrived are not those that were sent. Nothing of them was kept.",
        code="transfer_damaged",
        hint="It is tried again. If it stays so, something between here and there changes the files.",
        facts={"file": name},
        is_retryable=True,
    )


def of_disk(error: OSError, name: str = "") -> DeliveryError:
    """What a disk said."""
    if error.errno in _FULL:
        return place_full(name)
    if error.errno in _REFUSED:
        return place_refused()
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return no_such_place()
    return unreachable("this machine")
