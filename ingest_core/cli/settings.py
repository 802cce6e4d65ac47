"""settings, blocked, mail: what an installation can set, and whether it works."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from ingest_core.cli.caller import value_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table
from ingest_core.operations.configure import Change
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about settings."""
    settings = group(parsers, "settings", "What can be set, and what it is.")
    command(settings, "list", "All settings, their defaults and where they come from.", _list, _list_text)
    set_ = command(settings, "set", "Give a setting another value.", _set, _changed_text)
    set_.add_argument("name", metavar="NAME")
    set_.add_argument("value", metavar="VALUE", help="- reads it from standard input")
    reset = command(settings, "reset", "Give a setting its default back.", _reset, _changed_text)
    reset.add_argument("name", metavar="NAME")
    blocked = group(parsers, "blocked", "Values that identify nobody.")
    command(blocked, "list", "The patterns of such values.", _blocked, _blocked_text)
    add = command(blocked, "add", "One more pattern.", _block, _changed_text)
    add.add_argument("pattern", metavar="PATTERN")
    add.add_argument("--rank", choices=["any", "primary", "secondary"], default="any")
    remove = command(blocked, "remove", "Take a pattern out.", _unblock, _changed_text)
    remove.add_argument("pattern", metavar="PATTERN")
    test = command(blocked, "test", "What a load would make of a value.", _test)
    test.add_argument("value", metavar="VALUE", help="- reads it from standard input")
    test.add_argument("--attribute", default="email", metavar="NAME", help="the identifier (email)")
    mail = group(parsers, "mail", "Messages by e-mail.")
    mail_test = command(mail, "test", "Send a test message.", _test_mail)
    mail_test.add_argument("address", metavar="ADDRESS")


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"policy": workspace.configuration.policy, "settings": workspace.configuration.all()}


def _list_text(result: Any) -> str:
    rows = [
        {
            **row,
            "value": f"{len(row['value'])} patterns" if row["name"] == "blocked" else plain(row["value"]),
            "from": row["from"] + (" (at restart)" if row["is_waiting"] else ""),
        }
        for row in result["settings"]
    ]
    return f"Policy: {result['policy']}\n{table(rows, ('name', 'value', 'from', 'about'))}"


def plain(value: Any) -> str:
    """A value as ``settings set`` takes it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _set(workspace: Workspace, args: argparse.Namespace) -> Any:
    return _changed(workspace, workspace.configuration.set({args.name: value_given(args.value)}))


def _reset(workspace: Workspace, args: argparse.Namespace) -> Any:
    return _changed(workspace, workspace.configuration.reset(args.name))


def _changed(workspace: Workspace, changes: list[Change]) -> Any:
    return {"changed": [asdict(change) for change in changes], "policy": workspace.configuration.policy}


def _changed_text(result: Any) -> str:
    lines = [
        f"{change['name']}: {len(change['old'])} → {len(change['new'])} patterns"
        if change["name"] == "blocked"
        else f"{change['name']}: {plain(change['old'])} → {plain(change['new'])}"
        for change in result["changed"]
    ]
    return "\n".join([*lines, f"Policy: {result['policy']}"] if lines else ["Nothing to change."])


def _blocked(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [one.model_dump() for one in workspace.settings.blocked]


def _blocked_text(result: Any) -> str:
    return table(result, ("pattern", "rank", "title"))


def _block(workspace: Workspace, args: argparse.Namespace) -> Any:
    return _changed(workspace, workspace.configuration.block(args.pattern, args.rank))


def _unblock(workspace: Workspace, args: argparse.Namespace) -> Any:
    return _changed(workspace, workspace.configuration.unblock(args.pattern))


def _test(workspace: Workspace, args: argparse.Namespace) -> Any:
    return asdict(workspace.configuration.judge(value_given(args.value), args.attribute))


def _test_mail(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"sent_to": args.address, "message_id": workspace.configuration.test_mail(args.address)}
