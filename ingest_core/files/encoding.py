"""Which encoding a text is in: evidence over every byte, and decoding that never loses a character silently."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest_core.errors import FileError

UTF8, UTF16_LE, UTF16_BE, WINDOWS, LATIN = "utf-8", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-1"
_KNOWN = {
    "utf-8": UTF8,
    "utf-8-sig": UTF8,
    "ascii": UTF8,
    "utf-16-le": UTF16_LE,
    "utf-16-be": UTF16_BE,
    "cp1252": WINDOWS,
    "iso8859-1": LATIN,
}
_UNDEFINED_1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
# Codecs in which ASCII bytes may mean something else.
_NOT_PLAIN = (
    "utf",
    "raw_unicode",
    "unicode_escape",
    "hz",
    "idna",
    "iso2022",
    "punycode",
)  # ASCII may mean something else
_ASCII = bytes([9, 10, 13, *range(0x20, 0x7F)])
_LINE_ENDS = (0x0A, 0x0D)
_MIN_NUL_SHARE = 0.2  # of the high bytes of UTF-16 text: even Chinese tables have NULs in separators and digits
_MAX_STRAY_NUL_SHARE = 0.02
_MIN_CONTROL = 16
_MAX_CONTROL_SHARE = 0.05
_DOCUMENTS = (
    ("an HTML page", re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)),
    ("an XML document", re.compile(rb"\s*<\?xml\s")),
    ("a JSON document", re.compile(rb'\s*(\[\s*)?\{\s*("[^"\r\n]*"\s*:|\})')),
)
_VALID_PER_BROKEN = 5  # one valid multi-byte sequence outweighs five broken bytes: chance makes hardly any


@dataclass(frozen=True, slots=True)
class Start:
    """What the first bytes of a text say. ``bom`` bytes are to be skipped; ``wide`` is a UTF-16 encoding or None."""

    bom: int
    wide: str | None
    evidence: str


def look_at_start(head: bytes, name: str) -> Start:
    """Byte order mark, UTF-16 by the places of its NULs, or neither.

    ``head``: up to 64 KiB. Raises ``FileError`` ``unsupported_encoding`` (UTF-32), ``not_a_table`` (binary).
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise unsupported("UTF-32", name)
    if head.startswith(codecs.BOM_UTF8):
        return Start(3, None, "UTF-8 byte order mark")
    if head.startswith(codecs.BOM_UTF16_LE):
        return Start(2, UTF16_LE, "UTF-16 little-endian byte order mark")
    if head.startswith(codecs.BOM_UTF16_BE):
        return Start(2, UTF16_BE, "UTF-16 big-endian byte order mark")
    codes = np.frombuffer(head[: len(head) & ~1], np.uint8)
    if _is_wide(codes, 1):
        return Start(0, UTF16_LE, "NUL in the odd places, as in UTF-16 little-endian")
    if _is_wide(codes, 0):
        return Start(0, UTF16_BE, "NUL in the even places, as in UTF-16 big-endian")
    _refuse_binary(codes, name)
    _refuse_documents(head, name)
    return Start(0, None, "")


def _is_wide(codes: NDArray[np.uint8], high: int) -> bool:
    """Whether NULs stand where UTF-16 has them: in the high bytes, those at ``high`` (0 or 1) of each pair.

    Line ends must be two bytes wide as well: of eight-bit text, half of them would stand in high places.
    """
    tops, lows = codes[high::2], codes[1 - high :: 2]
    half = max(len(tops), 1)
    nuls = int((tops == 0).sum())
    if nuls < 2 or nuls / half < _MIN_NUL_SHARE or (lows == 0).sum() / half > _MAX_STRAY_NUL_SHARE:
        return False
    wide = int((np.isin(lows, _LINE_ENDS) & (tops == 0)).sum())
    stray = int(np.isin(tops, _LINE_ENDS).sum())
    return stray * 10 <= wide


def _refuse_documents(head: bytes, name: str) -> None:
    kind = next((kind for kind, pattern in _DOCUMENTS if pattern.match(head)), None)
    if kind is not None:
        raise FileError(
            f"The file is not a table of text: it is {kind}.",
            code="not_a_table",
            hint="Export it as TSV or CSV. Nothing was changed.",
            facts={"file": name, "kind": kind},
        )


def _refuse_binary(codes: NDArray[np.uint8], name: str) -> None:
    is_control = (codes < 0x20) & ~np.isin(codes, (0x09, 0x0A, 0x0B, 0x0C, 0x0D))
    found = int(is_control.sum())
    if found >= _MIN_CONTROL and found > _MAX_CONTROL_SHARE * len(codes):
        raise FileError(
            "The file is not a table of text: it holds binary data.",
            code="not_a_table",
            hint="Export it as TSV or CSV. Nothing was changed.",
            facts={"file": name, "control_bytes": found, "bytes_looked_at": len(codes)},
        )


class NarrowEvidence:
    """Counts, over a whole text, what tells UTF-8 from the one-byte encodings. Feed it chunks in order."""

    def __init__(self) -> None:
        self._carry = b""
        self.multi_byte = 0  # valid sequences
        self.broken = 0  # bytes that fit no sequence
        self.high = np.zeros(256, np.int64)

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Look at the next bytes; sequences cut by the chunk's end are carried over."""
        if not self._carry and chunk.isascii():
            return
        data = self._carry + chunk
        cut = len(data) if is_last else len(data) - unfinished(data)
        data, self._carry = data[:cut], data[cut:]
        codes = np.frombuffer(data, np.uint8)
        high = codes[codes >= 0x80]
        self.high += np.bincount(high, minlength=256)
        try:
            data.decode()
            self.multi_byte += int((high >= 0xC0).sum())
        except UnicodeDecodeError:
            text = np.frombuffer(data.decode("utf-8", "surrogateescape").encode("utf-32-le", "surrogatepass"), "<u4")
            broken = int(((text >= 0xDC80) & (text <= 0xDCFF)).sum())
            self.broken += broken
            self.multi_byte += int((text >= 0x80).sum()) - broken

    @property
    def is_utf8(self) -> bool:
        return self.broken == 0 or self.multi_byte * _VALID_PER_BROKEN >= self.broken

    @property
    def has_undefined_1252(self) -> bool:
        return any(self.high[code] for code in _UNDEFINED_1252)

    def verdict(self) -> tuple[str, str]:
        """(encoding, evidence in words)."""
        if self.broken == 0:
            if self.multi_byte == 0:
                return UTF8, "only ASCII characters"
            return UTF8, f"all {self.multi_byte:,} multi-byte characters are valid UTF-8"
        if self.is_utf8:
            return UTF8, f"{self.multi_byte:,} valid UTF-8 characters, {self.broken:,} broken bytes"
        why = f"{self.broken:,} bytes are not UTF-8 (only {self.multi_byte:,} valid multi-byte characters)"
        if self.has_undefined_1252:
            return LATIN, f"{why}; some of them are undefined in Windows-1252"
        return WINDOWS, f"{why}; all of them are characters of Windows-1252"


def unfinished(data: bytes) -> int:
    """How many bytes at the end of ``data`` (0–3) may be the beginning of a UTF-8 sequence."""
    for back in range(1, min(3, len(data)) + 1):
        code = data[-back]
        if code < 0x80:
            return 0
        if code >= 0xC0:
            needed = 2 if code < 0xE0 else 3 if code < 0xF0 else 4
            return back if back < needed else 0
    return 0


def canonical(encoding: str, name: str) -> str:
    """The product's name of an encoding that a person typed.

    Raises ``FileError`` ``unsupported_encoding`` for what is unknown, not text, or not a superset of ASCII.
    """
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise unsupported(encoding, name) from None
    if found.name in _KNOWN:
        return _KNOWN[found.name]
    if found.name == "utf-16":
        return "utf-16"
    try:
        is_superset = codecs.decode(_ASCII, found.name) == _ASCII.decode()
    except (LookupError, ValueError, TypeError):
        is_superset = False
    if not is_superset or found.name.startswith(
        ("utf", "raw_unicode", "unicode_escape", "hz", "idna", "iso2022", "punycode")
    ):
        raise unsupported(encoding, name)
    return found.name


def strict_check(encoding: str | None, name: str) -> Callable[[bytes], None]:
    """What raises ``wrong_encoding`` at the first chunk that is not in a chosen, less common encoding.

    The common ones are judged by evidence over the whole text instead.
    """
    chosen = UTF8 if encoding is None else canonical(encoding, name)
    if chosen in _KNOWN.values() or chosen == "utf-16":
        return lambda _: None
    decoder = codecs.getincrementaldecoder(chosen)("strict")

    def check(chunk: bytes) -> None:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            raise wrong(chosen, "it holds bytes that are no characters there", name) from None

    return check


def to_utf8(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The same text as UTF-8, chunk by chunk.

    What is no character in ``encoding`` becomes bytes that are no UTF-8 either, so that the line it stands on is
    rejected ``bad_encoding`` later instead of being changed silently.
    """
    if encoding == UTF8:
        yield from chunks
        return
    is_wide = encoding in (UTF16_LE, UTF16_BE)
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if is_wide else "surrogateescape")
    is_stateless = encoding in (WINDOWS, LATIN)
    for chunk in chunks:
        if is_stateless and chunk.isascii():
            yield chunk
            continue
        if text := decoder.decode(chunk):
            yield text.encode("utf-8", "surrogatepass")
    try:
        rest = decoder.decode(b"", True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # half a UTF-16 unit at the end
        rest = b"\xff"
    if rest:
        yield rest


def readable(data: bytes) -> str:
    """Text of bytes that should be UTF-8; what is not stays visible as ``\\xe9``, never U+FFFD."""
    return data.decode("utf-8", "backslashreplace")


def unsupported(encoding: str, name: str) -> FileError:
    """The error for an encoding that is not read."""
    return FileError(
        f"The encoding {encoding} is not supported.",
        code="unsupported_encoding",
        hint="Save the file as UTF-8. Nothing was changed.",
        facts={"file": name, "encoding": encoding},
    )


def wrong(encoding: str, why: str, name: str) -> FileError:
    """The error for a chosen encoding that does not fit the bytes."""
    return FileError(
        f"The file is not in the chosen encoding {encoding}: {why}.",
        code="wrong_encoding",
        hint="Leave the choice to the evidence, or choose another encoding. Nothing was changed.",
        facts={"file": name, "encoding": encoding},
    )
