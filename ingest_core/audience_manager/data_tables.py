"""Every file as a table, data files of Audience Manager by their names, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.signal_columns import MOST_KEYS, KeyFinder
from ingest_core.audience_manager.signal_rows import FIXED
from ingest_core.audience_manager.signal_table import SignalTable, find_keys
from ingest_core.audience_manager.wire import looks_like_pgp
from ingest_core.errors import FileError
from ingest_core.files import Tables
from ingest_core.files.container import Container, detect, unpacked
from ingest_core.files.opening import HEAD_BYTES
from ingest_core.files.parsed import empty_table
from ingest_core.models import ByteSource, Dialect, FileFacts, FileLimits, Progress, Slice

_WORDS = "Audience Manager files are UTF-8"


def data_name(file: str) -> DataName | None:
    """What the name of a data file says; None for every other file."""
    read = parse_base(file.rpartition("/")[2])
    return read if isinstance(read, DataName) else None


class DataTables(Tables):
    """A file whose name is that of a data file is read as one, unless somebody says that it has cells or a header."""

    def __init__(self, registered: Callable[[], Registered]) -> None:
        self._registered = registered

    def receive(
        self, source: ByteSource, limits: FileLimits, *, encoding: str | None = None, progress: Progress | None = None
    ) -> FileFacts:
        """As ``files.receive``; the bytes of a data file are UTF-8, and lines that are not are refused one by one."""
        table = None if encoding else self._table(source)
        if table is not None:
            _refuse_encrypted(source)
        facts = super().receive(source, limits, encoding=encoding, progress=progress)
        if table is None or facts.container == "xlsx":
            return facts
        if facts.encoding.startswith("utf-16"):
            raise _refused("bad_encoding", "The file is UTF-16.", "Save it as UTF-8. Nothing was changed.", source)
        notices = tuple(notice for notice in facts.notices if not notice.startswith("Decoded"))
        return replace(facts, encoding="utf-8", encoding_evidence=_WORDS, notices=notices)

    def sniff(
        self,
        source: ByteSource,
        facts: FileFacts,
        *,
        delimiter: str | None = None,
        has_header: bool | None = None,
        encoding: str | None = None,
        limits: FileLimits = FileLimits(),
    ) -> Dialect:
        """As ``files.sniff``; of a data file all keys are looked for, which takes a pass over it."""
        table = self._table(source, delimiter, has_header, encoding)
        if table is None or facts.container == "xlsx":
            return super().sniff(
                source, facts, delimiter=delimiter, has_header=has_header, encoding=encoding, limits=limits
            )
        return _dialect(*find_keys(table, unpacked(source, facts.container, limits), _most_keys(limits)))

    def head(
        self,
        source: ByteSource,
        *,
        rows: int = 50,
        facts: FileFacts | None = None,
        delimiter: str | None = None,
        has_header: bool | None = None,
        encoding: str | None = None,
        limits: FileLimits = FileLimits(),
    ) -> tuple[Dialect, Slice]:
        """As ``files.head``; the columns are those of the first MiB unless a file is smaller."""
        table = self._table(source, delimiter, has_header, encoding)
        if table is not None and (container := detect(source)) != "xlsx":
            _refuse_encrypted(source)
            return _head(table, source, container, limits, rows)
        return super().head(
            source, rows=rows, facts=facts, delimiter=delimiter, has_header=has_header, encoding=encoding, limits=limits
        )

    def _table(
        self,
        source: ByteSource,
        delimiter: str | None = None,
        has_header: bool | None = None,
        encoding: str | None = None,
    ) -> SignalTable | None:
        name = data_name(source.name)
        if name is None or delimiter is not None or has_header is not None or encoding is not None:
            return None
        registered = self._registered()
        owner = registered.sources.get(name.dpid)
        attribute = None if owner is None or owner.id_attribute is None else owner.id_attribute.lower()
        return SignalTable(name, registered.id_rule(name.dpid), attribute)


def _head(
    table: SignalTable, source: ByteSource, container: Container, limits: FileLimits, rows: int
) -> tuple[Dialect, Slice]:
    text = _first_lines(unpacked(source, container, limits))
    table, finder = find_keys(table, [text], _most_keys(limits))
    dialect = _dialect(table, finder)
    first = _as_one(table, text, dialect)
    if first.table.num_rows > rows:
        # Read again what stands before the row that is too many: then the account of that stretch is exact.
        before = first.lines[rows].as_py() - 1
        text = b"".join(line + b"\n" for line in text.split(b"\n", before)[:before])
        first = _as_one(table, text, dialect)
    return dialect, first


def _first_lines(chunks: Iterator[bytes]) -> bytes:
    """The first MiB, without a line that it cuts."""
    text = b""
    for chunk in chunks:
        text += chunk
        if len(text) >= HEAD_BYTES:
            return text[: text.rfind(b"\n", 0, HEAD_BYTES) + 1] or text
    return text


def _as_one(table: SignalTable, text: bytes, dialect: Dialect) -> Slice:
    parts = list(table.read([text], dialect.columns))
    return Slice(
        table=pa.concat_tables([part.table for part in parts]) if parts else empty_table(len(dialect.columns)),
        lines=pa.concat_arrays([part.lines for part in parts]) if parts else pa.array([], pa.int64()),
        blank=sum(part.blank for part in parts),
        rejects=tuple(reject for part in parts for reject in part.rejects),
        lines_seen=sum(part.lines_seen for part in parts),
        physical_lines=sum(part.physical_lines for part in parts),
        bytes_read=len(text),
    )


def _most_keys(limits: FileLimits) -> int:
    return max(0, min(MOST_KEYS, limits.columns - FIXED))


def _dialect(table: SignalTable, finder: KeyFinder) -> Dialect:
    keys = len(finder.columns)
    evidence = (
        f"by its name: ids of data source {table.data.dpid}, {keys:,} {'key' if keys == 1 else 'keys'} of signals; "
        "no header: every line is a user id, a tab and items"
    )
    return Dialect("\t", False, False, 0, table.columns(finder), evidence, grammar=table, notices=finder.notices())


def _refuse_encrypted(source: ByteSource) -> None:
    with source.open() as stream:
        if looks_like_pgp(stream.read(64)):
            hint = "Process it with `am ingest`, or fetch it by a schedule: both open it. Nothing was changed."
            raise _refused("encrypted", "The file is an OpenPGP message.", hint, source)


def _refused(code: str, message: str, hint: str, source: ByteSource) -> FileError:
    return FileError(message, code=code, hint=hint, facts={"file": source.name})
