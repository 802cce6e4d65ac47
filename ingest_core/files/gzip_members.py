"""Gzip, unpacked by zlib with every check on (facts.md F1: engines skip them and load wrong data)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import IO

from ingest_core.apart.caps import check_unpacked
from ingest_core.errors import FileError
from ingest_core.models import ByteSource, FileLimits

_RAW_BYTES = 1 << 18
_FIRST_BYTES = 1 << 10  # given to a new member: what lies behind its end is copied, and it may end at once
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
        self._most = max(chunk_bytes // 2, 1)
        self._see = see
        self._raw = b""
        self._at = 0  # in _raw
        self._out = 0

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of at most ``chunk_bytes``, small ones gathered: a member may hold a single byte."""
        parts: list[bytes] = []
        held = 0
        for part in self._parts():
            parts.append(part)
            held += len(part)
            if held >= self._most:
                yield b"".join(parts)
                parts, held = [], 0
        if parts:
            yield b"".join(parts)

    def _parts(self) -> Iterator[bytes]:
        while begin := self._peek():
            if begin != _MAGIC:
                raise self._error("gzip_trailing_garbage", "Bytes follow the end of the gzip data.")
            yield from self._member()

    def _member(self) -> Iterator[bytes]:
        member = zlib.decompressobj(wbits=31)
        pending, size = b"", _FIRST_BYTES
        while not member.eof:
            if not pending:
                pending, size = self._take(size), _RAW_BYTES
                if not pending:
                    raise self._error("gzip_truncated", "The gzip file ends in the middle: part of it is missing.")
            try:
                out = member.decompress(pending, self._most)
            except zlib.error as error:
                raise self._error("gzip_damaged", "The gzip file is damaged: a checksum does not fit.") from error
            pending = member.unconsumed_tail
            if out:
                self._out += len(out)
                self._check_size()
                yield out
        self._at -= len(member.unused_data)

    def _peek(self) -> bytes:
        """The next two bytes, or what there is."""
        if len(self._raw) - self._at < 2:
            self._raw, self._at = self._raw[self._at :] + self._read(), 0
        return self._raw[self._at : self._at + 2]

    def _take(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end of the file."""
        if self._at == len(self._raw):
            self._raw, self._at = self._read(), 0
        piece = self._raw[self._at : self._at + size]
        self._at += len(piece)
        return piece

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
