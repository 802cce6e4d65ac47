"""explore: one query over a file, or over masked profiles."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given
from ingest_core.cli.ingest import _dialect_options, _overrides
from ingest_core.cli.parser import command
from ingest_core.cli.text import visible
from ingest_core.engine.stopping import stoppable_by
from ingest_core.errors import InputError
from ingest_core.explore.export import Exported, exists_already, export_folder, export_zip
from ingest_core.explore.notebooks import Cell
from ingest_core.explore.session import ExploreSession
from ingest_core.workspace import Workspace

_WIDEST = 48  # characters of one cell


def add_commands(parsers: Any) -> None:
    """Registers the command."""
    explore = command(parsers, "explore", "Ask a file, or masked profiles, with SQL.", _explore, _text)
    explore.add_argument("file", nargs="?")
    explore.add_argument("--profiles", action="store_true", help="ask the profiles, personal data masked")
    explore.add_argument("--sql", required=True, metavar="SELECT…")
    explore.add_argument("--rows", type=_positive, metavar="N", help="print at most so many rows")
    explore.add_argument("--source", help="read the file as this source's files are read")
    explore.add_argument("--export", metavar="OUT", help="write a notebook with its data: a new folder, or OUT.zip")
    _dialect_options(explore)


def _explore(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.profiles == bool(args.file):
        raise InputError("Name a file, or say --profiles.", code="usage", hint='Such as: explore FILE --sql "…"')
    out = path_given(args.export) if args.export else None
    if out is not None and out.exists():
        raise exists_already()
    session = _session(workspace, args)
    try:
        with stoppable_by(session.stop):
            result = session.run(args.sql, args.rows)
            if out is not None:
                _export(session, args, out)
    finally:
        session.close()
    return result.as_json()


def _session(workspace: Workspace, args: argparse.Namespace) -> ExploreSession:
    if args.profiles:
        return workspace.explore.open_profiles()
    source = workspace.sources.get(args.source) if args.source else None
    return workspace.explore.open_file(
        file_given(args.file), source, limits=workspace.planner.limits(), **_overrides(args)
    )


def _export(session: ExploreSession, args: argparse.Namespace, out: Path) -> Exported:
    name = "Profiles" if args.profiles else file_given(args.file).name
    cells = [Cell(sql=args.sql)]
    if out.suffix.lower() != ".zip":
        return export_folder(session, name, cells, out)
    private = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(private, "wb") as file:
            return export_zip(session, name, cells, file)
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _text(result: Any) -> str:
    """The rows as a grid, values as they are: an id gets no separators here."""
    count = f"{result['row_count']:,} row{'s' * (result['row_count'] != 1)}"
    end = f"The first {count}; there are more." if result["is_cut"] else f"{count}."
    names = [column["name"] for column in result["columns"]]
    cells = [[_cell(value) for value in row] for row in [names, *result["rows"]]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_number = [
        all(isinstance(value, int | float | None) and not isinstance(value, bool) for value in column)
        for column in zip(*result["rows"], strict=True)
    ] or [False] * len(names)
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    ]
    return "\n".join([*lines, end])


def _cell(value: Any) -> str:
    text = "" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = visible(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _positive(text: str) -> int:
    """A number from 1; argparse makes a usage error of anything else."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("a number from 1 is needed")
    return number
