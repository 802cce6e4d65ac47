"""Gzip, unpacked by zlib with every check on (facts.md F1: engines skip them and load wrong data)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import IO

from ingest_core.errors import FileError
from ingest_core.models import ByteSource, FileLimits

_RAW_BYTES = 1 << 18
_BOMB_FLOOR = 16 << 20  # below this no ratio is dangerous; a short file of one repeated row is honest
_MAGIC = b"\x1f\x8b"


class GzipBytes:
    """Iterates over the unpacked bytes of all members; CRC-32 and length of each member are checked by zlib.

    Raises ``FileError``: ``gzip_truncated``, ``gzip_damaged``, ``gzip_trailing_garbage``, ``compression_bomb``.
    """

    def __init__(
        self,
        stream: IO[bytes],
        source: ByteSource,
        limits: FileLimits,
        chunk_bytes: int,
        see: Callable[[bytes], None],
    ) -> None:
        self._stream = stream
        self._name = source.name
        self._packed = source.size
        self._limits = limits
        self._chunk = chunk_bytes
        self._see = see
        self._out = 0

    def __iter__(self) -> Iterator[bytes]:
        pending = self._read()
        while pending:
            if not pending.startswith(_MAGIC):
                if len(pending) < 2 and (more := self._read()):
                    pending += more
                    continue
                raise self._error("gzip_trailing_garbage", "Bytes follow the end of the gzip data.")
            pending = yield from self._member(pending)
            if not pending:
                pending = self._read()

    def _member(self, pending: bytes) -> Generator[bytes, None, bytes]:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            if not pending:
                pending = self._read()
                if not pending:
                    raise self._error("gzip_truncated", "The gzip file ends in the middle: part of it is missing.")
            try:
                out = member.decompress(pending, self._chunk)
            except zlib.error as error:
                raise self._error("gzip_damaged", "The gzip file is damaged: a checksum does not fit.") from error
            pending = member.unconsumed_tail
            if out:
                self._out += len(out)
                self._check_size()
                yield out
        return member.unused_data

    def _read(self) -> bytes:
        raw = self._stream.read(_RAW_BYTES)
        self._see(raw)
        return raw

    def _check_size(self) -> None:
        check_unpacked(self._out, self._packed, self._name, self._limits)

    def _error(self, code: str, message: str) -> FileError:
        return FileError(
            message,
            code=code,
            hint="Compress or transfer the file again. Nothing was changed.",
            facts={"file": self._name, "unpacked_bytes": self._out},
        )


def check_unpacked(out: int, packed: int, name: str, limits: FileLimits) -> None:
    """Raise ``compression_bomb`` when ``out`` bytes from ``packed`` pass the size cap or the ratio cap."""
    if out <= limits.unpacked and (out <= _BOMB_FLOOR or out <= limits.ratio * max(packed, 1)):
        return
    raise FileError(
        f"The file unpacks to more than is allowed ({limits.unpacked:,} bytes, {limits.ratio:,} times its size).",
        code="compression_bomb",
        hint="Split the file, or load it unpacked. Nothing was changed.",
        facts={"file": name, "packed_bytes": packed, "unpacked_limit": limits.unpacked, "ratio_limit": limits.ratio},
    )
