"""segment: named sets of profiles, their rules, counts and members."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text, table, visible
from ingest_core.errors import InputError
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
    overlap = command(segments, "overlap", "Count the people that segments share.", _overlap, overlap_text)
    overlap.add_argument("names", nargs="+", metavar="NAME", help="at most ten")
    preview = command(segments, "preview", "Say whom a rule would find; keep nothing.", _preview, preview_text)
    preview.add_argument("--rule", required=True, metavar="RULE.json")
    preview.add_argument("--sample", type=_number, default=5, metavar="N", help="show so many people (5)")


def _writing(segments: Any) -> None:
    add = command(segments, "add", "Create a segment from a rule file.", _add)
    edit = command(segments, "edit", "Change a segment: its rule, its name, what is said about it.", _edit)
    delete = command(segments, "delete", "Take a segment away.", _delete)
    for parser in (add, edit, delete):
        parser.add_argument("name", help="UPPER_SNAKE_CASE")
    edit.add_argument("--name", dest="new_name", metavar="NEW", help="another name")
    for parser in (add, edit):
        parser.add_argument("--rule", required=parser is add, metavar="RULE.json")
        parser.add_argument("--description")
        parser.add_argument("--tag", action="append", metavar="T", help="may be given several times; none: no tags")
        parser.add_argument("--priority", type=_number, metavar="N", help="larger is more important")


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number from 0 is needed")
    return number


def rule_given(path: str) -> Any:
    """The rule in a file. InputError ``bad_rule``, ``no_such_file``."""
    try:
        return json.loads(text_given(Path(path)), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise InputError(
            "The rule file is not valid JSON. Nothing was changed.",
            code="bad_rule",
            hint='Such as {"any": [{"source": "CRM"}]}.',
        ) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands there twice, JSON would take the last without a word."""
    if len(pairs) != len({key for key, _ in pairs}):
        raise ValueError
    return dict(pairs)


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
    return workspace.segments.edit(args.name, **changes)


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
    return workspace.segments.members(args.name, args.limit, args.offset)


def _overlap(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.overlap(args.names)


def _preview(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.preview(rule_given(args.rule), args.sample)


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


def people_text(people: Any) -> str:
    """One person a line, what is known about them in one column."""
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
