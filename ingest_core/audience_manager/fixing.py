"""A file written again without what can be put right by itself (spec §17); the original is never touched.

Line ends, byte order mark, curly quotes, empty items, names of keys, spaces inside quotes, e-mail addresses as ids.
What needs a decision stays as it is, for the check to say.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pydantic import BaseModel

from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.items import Item, parse_item
from ingest_core.audience_manager.lines import BOM, MAX_LINE_BYTES, split_items
from ingest_core.audience_manager.name_types import DataName, NameProblem
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.reading import LongLine, read_blocks
from ingest_core.audience_manager.wire import text_chunks
from ingest_core.errors import InputError
from ingest_core.models import ByteSource

_EMAIL = re.compile(r"[^\s@:]+@[^\s@:]+\.[A-Za-z]{2,}")
_CURLY = str.maketrans("\u201c\u201d", '""')
_ODD = re.compile("[^A-Za-z0-9_-]+")
_ADDRESSABLE = re.compile("[0-9]*[A-Za-z][A-Za-z0-9_-]*")
_KEYS = ("dash_stripped", "key_not_addressable")


class Fixed(BaseModel):
    """``file``: the new one. ``changes``: what was put right → lines; ``line_too_long``: lines that were left out."""

    file: str
    lines: int = 0
    changes: dict[str, int] = {}


def fix_file(source: ByteSource, folder: Path) -> Fixed:
    """Writes the file under its own name into a folder, for you alone to read.

    InputError ``exists_already``, ``not_fixable``; FileError as ``text_chunks``. Nothing is left when it fails.
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
            out: IO[bytes] = gzip.GzipFile("", "wb", 6, raw, 0) if name.tail.compression else raw  # type: ignore[assignment]
            has_items = isinstance(name, DataName)
            customer = isinstance(name, DataName) and name.variant == "standard" and not is_device(name.dpid)
            chunks = text_chunks(source, name.tail)
            for line in _lines(chunks, changes):
                out.write(_fixed(line, changes, is_customer=customer) if has_items else line)
                out.write(b"\n")
                made.lines += 1
            if out is not raw:
                out.close()
        os.link(draft, path)  # unlike a rename, never over a file that came meanwhile
    except FileExistsError:
        raise _taken() from None
    finally:
        draft.unlink(missing_ok=True)
    made.changes = dict(sorted(changes.items()))
    return made


def _lines(chunks: Iterator[bytes], changes: Counter[str]) -> Iterator[bytes]:
    for block in read_blocks(chunks, MAX_LINE_BYTES):
        if isinstance(block, LongLine):
            changes["line_too_long"] += 1
            continue
        data = block.data
        if block.first_line == 1 and data.startswith(BOM):
            data = data[len(BOM) :]
            changes["bom"] += 1
        for line in data.removesuffix(b"\n").split(b"\n"):
            if line.endswith(b"\r"):
                changes["crlf"] += 1
            yield line.removesuffix(b"\r")


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
        payload = ",".join(kept) if kept else payload
    changes.update(found)
    return f"{head}\t{payload}".encode()


def _item(text: str, found: set[str]) -> str | None:
    """The item as it is to be written; None when there is none."""
    item = parse_item(text)
    if not isinstance(item, Item):
        return text
    if item.op is None:
        found.add("empty_item")
        return None
    op = item.op
    if op.kind != "signal" or op.key is None or op.value is None:
        return text
    value = op.value.strip(" ")
    marks = {mark for mark in item.warnings if mark in _KEYS} | ({"padded_quotes"} if value != op.value else set())
    if not marks:
        return text
    found |= marks
    key = _ODD.sub("_", op.key)
    key = key if _ADDRESSABLE.fullmatch(key) else f"k_{key.strip('_-')}"
    return f'{key}="{value}"' if "," in value or value.startswith("=") else f"{key}={value}"


def _taken() -> InputError:
    return InputError(
        "There is a file of this name in the folder already. Nothing was written.",
        code="exists_already",
        hint="Choose another folder.",
    )
