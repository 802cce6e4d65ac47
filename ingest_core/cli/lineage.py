"""profile history, upload changes: where values come from and what became of them."""

from __future__ import annotations

import argparse
from typing import Any

from pydantic import TypeAdapter

from ingest_core.cli.parser import command
from ingest_core.cli.text import table
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace


def add_commands(upload: Any, profile: Any, count: Any) -> None:
    """Registers commands in the groups *upload* and *profile*; ``count`` reads a number from 0."""
    changes = command(upload, "changes", "Print which profiles an upload changed.", _upload_changes, changes_text)
    changes.add_argument("id", metavar="ID")
    changes.add_argument("--limit", type=count, default=100, metavar="N", help="at most so many people (100)")
    history = command(
        profile, "history", "Print what each upload said about one person.", _profile_history, history_text
    )
    history.add_argument("--by", required=True, metavar="ATTR=VALUE")
    history.add_argument("--attribute", metavar="NAME", help="only this attribute")
    add_reveal(history)


def add_reveal(parser: Any) -> None:
    """The options of a command that can show personal data."""
    parser.add_argument("--reveal", action="store_true", help="plain values instead of masked ones; is audited")
    parser.add_argument("--reason", metavar="T", help="why, for the audit log; goes with --reveal")


def revealing(args: argparse.Namespace) -> dict[str, Any]:
    """``reveal`` and ``reason`` as the services take them."""
    if args.reason is not None and not args.reveal:
        raise InputError("--reason goes with --reveal.", code="usage", hint="Say both, or neither.")
    return {"reveal": args.reveal, "reason": args.reason}


def as_json(result: Any) -> Any:
    """Times as ISO 8601 texts, as in receipts."""
    return TypeAdapter(Any).dump_python(result, mode="json")


def by_given(args: argparse.Namespace) -> tuple[str, str]:
    """Attribute and value of ``--by``."""
    attribute, separator, value = args.by.partition("=")
    if not separator:
        raise InputError("--by is written ATTRIBUTE=VALUE.", code="usage", hint="Such as --by crmid=C-1042")
    return attribute, value


def _profile_history(workspace: Workspace, args: argparse.Namespace) -> Any:
    return as_json(workspace.profiles.value_history(*by_given(args), attribute=args.attribute, **revealing(args)))


def _upload_changes(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.profiles.changed_by(args.id, limit=args.limit)


def history_text(entries: Any) -> str:
    """One statement of an upload a line; * marks where the present value comes from."""
    rows = [
        {**entry, "now": "*" if entry["is_current"] else "", "time": (entry["at"] or "")[:19].replace("T", " ")}
        for entry in entries
    ]
    return table(rows, ("time", "attribute", "value", "effect", "now", "request_id", "file", "line"))


def changes_text(people: Any) -> str:
    """One changed value a line; people of whom no value changed have a line without one."""
    rows = []
    for person in people:
        who = {"profile": person["profile_id"], "kind": person["kind"]}
        values = [{"attribute": name, **value} for name, value in person["attributes"].items()]
        rows += [{**who, **value} for value in values or [{}]]
    return table(rows, ("profile", "kind", "attribute", "before", "after"))
