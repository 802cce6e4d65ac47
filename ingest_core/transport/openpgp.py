"""OpenPGP on both ways: files encrypted for others, and messages of others opened. AES only; hostile messages bounded.

Messages are read and written by a process of its own that is handed bytes and gives bytes: plain text is never on disk
here. Who opens a message keeps it where plain text may lie, such as the landing zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from ingest_core.models import ByteSource, FileLimits
from ingest_core.transport.port import Write


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Of somebody who gets files. ``armored``: the certificate as text."""

    name: str
    fingerprint: str
    armored: str


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One of ours. ``armored`` and ``passphrase`` are secrets."""

    name: str
    fingerprint: str
    armored: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


def encrypted(file: ByteSource, recipients: Sequence[PublicKey], folder: Path) -> AbstractContextManager[ByteSource]:
    """The file encrypted for all of these recipients (binary, AES-256), named as the file with ``.pgp`` behind it.

    It lies in ``folder`` (0600, encrypted) and goes with the end of the block. InputError ``no_recipient``,
    ``bad_pgp_key`` (one that cannot encrypt or has run out).
    """
    raise NotImplementedError


def decrypt(file: ByteSource, keys: Sequence[PrivateKey], write: Write, limits: FileLimits = FileLimits()) -> int:
    """Gives the plain bytes of a message to ``write``, block by block; returns how many there were.

    Binary or armored. What was written before an error is worth nothing: a message is only known to be whole at its
    end. FileError ``decrypt_failed`` (no key of ours, damaged, or no message at all), ``cipher_not_aes``,
    ``file_too_large`` and ``ratio_too_large`` by ``limits.unpacked`` and ``limits.ratio``, ``pgp_nested``.
    """
    raise NotImplementedError


def plain_name(name: str) -> str:
    """The name of the file inside, as the name of the message says it: without ``.pgp``, ``.gpg`` or ``.asc``."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and stem and ending.lower() in ("pgp", "gpg", "asc") else name
