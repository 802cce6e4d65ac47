from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta

import pytest

from ingest_core import files
from ingest_core.apart.workbook import cell_text
from ingest_core.errors import FileError
from ingest_core.models import FileLimits

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(cells: dict[str, str | float], *, second: str = "") -> bytes:
    """A workbook whose first sheet holds ``cells`` by reference (A1), as inline text or numbers."""
    rows: dict[int, list[str]] = {}
    for reference, value in cells.items():
        number = int(reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        cell = f'<c r="{reference}"><v>{value!r}</v></c>'
        if isinstance(value, str):
            text = value.replace("&", "&amp;").replace("<", "&lt;")
            cell = f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
        rows.setdefault(number, []).append(cell)
    body = "".join(f'<row r="{number}">{"".join(row)}</row>' for number, row in sorted(rows.items()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATIONS}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets><sheet name="People" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATIONS}/worksheet"'
            ' Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>',
        )
        if second:
            archive.writestr("xl/media/second.bin", second)
    return buffer.getvalue()


def test_reads_the_first_sheet_as_text(read):
    reading = read(workbook({"A1": "id", "B1": "name", "A2": 7.0, "B2": "Anna\tB\nC", "A3": 0.1, "A5": 8, "B5": "x"}))
    assert reading.facts.container == "xlsx"
    assert reading.dialect.columns == ("id", "name")
    assert reading.rows == [("7", "Anna\tB\nC"), ("0.1", ""), ("8", "x")]
    assert (reading.lines, reading.blank, reading.lines_seen) == ([2, 3, 5], 1, 4)
    assert "'People'" in reading.facts.notices[0]


def test_lines_are_row_numbers_of_the_sheet(read):
    reading = read(workbook({"B3": "id", "C3": "name", "B4": 1, "C4": "A"}))
    assert (reading.dialect.header_line, reading.lines, reading.blank) == (3, [4], 2)
    assert reading.rows[0][-2:] == ("1", "A")


def test_a_filled_cell_right_of_the_table_is_never_lost(read):
    """Near the top it makes a column without a name; far below it rejects its row."""
    assert read(workbook({"A1": "id", "A2": 1, "B2": "note"})).dialect.columns == ("id", "")
    cells: dict[str, str | float] = {"A1": "id"} | {f"A{row}": row for row in range(2, 400)} | {"C399": "note"}
    reading = read(workbook(cells))
    assert reading.codes == [(399, "extra_cell")]
    assert (len(reading.rows), reading.lines_seen) == (397, 398)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("00017", "00017"),
        (True, "TRUE"),
        (False, "FALSE"),
        (40.0, "40"),
        (40, "40"),
        (-0.5, "-0.5"),
        (0.1 + 0.2, "0.3"),
        (41800000.01, "41800000.01"),
        (9007199254740991.0, "9007199254740991"),
        (919000000000.0, "919000000000"),
        (1e20, "100000000000000000000"),
        (1.5e-7, "0.00000015"),
        (date(1971, 1, 2), "1971-01-02"),
        (datetime(1971, 1, 2, 4, 14), "1971-01-02T04:14:00"),  # noqa: DTZ001 - a sheet knows no zones
        (time(4, 14), "04:14:00"),
        (timedelta(hours=30, minutes=5, seconds=1), "30:05:01"),
    ],
)
def test_cells_become_text_without_noise(value, text):
    assert cell_text(value) == text


def test_refuses_a_damaged_workbook(source_of):
    data = bytearray(workbook({"A1": "id", "A2": 1}))
    data[data.index(b"xl/worksheets/sheet1.xml") + 40] ^= 0xFF
    with pytest.raises(FileError) as caught:
        files.receive(source_of(bytes(data)), FileLimits())
    assert caught.value.code == "xlsx_damaged"


def test_refuses_a_workbook_without_a_readable_sheet(source_of):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nothing/>")
    with pytest.raises(FileError) as caught:
        files.receive(source_of(buffer.getvalue()), FileLimits())
    assert caught.value.code in {"xlsx_damaged", "empty_file"}


def test_refuses_an_empty_sheet(source_of):
    with pytest.raises(FileError) as caught:
        files.receive(source_of(workbook({})), FileLimits())
    assert caught.value.code == "empty_file"


@pytest.mark.parametrize("cells", [{"A1": "id", "XFD1048576": "x"}, {"A1": "id", "ZZZ2000000": "x"}])
def test_refuses_a_sheet_whose_grid_would_not_fit_into_memory(source_of, cells):
    """Two cells far apart would be held as 17 billion."""
    with pytest.raises(FileError) as caught:
        files.receive(source_of(workbook(cells)), FileLimits())
    assert caught.value.code == "compression_bomb"


def test_refuses_a_workbook_that_unpacks_to_too_much(source_of):
    data = workbook({"A1": "id", "A2": 1}, second="x" * (32 << 20))
    with pytest.raises(FileError) as caught:
        files.receive(source_of(data), FileLimits(ratio=100))
    assert caught.value.code == "compression_bomb"


def test_a_sheet_row_over_the_line_limit_is_one_reject(read):
    reading = read(workbook({"A1": "id", "A2": "x" * 50, "A3": "y"}), limits=FileLimits(line=20))
    assert (reading.codes, reading.rows) == ([(2, "line_too_long")], [("y",)])


def test_a_long_sheet_comes_in_several_slices(source_of):
    cells: dict[str, str | float] = {"A1": "id"} | {f"A{row}": row for row in range(2, 40_003)}
    source = source_of(workbook(cells))
    facts = files.receive(source, FileLimits())
    told = []
    dialect = files.sniff(source, facts)
    parts = list(
        files.read_slices(source, facts, dialect, FileLimits(), progress=lambda *told_now: told.append(told_now))
    )
    assert [part.table.num_rows for part in parts] == [20_000, 20_000, 1]
    assert facts.physical_lines == 40_002
    assert {phase for phase, _, _ in told} == {"read"}
    assert sorted({rows for _, rows, _ in told} | {0}) == [0, 20_001, 40_001]
    assert [rows for _, rows, _ in told] == sorted(rows for _, rows, _ in told)


def test_long_rows_come_in_small_slices(source_of):
    """Twenty thousand rows of a megabyte each would fill the memory."""
    cells: dict[str, str | float] = {"A1": "id"} | {f"A{row}": "x" * 900_000 for row in range(2, 24)}
    source = source_of(workbook(cells))
    facts = files.receive(source, FileLimits())
    parts = list(files.read_slices(source, facts, files.sniff(source, facts), FileLimits()))
    assert [part.table.num_rows for part in parts] == [10, 10, 2]


def test_a_workbook_of_blank_cells_is_an_empty_file(source_of):
    with pytest.raises(FileError) as caught:
        files.sniff(source_of(workbook({"A1": " ", "B2": ""})), None)
    assert caught.value.code == "empty_file"


def test_the_head_of_a_workbook(source_of):
    cells: dict[str, str | float] = {"A1": "id"} | {f"A{row}": row for row in range(2, 100)}
    dialect, part = files.head(source_of(workbook(cells)), rows=10)
    assert (dialect.columns, part.table["c0"].to_pylist()) == (("id",), [str(row) for row in range(2, 12)])


def shared(cells: int, text: str) -> bytes:
    """A workbook in which so many cells show one shared text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook({"A1": "id"}))) as plain, zipfile.ZipFile(buffer, "w", 8) as archive:
        for name in plain.namelist():
            if "sheet1" not in name and name != "xl/_rels/workbook.xml.rels":
                archive.writestr(name, plain.read(name))
        rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, cells + 1))
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}"><si><t>{text}</t></si></sst>')
        relations = plain.read("xl/_rels/workbook.xml.rels").decode()
        strings = (
            f'<Relationship Id="r2" Type="{_RELATIONS}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", relations.replace("</Relationships>", strings))
    return buffer.getvalue()


def test_a_text_that_many_cells_share_is_read_for_each(read):
    assert read(shared(3, "same"), has_header=False).rows == [("same",)] * 3


def test_a_text_that_many_cells_share_cannot_unpack_to_more_than_a_file_may(source_of):
    """Each of 60 kilobytes shows a megabyte: the archive itself unpacks to little."""
    source = source_of(shared(60, "x" * 500_000))
    with pytest.raises(FileError) as caught:
        files.receive(source, FileLimits(ratio=1_000))
    assert caught.value.code == "compression_bomb"


def test_a_workbook_that_needs_too_much_memory_is_refused(source_of):
    source = source_of(shared(200, "x" * 500_000))
    with pytest.raises(FileError) as caught:
        files.receive(source, FileLimits(memory=64 << 20, ratio=10**9))
    assert (caught.value.code, caught.value.facts["memory_limit"]) == ("too_much_memory", 64 << 20)


def test_a_row_far_over_the_line_limit_reaches_us_cut(read):
    """It is rejected as it would be whole, but no process here ever holds it."""
    text = "x" * 500_000
    reading = read(shared(3, text), limits=FileLimits(line=2_000), has_header=False)
    assert reading.codes == [(1, "line_too_long"), (2, "line_too_long"), (3, "line_too_long")]
    assert {reject.text for reject in reading.rejects} == {"x" * 1_000 + "…"}
    assert reading.facts.longest_line == 2_001
