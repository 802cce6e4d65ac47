"""How a file is taken for a table: what it is, how its lines become cells, its first rows."""

from __future__ import annotations

from ingest_core.files.dialect import sniff
from ingest_core.files.receive import receive
from ingest_core.files.slices import head
from ingest_core.models import ByteSource, Dialect, FileFacts, FileLimits, Progress, Slice


class Tables:
    """Tables as they are; who knows other lines takes its place, and everybody who reads a file asks it."""

    def receive(
        self, source: ByteSource, limits: FileLimits, *, encoding: str | None = None, progress: Progress | None = None
    ) -> FileFacts:
        """As ``files.receive``."""
        return receive(source, limits, encoding=encoding, progress=progress)

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
        """As ``files.sniff``."""
        return sniff(source, facts, delimiter=delimiter, has_header=has_header, encoding=encoding, limits=limits)

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
        """As ``files.head``."""
        return head(
            source, rows=rows, facts=facts, delimiter=delimiter, has_header=has_header, encoding=encoding, limits=limits
        )


PLAIN_TABLES = Tables()
