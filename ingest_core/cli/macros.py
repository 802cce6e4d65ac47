"""macro: the names by which messages use attributes."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.lineage import by_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table, visible
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about macros."""
    macros = group(parsers, "macro", "Look at macros and at messages that use them.")
    command(macros, "list", "List macros with their attributes.", _list, list_text)
    preview = command(macros, "preview", "Print a message as one person would get it.", _preview, preview_text)
    preview.add_argument("text", metavar="TEXT", help="such as 'Hi {{FIRST_NAME}}'")
    preview.add_argument("--segment", metavar="NAME", help="for the people of this segment")
    preview.add_argument("--by", metavar="ATTR=VALUE", help="for the person with this identifier")
    preview.add_argument("--nth", type=_place, default=1, metavar="N", help="for the Nth person instead of the first")
    preview.add_argument("--reveal", action="store_true", help="plain values instead of masked ones; is audited")
    missing = command(macros, "missing", "Count who would miss a value, in every segment.", _missing, missing_text)
    missing.add_argument("text", metavar="TEXT", help="such as 'Hi {{FIRST_NAME}}'")


def _place(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1 is needed")
    return int(text)


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.macros.list()


def _preview(workspace: Workspace, args: argparse.Namespace) -> Any:
    by = by_given(args) if args.by is not None else None
    return workspace.macros.preview(args.text, segment=args.segment, by=by, nth=args.nth, reveal=args.reveal)


def _missing(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.macros.missing(args.text)


def list_text(macros: Any) -> str:
    """One macro a line."""
    return table(macros, ("macro", "attribute", "display_name"))


def preview_text(preview: Any) -> str:
    """The message, then who would miss what, then what is no macro."""
    lines = ["Nobody to show it for."] if preview["text"] is None else preview["text"].split("\n")
    whom = f"{preview['members']:,} people" + (f" of {preview['segment']}" if preview["segment"] else "")
    lines += [f"{one['missing']:,} of {whom} have no {one['macro']}" for one in preview["macros"]]
    for one in preview["unknown"]:
        meant = f" Did you mean {' or '.join(one['suggestions'])}?" if one["suggestions"] else ""
        lines.append(f"{{{{{one['macro']}}}}} is no macro.{meant}")
    return "\n".join(visible(line) for line in lines)


def missing_text(missing: Any) -> str:
    """One segment a line, everybody first, with a column for each macro."""
    macros = list(missing[0]["macros"])
    rows = [{**one, **one["macros"], "segment": one["segment"] or "(everybody)"} for one in missing]
    return table(rows, ("segment", "members", "without", *macros))
