"""undo, redo: take an upload back, and take that back."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.parser import command
from ingest_core.cli.text import visible
from ingest_core.models import UndoReceipt
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers both commands."""
    undo = command(parsers, "undo", "Take an upload back, as if it had never been loaded.", _undo, undo_text)
    redo = command(parsers, "redo", "Let an undone upload count again.", _redo, undo_text)
    for parser in (undo, redo):
        parser.add_argument("id", metavar="ID")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    redo.add_argument("--again", action="store_true", help="also when the same file was loaded since")


def _undo(workspace: Workspace, args: argparse.Namespace) -> Any:
    if workspace.audience.has_batch(args.id):
        return workspace.audience.undo(args.id, is_preview=args.dry_run)
    act = workspace.undo.preview if args.dry_run else workspace.undo.undo
    return _with_receipt(workspace, act(args.id))


def _redo(workspace: Workspace, args: argparse.Namespace) -> Any:
    if workspace.audience.has_batch(args.id):
        return workspace.audience.redo(args.id, is_preview=args.dry_run)
    act = workspace.undo.preview_redo if args.dry_run else workspace.undo.redo
    return _with_receipt(workspace, act(args.id, again=args.again))


def _with_receipt(workspace: Workspace, done: UndoReceipt) -> dict[str, Any]:
    """The receipt of the upload as it stands afterwards, with what the undo changed."""
    receipt = workspace.history.get(done.request_id)
    return {**receipt.model_dump(mode="json"), "undo": done.model_dump(mode="json")}


def undo_text(result: dict[str, Any]) -> str:
    """The change in a few lines."""
    if "undo" not in result:
        return batch_undo_text(result)
    undo = result["undo"]
    is_preview = (result["undone_at"] is None) == (undo["action"] == "undo")
    verb = {"undo": "taken back", "redo": "counted again"}[undo["action"]]
    lines = [f"{undo['rows']:,} rows of {undo['request_id']} {'would be' if is_preview else 'are'} {verb}."]
    lines.append(f"Profiles: {undo['profiles_before']:,} → {undo['profiles_after']:,}{_moves(undo)}")
    lines.append(f"Memberships: {undo['memberships_before']:,} → {undo['memberships_after']:,}")
    for segment in undo["segments"]:
        counts = ["not there" if count is None else f"{count:,}" for count in (segment["before"], segment["after"])]
        lines.append(f"Segment {segment['name']}: {' → '.join(counts)}")
    if undo["uploads_back"] and undo["action"] == "undo":
        lines.append(f"Uploads it had replaced count again: {', '.join(undo['uploads_back'])}")
    lines += [
        f"Cannot be called back: {one['label']} to {one['destination']} ({one['delivery_id']})"
        for one in undo["went_out"][:_MOST_FILES]
    ]
    if (more := len(undo["went_out"]) - _MOST_FILES) > 0:
        lines.append(f"… and {more:,} more: delivery list --upload {undo['request_id']}")
    if result.get("batch"):
        lines.append(f"Traits and mappings of its batch are taken back apart: am {undo['action']} {result['batch']}")
    return "\n".join(map(visible, lines))


def batch_undo_text(done: dict[str, Any]) -> str:
    """What taking back a batch of Audience Manager files changes, in a few lines."""
    verb = {"undo": "taken back", "redo": "counted again"}[done["action"]]
    files = f"{len(done['files']):,} files of {done['request_id']}"
    lines = [f"{files} {'would be' if done['is_preview'] else 'are'} {verb}."]
    counted = ("qualifications", "profiles", "mappings")
    lines += [f"{name.capitalize()}: {done[f'{name}_before']:,} → {done[f'{name}_after']:,}" for name in counted]
    lines += [f"Signals in profiles are taken back apart: {done['action']} {one}" for one in done["uploads"]]
    return "\n".join(lines)


_MOST_FILES = 5

_WORDS = {
    "removed": "gone",
    "returned": "back",
    "merged": "become one with another",
    "came_apart": "come apart",
    "changed": "get other values",
}


def _moves(undo: dict[str, Any]) -> str:
    said = [f"{undo[name]:,} {words}" for name, words in _WORDS.items() if undo[name]]
    return f" ({', '.join(said)})" if said else ""
