"""am build, am builds, am approve and am decline, am presets: files for Audience Manager from profiles."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.audience_manager.outbound.build_text import parse_build
from ingest_core.audience_manager.outbound.exports import told
from ingest_core.cli.audience_preflight import preflight_text
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command
from ingest_core.cli.text import table, visible
from ingest_core.transport.presets import PRESETS
from ingest_core.workspace import Workspace


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    build = command(am, "build", "Make files for Audience Manager from profiles and deliver them.", _build, _text)
    build.add_argument("name", metavar="NAME")
    build.add_argument("--from", dest="recipe", metavar="BUILD.json", help="keep this definition under the name first")
    to = build.add_mutually_exclusive_group()
    to.add_argument("--to", metavar="DESTINATION", help="with --from: where its files go")
    to.add_argument("--folder", metavar="DIR", help="with --from: a folder of this machine")
    build.add_argument("--full", action="store_true", help="everything, also where only changes are wanted")
    build.add_argument("--confirm", type=int, metavar="ROWS", help="approve it at once if so many rows would be sent")
    build.add_argument("--note", default="", metavar="TEXT", help="with --confirm: why")
    trying = build.add_mutually_exclusive_group()
    trying.add_argument("--dry-run", action="store_true", help="say what would be sent and change nothing")
    trying.add_argument(
        "--check", action="store_true", help="say all that is wrong with it, and what would become of it"
    )
    _add_second_look(am)
    command(am, "builds", "List kept builds.", lambda workspace, _: workspace.outbound.builds.list())
    remove = command(am, "forget-build", "Remove a kept build; what was sent is forgotten.", _remove)
    remove.add_argument("name", metavar="NAME")
    presets = command(am, "presets", "Print where Audience Manager takes files.", lambda *_: list(PRESETS))
    presets.set_defaults(needs_workspace=False)


def _add_second_look(am: Any) -> None:
    waiting = command(am, "approvals", "List runs that need a second look.", _approvals, _approvals_text)
    waiting.add_argument("--all", action="store_true", help="also those that were answered")
    approve = command(am, "approve", "Let a run go that needs a second look, and deliver it.", _approve, _text)
    approve.add_argument("--fingerprint", metavar="F", help="only if this is what was looked at")
    decline = command(am, "decline", "Send a run not that needs a second look.", _decline)
    for parser, needed in ((approve, False), (decline, True)):
        parser.add_argument("id", metavar="RUN")
        parser.add_argument("--note", default="", required=needed, metavar="TEXT", help="why; kept in the audit log")


def _build(workspace: Workspace, args: argparse.Namespace) -> Any:
    builds = workspace.outbound.builds
    if args.recipe is None:
        definition = builds.get(args.name)
    else:
        definition = parse_build(text_given(args.recipe), args.name)
        if args.to is not None:
            definition = definition.model_copy(update={"destination": workspace.destinations.get(args.to).name})
        if args.folder is not None:
            definition = definition.model_copy(update={"folder": str(path_given(args.folder).absolute())})
    if args.check:
        found = workspace.outbound.editing.check(definition.model_dump())
        tried = workspace.outbound.preflight_build(definition, is_full=args.full) if found.build is not None else None
        problems = [one.model_dump() for one in found.problems]
        told_of = None if tried is None else tried.model_dump(mode="json")
        return {"can_be_built": found.build is not None, "problems": problems, "preflight": told_of}
    if args.dry_run:
        return builds.preview(definition, is_full=args.full)
    if args.recipe is not None:
        builds.keep(definition)
    return told(builds.run(args.name, is_full=args.full, confirmed=args.confirm, note=args.note, user=workspace.user))


def _approvals(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.approvals.list(answer=None if args.all else "waiting")


def _approve(workspace: Workspace, args: argparse.Namespace) -> Any:
    builds = workspace.outbound.builds
    return told(builds.approve(args.id, workspace.user, note=args.note, content=args.fingerprint))


def _decline(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.approvals.decline(args.id, workspace.user, args.note)


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.builds.remove(args.name)


def _checked_text(found: Any) -> str:
    lines = [
        f"{'error' if one['is_error'] else 'warning'} {one['code']} at {one['field']}: {one['message']}"
        for one in found["problems"]
    ]
    if not found["can_be_built"]:
        return "\n".join([*lines, "Cannot be built like this."])
    if found["preflight"] is None:
        return "\n".join([*lines, "Can be built. It is too large for a pre-flight in memory: use am preflight."])
    return "\n".join([*lines, "Can be built.", preflight_text(found["preflight"])])


def _text(run: Any) -> str:
    if "can_be_built" in run:
        return _checked_text(run)
    counts = {name: value for name, value in run["counts"].items() if isinstance(value, int)}
    told_counts = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in counts.items())
    refused = [f"  left out, {code}: {number:,}" for code, number in run["counts"]["refused_by_reason"].items()]
    if "run_id" not in run:
        shown = [*map(visible, run["files"]), *(f"  {visible(line)}" for line in run["lines"])]
        return "\n".join([f"Would be sent: {told_counts}", *refused, *shown])
    files = [f"  {visible(file['name'])}: {file['size']:,} bytes" for file in run["files"]]
    return "\n".join([f"Run {run['run_id']}: {run['status']}", f"  {told_counts}", *refused, *files])


def _approvals_text(approvals: Any) -> str:
    rows = [
        {
            "run": one["run_id"], "build": one["definition"], "rows": f"{one['counts']['rows']:,}",
            "removals": f"{one['counts']['removals']:,}", "asked_by": one["requested_by"], "answer": one["answer"],
            "answered_by": one["answered_by"] or "", "note": one["note"],
        }
        for one in approvals
    ]  # fmt: skip
    return table(rows, ("run", "build", "rows", "removals", "asked_by", "answer", "answered_by", "note"))
