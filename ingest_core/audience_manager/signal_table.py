"""A data file of Audience Manager as a table: a row per line that is taken, every other line accounted for.

The lines are those of ``am ingest``, read by the same parser (spec §5); what it refuses is a reject with its code. Only
LF ends a line, the bytes are UTF-8 whatever they look like, and a file of one user's many lines has as many rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ingest_core.audience_manager.block_cut import cut_lines
from ingest_core.audience_manager.data_sources import IdRule
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import CATEGORIES, LineContext
from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.parsed_block import ParsedBlock
from ingest_core.audience_manager.reading import LongLine, TextBlock, read_blocks
from ingest_core.audience_manager.signal_columns import REMOVED, TRAITS, KeyFinder, id_column
from ingest_core.audience_manager.signal_rows import RowMaker
from ingest_core.files.container import unpacked
from ingest_core.files.encoding import readable
from ingest_core.files.parsed import empty_table
from ingest_core.files.slices import changed, gathered
from ingest_core.models import ByteSource, FileFacts, FileLimits, LineReject, Progress, Slice

NAME = "audience_manager"
SHOWN_CHARACTERS = 1_000  # of a line that is too long
_OK, _BLANK = CATEGORIES.index("ok"), CATEGORIES.index("blank")
_BOM_BYTES = 3


@dataclass(frozen=True, slots=True)
class SignalTable:
    """How a data file of this name is read. ``attribute``: what its ids are, where their data source says so."""

    data: DataName
    ids: IdRule
    attribute: str | None = None
    id_dpid: int | None = None  # of an ODC file: which devices its first row names

    name = NAME

    @property
    def mapped_by(self) -> str:
        """The column of the ids."""
        return id_column(self.data.dpid if self.id_dpid is None else self.id_dpid)

    @property
    def known(self) -> dict[str, str | None]:
        """Traits need no mapping; the ids are what their data source says."""
        ids = {} if self.attribute is None else {self.mapped_by: self.attribute}
        return {**ids, TRAITS: None, REMOVED: None}

    def parser(self) -> BlockParser:
        """For the whole file, from its first line on."""
        return BlockParser(LineContext(self.ids, self.data.mode, self.data.variant))

    def columns(self, finder: KeyFinder) -> tuple[str, ...]:
        """All columns of the table."""
        return (self.mapped_by, TRAITS, REMOVED, *finder.columns)

    def slices(
        self,
        source: ByteSource,
        facts: FileFacts,
        columns: tuple[str, ...],
        limits: FileLimits,
        slice_bytes: int,
        progress: Progress | None,
    ) -> Iterator[Slice]:
        """Rows in file order and every line that is none. FileError ``changed_while_reading``."""
        done = 0

        def seen(chunks: Iterable[bytes]) -> Iterator[bytes]:
            nonlocal done
            for chunk in chunks:
                done += len(chunk)
                if progress is not None:
                    progress("read", done, facts.text_bytes)
                yield chunk

        yield from self.read(seen(unpacked(source, facts.container, limits, chunk_bytes=slice_bytes)), columns)
        if done != facts.text_bytes + (_BOM_BYTES if facts.has_bom else 0):
            raise changed(facts)

    def read(self, chunks: Iterable[bytes], columns: tuple[str, ...], slice_bytes: int = 8 << 20) -> Iterator[Slice]:
        """The slices of a text."""
        parser = self.parser()
        maker = RowMaker(columns, ignores_removals=self.data.mode == "overwrite")
        for item in read_blocks(gathered(iter(chunks), slice_bytes), parser.context.max_line_bytes):
            if isinstance(item, LongLine):
                yield _long(item, len(columns))
            else:
                yield from _block_slices(item, parser.parse(item.data, item.first_line), maker)


def find_keys(table: SignalTable, chunks: Iterable[bytes], most: int) -> tuple[SignalTable, KeyFinder]:
    """The keys of a text; the table knows afterwards which devices an ODC file names."""
    parser, finder = table.parser(), KeyFinder(most)
    for item in read_blocks(gathered(iter(chunks), 8 << 20), parser.context.max_line_bytes):
        if isinstance(item, TextBlock):
            finder.take(parser.parse(item.data, item.first_line))
    found = parser.context.odc_dpid
    return SignalTable(table.data, table.ids, table.attribute, found), finder


def _long(item: LongLine, columns: int) -> Slice:
    reject = LineReject(item.line, "line_too_long", None, f"(a line of {item.size:,} bytes)")
    return Slice(empty_table(columns), pa.array([], pa.int64()), 0, (reject,), 1, 1, item.size)


def _block_slices(text: TextBlock, block: ParsedBlock, maker: RowMaker) -> Iterator[Slice]:
    rejects = _rejects(text, block)
    size = len(text.data)
    for part in maker.rows(block):
        count = part.end - part.begin
        blank = int(np.count_nonzero(block.category[part.begin : part.end] == _BLANK))
        bounds = block.first_line + part.begin, block.first_line + part.end
        mine = tuple(reject for reject in rejects if bounds[0] <= reject.line < bounds[1])
        yield Slice(
            part.table, pa.array(block.first_line + part.lines), blank, mine, count, count, size * count // len(block)
        )


def _rejects(text: TextBlock, block: ParsedBlock) -> list[LineReject]:
    refused = np.flatnonzero((block.category != _OK) & (block.category != _BLANK)).tolist()
    if not refused:
        return []
    data = text.data if text.data.endswith(b"\n") else text.data + b"\n"
    cut = cut_lines(data)
    found = []
    for index in refused:
        problem = block.exact[index].problem
        assert problem is not None, index
        shown = readable(data[int(cut.starts[index]) : int(cut.ends[index])])
        if problem.code == "line_too_long":
            shown = shown[:SHOWN_CHARACTERS] + "…"
        found.append(LineReject(block.first_line + index, problem.code, None, shown))
    return found
