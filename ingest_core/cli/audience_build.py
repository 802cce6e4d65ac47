"""am build, am builds, am presets: files for Audience Manager from profiles."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.audience_manager.outbound.builds import parse_build
from ingest_core.audience_manager.outbound.exports import told
from ingest_core.audience_manager.outbound.presets import PRESETS
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command
from ingest_core.cli.text import visible
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
    build.add_argument("--confirm", type=int, metavar="ROWS", help="a second person saw these rows in the preview")
    build.add_argument("--dry-run", action="store_true", help="say what would be sent and change nothing")
    command(am, "builds", "List kept builds.", lambda workspace, _: workspace.outbound.builds.list())
    remove = command(am, "forget-build", "Remove a kept build; what was sent is forgotten.", _remove)
    remove.add_argument("name", metavar="NAME")
    presets = command(am, "presets", "Print where Audience Manager takes files.", lambda *_: list(PRESETS))
    presets.set_defaults(needs_workspace=False)


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
    if args.dry_run:
        return builds.preview(definition, is_full=args.full)
    if args.recipe is not None:
        builds.keep(definition)
    return told(builds.run(args.name, is_full=args.full, confirmed=args.confirm, user=workspace.user))


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.builds.remove(args.name)


def _text(run: Any) -> str:
    counts = {name: value for name, value in run["counts"].items() if isinstance(value, int)}
    told_counts = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in counts.items())
    refused = [f"  left out, {code}: {number:,}" for code, number in run["counts"]["refused_by_reason"].items()]
    if "run_id" not in run:
        shown = [*map(visible, run["files"]), *(f"  {visible(line)}" for line in run["lines"])]
        return "\n".join([f"Would be sent: {told_counts}", *refused, *shown])
    files = [f"  {visible(file['name'])}: {file['size']:,} bytes" for file in run["files"]]
    return "\n".join([f"Run {run['run_id']}: {run['status']}", f"  {told_counts}", *refused, *files])
