"""From a file to a stream of UTF-8 text: container, byte order mark and encoding taken off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from ingest_core.files.container import CHUNK_BYTES, Container, detect, unpacked
from ingest_core.files.encoding import (
    LATIN,
    UTF8,
    UTF16_BE,
    UTF16_LE,
    NarrowEvidence,
    Start,
    canonical,
    look_at_start,
    to_utf8,
    wrong,
)
from ingest_core.models import ByteSource, FileFacts, FileLimits

START_BYTES = 1 << 16
HEAD_BYTES = 1 << 20
_BLANK = b" \r\n\x0b\x0c"  # not the tab: it may be a separator


@dataclass(frozen=True, slots=True)
class Opening:
    """How to open one file as text: its container, encoding and the bytes of its byte order mark."""

    container: Container
    encoding: str
    bom: int
    evidence: str


def from_facts(facts: FileFacts) -> Opening:
    """What a full pass has found."""
    bom = 0 if not facts.has_bom else 3 if facts.encoding == UTF8 else 2
    return Opening(facts.container, facts.encoding, bom, facts.encoding_evidence)


def from_head(source: ByteSource, limits: FileLimits, encoding: str | None = None) -> Opening:
    """A guess from the first MiB, for a first look at a file of any size. Raises ``FileError`` as ``receive`` does."""
    container = detect(source)
    if container == "xlsx":
        return Opening(container, UTF8, 0, "workbook")
    head = b"".join(_until(unpacked(source, container, limits), HEAD_BYTES))
    start = look_at_start(head[:START_BYTES], source.name)
    if (wide := wide_choice(start, encoding, head, source.name)) is not None:
        return Opening(container, wide, start.bom, start.evidence or "chosen")
    evidence = NarrowEvidence()
    evidence.feed(head[start.bom :])
    chosen, why = narrow_choice(evidence, start, encoding, source.name)
    return Opening(container, chosen, start.bom, why)


def wide_choice(start: Start, encoding: str | None, head: bytes, name: str) -> str | None:
    """The UTF-16 encoding to use, or None for a one-byte or UTF-8 text; raises ``wrong_encoding``."""
    if encoding is None:
        return start.wide
    chosen = canonical(encoding, name)
    if chosen == "utf-16":
        chosen = start.wide or UTF16_LE
    is_wide = chosen in (UTF16_LE, UTF16_BE)
    if is_wide and start.wide is None:
        units = head[: len(head) & ~1]
        low, high = (units[0::2], units[1::2]) if chosen == UTF16_LE else (units[1::2], units[0::2])
        if start.bom or not any(not top and bottom < 0x80 for bottom, top in zip(low, high, strict=True)):
            raise wrong(encoding, "there is not one line end or separator in that encoding", name)
    if start.wide is not None and chosen != start.wide:
        raise wrong(encoding, start.evidence, name)
    return chosen if is_wide else None


def narrow_choice(evidence: NarrowEvidence, start: Start, encoding: str | None, name: str) -> tuple[str, str]:
    """(encoding, evidence in words) of a text that is not UTF-16; raises ``wrong_encoding``."""
    found, why = evidence.verdict()
    if start.bom and found != UTF8:
        found, why = UTF8, f"{start.evidence}; {why}"
    elif start.bom:
        why = f"{start.evidence}; {why}"
    if encoding is None:
        return found, why
    chosen = canonical(encoding, name)
    if chosen == found:
        return chosen, f"chosen; {why}"
    if chosen == UTF8:
        raise wrong(encoding, why, name)
    if start.bom:
        raise wrong(encoding, f"it begins with a {start.evidence}", name)
    if chosen == "windows-1252" and evidence.has_undefined_1252:
        raise wrong(encoding, "it holds bytes that are no characters there", name)
    doubt = f"; the bytes say {found}: {why}" if evidence.multi_byte and chosen != LATIN else ""
    return chosen, f"chosen{doubt}"


def text_chunks(source: ByteSource, opening: Opening, limits: FileLimits, chunk_bytes: int) -> Iterator[bytes]:
    """The text as UTF-8 without byte order mark (not for workbooks)."""
    raw = unpacked(source, opening.container, limits, chunk_bytes=chunk_bytes)
    return to_utf8(without_first(raw, opening.bom), opening.encoding)


def without_first(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The chunks without their first ``count`` bytes, also where these are spread over several chunks."""
    rest = iter(chunks)
    begin = b""
    while len(begin) < count and (chunk := next(rest, None)) is not None:
        begin += chunk
    return chain((begin[count:],) if begin[count:] else (), rest)


def _until(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


def head_text(source: ByteSource, opening: Opening, limits: FileLimits) -> tuple[bytes, int, bool]:
    """The first MiB of text after leading blank lines, more where the first line is longer, as UTF-8.

    Returns (text, physical line number on which it begins, whether the file ends with it). Leading blank lines are
    passed over however many they are.
    """
    chunks = text_chunks(source, opening, limits, CHUNK_BYTES)
    line, data = 1, b""
    for chunk in chunks:
        data += chunk
        stripped = data.lstrip(_BLANK)
        if not stripped:  # keep only what may be cut: the beginning of a line, a CR that waits for its LF
            kept = data[max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1 :][-limits.line :]
            line += _line_ends(data[: len(data) - len(kept)])
            data = kept
            continue
        if len(stripped) >= HEAD_BYTES and _has_first_line(stripped, limits.line):
            return *_from_first_line(data, line), False
    return *_from_first_line(data, line), True


def _has_first_line(data: bytes, limit: int) -> bool:
    """Whether the first line is there to its end, or longer than any line may be."""
    return len(data) > limit + 2 or b"\n" in data or b"\r" in data[:-1]


def _from_first_line(data: bytes, line: int) -> tuple[bytes, int]:
    blank = data[: len(data) - len(data.lstrip(_BLANK))]
    cut = max(blank.rfind(b"\n"), blank.rfind(b"\r")) + 1
    return data[cut:], line + _line_ends(blank[:cut])


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
