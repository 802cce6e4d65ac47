"""profile find, list, timeline: whom a value names, everybody, and what happened to one person."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.lineage import add_reveal, as_json, by_given, revealing
from ingest_core.cli.parser import command
from ingest_core.cli.text import table
from ingest_core.workspace import Workspace

_SHOWN = 4  # attributes of a person in a line of text


def add_commands(profile: Any, count: Any) -> None:
    """Registers commands in the group *profile*; ``count`` reads a number from 0."""
    find = command(profile, "find", "Find whom a value names, as whatever identifier.", _find, find_text)
    find.add_argument("value", metavar="VALUE")
    listed = command(profile, "list", "List profiles, the newest first.", _list, list_text)
    listed.add_argument("--source", metavar="NAME", help="only members of this source")
    listed.add_argument("--segment", metavar="NAME", help="only people of this segment")
    listed.add_argument("--limit", type=count, default=50, metavar="N", help="at most so many (50)")
    place = listed.add_mutually_exclusive_group()
    place.add_argument("--older-than", metavar="ID", help="those after this profile")
    place.add_argument("--newer-than", metavar="ID", help="those before this profile")
    timeline = command(profile, "timeline", "Print what each upload did to one person.", _timeline, timeline_text)
    timeline.add_argument("--by", required=True, metavar="ATTR=VALUE")
    add_reveal(timeline)
    erase = command(profile, "erase", "Erase one person; they do not come back with later files.", _erase, erase_text)
    erase.add_argument("--by", required=True, metavar="ATTR=VALUE")
    erase.add_argument("--reason", metavar="T", help="why, for the audit log")
    erase.add_argument("--dry-run", action="store_true", help="say what would go, change nothing")
    command(profile, "erased", "Print the list of erased identifiers, for the restore of a backup.", _erased)


def _find(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.profiles.find(args.value)


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    place = {"older_than": args.older_than, "newer_than": args.newer_than}
    return as_json(workspace.profiles.list(source=args.source, segment=args.segment, limit=args.limit, **place))


def _timeline(workspace: Workspace, args: argparse.Namespace) -> Any:
    return as_json(workspace.profiles.timeline(*by_given(args), **revealing(args)))


def _erase(workspace: Workspace, args: argparse.Namespace) -> Any:
    by, value = by_given(args)
    if args.dry_run:
        return workspace.erasure.preview(by, value).as_dict()
    return workspace.erasure.erase(by, value, reason=args.reason).as_dict()


def _erased(workspace: Workspace, _: argparse.Namespace) -> Any:
    return workspace.erasure.erased()


def erase_text(erased: Any) -> str:
    """What went, in figures."""
    lines = [f"Profile {erased['profile_id']}"]
    names = ("rows", "uploads", "values", "kept_values", "rejected_rows", "suppressed")
    lines += [f"  {name.replace('_', ' '):<14} {erased[name]:>8,}" for name in names]
    return "\n".join(
        [*lines, *(f"  segment {one['name']}: {one['before']} to {one['after']}" for one in erased["segments"])]
    )


def find_text(found: Any) -> str:
    """One person a line; or as what nobody was found."""
    rows = [_person(one, ", ".join(one["by"])) for one in found["matches"]]
    lines = [table(rows, ("profile", "by", "values"))] if rows else ["Nobody is known by this value."]
    lines += [f"As {one['attribute']} it is {one['why']}: it names nobody." for one in found["nobody"]]
    return "\n".join(lines)


def list_text(page: Any) -> str:
    """One person a line, then where in the list they stand."""
    rows = [_person(one, ", ".join(one["sources"])) for one in page["profiles"]]
    head = table([{**row, "sources": row["by"]} for row in rows], ("profile", "sources", "values"))
    first, last = page["newer"] + 1, page["newer"] + len(rows)
    return f"{head}\n{first:,} to {last:,} of {page['total']:,}, the newest first" if rows else head


def _person(one: dict[str, Any], by: str) -> dict[str, Any]:
    values = list(one["attributes"].items())[:_SHOWN]
    return {"profile": one["profile_id"], "by": by, "values": ", ".join(f"{name} {text}" for name, text in values)}


def timeline_text(entries: Any) -> str:
    """One value that an upload stated a line; uploads that stated nothing have a line without one."""
    rows = []
    for entry in entries:
        who = {"time": (entry["at"] or "")[:19].replace("T", " "), **{n: entry[n] for n in ("request_id", "source")}}
        who["state"] = "" if entry["state"] == "counts" else entry["state"]
        joined = [{"effect": "joined", "value": " and ".join(one["profiles"])} for one in entry["joined"]]
        rows += [{**who, **said} for said in [*joined, *entry["said"]] or [{}]]
    return table(rows, ("time", "request_id", "source", "state", "attribute", "before", "value", "effect"))
