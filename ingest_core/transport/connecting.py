"""From what is known about a place to a connected one."""

from __future__ import annotations

from ingest_core.transport.endpoints import SECONDS
from ingest_core.transport.folder import Folder
from ingest_core.transport.places import FolderPlace, FtpPlace, S3Place, Secrets, SftpPlace
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
    if isinstance(place, S3Place):
        from ingest_core.transport.s3 import S3  # slow to import

        return S3(place, secrets, seconds)
    if isinstance(place, SftpPlace):
        from ingest_core.transport.sftp import Sftp  # slow to import

        return Sftp(place, secrets, seconds)
    from ingest_core.transport.ftp import Ftp

    return Ftp(place, secrets, seconds)
