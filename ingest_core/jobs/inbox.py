"""The inbox: a folder in which files wait until a person or a command takes one into a source.

A file that is taken is copied into the encrypted landing zone exactly like one that was sent by the browser, under the
limit for files from folders. The original then moves to ``done`` beside the others, where nobody loads it a second time
by mistake and nothing is lost if the ingest is given up; it goes after ``inbox_keep_days``.

Nothing outside the folder can be named: a file is found by its name among those that are listed, and opened without
following links.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from ingest_core.clock import now
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import FileError, InputError, StateError
from ingest_core.models import Progress
from ingest_core.settings import Settings
from ingest_core.vault import LandingZone

DONE = "done"
QUIET_SECONDS = 5
"""A file that was written to less than this ago may still be growing."""

UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~")
"""Endings under which programs write a file that is not whole yet."""

_COPY_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not make us wait


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file that waits. ``name`` as people see it, ``entry`` as the disk has it; times are UTC without a zone."""

    name: str
    entry: str
    size: int
    modified_at: datetime
    is_growing: bool

    @property
    def file_id(self) -> str:
        """A short name without any sign that could trouble a page or a URL."""
        return hashlib.sha256(os.fsencode(self.entry)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that lies in the landing zone now."""

    landing_id: str
    name: str
    size: int
    sha256: str


class Inbox:
    """The files that wait in one folder, which is made when it is first asked for."""

    def __init__(self, home: Path, settings: Settings, landing: LandingZone) -> None:
        self._home = home
        self._settings = settings
        self._landing = landing

    def folder(self) -> Path:
        """Where the files are put. StateError ``no_inbox`` when it cannot be made."""
        folder = inbox_folder(self._home, self._settings)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise _no_folder() from None
        return folder

    def folders(self) -> list[str]:
        """Folders in it in which files wait, by name; hidden ones, links and ``done`` are left out."""
        folder = self.folder()
        try:
            with os.scandir(folder) as entries:
                found = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError:
            raise _no_folder() from None
        named = (name for name in sorted(found) if name.isprintable() and not name.startswith(".") and name != DONE)
        return [name for name in named if self.inside(name).waiting()]

    def inside(self, name: str) -> Inbox:
        """One of its folders, as an inbox of its own. InputError ``not_in_inbox``."""
        path = self.folder() / name
        if not name or "/" in name or name.startswith(".") or path.is_symlink() or not path.is_dir():
            raise InputError(
                "There is no such folder in the inbox. Nothing was taken.",
                code="not_in_inbox",
                hint="It may have been moved away. Look at the list again.",
            )
        settings = self._settings.model_copy(update={"inbox_folder": str(path)})
        return Inbox(self._home, settings, self._landing)

    def waiting(self) -> list[InboxFile]:
        """Newest first. Hidden and unfinished names, folders and links are left out. StateError ``no_inbox``."""
        folder, moment = self.folder(), now()
        try:
            with os.scandir(folder) as entries:
                found = [_seen(entry.name, entry.stat(follow_symlinks=False), moment) for entry in entries]
        except OSError:
            raise _no_folder() from None
        return sorted((file for file in found if file is not None), key=lambda file: file.modified_at, reverse=True)

    def find(self, name: str) -> InboxFile:
        """By its name or its ``file_id``. InputError ``not_in_inbox``."""
        for file in self.waiting():
            if name in (file.entry, file.name, file.file_id):
                return file
        raise InputError(
            "There is no such file in the inbox. Nothing was taken.",
            code="not_in_inbox",
            hint="It may have been taken already. Look at the list of files again.",
        )

    def open(self, name: str) -> InboxSource:
        """The file as a ByteSource, where it lies. InputError ``not_in_inbox``; StateError ``file_growing``."""
        file = self.find(name)
        if file.is_growing:
            raise _growing()
        return InboxSource(file, self.folder())

    def take(self, name: str, progress: Progress = ignore_progress) -> Taken:
        """Copies a file into the landing zone; the original stays until ``put_away``, so that nothing can be lost.

        Raises as ``open``, and FileError ``empty_file``, ``too_large``. Whatever is raised, also by ``progress``,
        leaves nothing behind.
        """
        source = self.open(name)
        self._check_size(source)
        writer = self._landing.create(source.name, source.size)
        seen = hashlib.sha256()
        try:
            with source.open() as stream:
                while block := stream.read(_COPY_BYTES):
                    seen.update(block)
                    writer.write(block)
                    if writer.offset > source.size:
                        raise _growing()
                    progress("receive", writer.offset, source.size)
            if not source.is_as_before() or writer.offset != source.size:
                raise _growing()
            writer.finish()
        except BaseException:
            with contextlib.suppress(OSError):
                writer.finish()
            self._landing.delete(writer.landing_id)
            raise
        return Taken(writer.landing_id, source.name, source.size, seen.hexdigest())

    def put_away(self, name: str) -> bool:
        """Moves a file that was taken into ``done``, and removes what has been there for long; False when it is gone.

        The time of the moved file is when it was taken.
        """
        folder = self.folder()
        tidy(folder, self._settings.inbox_keep_days)
        try:
            file = self.find(name)
            done = folder / DONE
            done.mkdir(mode=0o700, exist_ok=True)
            moved = _free_name(done, file.entry)
            (folder / file.entry).rename(moved)
            moment = now().replace(tzinfo=UTC).timestamp()
            os.utime(moved, (moment, moment), follow_symlinks=False)
        except (InputError, FileNotFoundError):
            return False
        except OSError:
            raise StateError(
                "The file was taken, but could not be moved out of the inbox.",
                code="inbox_locked",
                hint="Check the permissions of the folder, and move the file away before somebody loads it again.",
            ) from None
        return True

    def _check_size(self, source: InboxSource) -> None:
        if not source.size:
            raise FileError("The file is empty. Nothing was taken.", code="empty_file", hint="Export it again.")
        limit = self._settings.file_limit_bytes
        if source.size > limit:
            raise FileError(
                f"The file has {source.size:,} bytes; the limit is {limit:,}. Nothing was taken.",
                code="too_large",
                hint="Split the file, or raise file_limit_bytes in the settings.",
                facts={"size": source.size, "limit": limit},
            )


class InboxSource:
    """The bytes of a file in the inbox: never through a link, never of anything but a regular file."""

    def __init__(self, file: InboxFile, folder: Path) -> None:
        self.name = file.name
        self.size = file.size
        self._path = folder / file.entry
        self._file = file

    def open(self) -> IO[bytes]:
        """A fresh binary stream at offset 0."""
        try:
            handle = os.open(self._path, _FLAGS)
        except OSError:
            raise _unreadable() from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _unreadable()
        return os.fdopen(handle, "rb")

    def is_as_before(self) -> bool:
        """Whether nobody wrote to the file since it was listed."""
        try:
            found = self._path.stat(follow_symlinks=False)
        except OSError:
            return False
        return (found.st_size, _moment(found)) == (self._file.size, self._file.modified_at)


def inbox_folder(home: Path, settings: Settings) -> Path:
    """Where a workspace's inbox is: ``inbox`` in its folder, or what the settings say."""
    return home / "inbox" if settings.inbox_folder is None else Path(settings.inbox_folder)


def tidy(folder: Path, keep_days: int | None) -> int:
    """Deletes files that were taken out of an inbox longer than ``keep_days`` ago (None = never); returns how many."""
    late = taken_before(folder, keep_days)
    for path in late:
        path.unlink()
    return len(late)


def taken_before(folder: Path, keep_days: int | None) -> list[Path]:
    """The files that ``tidy`` would delete."""
    done = folder / DONE
    if keep_days is None or not done.is_dir() or done.is_symlink():
        return []
    oldest = now() - timedelta(days=keep_days)
    with os.scandir(done) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.is_file(follow_symlinks=False) and _moment(entry.stat(follow_symlinks=False)) <= oldest
        ]


def _seen(entry: str, found: os.stat_result, moment: datetime) -> InboxFile | None:
    if not stat.S_ISREG(found.st_mode) or entry.startswith((".", "~$")) or entry.lower().endswith(UNFINISHED):
        return None
    at = _moment(found)
    is_growing = timedelta(0) <= moment - at < timedelta(seconds=QUIET_SECONDS)  # a clock that is ahead says nothing
    return InboxFile(os.fsencode(entry).decode("utf-8", "replace"), entry, found.st_size, at, is_growing)


def _moment(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC).replace(tzinfo=None)


def _free_name(folder: Path, entry: str) -> Path:
    number = 1
    path = Path(entry)
    while (wanted := folder / (entry if number == 1 else f"{path.stem} ({number}){path.suffix}")).exists():
        number += 1
    return wanted


def _no_folder() -> StateError:
    return StateError(
        "The inbox folder cannot be used. Nothing was changed.",
        code="no_inbox",
        hint="Check that it exists and that Onramp may read and write it.",
    )


def _growing() -> StateError:
    return StateError(
        "The file is still being written. Nothing was taken.",
        code="file_growing",
        hint="Wait until it is complete, then take it.",
    )


def _unreadable() -> FileError:
    return FileError(
        "The file cannot be read. Nothing was taken.",
        code="file_not_found",
        hint="Check that it is still there, and its permissions.",
    )
