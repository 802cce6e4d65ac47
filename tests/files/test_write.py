from __future__ import annotations

import csv

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core import files

CELLS = st.text(st.sampled_from(["a", "é", ",", '"', "\n", "\r", " ", "\t", ";", "\ufeff", "\u2028", "'"]), max_size=5)


def table(rows: list[tuple[str, ...]], width: int) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * width
    return pa.table({f"c{index}": pa.array(cells, pa.string()) for index, cells in enumerate(columns)})


def test_rows_end_in_crlf_and_are_quoted_only_where_needed(tmp_path):
    path = tmp_path / "out.csv"
    files.write_csv(
        path, ["id", "a note"], iter([table([("1", "a,b"), ("2", 'say "hi"')], 2), table([("3", "x\ny")], 2)])
    )
    assert path.read_bytes() == b'id,a note\r\n1,"a,b"\r\n2,"say ""hi"""\r\n3,"x\ny"\r\n'


@pytest.mark.parametrize("cell", ["", " ", "\t", "\u3000"])
def test_a_single_blank_cell_is_quoted(tmp_path, cell):
    path = tmp_path / "out.csv"
    files.write_csv(path, None, iter([table([("a",), (cell,)], 1)]))
    with path.open(encoding="utf-8", newline="") as stream:
        assert stream.read() == f'a\r\n"{cell}"\r\n'


@settings(deadline=None)  # the machine may be busy
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=6)))
def test_what_is_written_is_read_back_by_others_and_by_us(read, tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "out.csv"
    header = tuple(f"h{index}" for index in range(len(rows[0])))
    files.write_csv(path, header, iter([table(rows, len(header))]))
    with path.open(encoding="utf-8", newline="") as stream:
        assert list(map(tuple, csv.reader(stream))) == [header, *rows]
    reading = read(path.read_bytes(), delimiter=",", has_header=True)
    assert (reading.rows, reading.rejects, reading.blank) == (rows, [], 0)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
def test_without_a_header_the_first_cell_is_no_byte_order_mark(read, tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("out") / "out.csv"
    files.write_csv(path, None, iter([table(rows, 2)]))
    assert read(path.read_bytes(), delimiter=",", has_header=False, columns=("a", "b")).rows == rows
