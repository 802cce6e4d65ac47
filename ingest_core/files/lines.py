"""Cutting a stream of UTF-8 bytes into whole lines: LF, CRLF and CR end a line, nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest_core.files.encoding import readable
from ingest_core.models import LineReject

SHOWN_CHARACTERS = 1_000  # of a line that is too long
_KEPT_BYTES = 4 * (SHOWN_CHARACTERS + 1)  # enough to know that something was cut off
_BLOCK_LINES = (
    100_000  # a line that is refused costs a hundred times its bytes: a block of empty lines must not be large
)
_LINE_END = re.compile(rb"[\r\n]")

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Some consecutive whole lines, at most ``_BLOCK_LINES``, each within the line limit and each ended.

    ``first_line``: physical number of the first. ``stops``: for each line the offset behind its line end.
    ``size``: bytes of the stream it stands for.
    """

    data: bytes
    first_line: int
    stops: Places
    size: int


def line_stops(data: bytes) -> Places:
    """Offsets behind each line end (LF, CRLF counted once, CR)."""
    codes = np.frombuffer(data, np.uint8)
    if b"\r" not in data:
        return np.flatnonzero(codes == 10) + 1
    is_cr = codes == 13
    is_lf = codes == 10
    is_cr[:-1] &= ~is_lf[1:]
    return np.flatnonzero(is_lf | is_cr) + 1


class LineCutter:
    """Cuts chunks into ``Block`` s; a line over ``limit`` bytes becomes one ``line_too_long`` reject.

    Holds at most one chunk and one line of the limit: the rest of a longer line is passed over while streaming.
    With ``to_lf`` all line ends in ``Block.data`` are LF.
    """

    def __init__(self, limit: int, *, to_lf: bool, first_line: int = 1) -> None:
        self._limit = limit
        self._to_lf = to_lf
        self._line = first_line
        self._tail = b""
        self._skipped: bytes | None = None  # the kept beginning of a line that is being passed over
        self._skipped_size = 0
        self._is_after_cr = False

    def cut(self, chunks: Iterable[bytes]) -> Iterator[Block | LineReject]:
        """Blocks and rejects in the order of the file. A reject interrupts: what follows it is not the next line."""
        for incoming in chunks:
            chunk = incoming[1:] if self._is_after_cr and incoming[:1] == b"\n" else incoming
            self._is_after_cr = self._is_after_cr and not incoming
            if self._skipped is not None:
                yield from self._pass_over(chunk)
            else:
                yield from self._take(self._tail + chunk)
        if self._skipped is not None:
            yield self._too_long(self._skipped)
        elif self._tail:
            tail, self._tail = self._tail, b""
            yield from self._emit(tail if tail.endswith(b"\r") else tail + b"\n", len(tail))

    def _pass_over(self, chunk: bytes) -> Iterator[Block | LineReject]:
        kept = self._skipped or b""
        found = _LINE_END.search(chunk)
        stop = len(chunk) if found is None else found.start()
        kept += chunk[: min(stop, _KEPT_BYTES - len(kept))]
        if found is None:
            self._skipped = kept
            return
        self._skipped = None
        yield self._too_long(kept)
        end = found.end()
        if found.group() == b"\r":
            if chunk[end : end + 1] == b"\n":
                end += 1
            self._is_after_cr = end == len(chunk) and chunk.endswith(b"\r")
        yield from self._take(chunk[end:])

    def _take(self, data: bytes) -> Iterator[Block | LineReject]:
        # A CR at the very end waits: an LF may follow in the next chunk.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(len(data) - 1, 0))) + 1
        self._tail = data[cut:]
        if cut:
            yield from self._emit(data[:cut], cut)
        if len(self._tail) > self._limit and not self._tail.endswith(b"\r"):
            self._skipped, self._tail = self._tail[:_KEPT_BYTES], b""

    def _emit(self, data: bytes, size: int) -> Iterator[Block | LineReject]:
        if self._to_lf and b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        stops = line_stops(data)
        long_lines = self._long_lines(data, stops)
        if not len(long_lines):
            yield from self._blocks(data, stops, size)
            return
        start, first = 0, 0
        for index in long_lines.tolist():
            begin = int(stops[index - 1]) if index else 0
            if begin > start:
                yield from self._blocks(data[start:begin], stops[first:index] - start, begin - start)
            yield self._too_long(data[begin : min(begin + _KEPT_BYTES, int(stops[index]))].rstrip(b"\r\n"))
            start, first = int(stops[index]), index + 1
        if start < len(data):
            yield from self._blocks(data[start:], stops[first:] - start, len(data) - start)

    def _long_lines(self, data: bytes, stops: Places) -> Places:
        if len(data) <= self._limit:
            return stops[:0]
        lengths = np.diff(stops, prepend=0)
        candidates = np.flatnonzero(lengths > self._limit + 1)  # + 1: the line end does not count
        keep = [
            index
            for index in candidates.tolist()
            if lengths[index] > self._limit + 2 or not data.endswith(b"\r\n", 0, int(stops[index]))
        ]
        return np.array(keep, np.int64)

    def _blocks(self, data: bytes, stops: Places, size: int) -> Iterator[Block]:
        """Whole lines as blocks of at most ``_BLOCK_LINES``; the last one stands for what is left of ``size``."""
        start = 0
        for first in range(0, len(stops), _BLOCK_LINES):
            some = stops[first : first + _BLOCK_LINES]
            end = int(some[-1])
            is_last = first + _BLOCK_LINES >= len(stops)
            piece = data if is_last and not start else data[start:end]
            yield Block(piece, self._line, some - start, size - start if is_last else end - start)
            self._line += len(some)
            start = end

    def _too_long(self, kept: bytes) -> LineReject:
        text = readable(kept)
        shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
        reject = LineReject(self._line, "line_too_long", None, shown)
        self._line += 1
        return reject
