"""pgp: the OpenPGP keys of those who get files, and our own."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.catalog.pgp_keys import PgpKey
from ingest_core.cli.destinations import secret_at
from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about OpenPGP keys."""
    ours = group(parsers, "pgp", "OpenPGP keys: of those who get files, and our own.")
    add = command(ours, "add", "Keep a key: a public one of a recipient, or a private one of ours.", _add)
    add.add_argument("name")
    add.add_argument("file", metavar="KEY.asc", help="the armored key")
    add.add_argument("--passphrase", metavar="WHERE", help="env:VARIABLE, file:PATH, or - for standard input")
    command(ours, "list", "List the keys.", _list, list_text)
    public = command(ours, "public", "Print the public part of a key.", _public, lambda made: str(made["public"]))
    remove = command(ours, "remove", "Take a key away for good.", _remove)
    for parser in (public, remove):
        parser.add_argument("name")


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    passphrase = None if args.passphrase is None else secret_at(args.passphrase)
    return _json(workspace.pgp_keys.add(args.name, text_given(args.file), passphrase))


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [_json(one) for one in workspace.pgp_keys.list()]


def _public(workspace: Workspace, args: argparse.Namespace) -> Any:
    kept = workspace.pgp_keys.get(args.name)
    return {"name": kept.name, "fingerprint": kept.fingerprint, "public": workspace.pgp_keys.public(kept.name)}


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    kept = workspace.pgp_keys.get(args.name)
    workspace.pgp_keys.remove(kept.name)
    return {"name": kept.name, "removed": True}


def _json(one: PgpKey) -> dict[str, Any]:
    return one.model_dump(mode="json", exclude={"pgp_key_id"})


def list_text(keys: Any) -> str:
    """One key a line."""
    return table(keys, ("name", "kind", "fingerprint", "expires_at"))
