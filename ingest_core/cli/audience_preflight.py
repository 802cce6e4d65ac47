"""am preflight: what would become of files and folders of them if they were sent now."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ingest_core.audience_manager.preflight import Preflight
from ingest_core.audience_manager.preflight_page import page
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given
from ingest_core.cli.parser import command
from ingest_core.cli.text import visible
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.files import PathSource
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers it in the group ``am``."""
    made = command(am, "preflight", "Say what would become of files if they were sent now.", _preflight, _text)
    made.add_argument("file", nargs="+", metavar="FILE|FOLDER")
    made.add_argument("--html", metavar="OUT", help="write the report as one page, too")


def _preflight(workspace: Workspace, args: argparse.Namespace) -> Preflight:
    files = [file for name in args.file for file in _files(name)]
    if not files:
        raise InputError("There is no file in the folder.", code="no_file", hint="Name files, or a folder of them.")
    keys = {file.name: key for file in files if (key := _key(file.path)) is not None}
    found = workspace.outbound.preflight(files, keys=keys)
    if args.html is not None:
        path_given(args.html).write_text(page(found, f"{now():%Y-%m-%d %H:%M} UTC"), "utf-8")
    return found


def _files(name: str) -> list[PathSource]:
    """A file, or all files straight in a folder, by name."""
    path = path_given(name)
    if not path.is_dir():
        return [file_given(name)]
    return [PathSource(one) for one in sorted(path.iterdir()) if one.is_file() and not one.name.startswith(".")]


def _key(path: Path) -> str | None:
    """The S3 key, where the file lies as in the bucket: partner/date=…/name."""
    parts = path.absolute().parts[-3:]
    return "/".join(parts) if len(parts) == 3 and parts[1].startswith("date=") else None


def _text(found: Any) -> str:
    lines = []
    for file in found["files"]:
        check = file["check"]
        lines.append(f"{visible(check['file'])}: {check['lines']:,} lines")
        for problem in [*check["problems"], *file["remarks"]]:
            whys = "; ".join(dict.fromkeys(place["why"] for place in problem["places"] if place["why"]))
            lines.append(f"  {problem['level']} {problem['code']} ({problem['count']:,}): {problem['message']} {whys}")
        if file["parts"] > 1:
            lines.append(f"  better in {file['parts']} parts with the same timestamp, numbered from 1")
    for receipt in (found["receipt"] or {"receipts": []})["receipts"]:
        stored, received = receipt["stored_records"], receipt["records_received"]
        lines.append(f"Receipt of data source {receipt['dpid']}: {stored:,} of {received:,} records would be stored")
    words = {"fine": "Can be sent.", "ask": "Look at the warnings first.", "blocked": "Not to be sent."}
    return "\n".join([*lines, words[found["verdict"]]])
