"""Reject files: machine-exact in the file's own dialect, or safe for spreadsheets."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from ingest_core.files.table_file import neutral
from ingest_core.models import RejectedRow

COLUMNS = ("line", "column", "codes", "message", "fix")

csv.field_size_limit(2**31 - 1)  # a rejected line may be one cell of any length


def write_exact(out: Path | IO[str], rows: Iterable[RejectedRow], header: Sequence[str], delimiter: str) -> int:
    """Five columns about the reject, then the original line verbatim: cut them off and the rows load again."""

    def write(file: IO[str]) -> int:
        count = 0
        file.write(delimiter.join([*COLUMNS, *(_header_cell(name, delimiter) for name in header)]) + "\n")
        for row in rows:
            about = (str(row.line), row.column or "", " ".join(row.codes), row.message, row.fix)
            plain = (part.replace(delimiter, " ").replace("\n", " ").replace('"', "'") for part in about)
            file.write(delimiter.join(plain) + delimiter + row.text + "\n")
            count += 1
        return count

    return _with_file(out, write)


def write_spreadsheet(out: Path | IO[str], rows: Iterable[RejectedRow], header: Sequence[str], delimiter: str) -> int:
    """CSV with a byte order mark; cells that a spreadsheet would run as formulas are neutralised."""

    def write(file: IO[str]) -> int:
        count = 0
        file.write("\ufeff")
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([*COLUMNS, *(neutral(name) for name in header)])
        for row in rows:
            about = (str(row.line), row.column or "", " ".join(row.codes), row.message, row.fix)
            cells = split_line(row.text, delimiter)
            writer.writerow([neutral(cell) for cell in (*about, *cells)])
            count += 1
        return count

    return _with_file(out, write)


def _header_cell(name: str, delimiter: str) -> str:
    """A column name as the file's dialect writes it: quoted where it must be; tab-separated files know no quotes."""
    if delimiter == "\t" or not {delimiter, '"', "\n", "\r"} & set(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def split_line(text: str, delimiter: str) -> list[str]:
    """The cells of a line of a file with this delimiter."""
    if delimiter == "\t":
        return text.split("\t")
    return next(csv.reader([text], delimiter=delimiter), []) if "\x00" not in text else [text]


def _with_file(out: Path | IO[str], write: object) -> int:
    if isinstance(out, Path):
        private = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # rows as they came: personal data
        with os.fdopen(private, "w", encoding="utf-8", newline="") as file:
            return write(file)  # type: ignore[operator,no-any-return]
    return write(out)  # type: ignore[operator,no-any-return]
