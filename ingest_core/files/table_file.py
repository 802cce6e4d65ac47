"""Tables that leave the product: for machines (tab-separated, CSV), or as CSV that a spreadsheet opens safely."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from typing import IO, Literal

Form = Literal["tsv", "csv", "spreadsheet"]

_LEADING = "=+-@\t\r＝＋－＠"
# Categories of characters that draw nothing of their own.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"})
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a pattern that look like nothing
_BREAKING = {ord(character): " " for character in "\t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"}


class TableFile:
    """Writes rows of text to a stream, a header first.

    *tsv*: a line is a row, nothing is quoted; a tab or line break inside a cell becomes a space, and ``flattened``
    counts such cells. *csv*: RFC 4180 with line feeds, cells as they are. *spreadsheet*: with a byte order mark, and
    cells that would run as formulas made harmless.
    """

    def __init__(self, stream: IO[str], form: Form) -> None:
        self._stream = stream
        self._form = form
        end = "\r\n" if form == "spreadsheet" else "\n"
        self._writer = csv.writer(stream, lineterminator=end)
        self._quoting = csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL)
        self.flattened = 0

    def header(self, names: Sequence[str]) -> None:
        """The line of names."""
        if self._form == "spreadsheet":
            self._stream.write("\ufeff")
        self.row(names)

    def row(self, cells: Sequence[str]) -> None:
        """One row."""
        if self._form == "tsv":
            self._stream.write("\t".join(self._flat(cell) for cell in cells) + "\n")
            return
        shown = [neutral(cell) for cell in cells] if self._form == "spreadsheet" else cells
        # Python's writer leaves a lone carriage return unquoted where lines end with a line feed; readers break there.
        (self._quoting if any("\r" in cell for cell in shown) else self._writer).writerow(shown)

    def _flat(self, cell: str) -> str:
        flat = cell.translate(_BREAKING) if not cell.isprintable() else cell
        self.flattened += flat != cell
        return flat


def neutral(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever invisible characters it begins with."""
    for character in cell:
        if character in _LEADING:
            return "'" + cell
        if unicodedata.category(character) not in _UNSEEN and character not in _BLANK_LETTERS:
            return cell
    return cell
