"""queue list, upload stop: what has not ended yet."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any

from ingest_core.cli.parser import command, group
from ingest_core.cli.text import receipt_text, table, visible
from ingest_core.errors import StateError
from ingest_core.jobs.running import JobProgress
from ingest_core.jobs.waiting import Queued
from ingest_core.models import Receipt
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about the queue."""
    queue = group(parsers, "queue", "The uploads that have not ended.")
    command(queue, "list", "List what runs and what waits, in the order in which it is loaded.", _list, _listed)


def add_to_upload(upload: Any) -> None:
    """Registers those in the group ``upload``."""
    show = command(upload, "show", "Print the receipt of an upload.", _show, _shown)
    stop = command(upload, "stop", "Stop an upload that waits or runs; nothing of it is kept.", _stop, _stopped)
    for parser in (show, stop):
        parser.add_argument("id", metavar="ID")


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    health = workspace.jobs.health()
    return {
        "is_worked_on": health.is_worker_alive and health.is_engine_fine,
        "trouble": workspace.trouble(),
        "uploads": [_as_json(one) for one in workspace.jobs.queued()],
    }


def _as_json(one: Queued) -> dict[str, Any]:
    return {
        "request_id": one.request_id,
        "source": one.source,
        "file": one.file,
        "uploaded_by": one.uploaded_by,
        "state": one.state,
        "given_at": _moment(one.given_at),
        "scheduled_for": _moment(one.scheduled_for),
        "started_at": _moment(one.started_at),
        "held": one.held,
        "progress": progress_json(one.progress),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def progress_json(progress: JobProgress | None) -> dict[str, Any] | None:
    """{phase, done, total, percent, seconds, counts}; ``total`` and ``percent`` are None where no end can be told."""
    if progress is None:
        return None
    percent = round(100 * progress.done / progress.total, 1) if progress.total else None
    return {
        "phase": progress.phase,
        "done": progress.done,
        "total": progress.total,
        "percent": percent,
        "seconds": round(progress.seconds, 1),
        "counts": progress.counts,
    }


_STATES = {"running": "running", "due": "next", "waiting": "waits for its time", "held": "waits for approval"}


def _listed(result: Any) -> str:
    rows = [
        {
            **one,
            "state": f"running, {progress_text(one['progress'])}" if one["progress"] else _STATES[one["state"]],
            "by": one["uploaded_by"],
            "at": (one["scheduled_for"] or "").replace("T", " ")[:19],
        }
        for one in result["uploads"]
    ]
    lines = [table(rows, ("request_id", "source", "file", "by", "state", "at")) if rows else "No upload waits."]
    lines += [f"{name} cannot go on: {code}" for name, code in result["trouble"].items()]
    if rows and not result["is_worked_on"]:
        lines.append("Nobody loads them at the moment: start the app, or run worker.")
    return "\n".join(lines)


def progress_text(progress: dict[str, Any]) -> str:
    """``read 42 %, 1,200 rejected``: where an upload is."""
    share = "" if progress["percent"] is None else f" {progress['percent']:.0f} %"
    counts = [f"{count:,} {name.replace('_', ' ')}" for name, count in progress["counts"].items() if count]
    return ", ".join([f"{progress['phase']}{share}", *counts])


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    receipt = workspace.history.get(args.id)
    progress = progress_json(workspace.jobs.progress(args.id)) if receipt.status == "In Progress" else None
    return receipt if progress is None else {**receipt.model_dump(mode="json"), "progress": progress}


def _shown(result: Any) -> str:
    if "progress" not in result:
        return receipt_text(result)
    progress = result["progress"]
    return f"Upload {result['request_id']}: {visible(progress_text(progress))}; {progress['seconds']:,.0f} s so far"


def _stop(workspace: Workspace, args: argparse.Namespace) -> Receipt:
    workspace.history.get(args.id)
    if not workspace.jobs.stop(args.id):
        raise StateError(
            "This upload has ended already. Nothing was changed.",
            code="has_ended",
            hint="To take back what it stored: undo ID",
        )
    workspace.jobs.await_end(args.id)
    return workspace.history.get(args.id)


def _stopped(result: Any) -> str:
    head = f"Upload {result['request_id']}: {result['status']}"
    return f"{head}, {', '.join(badge.lower() for badge in result['badges'])}" if result["badges"] else head
