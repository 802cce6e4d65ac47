"""The bytes of a file against its name: size, gzip, OpenPGP, encoding (spec §4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest_core.audience_manager.name_types import Tail
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.errors import FileError
from ingest_core.files.gzip_members import GzipBytes
from ingest_core.files.zip_member import ZIP_MAGIC
from ingest_core.models import ByteSource, FileLimits

_GB = 1 << 30  # D-02
_PACKED_TIMES = 8  # of what gzip makes of such lines
_FIRST = 1 << 16
_CHUNK = 4 << 20
_GZIP = b"\x1f\x8b"
_ARMOUR = b"-----BEGIN PGP MESSAGE-----"
# The packets with which an encrypted message begins: session keys (tags 1, 3), encrypted data (9, 18, 20), compressed
# data (8); in the old format, whose bytes begin no UTF-8 text, and in the new one, told from text by what follows.
_OLD_PACKETS = re.compile(rb"[\x84-\x87\x8c-\x8f\xa0-\xa7]")
_NEW_PACKETS = re.compile(rb"\xc1|[\xc3\xc8\xc9\xd2\xd4][^\x80-\xbf][\x01-\x06]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Bytes. ``packed`` and ``plain``: the most; ``good_*``: above it splitting is proposed; ``unpacked``: of gzip."""

    packed: int = 3 * _GB
    plain: int = 5 * _GB
    good_packed: int = _GB
    good_plain: int = _GB
    unpacked: int = 20 * 5 * _GB


def looks_like_pgp(head: bytes) -> bool:
    """Whether bytes begin like an OpenPGP message, armoured or not."""
    return head.startswith(_ARMOUR) or bool(_OLD_PACKETS.match(head) or _NEW_PACKETS.match(head))


def size_warnings(size: int, tail: Tail, limits: WireLimits = WireLimits()) -> tuple[str, ...]:
    """``size_not_optimal`` for what is taken and better sent in parts."""
    good = limits.good_packed if tail.compression or tail.pgp else limits.good_plain
    return ("size_not_optimal",) if size > good else ()


def plain_size(source: ByteSource, tail: Tail) -> int:
    """About how many bytes its text has."""
    return source.size * (_PACKED_TIMES if tail.compression else 1)


def check_wire(source: ByteSource, tail: Tail, limits: WireLimits = WireLimits()) -> None:
    """Raises ``FileError`` when size or first bytes do not fit the name: ``empty_file``, ``file_too_large``,
    ``compression_mismatch``, ``corrupt_gzip``, ``decrypt_failed``.
    """
    if source.size == 0:
        raise _refused("empty_file", "The file has no bytes.", source)
    most = limits.packed if tail.compression or tail.pgp else limits.plain
    if source.size > most:
        raise _refused("file_too_large", f"The file has {source.size:,} bytes; {most:,} are taken.", source)
    with source.open() as stream:
        head = stream.read(64)
    if tail.compression == "gz" and not head.startswith(_GZIP):
        raise _refused("corrupt_gzip", "The name ends in .gz, but the bytes are no gzip.", source)
    if tail.pgp and not looks_like_pgp(head):
        raise _refused("decrypt_failed", "The bytes are no OpenPGP message.", source)
    if not tail.compression and not tail.pgp:
        kinds = {
            "gzip": head.startswith(_GZIP),
            "a ZIP archive": head.startswith(ZIP_MAGIC),
            "OpenPGP": looks_like_pgp(head),
        }
        found = next((kind for kind, is_it in kinds.items() if is_it), None)
        if found is not None:
            raise _refused("compression_mismatch", f"The name says plain text, but the bytes are {found}.", source)


def check_decrypted(head: bytes, source: ByteSource) -> None:
    """Raises ``FileError`` ``gzip_and_pgp`` when what was in an OpenPGP message is gzip again."""
    if head.startswith(_GZIP):
        raise _refused("gzip_and_pgp", "The encrypted message holds gzip; OpenPGP compresses already.", source)


def text_chunks(source: ByteSource, tail: Tail, limits: WireLimits = WireLimits()) -> Iterator[bytes]:
    """The text of a plain or gzip file in chunks, checked as it passes. Raises what ``check_wire`` does, then
    ``corrupt_gzip``, ``compression_bomb``, ``bad_encoding``. OpenPGP is not for here.
    """
    check_wire(source, tail, limits)
    caps = FileLimits(size=limits.plain, unpacked=limits.unpacked, ratio=limits.unpacked, seconds=0)
    chunks = _unpacked(source, tail, caps)
    is_begin = True
    while True:
        try:
            chunk = next(chunks, None)
        except FileError as error:
            raise _as_ours(error, source) from error
        if chunk is None:
            return
        if is_begin:
            _check_begin(chunk[:_FIRST], source, tail)
            is_begin = False
        yield chunk


def _unpacked(source: ByteSource, tail: Tail, caps: FileLimits) -> Iterator[bytes]:
    """Unlike tables, lines may begin with what begins another kind of file: an id like ``BZh1`` is an id."""
    with source.open() as stream:
        if tail.compression:
            yield from GzipBytes(stream, source, caps, _CHUNK, lambda _: None)
            return
        while chunk := stream.read(_CHUNK):
            yield chunk


def _check_begin(head: bytes, source: ByteSource, tail: Tail) -> None:
    if tail.compression and head.startswith((_GZIP, *ZIP_MAGIC)):
        raise _refused("compression_mismatch", "The gzip file holds another archive, not text.", source)
    if head.startswith(_WIDE_MARKS):
        raise _refused("bad_encoding", "The file begins with the mark of UTF-16 or UTF-32.", source)
    if b"\x00" in head:
        raise _refused("bad_encoding", "There are NUL bytes near the beginning, as in UTF-16.", source)


def _as_ours(error: FileError, source: ByteSource) -> FileError:
    if error.code.startswith("gzip_"):
        return _refused("corrupt_gzip", error.message, source)
    return error


def _refused(code: str, message: str, source: ByteSource) -> FileError:
    return FileError(
        message, code=code, hint=f"{AM_REASONS[code].fix} Nothing was changed.", facts={"file": source.name}
    )
