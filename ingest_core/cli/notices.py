"""notice, webhook: who was told what, and trying again."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.cli.parser import command, group
from ingest_core.cli.text import table
from ingest_core.notices.model import STATES, Notice
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about notices."""
    notice = group(parsers, "notice", "Messages about uploads, sent and waiting.")
    listed = command(notice, "list", "List notices, newest first.", _list, _list_text)
    listed.add_argument("--state", choices=STATES, help="with a recipient in this state")
    listed.add_argument("--upload", metavar="ID", help="about this upload")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many (50)")
    shown = command(notice, "show", "Print one notice as it goes out.", _show, _show_text)
    shown.add_argument("id", metavar="ID")
    retried = command(notice, "retry", "Send one to everybody who did not get it.", _retry, _show_text)
    retried.add_argument("id", metavar="ID")
    send = command(notice, "send", "Send everything that waits, now.", _send)
    send.add_argument("--kept", action="store_true", help="also what was kept because there was no server")
    webhook = group(parsers, "webhook", "Notices for other programs.")
    command(webhook, "test", "Post a test notice.", _test)


def notice_json(notice: Notice) -> dict[str, Any]:
    """A notice as the contract prints it."""
    return {**notice.model_dump(mode="json", exclude_none=False), "state": notice.state}


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    found = workspace.notices.list(state=args.state, request_id=args.upload, limit=args.limit)
    return [_without_messages(notice) for notice in found]


def _without_messages(notice: Notice) -> dict[str, Any]:
    return {name: value for name, value in notice_json(notice).items() if name not in ("text", "html", "body")}


def _list_text(result: Any) -> str:
    rows = [{**row, "to": ", ".join(_to(sending) for sending in row["sendings"])} for row in result]
    return table(rows, ("notice_id", "state", "subject", "to"))


def _to(sending: dict[str, Any]) -> str:
    return sending["recipient"] or "webhook"


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return notice_json(workspace.notices.get(args.id))


def _retry(workspace: Workspace, args: argparse.Namespace) -> Any:
    workspace.notices.retry(args.id)
    workspace.notices.send_due()
    return notice_json(workspace.notices.get(args.id))


def _show_text(result: Any) -> str:
    told = [
        f"{_to(sending)}: {sending['state']}" + (f" ({sending['error']})" if sending["error"] else "")
        for sending in result["sendings"]
    ]
    return "\n".join([f"Subject: {result['subject']}", *told, "", str(result["text"])])


def _send(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.kept:
        workspace.notices.send_kept()
    return {"confirmed": workspace.notices.send_now(), "notices": workspace.notices.counts()}


def _test(workspace: Workspace, args: argparse.Namespace) -> Any:
    return {"status": workspace.configuration.test_webhook()}
