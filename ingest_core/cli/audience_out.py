"""am segment, am order, am export, am runs, am give-up: trait and segment data for those who receive it."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from pydantic import ValidationError

from ingest_core.audience_manager.outbound.exports import told
from ingest_core.audience_manager.outbound.orders import GB, Order, What, as_listed
from ingest_core.audience_manager.qualified import Scope
from ingest_core.cli.caller import path_given
from ingest_core.cli.moments import moment_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table, visible
from ingest_core.clock import to_utc
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    _add_segments(group(am, "segment", "Named rules over traits, for exports."))
    _add_orders(group(am, "order", "Who receives trait and segment data, in which form, where."))
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


def _add_segments(segment: Any) -> None:
    add = command(segment, "add", "Create a segment over traits.", _segment_add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--rule", required=True, metavar="RULE", help="such as: 1T AND (2T OR 3T)")
    add.add_argument("--id", type=int, metavar="N", help="its id (the next free one)")
    command(segment, "list", "List segments over traits.", lambda workspace, _: workspace.outbound.segments.list())
    remove = command(segment, "remove", "Remove a segment; its members are told as removed.", _segment_remove)
    remove.add_argument("id", type=int, metavar="ID")


def _add_orders(order: Any) -> None:
    add = command(order, "add", "Create an order.", _order_add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--id", type=int, required=True, metavar="N", help="stands in the names of its files")
    add.add_argument("--master", type=int, required=True, metavar="DPID", help="whose ids key the rows; 0: UUIDs")
    to = add.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", metavar="DESTINATION")
    to.add_argument("--folder", metavar="DIR", help="a folder of this machine")
    add.add_argument("--what", choices=get_args(What), default="segments")
    add.add_argument(
        "--item", type=int, action="append", default=[], metavar="ID", help="only this one; may be repeated"
    )
    add.add_argument("--sync-type", choices=("ftp", "s3", "http"), default="ftp", help="how names of files begin")
    add.add_argument("--pid", default="", metavar="N")
    add.add_argument("--alias", default="", metavar="T", help="your account id at the receiver")
    add.add_argument("--dpid", type=int, metavar="N", help="for templates that ask for it")
    add.add_argument("--scope", choices=get_args(Scope), default="profile_only")
    add.add_argument("--template", default="", metavar="T", help="of a row")
    add.add_argument("--header", default="", metavar="T", help="of the first line of each file")
    add.add_argument("--file-name", default="", metavar="T", help="template with <TIMESTAMP> and SPLITNUM")
    add.add_argument("--seconds", action="store_true", help="timestamps of 10 digits instead of 13")
    add.add_argument("--gzip", action="store_true")
    add.add_argument("--split", type=int, default=GB, metavar="BYTES", help="of plain text in one file (1 GB)")
    add.add_argument("--keep-days", default="8", metavar="N|none", help="its files are deleted there afterwards (8)")
    add.add_argument("--label", action="append", default=[], metavar="T", help="meets export controls; may be repeated")
    command(order, "list", "List orders.", lambda workspace, _: as_listed(workspace.outbound.orders.list()))
    remove = command(order, "remove", "Remove an order; its receiver is told nothing more.", _order_remove)
    remove.add_argument("order", metavar="ORDER", help="id or name")


def _segment_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.segments.add(args.name, args.rule, args.id)


def _segment_remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    workspace.outbound.segments.remove(args.id)
    return {"segment_id": args.id}


def _order_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.to is not None:
        workspace.destinations.get(args.to)
    try:
        order = Order(
            order_id=args.id, name=args.name, what=args.what, items=tuple(args.item), master=args.master,
            destination=args.to, folder=None if args.folder is None else str(path_given(args.folder).absolute()),
            sync_type=args.sync_type, pid=args.pid, pid_alias=args.alias, dpid=args.dpid, scope=args.scope,
            content=args.template, header=args.header, file_name=args.file_name,
            timestamp_digits=10 if args.seconds else 13, gzip=args.gzip, split_bytes=args.split,
            keep_days=None if args.keep_days == "none" else args.keep_days, labels=tuple(args.label),
        )  # fmt: skip
    except ValidationError as error:
        names = ", ".join(sorted({str(one["loc"][0]).replace("_", "-") for one in error.errors() if one["loc"]}))
        raise InputError(
            f"This cannot be an order ({names}). Nothing was created.", code="bad_order", hint="am order add --help"
        ) from None
    return workspace.outbound.orders.add(order)


def _order_remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.orders.remove(args.order)


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
