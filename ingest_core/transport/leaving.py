"""What all adapters do alike: closing, and telling whether a file that is there already holds the same bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import IO, Self

from ingest_core.errors import InputError
from ingest_core.models import ByteSource
from ingest_core.transport.places import USED_BY, Secrets
from ingest_core.transport.port import UNFINISHED, Entry, Told, Write, broke_off, checked_name


class Connected(ABC):
    """The half of a place that does not depend on its kind."""

    @abstractmethod
    def fetch(self, entry: Entry, write: Write, told: Told = lambda _: None) -> None:
        """As the port says."""

    @abstractmethod
    def close(self) -> None:
        """As the port says."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def holds(self, entry: Entry, file: ByteSource) -> bool:
        """Whether the file that is there has the very bytes of this one."""
        if entry.size != file.size:
            return False
        with file.open() as stream:
            same = _Same(stream)
            self.fetch(entry, same)
            return same.is_same and not stream.read(1)


class _Same:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.is_same = True

    def __call__(self, block: bytes) -> None:
        if self.is_same:
            self.is_same = read_exactly(self._stream, len(block)) == block


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    """So many bytes, fewer only at the end: a raw stream may give fewer at a time."""
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def sent_whole(name: str, sent: int, file: ByteSource) -> None:
    """A file that is another length than it said is not left half. DeliveryError ``transfer_incomplete``."""
    if sent != file.size:
        raise broke_off(name)


def is_listed(name: str) -> bool:
    """Whether a file is listed under this name: not one that is being written, nor one we could not ask for."""
    try:
        checked_name(name)
    except InputError:
        return False
    return not name.endswith(UNFINISHED)


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
