"""am preflight, am name, am send: files before they are sent, a name for them, and on their way."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.audience_manager.naming import KINDS, guess
from ingest_core.audience_manager.preflight import Preflight
from ingest_core.audience_manager.preflight_page import page
from ingest_core.audience_manager.sending import Sent, Way, key_of, place_given
from ingest_core.cli.caller import path_given
from ingest_core.cli.deliveries import arrived, show_text
from ingest_core.cli.files_given import file_given
from ingest_core.cli.parser import command
from ingest_core.cli.text import visible
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.files import PathSource
from ingest_core.transport.presets import partner_of
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    made = command(am, "preflight", "Say what would become of files if they were sent now.", _preflight, preflight_text)
    made.add_argument("file", nargs="+", metavar="FILE|FOLDER")
    made.add_argument("--place", default="", metavar="FOLDER", help="judge them as if they lay in this folder")
    made.add_argument("--html", metavar="OUT", help="write the report as one page, too")
    name = command(am, "name", "Say what a file should be called.", _name, lambda found: str(found["name"]))
    name.add_argument("file", metavar="FILE")
    name.add_argument("--kind", choices=KINDS, help="data file, ID sync, or ID sync of hashed addresses")
    name.add_argument("--dpid", type=int, action="append", metavar="N", help="whose ids; of an ID sync once a column")
    name.add_argument("--target", type=int, metavar="N", help="whose traits, where that is another data source")
    name.add_argument("--mode", choices=("sync", "overwrite"))
    send = command(am, "send", "Send files as they are, once they were judged.", _send, _sent_text)
    send.add_argument("file", nargs="+", metavar="FILE|FOLDER")
    send.add_argument("--to", required=True, metavar="DEST", help="name of the destination")
    send.add_argument("--place", default="", metavar="FOLDER", help="the folder there: partner[/date=YYYY-MM-DD]")
    send.add_argument("--yes", action="store_true", help="send them despite warnings")
    send.add_argument("--reason", metavar="TEXT", help="why they go despite errors; the audit log keeps it")
    send.add_argument("--later", action="store_true", help="only queue them: the app or the worker sends them")


def _preflight(workspace: Workspace, args: argparse.Namespace) -> Preflight:
    files = _given(args.file)
    place = place_given(args.place, now())
    keys = {file.name: key for file in files if (key := _key(file, place)) is not None}
    found = workspace.outbound.preflight(files, keys=keys)
    if args.html is not None:
        path_given(args.html).write_text(page(found, f"{now():%Y-%m-%d %H:%M} UTC"), "utf-8")
    return found


def _name(workspace: Workspace, args: argparse.Namespace) -> dict[str, object]:
    file = file_given(args.file)
    said = {"kind": args.kind, "dpids": tuple(args.dpid or ()), "target": args.target, "mode": args.mode}
    wanted = guess(file.name, workspace.audience.registered())
    wanted = wanted.model_copy(update={field: value for field, value in said.items() if value})
    return {"file": file.name, "name": workspace.preflights.name_of(file, (), wanted), **wanted.model_dump()}


def _send(workspace: Workspace, args: argparse.Namespace) -> Sent:
    files = _given(args.file)
    place = place_given(args.place or partner_of(workspace.destinations.get(args.to).place), now())
    keys = {file.name: key_of(place, file.name) for file in files} if place else {}
    found = workspace.outbound.preflight(files, keys=keys)
    way = Way(args.to, place, has_seen_warnings=args.yes, reason=args.reason)
    ordered = workspace.preflights.sending.send(list(zip(files, found.files, strict=True)), way)
    if not args.later:
        ordered = [arrived(workspace.deliveries.send(one.delivery_id)) for one in ordered]
    return Sent(verdict=found.verdict, deliveries=tuple(ordered))


def _given(names: list[str]) -> list[PathSource]:
    files = [file for name in names for file in _files(name)]
    if not files:
        raise InputError("There is no file in the folder.", code="no_file", hint="Name files, or a folder of them.")
    return files


def _files(name: str) -> list[PathSource]:
    """A file, or all files straight in a folder, by name."""
    path = path_given(name)
    if not path.is_dir():
        return [file_given(name)]
    return [PathSource(one) for one in sorted(path.iterdir()) if one.is_file() and not one.name.startswith(".")]


def _key(file: PathSource, place: str) -> str | None:
    """The S3 key: in the place that was named, or where the file lies as in the bucket: partner/date=…/name."""
    if place:
        return key_of(place, file.name)
    parts = file.path.absolute().parts[-3:]
    return "/".join(parts) if len(parts) == 3 and parts[1].startswith("date=") else None


def _sent_text(sent: Any) -> str:
    return "\n\n".join(show_text(one) for one in sent["deliveries"])


def preflight_text(found: Any) -> str:
    """What people read of a pre-flight. ``found``: its JSON."""
    lines = []
    for file in found["files"]:
        check = file["check"]
        lines.append(f"{visible(check['file'])}: {check['lines']:,} lines")
        for problem in [*check["problems"], *file["remarks"]]:
            whys = "; ".join(dict.fromkeys(place["why"] for place in problem["places"] if place["why"]))
            lines.append(f"  {problem['level']} {problem['code']} ({problem['count']:,}): {problem['message']} {whys}")
        if file["fixes"]:
            lines.append("  am fix puts right: " + ", ".join(f"{code} ({n:,})" for code, n in file["fixes"].items()))
        if file["parts"] > 1:
            lines.append(f"  better in {file['parts']} parts with the same timestamp, numbered from 1")
    for receipt in (found["receipt"] or {"receipts": []})["receipts"]:
        stored, received = receipt["stored_records"], receipt["records_received"]
        lines.append(f"Receipt of data source {receipt['dpid']}: {stored:,} of {received:,} records would be stored")
    words = {"fine": "Can be sent.", "ask": "Look at the warnings first.", "blocked": "Not to be sent."}
    return "\n".join([*lines, words[found["verdict"]]])
