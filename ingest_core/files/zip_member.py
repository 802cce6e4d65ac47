"""The one file inside a ZIP archive."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from ingest_core.apart.caps import check_unpacked
from ingest_core.errors import FileError
from ingest_core.models import ByteSource, FileLimits

_MOST_CONTENTS = 4 << 20  # some 60,000 files
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_WORKBOOK = "xl/workbook.xml"
_OTHER_DOCUMENTS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF", "xl/workbook.bin")


def open_archive(stream: IO[bytes], name: str) -> zipfile.ZipFile:
    """The archive's directory; raises ``FileError`` ``zip_damaged``, ``zip_too_many_files``."""
    careful = _Careful(stream, name)
    try:
        archive = zipfile.ZipFile(careful)  # type: ignore[call-overload]  # quacks like a file
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise FileError(
            "The ZIP archive is damaged: it has no readable table of contents.",
            code="zip_damaged",
            hint="Make or transfer the archive again. Nothing was changed.",
            facts={"file": name},
        ) from error
    careful.is_open = True
    return cast(zipfile.ZipFile, archive)


class _Careful:
    """The archive's bytes; refuses a table of contents that is too long, which zipfile reads in one piece."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        self.is_open = False

    def read(self, size: int = -1) -> bytes:
        if size > _MOST_CONTENTS and not self.is_open:
            raise FileError(
                "The ZIP archive lists far more files than are read here.",
                code="zip_too_many_files",
                hint="Pack one table into one archive. Nothing was changed.",
                facts={"file": self._name, "contents_bytes": size, "contents_limit": _MOST_CONTENTS},
            )
        return self._stream.read(size)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def is_spreadsheet(stream: IO[bytes], name: str) -> bool:
    """Whether a ZIP is an XLSX workbook; raises ``unsupported_container`` for other documents in a ZIP."""
    with open_archive(stream, name) as archive:
        names = set(archive.namelist())
    if _WORKBOOK in names:
        return True
    if names.intersection(_OTHER_DOCUMENTS):
        raise FileError(
            "The file is a document or program (such as DOCX, ODS or XLSB), which is not read here.",
            code="unsupported_container",
            hint="Save it as XLSX, TSV or CSV. Nothing was changed.",
            facts={"file": name},
        )
    return False


@contextmanager
def only_member(stream: IO[bytes], source: ByteSource, limits: FileLimits) -> Iterator[IO[bytes]]:
    """A stream of the archive's only file; folders and the ``__MACOSX`` shadow files of macOS do not count.

    Raises ``FileError``: ``zip_not_one_file``, ``unsupported_container`` (password, method), ``compression_bomb``.
    """
    with open_archive(stream, source.name) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
        if len(files) != 1:
            raise FileError(
                f"The ZIP archive holds {len(files):,} files; exactly one is needed.",
                code="zip_not_one_file",
                hint="Pack one table into one archive. Nothing was changed.",
                facts={"file": source.name, "files": len(files)},
            )
        info = files[0]
        # zipfile never hands out more than the declared size and checks the CRC, so the declaration can be trusted.
        check_unpacked(info.file_size, source.size, source.name, limits)
        _refuse_unreadable(info, source.name)
        try:
            member = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
            raise FileError(
                "The ZIP archive is damaged: its file cannot be opened.",
                code="zip_damaged",
                hint="Make or transfer the archive again. Nothing was changed.",
                facts={"file": source.name},
            ) from error
        with member:
            yield member


def _refuse_unreadable(info: zipfile.ZipInfo, name: str) -> None:
    is_encrypted = bool(info.flag_bits & 0x1)
    if not is_encrypted and info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return
    why = "is protected with a password" if is_encrypted else "uses an unusual compression method"
    raise FileError(
        f"The ZIP archive {why}.",
        code="unsupported_container",
        hint="Pack it again as a plain ZIP or gzip file. Nothing was changed.",
        facts={"file": name},
    )
