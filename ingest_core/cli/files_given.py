"""Files named on the command line."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ingest_core.cli.caller import path_given
from ingest_core.engine.stopping import Stop, current_stop
from ingest_core.errors import InputError
from ingest_core.files import PathSource
from ingest_core.models import ByteSource

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 20


def file_given(name: str) -> PathSource:
    """A data file. InputError ``no_such_file`` unless it is a readable regular file."""
    path = path_given(name)
    if not path.is_file():
        raise _missing()
    try:
        # A name need not be text; in the history it is.
        return _Given(path, os.fsencode(path.name).decode("utf-8", "replace"))
    except OSError:
        raise _missing() from None


def write_private(path: Path, source: ByteSource) -> None:
    """Writes a new file (0600), whole or not at all. InputError ``cannot_write``."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            try:
                with source.open() as stream:
                    while block := stream.read(_BLOCK):
                        file.write(block)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InputError(
            f"The file cannot be written there: {error.strerror}. Nothing was written.",
            code="cannot_write",
            hint="Choose another folder.",
        ) from None


def text_given(name: str | Path) -> str:
    """The text of a small file of ours, such as a mapping. InputError ``no_such_file``, ``wrong_encoding``."""
    try:
        return path_given(name).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The file is not UTF-8 text.", code="wrong_encoding", hint="Save it as UTF-8.") from None
    except OSError:
        raise _missing() from None


class _Given(PathSource):
    """A file whose reading ends where its command is asked to stop, whichever thread reads."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path, name)
        self._stop = current_stop()

    def open(self) -> IO[bytes]:
        stream = super().open()
        if self._stop is None:
            return stream
        stream.close()  # it was opened for the errors it may meet
        return io.BufferedReader(_Stoppable(self.path, self._stop))


class _Stoppable(io.FileIO):
    def __init__(self, path: Path, stop: Stop) -> None:
        super().__init__(path, "rb")
        self._stop = stop

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._stop.check()
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._stop.check()
        return super().readall()


def _missing() -> InputError:
    return InputError(
        "There is no such file, or it cannot be read. Nothing was changed.",
        code="no_such_file",
        hint="Check the path and its permissions.",
    )
