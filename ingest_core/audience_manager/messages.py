"""OpenPGP files of one batch, opened into the landing zone; nothing of them is left when the batch is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ingest_core.audience_manager.name_types import Tail
from ingest_core.audience_manager.wire import WireLimits, check_decrypted, check_wire
from ingest_core.errors import OnrampError
from ingest_core.models import ByteSource, FileLimits
from ingest_core.transport.openpgp import PrivateKey, decrypt
from ingest_core.vault import LandingZone

_HEAD = 64

Keys = Callable[[], Sequence[PrivateKey]]


class Messages:
    """Opens messages with the private keys of the workspace; a context manager that leaves nothing."""

    def __init__(self, landing: LandingZone, keys: Keys) -> None:
        self._landing = landing
        self._keys = keys
        self._opened: list[str] = []

    def open(self, source: ByteSource, tail: Tail, limits: WireLimits) -> ByteSource:
        """What is inside, under the same name. FileError: the codes of ``check_wire``, ``decrypt_failed``,
        ``cipher_not_aes``, ``gzip_and_pgp``, ``file_too_large``.
        """
        check_wire(source, tail, limits)
        writer = self._landing.create(source.name)
        self._opened.append(writer.landing_id)
        most = FileLimits(size=limits.packed, unpacked=limits.plain, ratio=limits.unpacked, seconds=0)
        decrypt(source, self._keys(), writer.write, most)
        writer.finish()
        plain = self._landing.open(writer.landing_id)
        with plain.open() as stream:
            check_decrypted(stream.read(_HEAD), source)
        return plain

    def __enter__(self) -> Messages:
        return self

    def __exit__(self, *_: object) -> None:
        for landing_id in self._opened:
            with suppress(OnrampError, OSError):  # what is left goes when the workspace is opened next
                self._landing.delete(landing_id)
