"""A file in memory that can be told to fail."""

from __future__ import annotations

import io
from typing import IO


class Bytes:
    """A ByteSource of these bytes."""

    def __init__(self, data: bytes, name: str = "file.bin") -> None:
        self.name = name
        self.size = len(data)
        self.data = data
        self._failing: tuple[int, OSError] | None = None

    def fail_at(self, offset: int, error: OSError) -> None:
        """From now on reading beyond this offset fails."""
        self._failing = (offset, error)

    def open(self) -> IO[bytes]:
        stream = io.BytesIO(self.data)
        if self._failing:
            offset, error = self._failing
            read = stream.read

            def failing(size: int = -1) -> bytes:
                if stream.tell() >= offset:
                    raise error
                return read(size)

            stream.read = failing  # type: ignore[method-assign]
        return stream
