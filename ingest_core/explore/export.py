"""A notebook as a folder or archive that runs anywhere: Jupyter's format, its data beside it, nothing of ours."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from ingest_core.errors import InputError
from ingest_core.explore.charts import suggest_chart
from ingest_core.explore.material import TableInfo
from ingest_core.explore.notebooks import Cell, Chart
from ingest_core.explore.result import Result
from ingest_core.explore.session import ExploreSession

NOTEBOOK = "notebook.ipynb"
_DRAWN = {"bar": "bar", "line": "line", "histogram": "histogram", "scatter": "scatter"}  # functions of plotly.express

Open = Callable[[str], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True, slots=True)
class Exported:
    """``cells`` that run, ``left_out``: (number of the cell from 1, why it did not run here) of those kept as text."""

    cells: int
    left_out: tuple[tuple[int, str], ...]


def export_folder(session: ExploreSession, name: str, cells: Sequence[Cell], folder: Path) -> Exported:
    """Into a new folder, for you alone to read; it is there when it is complete, or gone again.

    InputError ``exists_already``; raises as ``ExploreSession``.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise exists_already() from None

    def opened(path: str) -> AbstractContextManager[IO[bytes]]:
        return os.fdopen(os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    try:
        (folder / "data").mkdir(mode=0o700)
        return _export(session, name, cells, opened)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def export_zip(session: ExploreSession, name: str, cells: Sequence[Cell], out: IO[bytes]) -> Exported:
    """The same as a ZIP archive, written to an open file."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:

        @contextmanager
        def opened(path: str) -> Iterator[IO[bytes]]:
            with archive.open(path, "w", force_zip64=True) as file, _Counting(file) as counting:
                yield counting  # type: ignore[misc]

        return _export(session, name, cells, opened)


def exists_already() -> InputError:
    """Nothing of the person's is written over."""
    return InputError(
        "There is something of this name already. Nothing was written.",
        code="exists_already",
        hint="Choose another name.",
    )


def _export(session: ExploreSession, name: str, cells: Sequence[Cell], opened: Open) -> Exported:
    tables = session.tables()
    for table in tables:
        with opened(f"data/{table.name}.parquet") as file:
            _write_parquet(session.whole(table.name), file)
    made = [_markdown(f"# {_literal(name)}\n\n{_about(tables)}"), _code(_BEGIN.format(tables=[t.name for t in tables]))]
    left_out: list[tuple[int, str]] = []
    asked = [cell for cell in cells if cell.sql.strip()]
    for number, cell in enumerate(asked, start=1):
        try:
            made += _query(number, cell, session.run(cell.sql))
        except InputError as error:
            left_out.append((number, error.message))
            made.append(_markdown(f"This query did not run: {_literal(error.message)}\n\n{_fenced(cell.sql)}"))
    with opened(NOTEBOOK) as file:
        file.write(json.dumps(_notebook(made), indent=1).encode())
    return Exported(len(asked) - len(left_out), tuple(left_out))


def _write_parquet(pieces: Iterator[pa.Table], file: IO[bytes]) -> None:
    import pyarrow.parquet as pq  # for this alone

    first = next(pieces)
    with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for piece in pieces:
            writer.write_table(piece)


_BEGIN = """\
from pathlib import Path

import duckdb
import plotly.express as px

db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
for table in {tables}:
    db.read_parquet(str(Path("data", table + ".parquet"))).create(table)
"""


def _query(number: int, cell: Cell, result: Result) -> list[dict[str, Any]]:
    """A cell with the query, and one with its chart."""
    rows = f"rows_{number}"
    lines = [f"{rows} = db.execute({python_text(cell.sql)}).df()"]
    if result.is_renamed:
        lines.append(f"{rows}.columns = {[column.name for column in result.columns]!r}")
    made = [_code("\n".join([*lines, rows]))]
    chart = cell.chart or suggest_chart(result)
    names = {column.name for column in result.columns}
    axes = {axis: name for axis, name in _axes(chart).items() if name is not None}
    if chart.kind != "none" and axes and set(axes.values()) <= names:
        given = ", ".join(f"{axis}={name!r}" for axis, name in axes.items())
        made.append(_code(f"px.{_DRAWN[chart.kind]}({rows}, {given})"))
    return made


def _axes(chart: Chart) -> dict[str, str | None]:
    return {"x": chart.x, "y": None if chart.kind == "histogram" else chart.y, "color": chart.colour}


def python_text(text: str) -> str:
    """A text as a Python literal over several lines that reads back exactly."""
    parts = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    shown = "".join(sign if sign == "\n" or sign.isprintable() else _escaped(sign) for sign in parts)
    return f'"""\\\n{shown}\\\n"""'


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _about(tables: Sequence[TableInfo]) -> str:
    lines = [f"- `{table.name}`: {table.about}" for table in tables]
    return "Tables, each a file in the folder *data*:\n\n" + "\n".join(lines) + "\n\nNeeds duckdb, pandas and plotly."


def _literal(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~$-])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sql\n{text}\n{fence}"


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.rstrip("\n").splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _notebook(cells: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


class _Counting(io.RawIOBase):
    """A file in an archive that knows how far it is, as the writer of Parquet wants it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        written = self._file.write(data)
        self._at += written
        return written
