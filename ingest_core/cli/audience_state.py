"""am undo, am redo, am forget, am digest: batches are taken back, ids are erased, and what all lead to."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.caller import value_given
from ingest_core.cli.parser import command
from ingest_core.cli.undo import batch_undo_text
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    undo = command(am, "undo", "Take a batch of files back, as if it had never come.", _undo, batch_undo_text)
    redo = command(am, "redo", "Let an undone batch count again.", _redo, batch_undo_text)
    for parser in (undo, redo):
        parser.add_argument("id", metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    forget = command(
        am, "forget", "Erase an id with its traits and mappings; later files are passed over for it.", _forget
    )
    forget.add_argument("dpid", type=int, metavar="DPID")
    forget.add_argument("id", metavar="ID", help="- reads it from standard input")
    command(am, "digest", "One figure for all traits and mappings, and their counts.", _digest)


def _undo(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.undo(args.id, is_preview=args.dry_run)


def _redo(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.redo(args.id, is_preview=args.dry_run)


def _forget(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.forget(args.dpid, value_given(args.id))


def _digest(workspace: Workspace, _: argparse.Namespace) -> Any:
    return workspace.audience.digest()
