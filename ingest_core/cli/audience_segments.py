"""am segment: named rules over traits, for exports."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from ingest_core.cli.moments import moment_given
from ingest_core.cli.parser import command
from ingest_core.clock import to_utc
from ingest_core.workspace import Workspace


def add_commands(segment: Any) -> None:
    """Registers them in the group ``am segment``."""
    add = command(segment, "add", "Create a segment over traits.", _add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--rule", required=True, metavar="RULE", help="such as: 1T AND (2T OR 3T)")
    add.add_argument("--id", type=int, metavar="N", help="its id (the next free one)")
    change = command(segment, "change", "Give a segment another name or rule.", _change)
    change.add_argument("id", type=int, metavar="ID")
    change.add_argument("--name", metavar="NAME")
    change.add_argument("--rule", metavar="RULE")
    command(segment, "list", "List segments over traits.", lambda workspace, _: workspace.outbound.segments.list())
    count = command(segment, "count", "Say how many profiles are in segments.", _count)
    count.add_argument("id", type=int, nargs="?", metavar="ID", help="only this one, with its data sources")
    trial = command(segment, "try", "Say whom a rule finds, keep nothing.", _try)
    trial.add_argument("rule", metavar="RULE")
    for one in (count, trial):
        one.add_argument("--at", metavar="TIME", help="as things are at this time (ISO 8601, UTC; now)")
    remove = command(segment, "remove", "Remove a segment; its members are told as removed.", _remove)
    remove.add_argument("id", type=int, metavar="ID")


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.segments.add(args.name, args.rule, args.id)


def _change(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.segments.change(args.id, name=args.name, rule=args.rule)


def _count(workspace: Workspace, args: argparse.Namespace) -> Any:
    counts = workspace.outbound.segment_counts
    if args.id is not None:
        return counts.of(args.id, _moment(args))
    found = counts.all(_moment(args))
    return [one.model_dump() | {"profiles": found[one.segment_id]} for one in workspace.outbound.segments.list()]


def _try(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.segment_counts.try_rule(args.rule, _moment(args))


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    hearing = workspace.outbound.segment_counts.hearing(args.id)
    workspace.outbound.segments.remove(args.id)
    return {"segment_id": args.id, "orders": [one.model_dump() for one in hearing]}


def _moment(args: argparse.Namespace) -> datetime | None:
    given = moment_given(args.at)
    return None if given is None else to_utc(given)
