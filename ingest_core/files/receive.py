"""The first full pass over a file: is it whole, what is it, how many lines has it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ingest_core.errors import FileError
from ingest_core.files.container import CHUNK_BYTES, Container, detect, unpacked
from ingest_core.files.encoding import UTF8, NarrowEvidence, look_at_start, strict_check, to_utf8
from ingest_core.files.opening import START_BYTES, narrow_choice, wide_choice, without_first
from ingest_core.files.spreadsheet import count_rows
from ingest_core.models import ByteSource, FileFacts, FileLimits, Progress


def receive(
    source: ByteSource, limits: FileLimits, *, encoding: str | None = None, progress: Progress | None = None
) -> FileFacts:
    """Read every byte once, in constant memory (a workbook is read whole), and say what the file is.

    ``sha256`` is of the bytes as they are. Raises ``FileError``: ``empty_file``, ``too_large``, ``gzip_truncated``,
    ``gzip_damaged``, ``gzip_trailing_garbage``, ``compression_bomb``, ``zip_not_one_file``, ``zip_damaged``,
    ``xlsx_damaged``, ``not_a_table``, ``unsupported_container``, ``unsupported_encoding``, ``wrong_encoding``,
    ``changed_while_reading``; and what ``progress`` raises (``Stopped``).
    """
    if source.size > limits.size:
        raise FileError(
            f"The file has {source.size:,} bytes; the limit is {limits.size:,}.",
            code="too_large",
            hint="Split the file, or raise the limit in the settings. Nothing was changed.",
            facts={"file": source.name, "size": source.size, "limit": limits.size},
        )
    container = detect(source)
    meter = _Meter(source, progress)
    if container in ("zip", "xlsx"):  # these are read from their end, so the hash takes its own pass
        with source.open() as stream:
            while chunk := stream.read(CHUNK_BYTES):
                meter.see(chunk)
        meter.finish()
    if container == "xlsx":
        return _workbook_facts(source, limits, meter.digest(), progress)
    if container == "zip":
        raw = meter.told(unpacked(source, container, limits))
    else:
        raw = unpacked(source, container, limits, on_raw=meter.see)
    facts = _text_facts(source, container, raw, encoding, meter)
    meter.finish()
    return facts


class _Meter:
    """Hashes and counts the raw bytes and tells the progress."""

    def __init__(self, source: ByteSource, progress: Progress | None) -> None:
        self._source = source
        self._progress = progress
        self._hash = hashlib.sha256()
        self._done = 0

    def see(self, raw: bytes) -> None:
        self._hash.update(raw)
        self._done += len(raw)
        if self._progress is not None:
            self._progress("receive", self._done, self._source.size)

    def told(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Chunks of a file whose raw bytes have all been seen: there is no more to count, but it can be stopped."""
        for chunk in chunks:
            if self._progress is not None:
                self._progress("receive", self._done, self._source.size)
            yield chunk

    def finish(self) -> None:
        if self._done != self._source.size:
            raise FileError(
                "The file changed while it was read.",
                code="changed_while_reading",
                hint="Wait until it is written completely, then load it again. Nothing was changed.",
                facts={"file": self._source.name, "size": self._source.size, "read": self._done},
            )

    def digest(self) -> str:
        return self._hash.hexdigest()


class LineCount:
    """Counts line ends of every kind over chunks; CRLF over a border counts once."""

    def __init__(self) -> None:
        self.lf = self.cr = self.crlf = self.size = self.longest = 0
        self.has_nul = False
        self._open = 0  # bytes since the last line end
        self._is_after_cr = False

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes of ASCII-compatible text."""
        if not chunk:
            return
        lf, cr = chunk.count(b"\n"), chunk.count(b"\r")
        self.crlf += (chunk.count(b"\r\n") if cr else 0) + (self._is_after_cr and chunk[:1] == b"\n")
        self.lf += lf
        self.cr += cr
        self._is_after_cr = chunk.endswith(b"\r")
        self.size += len(chunk)
        self.has_nul = self.has_nul or b"\0" in chunk
        self._measure(chunk, has_cr=cr > 0)

    def _measure(self, chunk: bytes, *, has_cr: bool) -> None:
        codes = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero((codes == 10) | (codes == 13)) if has_cr else np.flatnonzero(codes == 10)
        if not len(ends):
            self._open += len(chunk)
            return
        inner = int(np.diff(ends).max()) - 1 if len(ends) > 1 else 0
        self.longest = max(self.longest, self._open + int(ends[0]), inner)
        self._open = len(chunk) - int(ends[-1]) - 1

    def finish(self) -> None:
        """The last line may lack its end."""
        self.longest = max(self.longest, self._open)

    @property
    def lines(self) -> int:
        return self.lf + self.cr - self.crlf + (1 if self._open else 0)

    @property
    def line_end(self) -> str:
        kinds = {"LF": self.lf - self.crlf, "CRLF": self.crlf, "CR": self.cr - self.crlf}
        used = [kind for kind, count in kinds.items() if count]
        return "none" if not used else used[0] if len(used) == 1 else "mixed"


@dataclass(frozen=True, slots=True)
class _Text:
    encoding: str
    evidence: str
    bom: int


def _text_facts(
    source: ByteSource, container: Container, raw: Iterator[bytes], encoding: str | None, meter: _Meter
) -> FileFacts:
    count = LineCount()
    first = _gather(raw, START_BYTES)
    text = _read_text(source, first, raw, encoding, count)
    count.finish()
    if not count.size:
        raise FileError(
            "The file is empty.",
            code="empty_file",
            hint="Export it again. Nothing was changed.",
            facts={"file": source.name},
        )
    return FileFacts(
        name=source.name,
        size=source.size,
        sha256=meter.digest(),
        container=container,
        encoding=text.encoding,
        encoding_evidence=text.evidence,
        has_bom=text.bom > 0,
        line_end=count.line_end,
        physical_lines=count.lines,
        text_bytes=count.size,
        longest_line=count.longest,
        has_nul=count.has_nul,
        notices=_notices(container, text, count),
    )


def _gather(raw: Iterator[bytes], size: int) -> bytes:
    """At least ``size`` first bytes, if there are so many."""
    data = b""
    while len(data) < size and (chunk := next(raw, None)) is not None:
        data += chunk
    return data


def _read_text(source: ByteSource, first: bytes, raw: Iterator[bytes], encoding: str | None, count: LineCount) -> _Text:
    start = look_at_start(first[:START_BYTES], source.name)
    wide = wide_choice(start, encoding, first, source.name)
    chunks = without_first(_with_first(first, raw), start.bom)
    if wide is not None:
        for chunk in to_utf8(chunks, wide):
            count.feed(chunk)
        return _Text(wide, start.evidence or "chosen", start.bom)
    evidence = NarrowEvidence()
    check = strict_check(encoding, source.name)
    for chunk in chunks:
        count.feed(chunk)
        evidence.feed(chunk)
        check(chunk)
    evidence.feed(b"", is_last=True)
    chosen, why = narrow_choice(evidence, start, encoding, source.name)
    return _Text(chosen, why, start.bom)


def _with_first(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _notices(container: Container, text: _Text, count: LineCount) -> tuple[str, ...]:
    notices: list[str] = []
    if container != "plain":
        notices.append(f"Unpacked from {container}.")
    if text.encoding != UTF8:
        notices.append(f"Decoded from {text.encoding}: {text.evidence}.")
    elif text.bom:
        notices.append("A UTF-8 byte order mark was left out.")
    elif "broken" in text.evidence:
        notices.append(f"Some characters are broken: {text.evidence}.")
    if count.line_end == "mixed":
        notices.append("Line ends are mixed; LF, CRLF and CR were each read as a line end.")
    if count.has_nul:
        notices.append("The text holds NUL characters.")
    return tuple(notices)


def _workbook_facts(source: ByteSource, limits: FileLimits, digest: str, progress: Progress | None) -> FileFacts:
    sheet, rows, size, longest = count_rows(source, limits, progress)
    return FileFacts(
        name=source.name,
        size=source.size,
        sha256=digest,
        container="xlsx",
        encoding=UTF8,
        encoding_evidence="workbook",
        has_bom=False,
        line_end="none",
        physical_lines=rows,
        text_bytes=size,
        longest_line=longest,
        has_nul=False,
        notices=(f"Converted from XLSX: first sheet, {sheet!r}, values only.",),
    )
