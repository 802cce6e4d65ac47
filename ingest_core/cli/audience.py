"""am check: files of Audience Manager, looked at before they are sent."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.audience_manager.checking import CheckOptions, check_files
from ingest_core.audience_manager.fixing import fix_file
from ingest_core.audience_manager.splitting import LEAST_BYTES, IntoFolder, split_file
from ingest_core.cli import (
    audience_build,
    audience_out,
    audience_preflight,
    audience_reports,
    audience_state,
    audience_work,
)
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import visible
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands for files of Audience Manager."""
    am = group(parsers, "am", "Files of Audience Manager.")
    check = command(am, "check", "Check files before they are sent: name, compression, every line.", _check, _text)
    check.add_argument("file", nargs="+", metavar="FILE")
    check.add_argument(
        "--uuid-source",
        type=int,
        action="append",
        default=[],
        metavar="DPID",
        help="a data source of your own whose ids are Audience Manager UUIDs; may be repeated",
    )
    check.add_argument("--strict-alnum", action="store_true", help="no hyphens in MAID, TIFA and Vizio ids")
    check.add_argument("--lenient-timestamp", action="store_true", help="take timestamps of 9 digits")
    check.set_defaults(needs_workspace=False)
    fix = command(am, "fix", "Write files again without what can be put right by itself.", _fix)
    fix.add_argument("file", nargs="+", metavar="FILE")
    fix.add_argument("--out", required=True, metavar="DIR", help="where the new files go; no file is replaced")
    fix.set_defaults(needs_workspace=False)
    split = command(am, "split", "Cut a file into parts of a good size, between lines.", _split, _parts_text)
    split.add_argument("file", metavar="FILE")
    split.add_argument("--out", required=True, metavar="DIR", help="where the parts go; no file is replaced")
    split.add_argument("--bytes", type=int, metavar="N", help="of one part (1 GB of plain text, 250 MB of gzip)")
    split.set_defaults(needs_workspace=False)
    audience_work.add_commands(am)
    audience_state.add_commands(am)
    audience_reports.add_commands(am)
    audience_out.add_commands(am)
    audience_build.add_commands(am)
    audience_preflight.add_commands(am)


def _check(_: Workspace, args: argparse.Namespace) -> Any:
    options = CheckOptions(
        uuid_sources=frozenset(args.uuid_source),
        lenient_timestamp=args.lenient_timestamp,
        strict_alnum=args.strict_alnum,
    )
    return check_files([file_given(name) for name in args.file], now(), options)


def _fix(_: Workspace, args: argparse.Namespace) -> Any:
    return [fix_file(file_given(name), path_given(args.out)) for name in args.file]


def _split(_: Workspace, args: argparse.Namespace) -> Any:
    if args.bytes is not None and args.bytes < LEAST_BYTES:
        raise InputError(
            f"A part has at least {LEAST_BYTES:,} bytes. Nothing was written.", code="usage", hint="Such as 1000000000"
        )
    return [*split_file(file_given(args.file), IntoFolder(path_given(args.out)), most=args.bytes)]


def _parts_text(parts: Any) -> str:
    return "\n".join(f"{visible(one['name'])}: {one['size']:,} bytes, {one['lines']:,} lines" for one in parts)


def _text(report: Any) -> str:
    return "\n\n".join(_file_text(file) for file in report["files"])


def _file_text(file: dict[str, Any]) -> str:
    verdict = "fine" if file["valid"] else "not to be sent"
    lines = [f"{visible(file['file'])}: {verdict}"]
    if file["name"] is not None:
        named = (f"{key} {value}" for key, value in file["name"].items() if value is not None and key != "kind")
        lines.append(f"  {file['kind'].replace('_', ' ')}: {', '.join(named)}")
    if file["is_checked"]:
        counts = (f"{count:,} {category.replace('_', ' ')}" for category, count in file["by_category"].items())
        lines.append(f"  {file['lines']:,} lines: {', '.join(counts) or 'none'}")
    for problem in file["problems"]:
        lines += _problem_lines(problem)
    return "\n".join(lines)


def _problem_lines(problem: dict[str, Any]) -> list[str]:
    times = "" if problem["count"] == 1 else f" ({problem['count']:,} times)"
    lines = [f"  {problem['level']} {problem['code']}{times}: {problem['message']} {problem['fix']}"]
    for place in problem["places"]:
        where = [f"{name} {place[name]:,}" for name in ("line", "column") if place[name] is not None]
        if where or place["why"]:
            lines.append("    " + ": ".join(part for part in (", ".join(where), place["why"]) if part))
    return lines
