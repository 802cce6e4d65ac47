"""A folder as a place that a test can break: at the n-th call, in the middle of a file, or by changing the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest_core.errors import DeliveryError
from ingest_core.transport.port import UNFINISHED, Entry, Stored, broke_off, checked_name, file_changed, file_gone


def down() -> DeliveryError:
    return DeliveryError(
        "The place cannot be reached. Nothing was changed.", code="place_unreachable", is_retryable=True
    )


@dataclass
class Shelf:
    """The port over one folder. ``calls`` says what was asked; ``before`` is called before each of it."""

    folder: Path
    calls: list[str] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda call, name: None
    is_down: bool = False

    def names(self) -> list[str]:
        return ["shelf"]

    def require(self, name: str) -> None:
        pass

    def connect(self, name: str) -> Shelf:
        self._call("connect", name)
        return self

    def entries(self, folder: str = "") -> list[Entry]:
        self._call("entries", folder)
        at = self.folder / folder
        if not at.is_dir():
            return []
        return sorted(
            (self._entry(path) for path in at.iterdir() if path.is_file() and not path.name.endswith(UNFINISHED)),
            key=lambda entry: entry.name,
        )

    def fetch(self, entry, write, told=lambda _: None) -> None:
        path = self.folder / checked_name(entry.name)
        if not path.is_file():
            raise file_gone(entry.name)
        if self._entry(path) != entry:
            raise file_changed(entry.name)
        data = path.read_bytes()
        write(data[: len(data) // 2])
        self._call("fetch", entry.name)
        write(data[len(data) // 2 :])
        told(len(data))
        if not path.is_file() or self._entry(path) != entry:
            raise file_changed(entry.name)

    def put(self, name, file, told=lambda _: None, *, replace=False) -> Stored:
        self._call("put", name)
        path = self.folder / checked_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with file.open() as stream:
            path.write_bytes(stream.read())
        return Stored(name, file.size, str(path))

    def move(self, name: str, to: str) -> None:
        self._call("move", name)
        target = self.folder / checked_name(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            (self.folder / checked_name(name)).rename(target)
        except FileNotFoundError:
            raise file_gone(name) from None

    def delete(self, name: str) -> None:
        self._call("delete", name)
        (self.folder / checked_name(name)).unlink(missing_ok=True)

    def close(self) -> None:
        self._call("close", "")

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cut(self, call: str, *, times: int = 1, error: Callable[[], Exception] = lambda: broke_off("x")) -> None:
        """Breaks the next calls of one kind."""
        left = [times]

        def fail(asked: str, _: str) -> None:
            if asked == call and left[0]:
                left[0] -= 1
                raise error()

        self.before = fail

    def lay(self, name: str, data: str | bytes, moment: datetime | None = None) -> Path:
        """A file that is there, changed at a moment."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        if moment is not None:
            seconds = moment.replace(tzinfo=UTC).timestamp()
            os.utime(path, (seconds, seconds))
        return path

    def files(self, folder: str = "") -> list[str]:
        at = self.folder / folder
        return sorted(path.name for path in at.iterdir() if path.is_file()) if at.is_dir() else []

    def _entry(self, path: Path) -> Entry:
        found = path.stat()
        modified = datetime.fromtimestamp(int(found.st_mtime), UTC)
        return Entry(str(path.relative_to(self.folder)), found.st_size, modified)

    def _call(self, call: str, name: str) -> None:
        self.calls.append(call)
        if self.is_down and call != "close":
            raise down()
        self.before(call, name)
