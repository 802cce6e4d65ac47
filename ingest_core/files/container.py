"""What the bytes are wrapped in: decided by their first bytes, never by a file's name."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Literal

from ingest_core.apart.caps import Watch
from ingest_core.errors import FileError
from ingest_core.files.gzip_members import GzipBytes
from ingest_core.files.zip_member import ZIP_MAGIC, is_spreadsheet, only_member
from ingest_core.models import ByteSource, FileLimits

Container = Literal["plain", "gzip", "zip", "xlsx"]

CHUNK_BYTES = 1 << 20

# First bytes → what a person would call it.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x9d", "a compress (.Z) archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (b"%PDF-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (such as .xls)"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"ARROW1\x00\x00", "an Arrow file"),
    (b"Obj\x01", "an Avro file"),
    (b"{\\rtf", "a rich-text document"),
    (b"\x7fELF", "a program"),
)
_GZIP_MAGIC = b"\x1f\x8b"


def detect(source: ByteSource) -> Container:
    """The container of a file by its magic.

    Raises ``FileError``: ``empty_file``, ``unsupported_container`` for what has no reader, ``zip_damaged``.
    """
    if source.size == 0:
        raise FileError(
            "The file is empty.",
            code="empty_file",
            hint="Export it again. Nothing was changed.",
            facts={"file": source.name},
        )
    with source.open() as stream:
        first = stream.read(512)
        _refuse_foreign(first, source.name)
        if first.startswith(_GZIP_MAGIC):
            return "gzip"
        if first.startswith(ZIP_MAGIC):
            return "xlsx" if is_spreadsheet(stream, source.name) else "zip"
    return "plain"


def _refuse_foreign(first: bytes, name: str) -> None:
    what = next((what for magic, what in _REFUSED if first.startswith(magic)), None)
    if what is None and first[257:262] == b"ustar":
        what = "a tar archive"
    if what is not None:
        raise FileError(
            f"The file is {what}, which is not read here.",
            code="unsupported_container",
            hint="Save it as TSV or CSV, plain or compressed with gzip, or as XLSX. Nothing was changed.",
            facts={"file": name, "kind": what},
        )


def unpacked(
    source: ByteSource,
    container: Container,
    limits: FileLimits,
    *,
    chunk_bytes: int = CHUNK_BYTES,
    on_raw: Callable[[bytes], None] | None = None,
) -> Iterator[bytes]:
    """The text bytes of a plain, gzip or zip file in chunks of at most ``chunk_bytes``, checked as they pass.

    ``on_raw`` sees the bytes of a plain or gzip file as they are on disk, in order. Reading to the end proves the
    checks; raises ``FileError`` ``gzip_*``, ``zip_*``, ``compression_bomb``, ``too_slow``.
    """
    watch = Watch(limits.seconds, source.name)
    for chunk in _checked(source, container, limits, chunk_bytes, on_raw or _ignore):
        watch.check()  # what is done with a chunk before the next is asked for counts, too
        yield chunk


def _checked(
    source: ByteSource, container: Container, limits: FileLimits, chunk_bytes: int, see: Callable[[bytes], None]
) -> Iterator[bytes]:
    with source.open() as stream:
        if container == "gzip":
            chunks: Iterator[bytes] = iter(GzipBytes(stream, source, limits, chunk_bytes, see))
        elif container == "zip":
            chunks = _zip_chunks(stream, source, limits, chunk_bytes)
        else:
            chunks = _plain_chunks(stream, chunk_bytes, see)
        if container == "plain":
            yield from chunks
            return
        first = next(chunks, b"")
        _refuse_nested(first, source.name)
        if first:
            yield first
        yield from chunks


def _plain_chunks(stream: IO[bytes], chunk_bytes: int, see: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := stream.read(chunk_bytes):
        see(chunk)
        yield chunk


def _zip_chunks(stream: IO[bytes], source: ByteSource, limits: FileLimits, chunk_bytes: int) -> Iterator[bytes]:
    with only_member(stream, source, limits) as member:
        try:
            while chunk := member.read(chunk_bytes):
                yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise FileError(
                "The ZIP archive is damaged: its contents do not match their checksum.",
                code="zip_damaged",
                hint="Make or transfer the archive again. Nothing was changed.",
                facts={"file": source.name},
            ) from error


def _refuse_nested(first: bytes, name: str) -> None:
    if first.startswith((_GZIP_MAGIC, *ZIP_MAGIC)):
        raise FileError(
            "The archive holds another archive or workbook.",
            code="unsupported_container",
            hint="Unpack it once and load what is inside. Nothing was changed.",
            facts={"file": name},
        )
    _refuse_foreign(first, name)


def _ignore(_: bytes) -> None:
    return None
