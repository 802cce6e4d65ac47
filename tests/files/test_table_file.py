"""Tables that leave the product keep their shape, whatever stands in a cell."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from ingest_core.files.table_file import TableFile, neutral

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5)


def written(form: str, rows: list[list[str]]) -> tuple[str, TableFile]:
    stream = io.StringIO(newline="")
    table = TableFile(stream, form)
    table.header(["a", "b", "c"])
    for row in rows:
        table.row(row)
    return stream.getvalue(), table


@given(ROWS)
def test_a_line_of_a_tab_separated_file_is_a_row_with_all_its_cells(rows: list[list[str]]):
    text, table = written("tsv", rows)
    lines = text.split("\n")
    assert (len(lines), lines[-1]) == (len(rows) + 2, "")
    assert [line.split("\t") for line in lines[1:-1]] == [[flat(cell) for cell in row] for row in rows]
    assert table.flattened == sum(flat(cell) != cell for row in rows for cell in row)
    assert len(text.splitlines()) == len(rows) + 1


def flat(cell: str) -> str:
    return "".join(
        " " if character in "\t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029" else character for character in cell
    )


@given(ROWS)
def test_csv_reads_back_as_it_was(rows: list[list[str]]):
    text, table = written("csv", rows)
    assert [*csv.reader(io.StringIO(text, newline=""))][1:] == rows
    assert table.flattened == 0


def test_a_spreadsheet_gets_a_mark_and_no_formula():
    text, _ = written("spreadsheet", [["=1+1", "plain", "\u200b@x"]])
    assert text == "\ufeffa,b,c\r\n'=1+1,plain,'\u200b@x\r\n"
    assert neutral("a=b") == "a=b"
