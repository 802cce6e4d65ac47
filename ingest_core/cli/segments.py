"""segment: named sets of profiles."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import segments_text
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about segments."""
    segments = group(parsers, "segment", "Create, list and count segments.")
    add = command(segments, "add", "Create a segment from a rule file.", _add)
    add.add_argument("name", help="UPPER_SNAKE_CASE")
    add.add_argument("--rule", required=True, metavar="RULE.json")
    add.add_argument("--description", default="")
    command(segments, "list", "List segments with their counts.", _list, segments_text)
    count = command(segments, "count", "Count the profiles of a segment.", _count)
    count.add_argument("name")


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    try:
        rule = json.loads(text_given(Path(args.rule)))
    except (ValueError, RecursionError):
        raise InputError(
            "The rule file is not valid JSON. Nothing was changed.",
            code="bad_rule",
            hint='Such as {"any": [{"source": "CRM"}]}.',
        ) from None
    return workspace.segments.add(args.name, rule, args.description)


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.segments.list()


def _count(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"name": args.name, "count": workspace.segments.count(args.name)}
