"""Counts the lines of a file by category and gathers what is wrong or odd about them, block by block."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ingest_core.audience_manager.check_report import PLACES_KEPT, Place, ProblemList
from ingest_core.audience_manager.data_sources import PHONE_PATTERN, PHONE_VALUE_PATTERN, ZEROS_PATTERN, IdRule, lint_id
from ingest_core.audience_manager.id_sync import RowContext
from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import CATEGORIES, WARNINGS, LineContext, LineProblem
from ingest_core.audience_manager.parsed_block import ParsedBlock
from ingest_core.audience_manager.reading import LongLine, TextBlock
from ingest_core.audience_manager.row_blocks import parse_rows

_REMOVE = OP_KINDS.index("remove_trait")
_SIGNAL = OP_KINDS.index("signal")
_EMAIL = r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"


class _Check:
    """What both kinds of files have in common."""

    def __init__(self, problems: ProblemList) -> None:
        self.problems = problems
        self.lines = 0
        self.by_category: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.traits: Counter[int] = Counter()

    def _line_ends(self, data: bytes, first_line: int) -> None:
        """Carriage returns before line feeds: all of them counted, the first one's line told."""
        if count := data.count(b"\r\n"):
            first = data[: data.index(b"\r\n")].count(b"\n")
            self.problems.add_lines("crlf", [first_line + first], count)

    def _count(self, category: NDArray[np.int8]) -> None:
        self.lines += len(category)
        for place, count in enumerate(np.bincount(category, minlength=len(CATEGORIES)).tolist()):
            self.by_category[CATEGORIES[place]] += count

    def _take_long(self, long: LongLine) -> None:
        self.lines += 1
        self.by_category["excluded_too_long"] += 1
        self.problems.add("line_too_long", Place(line=long.line, why=f"The line has {long.size:,} bytes."))

    def _add(self, problem: LineProblem, line: int) -> None:
        self.problems.add(problem.code, Place(line=line, column=problem.column, why=problem.why))


class DataCheck(_Check):
    """The lines of one data file."""

    def __init__(self, context: LineContext, problems: ProblemList) -> None:
        super().__init__(problems)
        self._parser = BlockParser(context)

    def take(self, block: TextBlock | LongLine) -> None:
        """The next piece of the file."""
        if isinstance(block, LongLine):
            self._take_long(block)
            return
        parsed = self._parser.parse(block.data, block.first_line)
        self._count(parsed.category)
        self._line_ends(block.data, block.first_line)
        named, counts = np.unique(parsed.ops.trait[parsed.ops.kind != _SIGNAL], return_counts=True)
        self.traits.update(dict(zip(named.tolist(), counts.tolist(), strict=True)))
        for place, count in enumerate(np.bincount(parsed.ops.kind, minlength=len(OP_KINDS)).tolist()):
            self.operations[OP_KINDS[place]] += count
        self._exact_lines(parsed)
        for place, name in enumerate(WARNINGS):
            self._remark(name, parsed, parsed.warnings >> place & 1 > 0)
        self._odd_ids(parsed)
        self._odd_operations(parsed)

    def _exact_lines(self, parsed: ParsedBlock) -> None:
        for index, line in sorted(parsed.exact.items()):
            if line.problem is not None:
                self._add(line.problem, parsed.first_line + index)
            if line.category == "ok" and line.user_id is not None:
                for code in lint_id(line.user_id, self._parser.rule):
                    if code not in _SEEN_BY_PATTERN:
                        self.problems.add(code, Place(line=parsed.first_line + index))

    def _odd_ids(self, parsed: ParsedBlock) -> None:
        """What ``lint_id`` sees, for whole columns; ids with escapes or at signs went through the exact parser."""
        code, pattern = _id_pattern(self._parser.rule)
        found = pc.match_substring_regex(parsed.user_id, pattern=rf"\A(?:{pattern})\z").fill_null(False)
        self._remark(code, parsed, np.asarray(found) & (parsed.category == 0))

    def _odd_operations(self, parsed: ParsedBlock) -> None:
        ops = parsed.ops
        if self._parser.context.mode == "overwrite":
            self._remark_ops("removal_ignored", parsed, ops.kind == _REMOVE)
        texts: pa.Array = ops.value.dictionary
        is_padded = np.asarray(pc.match_substring_regex(texts, pattern=r"(^ )|( $)").fill_null(False))
        if is_padded.any():
            self._remark_ops("padded_quotes", parsed, is_padded[ops.value.indices.fill_null(0).to_numpy()])
        self._odd_values("phone_in_value", parsed, "+", rf"\A(?:{PHONE_VALUE_PATTERN})\z")
        self._odd_values("email_in_value", parsed, "@", _EMAIL)

    def _odd_values(self, code: str, parsed: ParsedBlock, mark: str, pattern: str) -> None:
        """Values with a pattern in them, all of which hold ``mark``: it is far faster to look for."""
        value = parsed.ops.value
        if pc.any(pc.match_substring(value.dictionary, pattern=mark)).as_py():
            is_odd = np.asarray(pc.match_substring_regex(value.dictionary, pattern=pattern).fill_null(False))
            if is_odd.any():
                self._remark_ops(code, parsed, is_odd[value.indices.fill_null(0).to_numpy()])

    def _remark_ops(self, code: str, parsed: ParsedBlock, is_odd: NDArray[np.bool_]) -> None:
        lines = np.unique(parsed.ops.line[is_odd])
        self._remark_lines(code, parsed, lines)

    def _remark(self, code: str, parsed: ParsedBlock, is_odd: NDArray[np.bool_]) -> None:
        self._remark_lines(code, parsed, np.flatnonzero(is_odd))

    def _remark_lines(self, code: str, parsed: ParsedBlock, lines: NDArray[np.int64]) -> None:
        if len(lines):
            first = (lines[:PLACES_KEPT] + parsed.first_line).tolist()
            self.problems.add_lines(code, first, len(lines))


_SEEN_BY_PATTERN = ("id_like_phone", "id_all_zeros")


def _id_pattern(rule: IdRule) -> tuple[str, str]:
    return ("id_like_phone", PHONE_PATTERN) if rule.kind == "customer" else ("id_all_zeros", ZEROS_PATTERN)


class RowsCheck(_Check):
    """The rows of one ID sync file."""

    def __init__(self, context: RowContext, problems: ProblemList) -> None:
        super().__init__(problems)
        self._context = context

    def take(self, block: TextBlock | LongLine) -> None:
        """The next piece of the file."""
        if isinstance(block, LongLine):
            self._take_long(block)
            return
        parsed = parse_rows(block.data, self._context, block.first_line)
        self._count(parsed.category)
        self._line_ends(block.data, block.first_line)
        for index, row in sorted(parsed.exact.items()):
            if row.problem is not None:
                self._add(row.problem, block.first_line + index)
            for code in row.warnings:
                self.problems.add(code, Place(line=block.first_line + index))
