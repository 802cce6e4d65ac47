"""What the program that reads a workbook says about it, asked without a process in between."""

from __future__ import annotations

import io
import zipfile

import pytest

from ingest_core.apart import workbook as program
from ingest_core.errors import FileError
from tests.files.test_spreadsheet import shared, workbook

ORDER = {"name": "people.xlsx", "unpacked": 1 << 30, "ratio": 1_000, "line": 1 << 20}


class Listener:
    def __init__(self) -> None:
        self.said = []

    def send(self, value) -> None:
        self.said.append(value)


def read(data: bytes, **order):
    listener = Listener()
    program.read_workbook(listener, io.BytesIO(data), {**ORDER, "size": len(data), **order})
    name, *batches = listener.said
    return name, batches


def code_of(data: bytes, **order) -> str:
    with pytest.raises(FileError) as caught:
        read(data, **order)
    assert caught.value.hint.endswith("Nothing was changed.")
    return caught.value.code


def test_says_the_name_of_the_sheet_and_its_rows_with_numbers():
    name, batches = read(workbook({"B2": "id", "C2": 1.5, "B4": "x"}))
    assert name == "People"
    (rows,) = batches
    assert rows == [(1, ["", ""]), (2, ["id", "1.5"]), (3, ["", ""]), (4, ["x", ""])]


def test_says_a_thousand_rows_at_a_time_or_fewer_long_ones(monkeypatch):
    cells: dict[str, str | float] = {f"A{row}": row for row in range(1, 2_502)}
    assert [len(batch) for batch in read(workbook(cells))[1]] == [1_000, 1_000, 501]
    monkeypatch.setattr(program, "_BATCH_CHARACTERS", 100)
    assert [len(batch) for batch in read(workbook({f"A{row}": "x" * 40 for row in range(1, 6)}))[1]] == [3, 2]


@pytest.mark.parametrize(("line", "kept"), [(4_000, 4_001), (20, 1_001)])
def test_cuts_rows_that_are_rejected_anyway(line, kept):
    """They stay over the line limit, and what a person is shown of them stays the same."""
    _, ((first, second),) = read(workbook({"A1": "x" * 9_000, "B1": "y", "A2": "short"}), line=line)
    assert first == (1, ["x" * kept, ""])
    assert second == (2, ["short", ""])


def test_refuses_what_would_not_fit_into_memory():
    assert code_of(workbook({"A1": "id", "XFD1048576": "x"})) == "compression_bomb"
    assert code_of(workbook({"A1": "id"}), unpacked=100) == "compression_bomb"
    assert code_of(shared(60, "x" * 500_000)) == "compression_bomb"


def test_refuses_a_workbook_over_a_gigabyte_whatever_other_files_may_have(monkeypatch):
    monkeypatch.setattr(program, "_MOST_UNPACKED", 1_000)
    assert code_of(workbook({"A1": "id"})) == "compression_bomb"


def test_refuses_what_is_damaged_or_empty():
    assert code_of(workbook({})) == "empty_file"
    assert code_of(b"PK" + bytes(100)) == "xlsx_damaged"
    whole = workbook({"A1": "id"})
    broken = bytearray(whole)
    broken[whole.index(b"xl/worksheets/sheet1.xml") + 40] ^= 0xFF
    assert code_of(bytes(broken)) == "xlsx_damaged"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nothing/>")
    assert code_of(buffer.getvalue()) in {"xlsx_damaged", "empty_file"}


class PanicException(BaseException):
    """As the library's own, which has no type to import."""


@pytest.mark.parametrize(
    ("broken", "expected"),
    [(PanicException, FileError), (IndexError, FileError), (KeyboardInterrupt, KeyboardInterrupt)],
)
def test_a_panic_of_the_library_is_damage_and_an_interrupt_is_not(monkeypatch, broken, expected):
    class Library:
        @staticmethod
        def from_filelike(_):
            raise broken("rows")

    monkeypatch.setattr(program, "CalamineWorkbook", Library)
    with pytest.raises(expected):
        read(workbook({"A1": "id"}))
