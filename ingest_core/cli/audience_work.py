"""am ingest, am trait, am members: files of Audience Manager are processed, and what people have by them."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any, get_args

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.qualified import Page, Scope
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.rules.expiry import DEFAULT_DAYS
from ingest_core.audience_manager.trait_table import write_table
from ingest_core.audience_manager.traits import TraitType
from ingest_core.cli import audience_traits
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given, text_given
from ingest_core.cli.moments import moment_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import visible
from ingest_core.clock import now, to_utc
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

SHOWN = 1_000


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    ingest = command(am, "ingest", "Process files as one batch: traits, mappings of ids, receipts.", _ingest, _report)
    ingest.add_argument("file", nargs="+", metavar="FILE")
    ingest.add_argument("--env", choices=("production", "beta"), default="production", help="beta stores nothing")
    ingest.add_argument("--at", metavar="TIME", help="traits count as realised at this time (ISO 8601, UTC; now)")
    ingest.add_argument("--dry-run", action="store_true", help="say what would be done and change nothing")
    trait = group(am, "trait", "Named qualifications of people, owned by a data source.")
    add = command(trait, "add", "Create a trait.", _add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--dpid", type=int, required=True, metavar="N", help="the data source that owns it")
    add.add_argument("--id", type=int, metavar="N", help="its id (the next free one)")
    add.add_argument("--type", choices=get_args(TraitType), default="onboarded")
    add.add_argument("--rule", metavar="RULE", help='over signals, such as: colour == "red" AND price > 10')
    add.add_argument("--ttl", type=int, default=DEFAULT_DAYS, metavar="DAYS", help="0: for ever")
    add.add_argument("--ic", metavar="CODE", help="integration code")
    add.add_argument("--folder", metavar="PATH")
    add.add_argument("--description", metavar="TEXT")
    removed = command(trait, "remove", "Delete a trait; whoever had it has it no more.", _remove)
    removed.add_argument("id", type=int, metavar="ID")
    table = command(trait, "import", "Create the traits of a CSV table, all or none.", _import)
    table.add_argument("file", metavar="FILE")
    table.add_argument("--dry-run", action="store_true", help="only check")
    written = command(trait, "export", "Write the traits as a CSV table.", _export)
    written.add_argument("--out", required=True, metavar="FILE")
    written.add_argument("--dpid", type=int, metavar="N", help="only those of this data source")
    listed = command(trait, "list", "List traits.", lambda workspace, args: workspace.audience.traits.list(args.dpid))
    listed.add_argument("--dpid", type=int, metavar="N", help="only those of this data source")
    audience_traits.add_commands(trait)
    members = command(am, "members", "Who has which traits.", _members)
    members.add_argument("--at", metavar="TIME", help="at this time (ISO 8601, UTC; now)")
    members.add_argument("--dpid", type=int, metavar="N", help="only profiles of this namespace; 0: devices")
    members.add_argument("--after", metavar="DPID:ID", help="go on after this profile: the next of the page before")
    members.add_argument("--scope", choices=get_args(Scope), default="profile_only")
    members.add_argument("--limit", type=int, default=SHOWN, metavar="N", help=f"at most so many ({SHOWN:,})")


def _ingest(workspace: Workspace, args: argparse.Namespace) -> Any:
    options = BatchOptions(_moment(args.at), is_beta=args.env == "beta")
    files = [file_given(name) for name in args.file]
    report = workspace.audience.ingest(files, options, is_dry_run=args.dry_run)
    if report.request_id is not None:
        with workspace.notices.at_work():
            report.uploads = workspace.signal_uploads.load(report.request_id)
    return report


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.traits.add(
        args.name, args.dpid, trait_id=args.id, type=args.type, rule=args.rule, ttl_days=args.ttl,
        integration_code=args.ic, folder=args.folder, description=args.description,
    )  # fmt: skip


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"trait_id": args.id, "held": workspace.audience.traits.remove(args.id)}


def _import(workspace: Workspace, args: argparse.Namespace) -> Any:
    made = workspace.audience.traits.load_table(text_given(args.file), is_dry_run=args.dry_run)
    return {"traits": made, "is_dry_run": args.dry_run}


def _export(workspace: Workspace, args: argparse.Namespace) -> Any:
    traits = workspace.audience.traits.list(args.dpid)
    path_given(args.out).write_text(write_table(traits), encoding="utf-8", newline="")
    return {"file": args.out, "traits": len(traits)}


def _members(workspace: Workspace, args: argparse.Namespace) -> Any:
    at = _moment(args.at)
    page = Page(args.dpid, None if args.after is None else _profile(args.after), max(args.limit, 0))
    found = workspace.audience.page_of_members(page, at, args.scope)
    return {"at": at.isoformat(), **found.model_dump()}


def _profile(text: str) -> tuple[int, str]:
    """``DPID:ID``. InputError ``bad_profile``."""
    dpid, colon, identifier = text.partition(":")
    if not colon or not dpid.isascii() or not dpid.isdigit() or len(dpid) > 10:
        raise InputError(
            "A profile is told by data source and id.", code="bad_profile", hint="Give the next of the page before."
        )
    return int(dpid), identifier


def _moment(text: str | None) -> datetime:
    given = moment_given(text)
    return now() if given is None else to_utc(given)


def upload_line(one: dict[str, Any]) -> str:
    """What became of the signals of one file, in a line."""
    where = f"Signals of {visible(one['file'])} into {visible(one['source'])}"
    if one["state"] == "waiting":
        return f"{where}: waiting"
    if one["state"] == "refused" and one["request_id"]:
        return f"{where}: loaded before, by upload {one['request_id']}"
    if one["error"] is not None:
        return f"{where}: not loaded. {one['error']['message']} {one['error']['hint']} ({one['error']['code']})"
    return (
        f"{where}: upload {one['request_id']}, {one['status']}, {one['stored']:,} stored, {one['rejected']:,} rejected"
    )


def _report(report: Any) -> str:
    lines = []
    for receipt in report["receipts"]:
        of = f"data source {receipt['dpid']}" + (f", traits of {receipt['target']}" if receipt["target"] else "")
        lines.append(f"{of}: {', '.join(map(visible, receipt['files']))}")
        lines += [f"  {name.replace('_', ' ')}: {receipt[name]:,}" for name in Counts.model_fields if receipt[name]]
    for sync in report["id_sync"]:
        lines.append(f"ID sync {visible(sync['file'])}")
        lines += [f"  {name.replace('_', ' ')}: {count:,}" for name, count in sync["counts"].items() if count]
    lines += [f"Refused: {visible(one['file'])}: {one['error']}. {one['message']}" for one in report["rejected"]]
    lines += [upload_line(one) for one in report["uploads"]]
    stored = f"Request ID {report['request_id']}" if report["request_id"] else "Nothing was stored."
    return "\n".join([*lines, stored])
