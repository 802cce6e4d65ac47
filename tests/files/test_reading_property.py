"""For every file: rows + blank + rejects = its lines, by a counter that shares no code with the reader."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.files.lines import LineCutter, line_stops
from ingest_core.files.parsed import join
from ingest_core.files.quoted_exact import ExactReader, parse_exact
from ingest_core.files.quoted_rows import QuotedRows
from ingest_core.models import Dialect, FileLimits

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
SIZES = st.integers(1, 40)
LIMIT = 60

CELL = st.text(
    st.sampled_from(["a", "7", " ", '"', "é", "王", "🙂", "\x0b", "\x0c", "\x85", "\u2028", ",", "\ufeff"]),
    max_size=6,
).map(str.encode)
DIRT = st.sampled_from(
    [b"", b" ", b" \x0b ", "\u3000".encode(), b"one", b"a\tb\tc\td", b"\xff\t\xfe\t", b"x" * (LIMIT + 1), b'"', b"\t\t"]
)


def lines_of(data: bytes) -> list[bytes]:
    """Byte by byte: the lines of some data without their ends."""
    lines, line, index = [], bytearray(), 0
    while index < len(data):
        if data[index] in b"\r\n":
            if data[index : index + 2] == b"\r\n":
                index += 1
            lines.append(bytes(line))
            line = bytearray()
        else:
            line.append(data[index])
        index += 1
    return [*lines, bytes(line)] if line else lines


def judged(line: bytes, width: int) -> tuple[str, tuple[str, ...]]:
    """What a line of a tab-separated file is: (row | blank | a reject's code, its cells)."""
    if len(line) > LIMIT:
        return "line_too_long", ()
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return "bad_encoding", ()
    if not text.strip() and "\t" not in text:
        return "blank", ()
    cells = tuple(text.split("\t"))
    if len(cells) != width:
        return ("missing_cell" if len(cells) < width else "extra_cell"), ()
    return "row", cells


@st.composite
def tab_files(draw) -> tuple[bytes, int]:
    """(a file with a clean header, its width)."""
    width = draw(st.integers(1, 4))
    rows = st.lists(CELL, min_size=width, max_size=width).map(b"\t".join)
    body = draw(st.lists(st.one_of(rows, rows, DIRT), max_size=12))
    # Valid UTF-8 outweighs the dirt, so that the encoding is not what is tested here.
    lines = [
        "\t".join(f"héader{index}" for index in range(width)).encode(),
        "\t".join(["é" * 6] * width).encode(),
        *body,
    ]
    data = b"".join(line + draw(ENDS) for line in lines[:-1]) + lines[-1] + draw(st.sampled_from([b"", b"\n"]))
    return data, width


@settings(deadline=None)  # the machine may be busy
@given(tab_files(), SIZES)
def test_tab_separated_lines_are_each_accounted_for(read, file, slice_bytes):
    data, width = file
    chosen = {"delimiter": "\t", "has_header": True, "encoding": "utf-8", "limits": FileLimits(line=LIMIT)}
    small = read(data, slice_bytes=slice_bytes, **chosen)
    large = read(data, **chosen)
    expected = [judged(line, width) for line in lines_of(data)][1:]
    kinds = [kind for kind, _ in expected]
    assert large.rows == [cells for kind, cells in expected if kind == "row"]
    assert large.lines == [number for number, kind in enumerate(kinds, start=2) if kind == "row"]
    assert large.codes == [(number, kind) for number, kind in enumerate(kinds, start=2) if kind not in {"row", "blank"}]
    assert large.blank == kinds.count("blank")
    assert large.lines_seen == large.physical_lines == len(kinds)
    assert large.facts.physical_lines == len(kinds) + 1
    assert (small.rows, small.lines, small.rejects, small.blank, small.lines_seen) == (
        (large.rows, large.lines, large.rejects, large.blank, large.lines_seen)
    )


QUOTED_CELL = st.text(st.sampled_from(["a", "é", ",", '"', "\n", "\r", " ", "\ufeff", "\t"]), max_size=6)


@settings(deadline=None)  # the machine may be busy
@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.tuples(*[QUOTED_CELL] * width), min_size=1, max_size=10)),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    SIZES,
)
def test_every_quoted_cell_comes_back(read, rows, end, is_all_quoted, slice_bytes):
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if is_all_quoted or set(cell) & set(',"\r\n') else cell

    header = tuple(f"h{index}" for index in range(len(rows[0])))
    text = "".join(",".join(map(quoted, row)) + end for row in [header, *rows])
    for size in (slice_bytes, 8 << 20):
        reading = read(text.encode(), slice_bytes=size, delimiter=",", has_header=True)
        assert (reading.rows, reading.rejects, reading.blank) == (rows, [], 0)
        assert reading.physical_lines == reading.facts.physical_lines - 1


QUOTE_DIRT = st.lists(
    st.sampled_from([b'"', b'""', b",", b"a", b"\n", b"\r\n", b"\r", b" ", "é".encode(), b"\xff", b'"b",', b'c"\n']),
    max_size=40,
).map(b"".join)


def as_lists(parsed) -> tuple[object, ...]:
    rejects = sorted((reject.line, reject.code, reject.column, reject.text) for reject in parsed.rejects)
    return parsed.table.to_pydict(), parsed.lines.tolist(), parsed.blank, rejects


@settings(deadline=None)  # the machine may be busy
@given(QUOTE_DIRT, SIZES, st.integers(1, 3))
def test_quotes_anywhere_are_read_alike_by_both_readers_and_at_every_border(data, slice_bytes, width):
    """The fast way must give what the exact reader gives, and neither may lose a line."""
    if not data.endswith((b"\n", b"\r")):
        data += b"\n"
    stops = line_stops(data)
    exact = ExactReader(data, stops, ",", LIMIT, is_closed=True)
    expected = parse_exact(exact, data, stops, 1, width, ",")
    columns = tuple(f"column_{index}" for index in range(width))
    for size in (slice_bytes, len(data)):
        reader = QuotedRows(Dialect(",", True, False, 0, columns), LIMIT)
        parts = []
        lines = 0
        cutter = LineCutter(10_000, to_lf=False)
        for block in cutter.cut(data[start : start + size] for start in range(0, len(data), size)):
            parsed, count = reader.take(block)
            parts.append(parsed)
            lines += count
        parsed, count = reader.close()
        whole = join([*parts, parsed], width)
        assert as_lists(whole) == as_lists(expected)
        assert lines + count == len(lines_of(data))


@settings(deadline=None)  # the machine may be busy
@given(QUOTE_DIRT)
def test_no_line_of_a_file_with_odd_quotes_is_lost(data):
    """Every physical line is blank, rejected, or part of a row."""
    data += b"\n"
    stops = line_stops(data)
    reader = ExactReader(data, stops, ",", LIMIT, is_closed=True)
    records = list(reader.records())
    assert sum(record.lines for record in records) == len(stops) == len(lines_of(data))
    assert [record.start for record in records] == [0, *(record.stop for record in records[:-1])]
    assert records[-1].stop == len(data)
