"""Public corpora (../shared/corpora): what is right reads as its project says, what is wrong is said to be wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_core import files
from ingest_core.errors import FileError, OnrampError
from ingest_core.models import Dialect, FileFacts, FileLimits, LineReject

ARCHIVE = Path(__file__).parents[3] / "shared" / "corpora" / "public-corpora.tar.gz"
LIMITS = FileLimits()


@pytest.fixture(scope="session")
def corpora(tmp_path_factory) -> Path:
    if not ARCHIVE.exists():
        pytest.skip("the public corpora are not there (../shared/corpora/public-corpora.tar.gz)")
    folder = tmp_path_factory.mktemp("corpora")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "corpora"


@dataclass(frozen=True)
class Table:
    facts: FileFacts
    dialect: Dialect
    rows: list[list[str]]
    rejects: list[LineReject]

    @property
    def all_rows(self) -> list[list[str]]:
        """The header, where there is one, and the rows."""
        return [list(self.dialect.columns), *self.rows] if self.dialect.has_header else self.rows


def table_of(path: Path, **chosen) -> Table:
    """Read a file to its end; the account of its lines must be exact."""
    source = files.PathSource(path)
    facts = files.receive(source, LIMITS)
    dialect = files.sniff(source, facts, **chosen)
    rows, rejects = [], []
    physical = header = 0
    for part in files.read_slices(source, facts, dialect, LIMITS):
        assert part.lines_seen == part.table.num_rows + part.blank + len(part.rejects)
        rows += map(list, zip(*(column.to_pylist() for column in part.table.columns), strict=True))
        rejects += part.rejects
        physical += part.physical_lines
    if dialect.has_header:
        header = 1 + sum(len(re.findall("\r\n|\r|\n", name)) for name in dialect.columns)
    if facts.physical_lines != physical + header:
        pytest.fail(f"{path.name}: {facts.physical_lines} lines, {physical} + {header} accounted for")
    return Table(facts, dialect, rows, rejects)


def twin(path: Path) -> list[list[str]]:
    with io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="") as stream:
        return list(csv.reader(stream))


# ── csv-spectrum ─────────────────────────────────────────────────────────────────────────────────────────


SPECTRUM = [
    "comma_in_quotes",
    "empty",
    "empty_crlf",
    "escaped_quotes",
    "json",
    "newlines",
    "newlines_crlf",
    "quotes_and_newlines",
    "simple",
    "simple_crlf",
    "utf8",
]


@pytest.mark.parametrize("name", SPECTRUM)
def test_csv_spectrum_equals_its_json(corpora, name, tmp_path):
    """location_coordinates is left out: its JSON is wrong upstream. A checkout may have lost the CRs of "crlf"."""
    data = (corpora / "csv-spectrum" / "csvs" / f"{name}.csv").read_bytes()
    if name.endswith("_crlf") and b"\r" not in data:
        data = data.replace(b"\n", b"\r\n")
    (tmp_path / "file.csv").write_bytes(data)
    table = table_of(tmp_path / "file.csv")
    expected = json.loads((corpora / "csv-spectrum" / "json" / f"{name}.json").read_text("utf-8"))
    assert [dict(zip(table.dialect.columns, row, strict=True)) for row in table.rows] == expected
    assert table.rejects == []


# ── csv-test-data ────────────────────────────────────────────────────────────────────────────────────────


GOOD = [
    "empty-field",
    "header-no-rows",
    "header-simple",
    "leading-space",
    "one-column",
    "quotes-empty",
    "quotes-with-comma",
    "quotes-with-escaped-quote",
    "quotes-with-newline",
    "quotes-with-space",
    "simple-crlf",
    "simple-lf",
    "trailing-newline",
    "trailing-newline-one-field",
    "trailing-space",
    "utf8",
]


@pytest.mark.parametrize("name", GOOD)
def test_good_csv_test_data_equals_its_json(corpora, name):
    table = table_of(corpora / "csv-test-data" / "csv" / f"{name}.csv")
    expected = json.loads((corpora / "csv-test-data" / "json" / f"{name}.json").read_text("utf-8"))
    if name == "header-no-rows":
        expected = [["foo", "bar", "baz"]]
    elif name.startswith("header-"):
        expected = [list(expected[0]), *[list(row.values()) for row in expected]]
    assert table.all_rows == expected
    assert table.rejects == []


def test_lines_of_one_empty_cell_are_blank_lines(corpora):
    """RFC 4180 allows both readings; a line of nothing is blank in every file of ours."""
    folder = corpora / "csv-test-data" / "csv"
    assert table_of(folder / "empty-one-column.csv").all_rows == [["foo"]]
    with pytest.raises(FileError, match="blank"):
        table_of(folder / "all-empty.csv")


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("bad-header-less-fields", "missing_cell"),
        ("bad-header-more-fields", "extra_cell"),
        ("bad-header-no-header", "empty_file"),
        ("bad-header-wrong-header", "no rows"),
        ("bad-missing-quote", "open_quote"),
        ("bad-quotes-with-unescaped-quote", "open_quote"),
        ("bad-unescaped-quote", "kept as a character"),
    ],
)
def test_every_bad_file_is_flagged(corpora, name, flag):
    path = corpora / "csv-test-data" / "csv" / f"{name}.csv"
    try:
        table = table_of(path)
    except FileError as error:
        found = error.code
    else:
        found = " ".join([*(reject.code for reject in table.rejects), table.dialect.evidence])
        found += "" if table.rows else " no rows"
    assert flag in found


# ── csvkit ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["dummy.csv.gz", "dummy.tsv", "dummy.xlsx"])
def test_csvkit_containers_equal_the_plain_file(corpora, name):
    folder = corpora / "csvkit" / "examples"
    assert (
        table_of(folder / name).all_rows
        == table_of(folder / "dummy.csv").all_rows
        == [["a", "b", "c"], ["1", "2", "3"]]
    )


@pytest.mark.parametrize(
    ("name", "encoding", "last"),
    [
        ("test_utf8.csv", "utf-8", "ʤ"),
        ("test_utf8_bom.csv", "utf-8", "ʤ"),
        ("test_utf16_big.csv", "utf-16-be", "ʤ"),
        ("test_utf16_little.csv", "utf-16-le", "ʤ"),
        ("test_latin1.csv", "windows-1252", "©"),
    ],
)
def test_csvkit_encodings(corpora, name, encoding, last):
    table = table_of(corpora / "csvkit" / "examples" / name)
    assert table.facts.encoding == encoding
    assert (len(table.dialect.columns), len(table.rows)) == (3, 2)
    assert table.rows[-1][-1] == last


def test_csvkit_mac_line_ends_nul_and_leading_blank_lines(corpora):
    folder = corpora / "csvkit" / "examples"
    mac = table_of(folder / "mac_newlines.csv")
    assert (mac.facts.line_end, mac.rows) == ("CR", [["1", "2", "3"], ["Once upon\ra time", "5", "6"]])
    nul = table_of(folder / "null_byte.csv")
    assert (nul.facts.has_nul, nul.rows) == (True, [["\x00", "2", "3"]])
    assert table_of(folder / "test_skip_lines.csv").dialect.header_line == 4
    assert table_of(folder / "test_header_newline.csv").rows == [["d", "e", "f"]]


@pytest.mark.parametrize(
    ("name", "has_header"),
    [("no_header_row.csv", False), ("no_header_row2.csv", False), ("no_header_row3.csv", False), ("dummy.csv", True)],
)
def test_csvkit_header_rows(corpora, name, has_header):
    assert table_of(corpora / "csvkit" / "examples" / name).dialect.has_header == has_header


@pytest.mark.parametrize("name", ["dummy.csv.bz2", "dummy.xls", "test.xls", "testdbf.dbf", "testjson.json"])
def test_csvkit_other_formats_are_refused_clearly(corpora, name):
    with pytest.raises(FileError) as caught:
        table_of(corpora / "csvkit" / "examples" / name)
    assert caught.value.code in {"unsupported_container", "not_a_table"}
    assert caught.value.hint


def test_csvkit_bad_rows_are_rejected(corpora):
    table = table_of(corpora / "csvkit" / "examples" / "bad.csv")
    assert [(reject.line, reject.code) for reject in table.rejects] == [(2, "extra_cell"), (3, "missing_cell")]


def test_csvkit_workbook_equals_its_twin(corpora):
    """Apart from True for TRUE, midnight, and the name that csvkit invents for the last column."""
    folder = corpora / "csvkit" / "examples"
    expected = twin(folder / "testxlsx_converted.csv")
    rows = table_of(folder / "test.xlsx").all_rows
    written = [[cell.replace("True", "TRUE").replace("False", "FALSE") for cell in row] for row in expected]
    written = [[cell.removesuffix("T00:00:00") for cell in row] for row in written]
    written[0][-1] = ""
    assert rows == written


def test_csvkit_plain_files_equal_what_the_csv_module_reads(corpora):
    """Every UTF-8 CSV of the examples that has no odd quotes, line by line."""
    compared = 0
    for path in sorted((corpora / "csvkit" / "examples").rglob("*.csv")):
        try:
            expected = [row for row in twin(path) if row and (len(row) > 1 or row[0].strip())]
            table = table_of(path, delimiter=",", has_header=True)
        except (FileError, UnicodeDecodeError):
            continue
        width = len(expected[0])
        assert table.all_rows == [row for row in expected if len(row) == width], path.name
        assert len(table.rejects) == sum(len(row) != width for row in expected), path.name
        compared += 1
    assert compared > 50


# ── frictionless ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_frictionless_file_reads_with_an_exact_account_or_is_refused(corpora):
    """Never another exception, never a hang; ``table_of`` checks the account."""
    outcomes: dict[str, int] = {}
    for path in sorted(path for path in (corpora / "frictionless").rglob("*") if path.is_file()):
        try:
            table_of(path)
            code = "read"
        except OnrampError as error:
            code = error.code if error.hint else "no hint"
        outcomes[code] = outcomes.get(code, 0) + 1
    assert outcomes["read"] > 150
    assert set(outcomes) <= {
        "read",
        "empty_file",
        "not_a_table",
        "too_many_columns",
        "unsupported_container",
        "zip_not_one_file",
    }


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("defective-rows.csv", ["missing_cell", "extra_cell"]),
        ("duplicate-headers.csv", ["header_duplicate", "header_duplicate"]),
        ("blank-headers.csv", ["header_empty"]),
        ("capital-invalid.csv", ["header_duplicate", "missing_cell", "extra_cell"]),
        ("empty.csv", ["empty_file"]),
        ("wide.csv", ["too_many_columns"]),
        ("table-multiple-files.zip", ["zip_not_one_file"]),
        ("table.csv.bz2", ["unsupported_container"]),
        ("table.parquet", ["unsupported_container"]),
        ("table.ods", ["unsupported_container"]),
        ("document.pdf", ["unsupported_container"]),
        ("text.html", ["not_a_table"]),
    ],
)
def test_frictionless_files_have_the_right_kind_of_error(corpora, name, codes):
    path = corpora / "frictionless" / "data" / name
    try:
        table = table_of(path)
    except FileError as error:
        found = [error.code]
    else:
        found = [problem.code for problem in files.header_problems(table.dialect.columns)]
        found += [reject.code for reject in table.rejects]
    assert found == codes


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.csv.zip", "table.xlsx", "[table].csv", "bom.csv"])
def test_frictionless_tables_are_the_same_in_every_form(corpora, name):
    assert table_of(corpora / "frictionless" / "data" / name).all_rows[-1][-1] in {"中国人", "中国"}


# ── naughty strings ──────────────────────────────────────────────────────────────────────────────────────


def test_naughty_strings_survive_as_cells(corpora, tmp_path):
    """Byte for byte, as tab-separated and as quoted cells."""
    strings = json.loads((corpora / "blns" / "blns.json").read_text("utf-8"))
    plain = [text for text in strings if not set(text) & set("\t\r\n")]
    assert len(plain) > 500
    path = tmp_path / "naughty.tsv"
    lines = ["line\ttext", *(f"row\t{text}" for text in plain)]
    path.write_bytes(("\n".join(lines) + "\n").encode())
    table = table_of(path, has_header=True)
    assert ([row[1] for row in table.rows], table.rejects) == (plain, [])

    path = tmp_path / "naughty.csv"
    quoted = "".join(f'row,"{text.replace(chr(34), chr(34) * 2)}"\r\n' for text in strings)
    path.write_bytes(("line,text\r\n" + quoted).encode())
    table = table_of(path, has_header=True)
    assert ([row[1] for row in table.rows], table.rejects) == (strings, [])


def test_naughty_strings_survive_as_header(corpora, tmp_path):
    strings = [text for text in json.loads((corpora / "blns" / "blns.json").read_text("utf-8")) if text]
    plain = [text for text in strings if not set(text) & set("\t\r\n")]
    path = tmp_path / "header.tsv"
    path.write_bytes(("\t".join(["first", *plain]) + "\n").encode())
    dialect = files.sniff(files.PathSource(path), None, delimiter="\t", has_header=True)
    assert dialect.columns == ("first", *plain)
    assert files.header_problems(files.repair_names(dialect.columns)) == ()


@pytest.mark.parametrize(("code", "rows"), [("999999", 3), ("adobe_id_0", 5), ("adobe_id_12345", 5)])
def test_sample_files_of_audience_manager_hold_their_rows(corpora, code, rows):
    (path,) = [path for path in (corpora / "aam").rglob("*.sync") if code in path.name]
    assert len(table_of(path, delimiter="\t", has_header=False).rows) == rows
