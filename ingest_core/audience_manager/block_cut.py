"""Where lines, ids and items begin and end in a block of bytes, found with numpy (spec §5.1, checks 1 to 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ingest_core.files.plain_rows import is_utf8

_TAB, _LF, _CR, _SPACE, _COMMA, _DELETE = 9, 10, 13, 32, 44, 127

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cut:
    """A block as lines: offsets of their first byte, of the byte behind their text, and of their LF."""

    codes: NDArray[np.uint8]
    starts: Places
    ends: Places
    stops: Places

    def __len__(self) -> int:
        return len(self.stops)

    def line_of(self, places: Places) -> Places:
        """The lines in which bytes lie."""
        return np.searchsorted(self.stops, places)


def cut_lines(data: bytes) -> Cut:
    """The lines of whole lines that all end in LF; one CR before it belongs to the line end."""
    codes = np.frombuffer(data, np.uint8)
    stops = np.flatnonzero(codes == _LF)
    starts = np.concatenate((np.zeros(min(len(stops), 1), np.int64), stops[:-1] + 1))
    ends = stops
    if b"\r" in data:
        ends = stops - ((stops > starts) & (codes[stops - 1] == _CR))
    return Cut(codes, starts, ends, stops)


def plain_lines(data: bytes, cut: Cut, most_bytes: int) -> Flags:
    """Which lines pass checks 1 to 5: neither blank nor too long, UTF-8, no control character, no space at the end."""
    codes, ends = cut.codes, cut.ends
    lengths = ends - cut.starts
    is_plain = (lengths > 0) & (lengths <= most_bytes)
    last = codes[np.maximum(ends - 1, 0)]
    is_plain &= (last != _SPACE) & (last != _TAB)
    control = codes < _SPACE
    control &= codes != _TAB
    control &= codes != _LF
    control |= codes == _DELETE
    control[ends[ends < cut.stops]] = False  # the CR of a line end
    if control.any():
        is_plain[cut.line_of(np.flatnonzero(control))] = False
    if not is_utf8(data):
        for index in np.unique(cut.line_of(np.flatnonzero(codes >= 0x80))).tolist():
            if not is_utf8(data[int(cut.starts[index]) : int(ends[index])]):
                is_plain[index] = False
    return is_plain


@dataclass(frozen=True, slots=True)
class Segments:
    """Places of the user ids of lines (``id_*``, one per line of ``lines``) and of their items, in file order."""

    lines: Places
    id_start: Places
    id_stop: Places
    item_line: Places
    item_start: Places
    item_stop: Places


def find_segments(cut: Cut, is_plain: Flags, tabs: int) -> Segments:
    """Ids and items of the plain lines; takes from ``is_plain`` those whose first separators are not ``tabs`` tabs.

    A comma before the tab is one of the id, so such a line is left to the exact parser, too.
    """
    codes = cut.codes
    places = np.flatnonzero((codes == _COMMA) | (codes == _LF) | (codes == _TAB))
    kinds = codes[places]
    is_tab, is_end = kinds == _TAB, kinds == _LF
    line = np.cumsum(is_end) - is_end
    last = np.flatnonzero(is_end)  # index of each line's last separator
    first = np.concatenate((np.zeros(min(len(last), 1), np.int64), last[:-1] + 1))
    is_plain &= np.bincount(line[is_tab], minlength=len(cut)) == tabs
    is_plain &= last - first >= tabs
    for place in range(tabs):
        is_plain &= is_tab[np.minimum(first + place, len(kinds) - 1)]
    lines = np.flatnonzero(is_plain)
    id_at = first[lines] + tabs - 1
    id_start = places[id_at - 1] + 1 if tabs > 1 else cut.starts[lines]
    begins = np.concatenate((np.zeros(min(len(places), 1), np.int64), places[:-1] + 1))
    stops = places.copy()
    stops[last] = cut.ends
    is_item = ~is_tab & is_plain[line]
    return Segments(lines, id_start, places[id_at], line[is_item], begins[is_item], stops[is_item])


def texts_between(data: bytes, start: Places, stop: Places) -> pa.Array:
    """The bytes of each stretch as a binary array; stretches are in order and do not overlap."""
    offsets = np.empty(2 * len(start) + 1, np.int64)
    offsets[0:-1:2] = start
    offsets[1::2] = stop
    offsets[-1] = len(data)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    stretches = pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)
    return stretches.take(pa.array(np.arange(0, len(offsets) - 1, 2)))
