"""Caps that hold wherever a file is read: what it may unpack to, how long one pass over it may take."""

from __future__ import annotations

import time
from typing import Protocol

from ingest_core.errors import FileError

_BOMB_FLOOR = 16 << 20  # below this no ratio is dangerous; a short file of one repeated row is honest


class Caps(Protocol):
    """``unpacked``: bytes; ``ratio``: times the packed size."""

    @property
    def unpacked(self) -> int: ...

    @property
    def ratio(self) -> int: ...


def check_unpacked(out: int, packed: int, name: str, caps: Caps) -> None:
    """Raise ``compression_bomb`` when ``out`` bytes from ``packed`` pass the size cap or the ratio cap."""
    if out <= caps.unpacked and (out <= _BOMB_FLOOR or out <= caps.ratio * max(packed, 1)):
        return
    raise FileError(
        f"The file unpacks to more than is allowed ({caps.unpacked:,} bytes, {caps.ratio:,} times its size).",
        code="compression_bomb",
        hint="Split the file, or load it unpacked. Nothing was changed.",
        facts={"file": name, "packed_bytes": packed, "unpacked_limit": caps.unpacked, "ratio_limit": caps.ratio},
    )


class Watch:
    """The time of one pass over a file; 0 seconds: as long as it likes."""

    def __init__(self, seconds: int, name: str) -> None:
        self._seconds = seconds
        self._name = name
        self._until = time.monotonic() + seconds

    def check(self) -> None:
        """Raises ``FileError`` ``too_slow`` when the time is over."""
        if self._seconds and time.monotonic() > self._until:
            raise too_slow(self._name, self._seconds)


def too_slow(name: str, seconds: int) -> FileError:
    """The error for a file whose reading passed its time."""
    return FileError(
        f"Reading the file took longer than {seconds:,} seconds and was ended.",
        code="too_slow",
        hint="Split the file, or raise upload_seconds in the settings. Nothing was changed.",
        facts={"file": name, "seconds_limit": seconds},
    )
