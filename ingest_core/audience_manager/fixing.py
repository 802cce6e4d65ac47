"""A file written again without what can be put right by itself (spec §17); the original is never touched.

Line ends, byte order mark, curly quotes, empty items, names of keys, spaces inside quotes, e-mail addresses as ids.
What needs a decision stays as it is, for the check to say.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from ingest_core.audience_manager.check_report import FileCheck
from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.items import Item, parse_item
from ingest_core.audience_manager.lines import BOM, MAX_LINE_BYTES, split_items
from ingest_core.audience_manager.name_types import DataName, IdSyncName, NameProblem
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.reading import LongLine, TextBlock, read_blocks
from ingest_core.audience_manager.wire import text_chunks
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError
from ingest_core.models import ByteSource, Progress

_EMAIL = re.compile(r"[^\s@:]+@[^\s@:]+\.[A-Za-z]{2,}")
_CURLY = str.maketrans("\u201c\u201d", '""')
_ODD = re.compile("[^A-Za-z0-9_-]+")
_ADDRESSABLE = re.compile("[0-9]*[A-Za-z][A-Za-z0-9_-]*")
_KEYS = ("dash_stripped", "key_not_addressable")
_DIRECTIVES = {"add_trait": "d_sid", "remove_trait": "d_unsid"}
# A line that is none of: an id without an at sign, one tab, items in which there is nothing to put right.
_ITEM = rb"(?:[0-9]+(?::0|:-1)?|[0-9]*[A-Za-z][A-Za-z0-9_-]*=(?![ =,])[^\",\t\n\xe2]+)"
_ODD_LINE = re.compile(rb"^(?![^\t\n@]+\t" + _ITEM + rb"(?:," + _ITEM + rb")*$).+$", re.MULTILINE)

FIXES = {
    "crlf": "Line ends: CR LF → LF",
    "bom": "Byte order mark taken away",
    "smart_quotes": "Curly quotes → straight ones",
    "empty_item": "Empty items taken out",
    "dash_stripped": "Dashes before a key taken away",
    "key_not_addressable": "Keys written so that a rule can name them",
    "padded_quotes": "Spaces inside quotes taken away",
    "pii_in_user_id": "E-mail address as id → its SHA-256",
    "line_too_long": "Lines that nobody reads left out",
}
"""Codes of what can be put right by itself → what is done."""

Out = Callable[[bytes], object]


class Fixed(BaseModel):
    """``file``: the new one. ``changes``: what was put right → lines; ``line_too_long``: lines that were left out."""

    file: str
    lines: int = 0
    changes: dict[str, int] = {}


def fixable(check: FileCheck) -> dict[str, int]:
    """What ``fix`` could put right in a file that was checked: code → lines that have it, the most frequent first."""
    name = parse_base(check.file)
    if not check.is_checked or isinstance(name, NameProblem) or name.tail.pgp:
        return {}
    of_rows = ("bom", "crlf", "line_too_long")
    found = {one.code: one.count for one in check.problems if one.code in FIXES}
    if not _holds_customers(name):
        found.pop("pii_in_user_id", None)
    if not isinstance(name, DataName):
        found = {code: count for code, count in found.items() if code in of_rows}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def fix(source: ByteSource, out: Out, progress: Progress = ignore_progress) -> Fixed:
    """Writes the file again, packed as it was. ``out``: takes what is to be written, piece by piece.

    InputError ``not_fixable``; FileError as ``text_chunks``. What was written is of no use when it fails.
    """
    name = parse_base(source.name)
    if isinstance(name, NameProblem) or name.tail.pgp:
        raise InputError(
            "Only plain and gzip files with a name of Audience Manager can be put right. Nothing was written.",
            code="not_fixable",
            hint="Correct the name first; an encrypted file is put right before it is encrypted.",
        )
    made = Fixed(file=source.name)
    changes: Counter[str] = Counter()
    packed = gzip.GzipFile("", "wb", 6, _Raw(out), 0) if name.tail.compression else None
    write = out if packed is None else packed.write
    is_customer = _holds_customers(name)
    for block in read_blocks(text_chunks(source, name.tail), MAX_LINE_BYTES):
        if isinstance(block, LongLine):
            changes["line_too_long"] += 1
            continue
        text = _without_long(_line_ends(block, changes), changes)
        made.lines += text.count(b"\n")
        write(_put_right(text, changes, is_customer=is_customer) if isinstance(name, DataName) else text)
        progress("fix", made.lines, None)
    if packed is not None:
        packed.close()
    made.changes = dict(sorted(changes.items()))
    return made


def fix_file(source: ByteSource, folder: Path) -> Fixed:
    """Writes the file under its own name into a folder, for you alone to read.

    InputError ``exists_already`` and those of ``fix``. Nothing is left when it fails.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, draft = folder / source.name, folder / f"{source.name}.part"
    if path.exists():
        raise _taken()
    try:
        private = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _taken() from None
    try:
        with os.fdopen(private, "wb") as raw:
            made = fix(source, raw.write)
        os.link(draft, path)  # unlike a rename, never over a file that came meanwhile
    except FileExistsError:
        raise _taken() from None
    finally:
        draft.unlink(missing_ok=True)
    return made


class _Raw(io.RawIOBase):
    """What gzip writes to."""

    def __init__(self, out: Out) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._out(bytes(data))
        return len(data)


def _holds_customers(name: DataName | IdSyncName) -> bool:
    return isinstance(name, DataName) and name.variant == "standard" and not is_device(name.dpid)


def _line_ends(block: TextBlock, changes: Counter[str]) -> bytes:
    """The lines of a block, each ended by LF alone."""
    data = block.data
    if block.first_line == 1 and data.startswith(BOM):
        data = data[len(BOM) :]
        changes["bom"] += 1
    if not data.endswith(b"\n"):
        data += b"\n"
    if ends := data.count(b"\r\n"):
        changes["crlf"] += ends
        data = data.replace(b"\r\n", b"\n")
    return data


def _without_long(text: bytes, changes: Counter[str]) -> bytes:
    """The lines that are not left out of the transfer for their length; the reader passes over the longest only."""
    stops = np.flatnonzero(np.frombuffer(text, np.uint8) == 10)
    starts = np.concatenate(([0], stops[:-1] + 1))
    is_long = stops - starts > MAX_LINE_BYTES
    if not is_long.any():
        return text
    changes["line_too_long"] += int(is_long.sum())
    kept = zip(starts[~is_long].tolist(), stops[~is_long].tolist(), strict=True)
    return b"".join(text[start : stop + 1] for start, stop in kept)


def _put_right(text: bytes, changes: Counter[str], *, is_customer: bool) -> bytes:
    """The lines of a block with what is in them; plain ones, which are nearly all, are only passed over."""
    pieces, done = [], 0
    for found in _ODD_LINE.finditer(text):
        fixed = _fixed(found[0], changes, is_customer=is_customer)
        if fixed != found[0]:
            pieces += [text[done : found.start()], fixed]
            done = found.end()
    return b"".join([*pieces, text[done:]]) if pieces else text


def _fixed(line: bytes, changes: Counter[str], *, is_customer: bool) -> bytes:
    try:
        head, tab, payload = line.decode().rpartition("\t")
    except UnicodeDecodeError:
        return line
    if not tab or not payload.strip():
        return line
    found: set[str] = set()
    if is_customer and _EMAIL.fullmatch(head.strip()):
        head = hashlib.sha256(head.strip().lower().encode()).hexdigest()
        found.add("pii_in_user_id")
    plain = payload.translate(_CURLY)
    parts, is_open = split_items(plain)
    if not is_open:
        if plain != payload:
            found.add("smart_quotes")
        kept = [fixed for part in parts if (fixed := _item(part, found)) is not None]
        payload = _joined(kept, payload, found)
    changes.update(found)
    return f"{head}\t{payload}".encode()


def _joined(kept: list[str], payload: str, found: set[str]) -> str:
    """The items that are left. Padding before an empty one at the end must not become white space at the line's end."""
    if not kept:
        found.discard("empty_item")
        return payload
    joined = ",".join(kept)
    return joined if payload.endswith(" ") else joined.rstrip(" ")


def _item(text: str, found: set[str]) -> str | None:
    """The item as it is to be written; None when there is none."""
    item = parse_item(text)
    if not isinstance(item, Item):
        return text
    if item.op is None:
        found.add("empty_item")
        return None
    op = item.op
    if op.kind in _DIRECTIVES and "dash_stripped" in item.warnings:
        found.add("dash_stripped")
        return f"{_DIRECTIVES[op.kind]}={op.trait}"
    if op.kind != "signal" or op.key is None or op.value is None:
        return text
    value = op.value.strip(" ")
    marks = {mark for mark in item.warnings if mark in _KEYS} | ({"padded_quotes"} if value != op.value else set())
    if not marks:
        return text
    found |= marks
    key = _ODD.sub("_", op.key)
    if not _ADDRESSABLE.fullmatch(key) or key.lower() in _DIRECTIVES.values():  # a signal must not become a trait
        key = f"k_{key.strip('_-')}"
    return f'{key}="{value}"' if "," in value or value.startswith("=") else f"{key}={value}"


def _taken() -> InputError:
    return InputError(
        "There is a file of this name in the folder already. Nothing was written.",
        code="exists_already",
        hint="Choose another folder.",
    )
