"""Files named on the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ingest_core.errors import InputError
from ingest_core.files import PathSource


def file_given(name: str) -> PathSource:
    """A data file. InputError ``no_such_file`` unless it is a readable regular file."""
    path = Path(name)
    if not path.is_file():
        raise _missing()
    try:
        # A name need not be text; in the history it is.
        return PathSource(path, os.fsencode(path.name).decode("utf-8", "replace"))
    except OSError:
        raise _missing() from None


def text_given(path: Path) -> str:
    """The text of a small file of ours, such as a mapping. InputError ``no_such_file``, ``wrong_encoding``."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The file is not UTF-8 text.", code="wrong_encoding", hint="Save it as UTF-8.") from None
    except OSError:
        raise _missing() from None


def _missing() -> InputError:
    return InputError(
        "There is no such file, or it cannot be read. Nothing was changed.",
        code="no_such_file",
        hint="Check the path and its permissions.",
    )
