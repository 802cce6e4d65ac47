"""am report, am receipts, am unused, am ids: what is told about the files of data sources."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import Any

from ingest_core.audience_manager.batch_list import Asked
from ingest_core.audience_manager.unused import SHOWN_DAYS
from ingest_core.cli.caller import path_given
from ingest_core.cli.files_given import write_private
from ingest_core.cli.parser import command
from ingest_core.cli.text import table, visible
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

DAYS = 30
_FAILED = ("error_sampling_active", "stored_records", "format_errors", "invalid_aam_id", "invalid_device_id")
_FAILED_TOO = ("no_trait_realized", "no_matching_aam_id")
_TOTALS = ("records_received", "percent_success", "total_unused_signals", "total_realized_traits")


def add_commands(am: Any) -> None:
    """Registers them in the group ``am``."""
    report = command(am, "report", "The Onboarding Status Report: what became of the records of files.", _report, _text)
    _of(report)
    _between(report)
    report.add_argument("--samples", action="store_true", help="with the sampled lines of each file")
    receipts = command(am, "receipts", "Batches that were processed, the newest first.", _receipts, _receipts_text)
    _of(receipts)
    receipts.add_argument("--search", metavar="TEXT", help="in file names and request ids")
    receipts.add_argument("--refused", action="store_true", help="only with a file that was refused")
    receipts.add_argument("--limit", type=int, default=100, metavar="N")
    receipt = command(am, "receipt", "One batch, with the counters of each of its files.", _receipt)
    receipt.add_argument("id", metavar="REQUEST_ID")
    file = command(am, "file", "A file of a batch as it came; without a name, which of them are kept.", _file)
    file.add_argument("id", metavar="REQUEST_ID")
    file.add_argument("name", nargs="?", metavar="NAME")
    file.add_argument("--out", metavar="FILE", help="where it is written; no file is replaced")
    unused = command(am, "unused", "Signals that led to no trait, seen 100 times a day or more.", _unused, _unused_text)
    _of(unused)
    unused.add_argument("--days", type=int, default=SHOWN_DAYS, metavar="N", help=f"the last N days ({SHOWN_DAYS})")
    ids = command(am, "ids", "How many ids find their device, and which look wrong.", _ids)
    _of(ids)
    _between(ids)


def _of(parser: Any) -> None:
    parser.add_argument("--source", metavar="NAME", help="only files of this data source, or for its traits")
    parser.add_argument("--dpid", type=int, metavar="N", help="the same by its DPID")


def _between(parser: Any) -> None:
    parser.add_argument("--from", dest="since", metavar="DATE", help=f"first day, UTC ({DAYS} days ago)")
    parser.add_argument("--to", dest="until", metavar="DATE", help="last day, UTC (today)")


def _report(workspace: Workspace, args: argparse.Namespace) -> Any:
    report = workspace.audience.reports.status(*_days(args), _dpid(workspace, args))
    shown = report.model_dump(mode="json")
    if args.samples:
        sampled = workspace.audience.reports.samples([file.file_no for file in report.files])
        shown["samples"] = [one.model_dump(mode="json") for one in sampled]
    return shown


def _receipts(workspace: Workspace, args: argparse.Namespace) -> Any:
    asked = Asked(dpid=_dpid(workspace, args), search=args.search, only_refused=args.refused)
    found = workspace.audience.receipts(asked, limit=max(args.limit, 1))
    return [
        {**one.model_dump(mode="json"), "received": one.received, "stored": one.stored, "outcome": one.outcome}
        for one in found
    ]


def _receipt(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.receipt(args.id)


def _file(workspace: Workspace, args: argparse.Namespace) -> Any:
    originals = workspace.audience.originals
    if args.name is None:
        workspace.audience.receipt(args.id)
        return originals.of(args.id)
    if args.out is None:
        raise InputError("Say where the file goes. Nothing was written.", code="usage", hint="Such as: --out .")
    target = path_given(args.out)
    target = target / args.name.rpartition("/")[2] if target.is_dir() else target
    if target.exists():
        raise InputError(
            "There is a file of this name already. Nothing was written.", code="out_exists", hint="Choose another name."
        )
    if not target.parent.is_dir():
        raise InputError("There is no such folder. Nothing was written.", code="no_such_folder", hint="Make it first.")
    source = originals.open(args.id, args.name)
    write_private(target, source)
    return {"file": args.name, "out": str(target), "size": source.size}


def _receipts_text(found: Any) -> str:
    rows = [{**one, "files": ", ".join(map(visible, one["files"]))} for one in found]
    return table(rows, ("request_id", "started_at", "uploaded_by", "outcome", "received", "stored", "files"))


def _unused(workspace: Workspace, args: argparse.Namespace) -> Any:
    found = workspace.audience.reports.unused_signals(_dpid(workspace, args), max(args.days, 1))
    return [{**one, "day": one["day"].isoformat()} for one in found]


def _ids(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.audience.reports.ids(*_days(args), _dpid(workspace, args))


def _dpid(workspace: Workspace, args: argparse.Namespace) -> int | None:
    if args.source is None:
        return args.dpid  # type: ignore[no-any-return]
    dpid = workspace.sources.get(args.source).dpid
    if dpid is None:
        raise InputError("This source has no DPID.", code="no_dpid", hint="Choose a data source of Audience Manager.")
    return dpid


def _days(args: argparse.Namespace) -> tuple[date, date]:
    until = now().date() if args.until is None else _day(args.until)
    return (until - timedelta(days=DAYS - 1) if args.since is None else _day(args.since)), until


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("The day is not written as a date.", code="bad_time", hint="Such as 2027-01-31") from None


def _text(report: Any) -> str:
    rows = [{**file, "file": visible(file["file"])} for file in report["files"]]
    rows.append({**report["total"], "file": f"All {len(rows):,} files", "error_sampling_active": ""})
    for row in rows:
        row["percent_success"] = "n/a" if row["percent_success"] is None else f"{row['percent_success']} %"
    parts = [
        f"{report['since']} to {report['until']}",
        "Successful & failed",
        table(rows, ("file", *_FAILED, *_FAILED_TOO)),
        "Totals & percentages",
        table(rows, ("file", *_TOTALS)),
        *_samples_text(report.get("samples", [])),
    ]
    return "\n\n".join(parts)


def _samples_text(files: Any) -> list[str]:
    parts = []
    for file in files:
        lines = [f"Samples of {visible(file['file'])}"]
        for sample in file["samples"]:
            what = f"{sample['type']} {sample['code'] or ''}".strip()
            lines.append(
                f"  line {sample['line']:,} {what}: {visible(sample['user_id'])} | {visible(sample['payload'])}"
            )
        parts.append("\n".join(lines))
    return parts


def _unused_text(found: Any) -> str:
    return table(found, ("day", "key", "value", "seen"))
