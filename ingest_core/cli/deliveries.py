"""deliver, delivery list/show/retry/stop: files that leave for a destination."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any, get_args

from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given
from ingest_core.cli.parser import Parser, command, group
from ingest_core.cli.text import as_text, table
from ingest_core.deliveries.columns import preset_columns, read_column
from ingest_core.deliveries.order import NAME_TEMPLATE, STATES, Column, Delivery, Kind, Order
from ingest_core.deliveries.recipes import PRESETS, RECIPES
from ingest_core.errors import DeliveryError, InputError
from ingest_core.workspace import Workspace

_LONG = """
What is sent is a segment (its people), an upload (the people it stored, as they are now), the rejected rows of an
upload (--rejects), or a file. Personal data goes out hashed or not at all, unless --plain and --reason say otherwise.

columns:  ATTRIBUTE[:RECIPE][=NAME], by commas, such as crmid,email:google_email=Email,phone:meta_phone=ph
          profile_id is the id of the profile. Without --columns: all that somebody has.
"""


def add_commands(parsers: Any) -> None:
    """Registers the commands about deliveries."""
    deliver = command(parsers, "deliver", "Send people, rejected rows or a file to a destination.", _deliver, show_text)
    deliver.formatter_class = argparse.RawDescriptionHelpFormatter
    deliver.description = f"Send people, rejected rows or a file to a destination.\n{_LONG}"
    deliver.epilog = "recipes:  " + "\n          ".join(f"{one.name}: {one.says}" for one in RECIPES.values())
    deliver.add_argument("what", metavar="ID|FILE|SEGMENT", help="a Request ID, a file, or the name of a segment")
    deliver.add_argument("--to", required=True, metavar="DEST", help="name of the destination")
    deliver.add_argument("--as", dest="kind", choices=get_args(Kind), help="what it is, where its name does not say")
    deliver.add_argument("--rejects", action="store_true", help="the rejected rows of the upload")
    add_choices(deliver)
    ours = group(parsers, "delivery", "Look at what was sent, and try again.")
    listed = command(ours, "list", "List deliveries, newest first.", _list, list_text)
    listed.add_argument("--status", choices=STATES)
    listed.add_argument("--to", metavar="DEST", help="only to this destination")
    listed.add_argument("--by", metavar="USER", help="only those of this person")
    listed.add_argument("--upload", metavar="ID", help="only those with people of this upload")
    listed.add_argument("--search", metavar="TEXT", help="a part of what was sent, of the file's name or of the id")
    listed.add_argument("--since", type=datetime.fromisoformat, metavar="TIME")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    show = command(ours, "show", "Print one delivery.", _show, show_text)
    retry = command(ours, "retry", "Try a delivery again, now.", _retry, show_text)
    stop = command(ours, "stop", "Stop a delivery that waits.", _stop, show_text)
    for parser in (show, retry, stop):
        parser.add_argument("id", metavar="ID")


def add_export(segments: Any) -> None:
    """Segment export: the people of a segment as a file of this machine, masked, or sent to a destination."""
    export = command(
        segments, "export", "Write the people of a segment into a file, or send them.", _export, export_text
    )
    export.add_argument("name")
    export.add_argument("--to", required=True, metavar="DEST", help="a destination, or the path of a file")
    add_choices(export)


def add_choices(parser: Parser) -> None:
    """The options that say how something is sent."""
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--columns", metavar="LIST", help="the columns, in their order")
    chosen.add_argument("--preset", choices=PRESETS, help="the columns that a receiver asks for")
    parser.add_argument("--key", metavar="NAME", help="the column by which the receiver knows a row")
    parser.add_argument("--changed", action="store_true", help="only what changed since the last delivery of the same")
    parser.add_argument("--format", choices=("tsv", "csv", "spreadsheet"), default="tsv", dest="form")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--pgp", action="append", default=[], metavar="KEY", help="encrypt it for this OpenPGP key")
    parser.add_argument("--name", default=NAME_TEMPLATE, metavar="T", help=f"name of the file ({NAME_TEMPLATE})")
    parser.add_argument("--no-info", action="store_true", help="without the control file (.info)")
    parser.add_argument("--plain", action="store_true", help="personal data may go out as it is")
    parser.add_argument("--reason", metavar="TEXT", help="why; the audit log keeps it")
    parser.add_argument("--notify", action="append", default=[], metavar="MAIL", help="who is told when it fails")
    parser.add_argument("--later", action="store_true", help="only queue it: the app or the worker sends it")
    parser.add_argument("--once", metavar="KEY", help="the same key twice is one delivery")


def _deliver(workspace: Workspace, args: argparse.Namespace) -> Any:
    kind = args.kind or _kind(workspace, args)
    return deliver(workspace, args, kind, args.what, args.to)


def deliver(workspace: Workspace, args: argparse.Namespace, kind: Kind, what: str, to: str) -> Delivery:
    """Sends, or queues with ``--later``. DeliveryError where it did not arrive."""
    file = file_given(what) if kind == "file" else None
    order = Order(
        kind=kind,
        object=what if file is None else file.name,
        destination=to,
        columns=_columns(workspace, args),
        key=args.key,
        scope="changed" if args.changed else "full",
        form=args.form,
        gzip=args.gzip,
        pgp=tuple(args.pgp),
        file_name=args.name,
        control_file=not args.no_info,
        is_plain=args.plain,
        reason=args.reason,
        notify=tuple(args.notify),
    )
    delivery_id = workspace.deliveries.order(order, idempotency_key=args.once, file=file)
    return workspace.deliveries.get(delivery_id) if args.later else arrived(workspace.deliveries.send(delivery_id))


def _export(workspace: Workspace, args: argparse.Namespace) -> Any:
    """To a destination where there is one of this name (``./NAME`` is always a file)."""
    if args.to.casefold() in {one.name.casefold() for one in workspace.destinations.list()}:
        return deliver(workspace, args, "segment", args.name, args.to)
    given = {
        name for name in ("columns", "preset", "key", "changed", "gzip", "pgp", "plain", "later") if getattr(args, name)
    }
    if given:
        raise InputError(
            f"There is no destination {args.to!r}, and a file of this machine takes no --{min(given)}.",
            code="usage",
            hint="See the names with: destination list",
        )
    is_spreadsheet = args.form == "spreadsheet"
    count = workspace.segments.write_members(args.name, path_given(args.to), is_spreadsheet=is_spreadsheet)
    return {"segment": args.name, "file": args.to, "people": count}


def export_text(result: Any) -> str:
    """A delivery, or the file that was written."""
    return show_text(result) if "order" in result else as_text(result)


def _kind(workspace: Workspace, args: argparse.Namespace) -> Kind:
    if args.rejects:
        return "rejects"
    if workspace.history.has(args.what):
        return "upload"
    if args.what.casefold() in {name.casefold() for name in workspace.segments.names()}:
        return "segment"
    return "file"


def _columns(workspace: Workspace, args: argparse.Namespace) -> tuple[Column, ...]:
    if args.preset:
        return preset_columns(args.preset, {one.name: one for one in workspace.attributes.list()})
    return tuple(read_column(part) for part in args.columns.split(",")) if args.columns else ()


def arrived(delivery: Delivery) -> Delivery:
    """The delivery, if it arrived or waits for its turn. DeliveryError with what was said, otherwise."""
    error = delivery.error
    if error is None or delivery.status not in ("failed", "waiting"):
        return delivery
    is_waiting = delivery.status == "waiting"
    raise DeliveryError(
        str(error["message"]),
        code=str(error["code"]),
        hint="It is tried again while the app or the worker runs." if is_waiting else str(error["hint"]),
        facts={"delivery_id": delivery.delivery_id, "status": delivery.status},
        is_retryable=is_waiting,
    )


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.limit < 0:
        raise InputError("A number from 0 is needed.", code="usage", hint="Such as --limit 20.")
    return workspace.deliveries.list(
        status=args.status, destination=args.to, user=args.by, upload=args.upload, search=args.search,
        since=args.since, limit=args.limit,
    )  # fmt: skip


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.deliveries.get(args.id)


def _retry(workspace: Workspace, args: argparse.Namespace) -> Any:
    return arrived(workspace.deliveries.send(workspace.deliveries.retry(args.id).delivery_id))


def _stop(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.deliveries.cancel(args.id)


def list_text(deliveries: Any) -> str:
    """One delivery a line."""
    rows = [{**one, "what": one["label"], "destination": one["order"]["destination"]} for one in deliveries]
    return table(rows, ("delivery_id", "what", "destination", "status", "file", "lines", "finished_at"))


def show_text(delivery: Any) -> str:
    """What there is to say about a delivery."""
    order, error = delivery["order"], delivery["error"]
    said = {
        "delivery": delivery["delivery_id"],
        "what": f"{order['kind']} {delivery['label']}",
        "destination": order["destination"],
        "status": delivery["status"],
        "columns": [f"{one['name']} ({one['attribute']}, {one['recipe']})" for one in order["columns"]] or None,
        "key": order["key"],
    }
    names = (
        "file", "location", "control_file", "bytes", "lines", "people", "added", "changed", "removed", "without_key",
        "same_key", "flattened", "md5", "sha256", "attempts", "due_at", "finished_at", "requested_by", "again_of",
    )  # fmt: skip
    said |= {name: delivery[name] or None for name in names}
    if delivery["status"] == "delivered" and delivery["file"] is None:
        said["file"] = "none: nothing changed since the last delivery"
    return as_text({**said, "error": error and error["message"]})
