"""Rows into files of a size that is asked for, encrypted while they wait; never cut inside a row (spec §15.4, §4)."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from ingest_core.deliveries.packing import Packed
from ingest_core.models import ByteSource, Model
from ingest_core.vault import LandingZone
from ingest_core.vault.landing import LandingWriter


class Part(Model):
    """One file as it will be delivered, not named yet. ``rows`` without the header, ``lines`` with it."""

    landing: str
    size: int
    lines: int
    rows: int
    md5: str
    sha256: str


class Parts:
    """Takes rows (each with its line end) and makes files of at most ``most`` plain bytes; one at least has a row."""

    def __init__(self, zone: LandingZone, *, most: int, header: bytes = b"", is_gzip: bool = False) -> None:
        self._zone = zone
        self._header = header
        self._is_gzip = is_gzip
        self._most = most
        self._made: list[Part] = []
        self._writer: LandingWriter | None = None
        self._packed: Packed | None = None
        self._held = self._rows = 0

    def add_all(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Batches with one text column; each text is a row with its line end."""
        for batch in batches:
            self.add(batch.column(0))

    def add(self, rows: pa.Array) -> None:
        """Rows in their order."""
        texts = rows.cast(pa.large_binary())
        count = len(texts)
        if not count:
            return
        _, offsets_buffer, data = texts.buffers()
        offsets = np.frombuffer(offsets_buffer, dtype=np.int64, count=count + 1, offset=texts.offset * 8)
        body = memoryview(data) if data is not None else memoryview(b"")
        start = 0
        while start < count:
            room = (
                self._most - self._held if self._packed is not None and self._rows else self._most - len(self._header)
            )
            stop = int(np.searchsorted(offsets, offsets[start] + room, side="right")) - 1
            if stop <= start:
                if self._packed is not None and self._rows:
                    self._end()
                    continue
                stop = start + 1  # a row longer than a file is a file of its own
            self._write(body[int(offsets[start]) : int(offsets[stop])], stop - start)
            start = stop

    @classmethod
    def copied(cls, zone: LandingZone, file: ByteSource) -> Part:
        """A file as it is; it has no rows of its own."""
        writer = zone.create("part")
        packed = Packed(writer, is_gzip=False)
        with file.open() as stream:
            while block := stream.read(1 << 20):
                packed.bytes.write(block)
        packed.close()
        return Part(landing=writer.finish(), size=packed.size, lines=0, rows=0, md5=packed.md5, sha256=packed.sha256)

    def finish(self) -> list[Part]:
        """All files; none where there was no row."""
        self._end()
        return self._made

    def give_up(self) -> None:
        """Deletes what was made."""
        if self._writer is not None:
            self._writer.finish()
            self._zone.delete(self._writer.landing_id)
            self._writer = self._packed = None
        for part in self._made:
            self._zone.delete(part.landing)
        self._made = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.give_up()

    def _write(self, block: memoryview, rows: int) -> None:
        if self._packed is None:
            self._writer = self._zone.create("part")
            self._packed = Packed(self._writer, is_gzip=self._is_gzip)
            self._packed.bytes.write(self._header)
            self._held, self._rows = len(self._header), 0
        self._packed.bytes.write(block)
        self._held += len(block)
        self._rows += rows

    def _end(self) -> None:
        if self._packed is None or self._writer is None:
            return
        packed, writer = self._packed, self._writer
        packed.close()
        landing = writer.finish()
        self._made.append(
            Part(
                landing=landing, size=packed.size, lines=packed.lines, rows=self._rows, md5=packed.md5,
                sha256=packed.sha256,
            )
        )  # fmt: skip
        self._packed = self._writer = None


def part_count(lengths: Iterable[pa.Array], most: int) -> int:
    """Into how many files rows of these lengths (bytes, line ends too) are cut by ``Parts`` without a header."""
    count = held = 0
    for batch in lengths:
        ends = np.cumsum(batch.to_numpy(zero_copy_only=False).astype(np.int64))
        start, begun = 0, 0
        while start < len(ends):
            stop = int(np.searchsorted(ends, begun + most - held, side="right"))
            if stop <= start and held:
                held = 0
                continue
            stop = max(stop, start + 1)
            count += held == 0
            held += int(ends[stop - 1]) - begun
            start, begun = stop, int(ends[stop - 1])
    return count
