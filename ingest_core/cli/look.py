"""history, upload, rejects, rebuild, digest, profile: after the load."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any, get_args

from ingest_core.cli import lineage, people, queued
from ingest_core.cli.caller import path_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import history_text, profile_text, rejects_text
from ingest_core.clock import to_utc
from ingest_core.errors import InputError
from ingest_core.ledger.history import BADGES
from ingest_core.ledger.reject_files import write_exact, write_spreadsheet
from ingest_core.models import Status
from ingest_core.workspace import Workspace

STATUSES = get_args(Status)


def add_commands(parsers: Any) -> None:
    """Registers the commands that look at what was loaded."""
    history = command(parsers, "history", "List uploads, newest first.", _history, history_text)
    history.add_argument("--source")
    history.add_argument("--status", choices=STATUSES)
    history.add_argument("--badge", choices=BADGES)
    history.add_argument("--by", metavar="USER", help="uploaded by this person")
    history.add_argument("--search", metavar="TEXT", help="a part of the file's name or of the Request ID")
    history.add_argument("--since", type=_moment, metavar="TIME", help="from then on (ISO 8601; UTC unless it says)")
    history.add_argument("--until", type=_moment, metavar="TIME", help="before then")
    history.add_argument("--limit", type=_count, metavar="N", help="at most so many")
    history.add_argument("--offset", type=_count, default=0, metavar="N", help="after the first so many")
    upload = group(parsers, "upload", "Look at one upload, or stop it.")
    queued.add_to_upload(upload)
    rejects = command(parsers, "rejects", "Print or write the rows that were not stored.", _rejects, rejects_text)
    rejects.add_argument("id", metavar="ID")
    rejects.add_argument("--out", metavar="F")
    rejects.add_argument("--spreadsheet", action="store_true", help="CSV that a spreadsheet opens without running it")
    command(parsers, "rebuild", "Compute all profiles again from the record log.", _rebuild)
    command(parsers, "digest", "Print the fingerprint of the whole state.", _digest)
    profile = group(parsers, "profile", "Look at people.")
    shown = command(profile, "show", "Print one profile with where each value comes from.", _profile_show, profile_text)
    shown.add_argument("--by", required=True, metavar="ATTR=VALUE")
    lineage.add_reveal(shown)
    command(profile, "count", "Count profiles.", _profile_count)
    people.add_commands(profile, _count)
    lineage.add_commands(upload, profile, _count)


def _count(text: str) -> int:
    """A number from 0; argparse makes a usage error of anything else."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number from 0 is needed")
    return number


def _moment(text: str) -> datetime:
    """A moment in UTC; argparse makes a usage error of anything else."""
    return to_utc(datetime.fromisoformat(text))


def _history(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source).name if args.source else None
    return workspace.history.list(
        source=source,
        status=args.status,
        badge=args.badge,
        user=args.by,
        search=args.search,
        since=args.since,
        until=args.until,
        limit=args.limit,
        offset=args.offset,
    )


def _rejects(workspace: Workspace, args: argparse.Namespace) -> Any:
    workspace.history.get(args.id)  # before the output file is touched
    if args.out is None:
        if args.spreadsheet:
            raise InputError("--spreadsheet writes a file.", code="usage", hint="Say where with --out FILE.csv.")
        return [row.model_dump(mode="json") for row in workspace.history.each_reject(args.id)]
    layout = workspace.history.layout(args.id)
    write = write_spreadsheet if args.spreadsheet else write_exact
    rows = workspace.history.each_reject(args.id)
    count = write(path_given(args.out), rows, layout.get("columns", []), layout.get("delimiter", "\t"))
    return {"request_id": args.id, "rejected": count, "out": args.out}


def _rebuild(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.rebuild()


def _digest(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.digest()


def _profile_show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return lineage.as_json(workspace.profiles.show(*lineage.by_given(args), **lineage.revealing(args)))


def _profile_count(workspace: Workspace, args: argparse.Namespace) -> Any:
    count = workspace.profiles.count()
    return {"profiles": count, "count": count}
