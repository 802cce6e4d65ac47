"""Whole blocks of data lines at once: columns for plain lines, the exact parser for all others.

A line is plain when its bytes show that nothing of it but its items can be refused: the right tabs, a user id that is
fine, no control character, no white space at the end. Its items are cut at every comma, and each distinct one is parsed
once by ``parse_item``. Whatever is not plain, or has an item that is refused, goes through ``parse_body`` line by line:
both ways give the same by construction, and tests hold them together over arbitrary bytes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.block_columns import merged_ops, merged_user_ids
from ingest_core.audience_manager.block_cut import Cut, Flags, Segments, cut_lines, find_segments, plain_lines
from ingest_core.audience_manager.block_cut import texts_between as texts
from ingest_core.audience_manager.data_sources import IdRule, id_rule
from ingest_core.audience_manager.item_reader import ASK, EMPTY, ItemColumns, ItemReader, warning_bits
from ingest_core.audience_manager.lines import (
    BOM,
    CATEGORIES,
    ODC_TYPES,
    LineContext,
    ParsedLine,
    parse_body,
    parse_line,
)
from ingest_core.audience_manager.parsed_block import ParsedBlock

_SPACE = 32
_SUSPECT = "[:%@]"  # in a customer id: perhaps a colon or an e-mail address
_LONGEST_KEPT, _MOST_KEPT = 200, 50_000  # payloads that were refused, in bytes and number
_PLACE_OF = {name: place for place, name in enumerate(CATEGORIES)}


class BlockParser:
    """Parses the blocks of one file in order; remembers items and, of an ODC file, the id type."""

    def __init__(self, context: LineContext) -> None:
        self.context = context
        self._items = ItemReader()
        self._payloads: dict[bytes, tuple[ParsedLine, int]] = {}

    def parse(self, data: bytes, first_line: int = 1) -> ParsedBlock:
        """The lines of ``data``: whole lines, the last with or without its end.

        ``first_line``: number of the first line in the file; before line 1 a byte order mark is dropped.
        """
        if data and not data.endswith(b"\n"):
            data += b"\n"
        cut = cut_lines(data)
        exact = self._first_rows(data, cut, has_bom=first_line == 1 and data.startswith(BOM))
        is_plain = plain_lines(data, cut, self.context.max_line_bytes)
        is_plain[list(exact)] = False
        segments = find_segments(cut, is_plain, 2 if self.context.variant == "odc" else 1)
        ids = texts(data, segments.id_start, segments.id_stop)
        is_plain[segments.lines[self._doubtful(data, cut, segments, ids)]] = False
        return self._read(data, first_line, cut, segments, ids, is_plain, exact)

    def _first_rows(self, data: bytes, cut: Cut, *, has_bom: bool) -> dict[int, ParsedLine]:
        """The row after a byte order mark; in an ODC file the rows up to the first valid one, which fixes the type."""
        exact: dict[int, ParsedLine] = {}
        is_open = self.context.variant == "odc" and self.context.odc_dpid is None
        while len(exact) < len(cut) and (is_open or (has_bom and not exact)):
            at = len(exact)
            raw = data[int(cut.starts[at]) : int(cut.stops[at]) + 1]
            exact[at] = line = parse_line(raw, self.context, is_first=has_bom and at == 0)
            if is_open and line.category == "ok":
                self.context = replace(self.context, odc_dpid=line.id_dpid)
                is_open = False
        return exact

    def _doubtful(self, data: bytes, cut: Cut, segments: Segments, ids: pa.Array) -> Flags:
        """Lines of ``segments`` whose user id, or ODC id type, the exact parser has to judge."""
        start, stop = segments.id_start, segments.id_stop
        wrong: Flags = stop == start
        wrong |= (cut.codes[start] == _SPACE) | (cut.codes[stop - 1] == _SPACE)
        rule = self.rule
        if rule.form is None:
            wrong |= np.asarray(pc.match_substring_regex(ids, pattern=_SUSPECT))
            return wrong
        wrong |= ~np.asarray(pc.match_substring_regex(ids, pattern=rf"\A(?:{rule.form.pattern})\z"))
        if self.context.variant == "odc":
            known = [name.encode() for name, dpid in ODC_TYPES.items() if dpid == self.context.odc_dpid]
            kinds = texts(data, cut.starts[segments.lines], start - 1)
            lower = pc.ascii_lower(kinds.cast(pa.large_string())).cast(pa.large_binary())
            wrong |= ~np.asarray(pc.is_in(lower, value_set=pa.array(known, pa.large_binary())))
        return wrong

    @property
    def rule(self) -> IdRule:
        """What ids of the file must look like, as far as that is known."""
        if self.context.variant == "odc" and self.context.odc_dpid is not None:
            return id_rule(self.context.odc_dpid, strict_alnum=self.context.strict_alnum)
        return self.context.ids

    def _read(
        self,
        data: bytes,
        first_line: int,
        cut: Cut,
        segments: Segments,
        ids: pa.Array,
        is_plain: Flags,
        exact: dict[int, ParsedLine],
    ) -> ParsedBlock:
        encoded = texts(data, segments.item_start, segments.item_stop).dictionary_encode()
        items = self._items.columns(encoded.dictionary)
        item, line = encoded.indices.to_numpy(), segments.item_line
        kind = items.kind[item]
        has_good_id = is_plain.copy()
        is_plain[line[kind == ASK]] = False
        is_op = kind < EMPTY
        is_plain &= np.bincount(line[is_op], minlength=len(cut)) > 0
        is_blank = cut.ends == cut.starts
        for index in np.flatnonzero(~is_plain & ~is_blank).tolist():
            if index not in exact:
                body = data[int(cut.starts[index]) : int(cut.ends[index])]
                exact[index] = self._exact(body, has_good_id=bool(has_good_id[index]))
        warnings = _warning_column(len(cut), line, item, items)
        category = np.where(is_blank, _PLACE_OF["blank"], _PLACE_OF["ok"]).astype(np.int8)
        for index, parsed in exact.items():
            category[index] = _PLACE_OF[parsed.category]
            warnings[index] = warning_bits(parsed.warnings)
        kept = is_plain[segments.lines]
        names = (ids if kept.all() else ids.filter(pa.array(kept))).cast(pa.large_string())
        is_op &= is_plain[line]
        return ParsedBlock(
            first_line,
            category,
            warnings,
            merged_user_ids(len(cut), segments.lines[kept], names, exact),
            merged_ops(line[is_op], item[is_op], items, exact),
            exact,
            self.context.odc_dpid if self.context.variant == "odc" else None,
        )

    def _exact(self, body: bytes, *, has_good_id: bool) -> ParsedLine:
        """One line by the exact parser; where only its items are in doubt, each payload is parsed once.

        A sender's mistake repeats from line to line. The same payload means the same behind any good id; its problem
        stands as far behind the tab.
        """
        if not has_good_id or self.context.variant == "odc":
            return parse_body(body, self.context)
        tab = body.index(b"\t")
        payload = body[tab:]
        known = self._payloads.get(payload)
        if known is None:
            parsed = parse_body(body, self.context)
            if len(payload) <= _LONGEST_KEPT and len(self._payloads) < _MOST_KEPT:
                self._payloads[payload] = parsed, tab
            return parsed
        parsed, first_tab = known
        if parsed.problem is not None:
            problem = parsed.problem._replace(column=parsed.problem.column + tab - first_tab)
            return parsed._replace(problem=problem)
        return parsed._replace(user_id=body[:tab].decode())


def _warning_column(
    count: int, line: NDArray[np.int64], item: NDArray[np.int64], items: ItemColumns
) -> NDArray[np.uint8]:
    """Bits per line: of all its items together."""
    bits = items.bits[item]
    found = np.zeros(count, np.uint8)
    has = bits > 0
    np.bitwise_or.at(found, line[has], bits[has])
    return found
