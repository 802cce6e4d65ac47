"""The port: what every place that files are fetched from or left at can do. One adapter each is beside it.

A place is used by one thread at a time and closed afterwards (it is a context manager). Names are relative to the
place, with ``/`` between folders; none of them leaves it. Whatever goes wrong is a DeliveryError, ``is_retryable``
where waiting may help; its text quotes neither a server's words nor a secret.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from ingest_core.errors import DeliveryError, InputError
from ingest_core.models import ByteSource

Write = Callable[[bytes], object]
"""Takes the bytes of a file block by block, as they come."""

Told = Callable[[int], None]
"""Told how many bytes of a file are through; may raise Stopped."""

UNFINISHED = ".part"
"""How the name of a file ends while it is being written; never listed as a file of its own."""

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One file at a place, as it was when it was looked at.

    ``modified`` has a zone, to the second at best; ``version`` is whatever changes with the bytes (an ETag), where the
    place knows such a thing.
    """

    name: str
    size: int
    modified: datetime | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that was left at a place and is there whole, under its own name. ``location`` is for people."""

    name: str
    size: int
    location: str
    version: str | None = None


@runtime_checkable
class Place(Protocol):
    """A connected place."""

    def entries(self, folder: str = "") -> list[Entry]:
        """The files straight in a folder, by name; none when the folder is not there. Unfinished ones are left out."""

    def fetch(self, entry: Entry, write: Write, told: Told = ...) -> None:
        """Gives all bytes of the file that was looked at to ``write``.

        DeliveryError ``file_gone``, and ``file_changed`` where it is not that file any more: size, time or version
        differ, before or after. What was written until then is worth nothing.
        """

    def put(self, name: str, file: ByteSource, told: Told = ..., *, replace: bool = False) -> Stored:
        """Leaves a file: nobody sees it under its name before it is whole, and its size is checked.

        A file that is there already under this name with other bytes stays as it is (DeliveryError ``file_exists``)
        unless ``replace``; with the same bytes, there is nothing to do. Missing folders are made.
        """

    def move(self, name: str, to: str) -> None:
        """Gives a file another name at the same place; missing folders are made, a file that is there is replaced."""

    def delete(self, name: str) -> None:
        """Deletes a file; one that is not there is no error."""

    def close(self) -> None:
        """Ends the connection."""

    def __enter__(self) -> Self:
        """The place itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""


def checked_name(name: str) -> str:
    """A name that stays inside its place. InputError ``bad_file_name``."""
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") for part in parts) or not name.isprintable() or "\\" in name:
        raise InputError(
            "This is no name of a file there. Nothing was changed.",
            code="bad_file_name",
            hint="Give a relative name, such as out/members.tsv, without .. and control characters.",
        )
    return name


def file_gone(name: str) -> DeliveryError:
    """The file that was looked at is not there any more."""
    return DeliveryError(
        "The file is not there any more. Nothing was taken.",
        code="file_gone",
        hint="It is left out until it is there again.",
        facts={"file": name},
        is_retryable=True,
    )


def file_changed(name: str) -> DeliveryError:
    """The file is another one than the one that was looked at."""
    return DeliveryError(
        "The file changed while it was being fetched. Nothing was taken.",
        code="file_changed",
        hint="It is looked at again until it stays as it is.",
        facts={"file": name},
        is_retryable=True,
    )


def file_exists(name: str) -> DeliveryError:
    """A file of this name is there, with other bytes."""
    return DeliveryError(
        "A file of this name with other bytes is there already. It was left as it is.",
        code="file_exists",
        hint="Give the file another name, or delete the one that is there.",
        facts={"file": name},
    )


def broke_off(name: str) -> DeliveryError:
    """The bytes that arrived are not all there are."""
    return DeliveryError(
        "The transfer broke off before the file was whole. Nothing of it was kept.",
        code="transfer_incomplete",
        hint="It is tried again.",
        facts={"file": name},
        is_retryable=True,
    )
