"""A stream of text as blocks of whole lines, in constant memory: only LF ends a line (spec §5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ingest_core.audience_manager.lines import BOM

_NOT_COUNTED = 1 + len(BOM)  # bytes: a CR of the line end, a byte order mark before the first line
_BLOCK_LINES = 1 << 16  # a line that is refused costs far more than its bytes


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines, the last of the file with or without its end. ``first_line``: number of the first."""

    data: bytes
    first_line: int


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line so long that its bytes were passed over. ``size``: bytes without the line end."""

    line: int
    size: int


def read_blocks(chunks: Iterable[bytes], most_line_bytes: int) -> Iterator[TextBlock | LongLine]:
    """Blocks of at most 65,536 lines. Holds one chunk and one line of ``most_line_bytes`` at most.

    A too long line that lies within one chunk stays in its block, for the parser to exclude.
    """
    line, tail = 1, b""
    passed = 0  # bytes of the line that is being passed over
    for incoming in chunks:
        chunk = incoming
        if passed:
            end = chunk.find(b"\n")
            passed += len(chunk) if end < 0 else end
            if end < 0:
                continue
            yield LongLine(line, passed)
            line, passed, chunk = line + 1, 0, chunk[end + 1 :]
        data = tail + chunk
        cut = data.rfind(b"\n") + 1
        tail = data[cut:]
        for block in _blocks(data[:cut], line):
            yield block
            line = block.first_line + block.data.count(b"\n")
        if len(tail) > most_line_bytes + _NOT_COUNTED:
            passed, tail = len(tail), b""
    if passed:
        yield LongLine(line, passed)
    elif tail:
        yield TextBlock(tail, line)


def _blocks(data: bytes, line: int) -> Iterator[TextBlock]:
    if data.count(b"\n") <= _BLOCK_LINES:
        if data:
            yield TextBlock(data, line)
        return
    stops = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    start = 0
    for first in range(0, len(stops), _BLOCK_LINES):
        stop = int(stops[min(first + _BLOCK_LINES, len(stops)) - 1]) + 1
        yield TextBlock(data[start:stop], line + first)
        start = stop
