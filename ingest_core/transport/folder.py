"""A folder of this machine. Every step goes from an open folder to the next, and no link is followed on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ingest_core.errors import DeliveryError
from ingest_core.models import ByteSource
from ingest_core.transport.failures import no_such_place, of_disk
from ingest_core.transport.leaving import Connected, is_listed, sent_whole
from ingest_core.transport.places import FolderPlace
from ingest_core.transport.port import (
    BLOCK_BYTES,
    UNFINISHED,
    Entry,
    Stored,
    Told,
    Write,
    broke_off,
    checked_name,
    file_changed,
    file_exists,
    file_gone,
)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not make us wait
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Folder(Connected):
    """See port.Place. The folder itself has to be there; it is never made: an unmounted share would be filled."""

    def __init__(self, place: FolderPlace) -> None:
        self._path = Path(place.path)
        with _told():
            # Where an administrator's own link leads is decided once, here.
            self._root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def entries(self, folder: str = "") -> list[Entry]:
        with _told():
            try:
                inside = self._walk(checked_name(folder).split("/") if folder else [])
            except FileNotFoundError:
                return []
            try:
                with os.scandir(inside) as found:
                    names = [one.name for one in found if is_listed(one.name)]
                kept = [(name, os.stat(name, dir_fd=inside, follow_symlinks=False)) for name in sorted(names)]
            finally:
                os.close(inside)
        head = f"{folder}/" if folder else ""
        return [_entry(head + name, about) for name, about in kept if stat.S_ISREG(about.st_mode)]

    def fetch(self, entry: Entry, write: Write, told: Told = lambda _: None) -> None:
        with _told(entry.name), self._beside(entry.name, gone=True) as (folder, leaf):
            try:
                file = os.open(leaf, _READ, dir_fd=folder)
            except (FileNotFoundError, OSError) as error:
                raise _gone(entry.name, error) from None
            with os.fdopen(file, "rb") as stream:
                _unchanged(entry, os.fstat(file))
                done = 0
                while block := stream.read(BLOCK_BYTES):
                    write(block)
                    done += len(block)
                    told(done)
                _unchanged(entry, os.fstat(file))
            try:
                _unchanged(entry, os.stat(leaf, dir_fd=folder, follow_symlinks=False))
            except FileNotFoundError:
                raise file_gone(entry.name) from None
            if done != entry.size:
                raise broke_off(entry.name)

    def put(self, name: str, file: ByteSource, told: Told = lambda _: None, *, replace: bool = False) -> Stored:
        with _told(name), self._beside(name, create=True) as (folder, leaf):
            found = self._look(folder, leaf, name)
            if found is not None and self.holds(found, file):
                return self._stored(found)
            if found is not None and not replace:
                raise file_exists(name)
            draft = leaf + UNFINISHED
            try:
                _fill(folder, draft, name, file, told)
                _publish(folder, draft, leaf, replace=replace)
            except FileExistsError:
                raise file_exists(name) from None
            finally:
                _remove(folder, draft)
            os.fsync(folder)
            kept = self._look(folder, leaf, name)
            if kept is None or kept.size != file.size:
                raise broke_off(name)
            return self._stored(kept)

    def move(self, name: str, to: str) -> None:
        with (
            _told(name),
            self._beside(name, gone=True) as (folder, leaf),
            self._beside(to, create=True) as (other, new),
        ):
            try:
                os.rename(leaf, new, src_dir_fd=folder, dst_dir_fd=other)
            except FileNotFoundError:
                raise file_gone(name) from None
            os.fsync(other)
            os.fsync(folder)

    def delete(self, name: str) -> None:
        with _told(name):
            try:
                with self._beside(name) as (folder, leaf):
                    _remove(folder, leaf)
            except FileNotFoundError:
                return

    def close(self) -> None:
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    @contextmanager
    def _beside(self, name: str, *, create: bool = False, gone: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder of a file and the file's own name in it."""
        *parts, leaf = checked_name(name).split("/")
        try:
            folder = self._walk(parts, create=create)
        except FileNotFoundError:
            if gone:
                raise file_gone(name) from None
            raise
        try:
            yield folder, leaf
        finally:
            os.close(folder)

    def _walk(self, parts: list[str], *, create: bool = False) -> int:
        """From the place's folder down, made where missing; a link on the way is an OSError."""
        here = os.dup(self._root)
        try:
            for part in parts:
                if create:
                    try:
                        os.mkdir(part, 0o750, dir_fd=here)
                        os.fsync(here)
                    except FileExistsError:
                        pass  # the usual case
                below = os.open(part, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
        except BaseException:
            os.close(here)
            raise
        return here

    def _look(self, folder: int, leaf: str, name: str) -> Entry | None:
        try:
            about = os.stat(leaf, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(about.st_mode):
            raise file_exists(name)
        return _entry(name, about)

    def _stored(self, entry: Entry) -> Stored:
        return Stored(entry.name, entry.size, str(self._path / entry.name), entry.version)


def _entry(name: str, about: os.stat_result) -> Entry:
    modified = datetime.fromtimestamp(int(about.st_mtime), UTC)
    return Entry(name, about.st_size, modified, f"{about.st_ino:x}-{about.st_mtime_ns:x}")


def _unchanged(entry: Entry, about: os.stat_result) -> None:
    now = _entry(entry.name, about)
    if not stat.S_ISREG(about.st_mode) or now.size != entry.size or now.modified != entry.modified:
        raise file_changed(entry.name)
    if entry.version is not None and now.version != entry.version:
        raise file_changed(entry.name)


def _gone(name: str, error: OSError) -> Exception:
    return file_gone(name) if isinstance(error, FileNotFoundError) else of_disk(error, name)


def _fill(folder: int, draft: str, name: str, file: ByteSource, told: Told) -> None:
    _remove(folder, draft)  # of an attempt that was killed
    with os.fdopen(os.open(draft, _WRITE, 0o640, dir_fd=folder), "wb") as out, file.open() as stream:
        done = 0
        while block := stream.read(BLOCK_BYTES):
            out.write(block)
            done += len(block)
            told(done)
        sent_whole(name, done, file)
        out.flush()
        os.fsync(out.fileno())
        if os.fstat(out.fileno()).st_size != done:
            raise broke_off(name)


def _publish(folder: int, draft: str, leaf: str, *, replace: bool) -> None:
    """Gives the file its name. Without ``replace`` it is never put in the place of another: FileExistsError."""
    if replace:
        os.replace(draft, leaf, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        os.link(draft, leaf, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        try:
            os.stat(leaf, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            os.rename(draft, leaf, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            raise FileExistsError from None


def _remove(folder: int, leaf: str) -> None:
    try:
        os.unlink(leaf, dir_fd=folder)
    except FileNotFoundError:
        pass  # it is what was wanted


@contextmanager
def _told(name: str = "") -> Iterator[None]:
    try:
        yield
    except DeliveryError:
        raise
    except NotADirectoryError:
        raise no_such_place() from None
    except OSError as error:
        raise of_disk(error, name) from None
