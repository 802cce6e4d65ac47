"""From what is known about a place to a connected one."""

from __future__ import annotations

from ingest_core.errors import DeliveryError, InputError
from ingest_core.transport.endpoints import SECONDS
from ingest_core.transport.folder import Folder
from ingest_core.transport.places import USED_BY, FolderPlace, FtpPlace, S3Place, Secrets, SftpPlace
from ingest_core.transport.port import Place

NO_SECRETS = Secrets()


def connect(
    place: FolderPlace | S3Place | SftpPlace | FtpPlace, secrets: Secrets = NO_SECRETS, *, seconds: float = SECONDS
) -> Place:
    """Connects; close what it returns, best by ``with``. ``seconds``: for each wait for an answer.

    DeliveryError ``place_unreachable``, ``place_silent`` (both retryable), ``login_refused``, ``place_not_secure``,
    ``host_key_unknown``, ``host_key_changed``, ``endpoint_refused``; InputError ``secret_missing``.
    """
    if isinstance(place, FolderPlace):
        return Folder(place)
    raise DeliveryError(
        "This version cannot go there yet. Nothing was sent.", code="no_transport", hint="Use a folder."
    )


def needed(secrets: Secrets, kind: str, *names: str) -> str:
    """The first of these secrets that is there. InputError ``secret_missing``."""
    for name in names:
        if (text := secrets.text(name)) is not None:
            return text
    raise InputError(
        f"The {names[0].replace('_', ' ')} of this destination is missing. Nothing was sent.",
        code="secret_missing",
        hint="Set it with: destination set NAME --secret " + f"{names[0]}=env:VARIABLE",
        facts={"kind": kind, "secrets": list(USED_BY[kind])},
    )
