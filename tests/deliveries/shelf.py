"""A destination that is a folder, and that can fail at a chosen moment: before anything, or after the file is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_core.errors import DeliveryError, InputError
from ingest_core.models import ByteSource
from ingest_core.transport.port import Stored, file_exists


def lost(code: str = "place_unreachable", *, is_retryable: bool = True) -> DeliveryError:
    return DeliveryError("The place does not answer.", code=code, is_retryable=is_retryable)


@dataclass
class _Kept:
    destination_id: int
    name: str
    folder: str

    @property
    def place(self) -> _Kept:
        return self

    def model_dump_json(self, exclude: object = None) -> str:
        return self.folder


class Shelf:
    """The only destination, *Partner*. ``fails``: what to raise, by moment (connect, before, after), once each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.fails: dict[str, BaseException] = {}
        self.puts: list[str] = []

    def get(self, key: int | str) -> _Kept:
        if key not in (1, "Partner", "partner"):
            raise InputError("There is no such destination.", code="no_such_destination")
        return _Kept(1, "Partner", str(self.folder))

    def connect(self, key: int | str) -> Shelf:
        self.get(key)
        self._fail("connect")
        return self

    def put(self, name: str, file: ByteSource, told: Any = lambda _: None, *, replace: bool = False) -> Stored:
        self._fail("before")
        told(0)
        with file.open() as stream:
            data = stream.read()
        path = self.folder / name
        if path.exists() and path.read_bytes() != data:
            raise file_exists(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            self.puts.append(name)
        self._fail("after")
        return Stored(name, len(data), str(path))

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _fail(self, moment: str) -> None:
        error = self.fails.pop(moment, None)
        if error is not None:
            raise error

    def files(self) -> list[str]:
        """The names of what is there."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def text(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")
