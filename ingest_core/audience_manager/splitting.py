"""A file in parts of a good size, with the same timestamp, numbered from 1 (spec §4, §17).

One pass, constant memory, the bytes of all lines unchanged: the parts, unpacked and joined, are the file. A part ends
with the line that reaches its size, so no line is ever cut; blank lines behind it go with it, so that no part is empty.
What is gzip stays gzip.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from ingest_core.audience_manager.name_types import DataName, IdSyncName, NameProblem, Tail
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.wire import WireLimits, text_chunks
from ingest_core.deliveries.packing import Packed, Sink
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError
from ingest_core.models import ByteSource, Model, Progress
from ingest_core.vault import LandingZone
from ingest_core.vault.landing import LandingWriter

PLAIN_BYTES = 1 << 30
PACKED_BYTES = 250 << 20
LEAST_BYTES = 1_000

_LARGE = 1 << 44
_LIMITS = WireLimits(packed=_LARGE, plain=_LARGE, unpacked=_LARGE)  # what is too large to be sent may be split
_BLOCK = 1 << 16
_BLANK = re.compile(rb"(?:\r?\n)+")


class SplitPart(Model):
    """One part. ``kept``: its path, or its id in a landing zone. ``size``: bytes as they are; ``lines``: unpacked."""

    name: str
    kept: str
    size: int
    lines: int
    md5: str
    sha256: str


class Target(Protocol):
    """Where parts go, one after the other."""

    def begin(self, name: str, /) -> Sink:
        """Takes the bytes of the next part."""

    def end(self) -> str:
        """The part is whole; where it is. InputError ``exists_already``."""

    def keep(self) -> None:
        """All parts are whole, and seen under their names from now on. InputError ``exists_already``."""

    def give_up(self) -> None:
        """Nothing is left of any part."""


def split_file(
    source: ByteSource, target: Target, *, most: int | None = None, progress: Progress = ignore_progress
) -> tuple[SplitPart, ...]:
    """Writes the parts in their order. ``most``: bytes of one, as it is sent; about 1 GB plain, 250 MB gzip.

    InputError ``not_splittable`` (OpenPGP, or no name of an inbound file), ``is_part``, ``nothing_to_split`` where all
    of it fits into one part; FileError as ``text_chunks``; what the target says. Nothing is left when it fails.
    """
    name = _splittable(source.name)
    wanted = most or (PACKED_BYTES if name.tail.compression else PLAIN_BYTES)
    cutter = _Cutter(name, target, wanted)
    try:
        for chunk in text_chunks(source, name.tail, _LIMITS):
            cutter.add(chunk)
            progress("split", cutter.lines, None)
        parts = cutter.finish()
        if len(parts) < 2:
            raise InputError(
                "All of the file fits into one part. Nothing was written.",
                code="nothing_to_split",
                hint="Send it as it is, or ask for smaller parts.",
            )
        target.keep()
    except BaseException:
        cutter.abandon()
        target.give_up()
        raise
    return parts


def _splittable(text: str) -> DataName | IdSyncName:
    name = parse_base(text)
    if isinstance(name, NameProblem) or name.tail.pgp:
        raise InputError(
            "Only plain and gzip files with a name of Audience Manager can be split. Nothing was written.",
            code="not_splittable",
            hint="Correct the name first; an encrypted file is split before it is encrypted.",
        )
    if name.tail.split is not None:
        raise InputError(
            "The file is a part already, and its number may not be given twice. Nothing was written.",
            code="is_part",
            hint="Join the parts and split the whole, or rename it without its number.",
        )
    return name


@dataclass
class _Cutter:
    """Text goes in, parts come out. ``is_full``: the part has its size, and the next byte begins a line."""

    name: DataName | IdSyncName
    target: Target
    most: int
    made: list[SplitPart] = field(default_factory=list)
    packed: Packed | None = None
    plain: int = 0  # bytes of text in this part
    is_full: bool = False
    carried: bytes = b""  # a CR that may belong to a blank line
    lines: int = 0

    def add(self, chunk: bytes) -> None:
        data, self.carried = self.carried + chunk, b""
        at = 0
        while at < len(data):
            if self.is_full:
                if blank := _BLANK.match(data, at):
                    self._write(data[at : blank.end()])
                    at = blank.end()
                    continue
                if data[at:] == b"\r":
                    self.carried = b"\r"
                    return
                self._end()
            stop = self._stop(data, at)
            self._write(data[at:stop])
            at = stop

    def finish(self) -> tuple[SplitPart, ...]:
        """All parts."""
        if self.carried:
            self._write(self.carried)
        self._end()
        return tuple(self.made)

    def abandon(self) -> None:
        """Lets go of the part that is being written, while its target is open still; it is deleted next."""
        packed, self.packed = self.packed, None
        if packed is not None:
            with suppress(OSError):
                packed.close()

    def _stop(self, data: bytes, at: int) -> int:
        """Until where this part takes the text now; ``is_full`` afterwards where its last line ends there."""
        if not self.name.tail.compression:
            ends = data.find(b"\n", at + max(self.most - self.plain - 1, 0))
        elif self.packed is None or self._size() < self.most:
            return min(at + _BLOCK, len(data))
        else:
            ends = data.find(b"\n", at)
        self.is_full = ends >= 0
        return ends + 1 if self.is_full else len(data)

    def _size(self) -> int:
        assert self.packed is not None
        self.packed.bytes.flush()
        return self.packed.size

    def _write(self, data: bytes) -> None:
        if self.packed is None:
            sink = self.target.begin(str(self._part(len(self.made) + 1)))
            self.packed = Packed(sink, is_gzip=self.name.tail.compression is not None)
        self.packed.bytes.write(data)
        self.plain += len(data)

    def _end(self) -> None:
        packed, self.packed, self.is_full, self.plain = self.packed, None, False, 0
        if packed is None:
            return
        packed.close()
        name = str(self._part(len(self.made) + 1))
        self.lines += packed.lines
        self.made.append(
            SplitPart(
                name=name, kept=self.target.end(), size=packed.size, lines=packed.lines, md5=packed.md5,
                sha256=packed.sha256,
            )
        )  # fmt: skip

    def _part(self, number: int) -> DataName | IdSyncName:
        tail = Tail(number, self.name.tail.compression, None)
        return replace(self.name, tail=tail)


class IntoFolder:
    """Files of a folder, for you alone to read. No file is replaced; names are seen when all of them are whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._drafts: list[tuple[Path, Path]] = []
        self._named: list[Path] = []
        self._file: BinaryIO | None = None

    def begin(self, name: str, /) -> Sink:
        path, draft = self._folder / name, self._folder / f"{name}.part"
        if path.exists():
            raise _taken()
        try:
            private = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise _taken() from None
        self._drafts.append((draft, path))
        self._file = os.fdopen(private, "wb", buffering=1 << 18)
        return self._file

    def end(self) -> str:
        self._close()
        return str(self._drafts[-1][1])

    def keep(self) -> None:
        for draft, path in self._drafts:
            try:
                os.link(draft, path)  # unlike a rename, never over a file that came meanwhile
            except FileExistsError:
                raise _taken() from None
            self._named.append(path)
        for draft, _ in self._drafts:
            draft.unlink()

    def give_up(self) -> None:
        self._close()
        for path in [*self._named, *(draft for draft, _ in self._drafts)]:
            path.unlink(missing_ok=True)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


class IntoZone:
    """Encrypted files of a landing zone."""

    def __init__(self, zone: LandingZone) -> None:
        self._zone = zone
        self._made: list[str] = []
        self._writer: LandingWriter | None = None

    def begin(self, name: str, /) -> Sink:
        self._writer = self._zone.create(name)
        self._made.append(self._writer.landing_id)
        return self._writer

    def end(self) -> str:
        assert self._writer is not None
        writer, self._writer = self._writer, None
        return writer.finish()

    def keep(self) -> None:
        self._made = []

    def give_up(self) -> None:
        if self._writer is not None:
            self._writer.finish()
        for landing in self._made:
            self._zone.delete(landing)


def _taken() -> InputError:
    return InputError(
        "There is a file of this name in the folder already. Nothing was written.",
        code="exists_already",
        hint="Choose another folder.",
    )
