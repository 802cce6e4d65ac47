"""inbox: the files that wait in the inbox folder."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about the inbox."""
    inbox = group(parsers, "inbox", "The folder in which files wait to be taken.")
    command(inbox, "list", "List the files that wait, newest first.", _inbox_list, _listed)


def _inbox_list(workspace: Workspace, args: argparse.Namespace) -> Any:
    folder = workspace.inbox.folder()
    files = [
        {
            "name": file.name,
            "size": file.size,
            "modified_at": file.modified_at.isoformat(),
            "is_growing": file.is_growing,
        }
        for file in workspace.inbox.waiting()
    ]
    return {"folder": str(folder), "files": files}


def _listed(result: Any) -> str:
    if not result["files"]:
        return f"No file waits in {result['folder']}"
    return as_text(result["files"])
