"""Takes one file from a place into the encrypted landing zone: all of it, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence

from ingest_core.arrivals.names import base
from ingest_core.errors import FileError, OnrampError, Stopped
from ingest_core.jobs.rounds import IsEnding
from ingest_core.models import FileLimits
from ingest_core.settings import Settings
from ingest_core.transport.openpgp import PrivateKey, decrypt, plain_name
from ingest_core.transport.port import Entry, Place, broke_off, file_changed
from ingest_core.vault import LandingZone

Keys = Callable[[], Sequence[PrivateKey]]
"""Our private keys."""


def check_size(entry: Entry, settings: Settings) -> None:
    """FileError ``empty_file``, ``too_large``."""
    if not entry.size:
        raise FileError("The file is empty. Nothing was taken.", code="empty_file", hint="Have it exported again.")
    limit = settings.file_limit_bytes
    if entry.size > limit:
        raise FileError(
            f"The file has {entry.size:,} bytes; the limit is {limit:,}. Nothing was taken.",
            code="too_large",
            hint="Have it split, or raise file_limit_bytes in the settings.",
            facts={"size": entry.size, "limit": limit},
        )


def fetch(place: Place, entry: Entry, landing: LandingZone, is_ending: IsEnding) -> tuple[str, str]:
    """(landing id, SHA-256) of the very file that was looked at.

    DeliveryError ``file_gone``, ``file_changed``, ``transfer_incomplete`` and what else the place raises; Stopped when
    the process ends. Whatever is raised leaves nothing behind.
    """
    writer = landing.create(base(entry.name), entry.size)
    seen = hashlib.sha256()

    def write(block: bytes) -> None:
        if writer.offset + len(block) > entry.size:
            raise file_changed(entry.name)
        seen.update(block)
        writer.write(block)

    def told(_: int) -> None:
        if is_ending():
            raise Stopped

    try:
        place.fetch(entry, write, told)
        if writer.offset != entry.size:
            raise broke_off(entry.name)
        writer.finish()
    except BaseException:
        with contextlib.suppress(OSError, OnrampError, ValueError):  # it is closed already, or the disk is full
            writer.finish()
        landing.delete(writer.landing_id)
        raise
    return writer.landing_id, seen.hexdigest()


def opened(landing_id: str, landing: LandingZone, keys: Keys, settings: Settings) -> str:
    """The landing id of what is inside an OpenPGP message, in its place; of any other file, its own.

    FileError ``decrypt_failed``, ``cipher_not_aes``, ``file_too_large``, ``ratio_too_large``: nothing is left then.
    """
    message = landing.open(landing_id)
    name = plain_name(message.name)
    if name == message.name:
        return landing_id
    writer = landing.create(name)
    limits = FileLimits(
        size=settings.file_limit_bytes, unpacked=settings.unpacked_limit_bytes, ratio=settings.ratio_limit,
        seconds=settings.upload_seconds,
    )  # fmt: skip
    try:
        decrypt(message, keys(), writer.write, limits)
        writer.finish()
    except BaseException:
        with contextlib.suppress(OSError, ValueError):
            writer.finish()
        landing.delete(writer.landing_id)
        landing.delete(landing_id)
        raise
    landing.delete(landing_id)
    return writer.landing_id
