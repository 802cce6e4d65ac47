"""am trait change, am trait try."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.parser import command
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

NONE = "none"
_FIELDS = {"name": "name", "rule": "rule", "ttl": "ttl_days", "ic": "integration_code", "folder": "folder"}


def add_commands(trait: Any) -> None:
    """Registers them in the group ``am trait``."""
    change = command(trait, "change", "Change a trait; what is not given stays.", _change)
    change.add_argument("id", type=int, metavar="ID")
    change.add_argument("--name", metavar="NAME")
    change.add_argument("--rule", metavar="RULE|none", help="none: only ids in files name it")
    change.add_argument("--ttl", type=int, metavar="DAYS", help="0: for ever")
    change.add_argument("--ic", metavar="CODE|none", help="integration code")
    change.add_argument("--folder", metavar="PATH|none")
    trial = command(trait, "try", "What a rule would be true of among the signals that nobody uses.", _try)
    trial.add_argument("rule", metavar="RULE")
    trial.add_argument("--dpid", type=int, required=True, metavar="N", help="the data source that would own the trait")


def _change(workspace: Workspace, args: argparse.Namespace) -> Any:
    given = {field: getattr(args, option) for option, field in _FIELDS.items() if getattr(args, option) is not None}
    if not given:
        raise InputError("There is nothing to change.", code="usage", hint="Such as: am trait change 24 --ttl 30")
    changed = {field: None if value == NONE and field != "name" else value for field, value in given.items()}
    return workspace.audience.trait_editing.change(args.id, changed)


def _try(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.trait_editing.try_rule(args.rule, args.dpid)
