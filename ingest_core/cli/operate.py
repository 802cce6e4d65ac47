"""backup, restore, maintain, keys, audit: the workspace as a whole."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import file_given, text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text
from ingest_core.operations.restore import restore
from ingest_core.workspace import Workspace, default_user


def add_commands(parsers: Any) -> None:
    """Registers the commands about a workspace as a whole."""
    backup = command(parsers, "backup", "Write everything of the workspace into one file, and check it.", _backup)
    backup.add_argument("out", metavar="OUT")
    backup.add_argument("--without-keys", action="store_true", help="leave keys.json out: back it up apart")
    backup.add_argument("--quick", action="store_true", help="leave the digest out")
    restored = command(parsers, "restore", "Make a new workspace from a backup.", _restore)
    restored.add_argument("archive", metavar="ARCHIVE")
    restored.add_argument("--keys", metavar="FILE", help="the key file, for a backup without keys")
    restored.add_argument("--erased", metavar="FILE", help="the list of those erased since: they are erased again")
    restored.set_defaults(needs_workspace=False)
    maintain = command(
        parsers, "maintain", "Remove what need not be kept, and shrink the file.", _maintain, _maintained
    )
    maintain.add_argument(
        "--keep-days", type=_days, metavar="N", help="for this run, instead of all retention settings"
    )
    keys = group(parsers, "keys", "Check and change the keys.")
    command(keys, "check", "Open everything that is encrypted.", _keys_check)
    command(keys, "rotate", "Encrypt the vault with a new key and forget the old one.", _keys_rotate)
    audit = group(parsers, "audit", "The log of who did what.")
    command(audit, "verify", "Check that nobody changed the audit log.", _audit_verify)


def _days(text: str) -> int:
    """A number of days; argparse makes a usage error of anything else."""
    number = int(text)
    if not 0 <= number <= 36_500:
        raise argparse.ArgumentTypeError("a number of days from 0 is needed")
    return number


def _backup(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.operations.backup(path_given(args.out), with_keys=not args.without_keys, is_quick=args.quick)


def _restore(_: object, args: argparse.Namespace) -> Any:
    home = path_given(getattr(args, "home", None) or os.environ.get("ONRAMP_HOME") or "workspace")
    keys = text_given(args.keys) if args.keys else None
    erased = text_given(args.erased) if args.erased else None
    file_given(args.archive)
    return restore(path_given(args.archive), home, default_user(), keys=keys, erased=erased)


def _maintain(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.operations.maintain(args.keep_days)


def _maintained(result: Any) -> str:
    return as_text({**result["removed"], **{name: size for name, size in result.items() if name != "removed"}})


def _keys_check(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.operations.check_keys()


def _keys_rotate(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.operations.rotate_keys()


def _audit_verify(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.operations.verify_audit()
