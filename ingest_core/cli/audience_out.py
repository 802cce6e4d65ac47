"""am export, am runs, am send-again, am give-up, am control: trait and segment data for those who receive it."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.audience_manager.outbound.exports import told
from ingest_core.cli import audience_orders, audience_segments
from ingest_core.cli.moments import moment_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table, visible
from ingest_core.clock import to_utc
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    audience_segments.add_commands(group(am, "segment", "Named rules over traits, for exports."))
    audience_orders.add_commands(group(am, "order", "Who receives trait and segment data, in which form, where."))
    export = command(am, "export", "Tell a receiver who is in what: everything, or what changed.", _export, _run_text)
    export.add_argument("order", metavar="ORDER", help="id or name")
    export.add_argument("--mode", choices=("full", "iter"), default="iter")
    export.add_argument("--at", metavar="TIME", help="as things are at this time (ISO 8601, UTC; now)")
    export.add_argument("--dry-run", action="store_true", help="say what would be told, send nothing")
    runs = command(am, "runs", "List exports and builds, the newest first.", _runs, _runs_text)
    runs.add_argument("--kind", choices=("export", "build"))
    runs.add_argument("--limit", type=int, default=100, metavar="N")
    given_up = command(am, "give-up", "Send a run no more that could not be delivered.", _give_up, _run_text)
    given_up.add_argument("id", metavar="RUN")
    again = command(am, "send-again", "Bring a run to its end that could not be delivered.", _send_again, _run_text)
    again.add_argument("id", metavar="RUN")
    control = command(am, "control", "Keep data of a source from orders with a label.", _control)
    control.add_argument("--dpid", type=int, metavar="N", help="set the labels of this data source")
    control.add_argument("--label", action="append", default=[], metavar="T", help="may be repeated; none: no control")


def _export(workspace: Workspace, args: argparse.Namespace) -> Any:
    given = moment_given(args.at)
    at = None if given is None else to_utc(given)
    if args.dry_run:
        return workspace.outbound.exports.preview(args.order, args.mode, at)
    return told(workspace.outbound.exports.run(args.order, args.mode, at=at, user=workspace.user))


def _runs(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [told(run) for run in workspace.outbound.runs.list(args.kind, limit=args.limit)]


def _give_up(workspace: Workspace, args: argparse.Namespace) -> Any:
    return told(workspace.outbound.runs.give_up(workspace.outbound.runs.get(args.id), workspace.user))


def _send_again(workspace: Workspace, args: argparse.Namespace) -> Any:
    return told(workspace.outbound.runs.send_again(args.id))


def _control(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.dpid is None:
        return workspace.outbound.orders.controls()
    return workspace.outbound.orders.set_controls(args.dpid, tuple(args.label))


def _run_text(run: Any) -> str:
    figures = {name: value for name, value in run["counts"].items() if isinstance(value, int)}
    counts = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures.items())
    if "run_id" not in run:
        lines = [f"Would be told: {counts}", *map(visible, run["files"]), *(f"  {visible(row)}" for row in run["rows"])]
        return "\n".join(lines)
    files = [f"  {visible(file['name'])}: {file['size']:,} bytes, {file['lines']:,} lines" for file in run["files"]]
    return "\n".join([f"Run {run['run_id']}: {run['status']}", f"  {counts}", *files])


def _runs_text(runs: Any) -> str:
    rows = [
        {
            "run": run["run_id"], "kind": run["kind"], "of": run["definition"], "mode": run["mode"],
            "status": run["status"], "files": len(run["files"]), "time": run["created_at"][:19].replace("T", " "),
        }
        for run in runs
    ]  # fmt: skip
    return table(rows, ("time", "run", "kind", "of", "mode", "status", "files"))
