"""attribute: the fields of a profile."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text, attributes_text, table
from ingest_core.errors import InputError
from ingest_core.ledger.retype import TARGETS
from ingest_core.models import Attribute
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about attributes."""
    _attribute(group(parsers, "attribute", "Create, change and list attributes of the profile."))


def _attribute(commands: Any) -> None:
    add = command(commands, "add", "Create a custom attribute.", _attribute_add)
    add.add_argument("name")
    add.add_argument("--type", required=True, help="string, number, integer, boolean, date, datetime, email, phone, …")
    add.add_argument("--display-name")
    add.add_argument("--identifier", choices=("primary", "secondary"))
    add.add_argument("--pii", action="store_true")
    add.add_argument("--segment", metavar="NAME", help="UPPER_SNAKE name for use in segments")
    add.add_argument("--macro", metavar="NAME", help="UPPER_SNAKE name for use in messages")
    change = command(commands, "change", "Change an attribute: its type or its names.", _attribute_change)
    change.add_argument("name")
    change.add_argument("--type", help=f"one of: {', '.join(TARGETS)}")
    change.add_argument("--dry-run", action="store_true", help="say what the new type would do, change nothing")
    change.add_argument("--display-name")
    change.add_argument("--pii", action="store_true", help="mark it as personal data; only while it holds no values")
    change.add_argument("--segment", metavar="NAME", help="UPPER_SNAKE name for use in segments; none takes it away")
    change.add_argument("--macro", metavar="NAME", help="UPPER_SNAKE name for use in messages; none takes it away")
    command(commands, "list", "List attributes.", _attribute_list, attributes_text)
    show = command(commands, "show", "Print what an attribute holds and who uses it.", _attribute_show, attribute_text)
    show.add_argument("name")


def _attribute_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    made = workspace.attributes.add(
        args.name,
        args.type,
        display_name=args.display_name,
        identifier=args.identifier,
        pii=args.pii,
        segment=args.segment,
        macro=args.macro,
    )
    return attribute_json(made)


def _attribute_change(workspace: Workspace, args: argparse.Namespace) -> Any:
    given = {name: getattr(args, name) for name in ("type", "display_name", "segment", "macro")}
    wanted = {name: text for name, text in given.items() if text is not None}
    if (args.dry_run and (set(wanted) != {"type"} or args.pii)) or not (wanted or args.pii):
        raise InputError(
            "Say what to change; --dry-run goes with --type alone. Nothing was changed.",
            code="usage",
            hint="Such as --type integer --dry-run",
        )
    if args.dry_run:
        return workspace.attributes.preview_type(args.name, args.type)
    if args.pii:
        made = workspace.attributes.mark_pii(args.name)
        if not wanted:
            return attribute_json(made)
    names = {name: None if wanted[name] == "none" else wanted[name] for name in ("segment", "macro") if name in wanted}
    return attribute_json(
        workspace.attributes.change(args.name, type=args.type, display_name=args.display_name, **names)
    )


def _attribute_list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [attribute_json(attribute) for attribute in workspace.attributes.list()]


def _attribute_show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {**attribute_json(workspace.attributes.get(args.name)), **workspace.attribute_facts.show(args.name)}


def attribute_text(shown: Any) -> str:
    """The attribute, its figures, who uses it, its commonest values."""
    head = as_text({name: value for name, value in shown.items() if name not in ("top", "sources", "segments")})
    used = {"sources": shown["sources"], "segments": shown["segments"]}
    top = [table(shown["top"], ("value", "profiles"))] if shown["top"] else []
    return "\n".join([head, as_text(used), *top])


def attribute_json(attribute: Attribute) -> dict[str, Any]:
    """An attribute as the contract prints it."""
    return attribute.model_dump(mode="json", exclude={"attribute_id", "priority"})
