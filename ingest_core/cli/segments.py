"""segment: named sets of profiles, their rules, counts and members."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pydantic_core import to_jsonable_python

from ingest_core.cli.caller import path_given
from ingest_core.cli.deliveries import add_export
from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text, table, visible
from ingest_core.errors import InputError
from ingest_core.segments.rules import rule_from_text
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about segments."""
    segments = group(parsers, "segment", "Create, count, compare and change segments.")
    _writing(segments)
    command(segments, "list", "List segments with their counts.", _list, list_text)
    count = command(segments, "count", "Count the profiles of a segment.", _count)
    show = command(segments, "show", "Print a segment with its rule.", _show, show_text)
    history = command(segments, "history", "Print the counts of a segment over time.", _history, history_text)
    members = command(segments, "members", "Print the people of a segment, masked.", _members, people_text)
    for parser in (count, show, history, members):
        parser.add_argument("name")
    members.add_argument("--limit", type=_number, default=100, metavar="N", help="at most so many people (100)")
    members.add_argument("--offset", type=_number, default=0, metavar="N", help="leave out so many first")
    members.add_argument("--to", metavar="FILE.csv", help="write all of them into this file instead")
    members.add_argument("--spreadsheet", action="store_true", help="with --to: safe to open in a spreadsheet")
    overlap = command(segments, "overlap", "Count the people that segments share.", _overlap, overlap_text)
    overlap.add_argument("names", nargs="+", metavar="NAME", help="at most ten")
    preview = command(segments, "preview", "Say whom a rule would find; keep nothing.", _preview, preview_text)
    preview.add_argument("--rule", required=True, metavar="RULE.json")
    preview.add_argument("--sample", type=_number, default=5, metavar="N", help="show so many people (5)")
    check = command(segments, "check", "Say everything that is wrong with a rule.", _check, check_text)
    check.add_argument("--rule", required=True, metavar="RULE.json")
    for parser in (preview, check):
        parser.add_argument("--segment", metavar="NAME", help="the segment whose rule it is to become")
    add_export(segments)
    _offers(segments)


def _writing(segments: Any) -> None:
    add = command(segments, "add", "Create a segment from a rule file.", _add)
    edit = command(segments, "edit", "Change a segment: its rule, its name, what is said about it.", _edit)
    delete = command(segments, "delete", "Take a segment away.", _delete)
    for parser in (add, edit, delete):
        parser.add_argument("name", help="UPPER_SNAKE_CASE")
    edit.add_argument("--name", dest="new_name", metavar="NEW", help="another name")
    edit.add_argument("--version", metavar="V", help="only if it is still as segment show told with this version")
    for parser in (add, edit):
        parser.add_argument("--rule", required=parser is add, metavar="RULE.json")
        parser.add_argument("--description")
        parser.add_argument("--tag", action="append", metavar="T", help="may be given several times; none: no tags")
        parser.add_argument("--priority", type=_number, metavar="N", help="larger is more important")


def _offers(segments: Any) -> None:
    command(segments, "fields", "List what a rule may ask: attributes with their operators.", _fields, fields_text)
    values = command(
        segments, "values", "List the values of an attribute, the most frequent first.", _values, values_text
    )
    values.add_argument("attribute")
    values.add_argument("--limit", type=_number, default=100, metavar="N", help="at most so many values (100)")


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number from 0 is needed")
    return number


def rule_given(path: str) -> Any:
    """The rule in a file. InputError ``bad_rule``, ``no_such_file``."""
    return rule_from_text(text_given(path))


def _tags(args: argparse.Namespace) -> list[str] | None:
    return [] if args.tag == ["none"] else args.tag


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.add(
        args.name,
        rule_given(args.rule),
        args.description or "",
        tags=_tags(args) or [],
        priority=args.priority or 0,
    )


def _edit(workspace: Workspace, args: argparse.Namespace) -> Any:
    changes: dict[str, Any] = {name: getattr(args, name) for name in ("new_name", "description", "priority")}
    changes["tags"] = _tags(args)
    if args.rule is not None:
        changes["rule"] = rule_given(args.rule)
    if all(value is None for value in changes.values()) and args.rule is None:
        raise InputError("Say what to change. Nothing was changed.", code="usage", hint="Such as --rule RULE.json")
    return workspace.segments.edit(args.name, version=args.version, **changes)


def _delete(workspace: Workspace, args: argparse.Namespace) -> Any:
    workspace.segments.delete(args.name)
    return {"name": args.name, "deleted": True}


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return to_jsonable_python(workspace.segments.list())


def _count(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"name": args.name, "count": workspace.segments.count(args.name)}


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return to_jsonable_python(workspace.segments.show(args.name))


def _history(workspace: Workspace, args: argparse.Namespace) -> Any:
    return to_jsonable_python(workspace.segments.history(args.name))


def _members(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.to is not None:
        count = workspace.segments.write_members(args.name, path_given(args.to), is_spreadsheet=args.spreadsheet)
        return {"segment": args.name, "file": args.to, "people": count}
    return workspace.segments.members(args.name, args.limit, args.offset)


def _overlap(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.overlap(args.names)


def _preview(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.preview(rule_given(args.rule), args.sample, segment=args.segment)


def _check(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.check(rule_given(args.rule), args.segment)


def _fields(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.fields()


def _values(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.values(args.attribute, args.limit)


def list_text(segments: Any) -> str:
    """One segment a line; of one whose rule cannot be used, why."""
    rows = [{**one, "rule": one["words"] or f"cannot be counted: {one['problem']}"} for one in segments]
    return table(rows, ("name", "count", "change", "rule", "tags", "description"))


def show_text(segment: Any) -> str:
    """What there is to say about a segment, its rule in words and as JSON."""
    said = {name: value for name, value in segment.items() if name not in ("rule", "words", "recent", "priority")}
    said = {**said, "rule": segment["words"], "priority": str(segment["priority"])}
    return f"{as_text(said)}\n{visible(json.dumps(segment['rule'], ensure_ascii=False))}"


def history_text(counts: Any) -> str:
    """One count a line."""
    rows = [{**one, "time": one["at"][:19].replace("T", " ")} for one in counts]
    return table(rows, ("time", "cause", "request_id", "count"))


def check_text(problems: Any) -> str:
    """One problem a line, at its place."""
    return table(problems, ("path", "what", "hint")) if problems else "The rule can be used."


def fields_text(fields: Any) -> str:
    """One attribute a line."""
    rows = [{**one, "operators": ", ".join(operator["name"] for operator in one["operators"])} for one in fields]
    return table(rows, ("attribute", "segment", "type", "pii", "operators"))


def values_text(values: Any) -> str:
    """One value a line."""
    return table(values, ("value", "count"))


def people_text(people: Any) -> str:
    """One person a line, what is known about them in one column; of a file, how many it holds."""
    if isinstance(people, dict):
        return as_text(people)
    return table(
        [{"profile": one["profile_id"], "values": ", ".join(one["attributes"].values())} for one in people],
        ("profile", "values"),
    )


def overlap_text(overlap: Any) -> str:
    """The matrix; the diagonal is the segments' own counts."""
    names = overlap["names"]
    rows = [
        {"people in both": name, **dict(zip(names, counts, strict=True))}
        for name, counts in zip(names, overlap["counts"], strict=True)
    ]
    return table(rows, ("people in both", *names))


def preview_text(preview: Any) -> str:
    """The rule in words, whom it finds and some of them."""
    head = f"{visible(preview['words'])}\n{preview['count']:,} of {preview['profiles']:,} profiles"
    return f"{head}\n{people_text(preview['sample'])}" if preview["sample"] else head
