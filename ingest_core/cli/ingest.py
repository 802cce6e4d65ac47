"""inspect, read, ingest, fix, approve."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from ingest_core.catalog import parse_mapping
from ingest_core.catalog.addresses import check_addresses
from ingest_core.cli.caller import path_given, talk
from ingest_core.cli.files_given import file_given, text_given
from ingest_core.cli.moments import moment_given
from ingest_core.cli.parser import command
from ingest_core.cli.text import inspection_text, receipt_text
from ingest_core.engine.stopping import check_stop
from ingest_core.errors import InputError, StateError
from ingest_core.files import read_slices, write_csv
from ingest_core.models import ByteSource, Options, Source
from ingest_core.workspace import Workspace

NOBODY = "none"


def add_commands(parsers: Any) -> None:
    """Registers the commands that read and load files."""
    inspect = command(parsers, "inspect", "Say what a file is before anything is stored.", _inspect, inspection_text)
    inspect.add_argument("file")
    inspect.add_argument("--source")
    _dialect_options(inspect)
    read = command(parsers, "read", "Write the table as it was understood, as CSV.", _read)
    read.add_argument("file")
    read.add_argument("--out", required=True, metavar="OUT.csv")
    _dialect_options(read)
    ingest = command(parsers, "ingest", "Preview or load a file into a source.", _ingest, receipt_text)
    ingest.add_argument("file")
    ingest.add_argument("--source", required=True)
    ingest.add_argument("--inbox", action="store_true", help="FILE is the name of a file in the inbox")
    ingest.add_argument("--mapping", metavar="M.json")
    ingest.add_argument("--auto", action="store_true", help="take suggestions of confidence 0.9 and more")
    ingest.add_argument("--dry-run", action="store_true", help="run the load and roll it back")
    ingest.add_argument(
        "--replace",
        nargs="?",
        const="members",
        choices=("members", "values"),
        help="end the memberships of earlier uploads; values: their values count for nothing too",
    )
    ingest.add_argument("--segment", default=None, metavar="none|create:NAME|add:NAME")
    ingest.add_argument("--notify", action="append", default=[], metavar="MAIL|none")
    ingest.add_argument("--at", metavar="TIME", help="load at this time (ISO 8601; UTC unless it names a zone)")
    ingest.add_argument("--again", action="store_true", help="load the same bytes once more")
    ingest.add_argument("--accept-drift", action="store_true", help="load it however unlike the former file it is")
    ingest.add_argument("--fixes", metavar="ID", help="the file holds corrected rows that this upload had rejected")
    ingest.add_argument("--key", metavar="KEY", help="idempotency key: a second start with it is the same upload")
    _dialect_options(ingest)
    fix = command(parsers, "fix", "Load the corrected rows of a reject file.", _fix, receipt_text)
    fix.add_argument("id", metavar="ID")
    fix.add_argument("file")
    fix.add_argument("--dry-run", action="store_true", help="run the load and roll it back")
    approve = command(parsers, "approve", "Let an upload load that waits for a person.", _approve, receipt_text)
    approve.add_argument("id", metavar="ID")


def _dialect_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--delimiter", help=r"the separator: a character, or tab")
    parser.add_argument("--encoding")
    parser.add_argument("--no-header", action="store_true")


def _overrides(args: argparse.Namespace) -> dict[str, Any]:
    names = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
    return {
        "delimiter": names.get(args.delimiter, args.delimiter),
        "encoding": args.encoding,
        "has_header": False if args.no_header else None,
    }


def _inspect(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source) if args.source else None
    made = workspace.inspect(file_given(args.file), source, **_overrides(args))
    return made.model_dump(mode="json")


def _read(workspace: Workspace, args: argparse.Namespace) -> Any:
    file, asked = file_given(args.file), _overrides(args)
    limits, tables = workspace.planner.limits(), workspace.planner.tables
    facts = tables.receive(file, limits, encoding=asked["encoding"])
    dialect = tables.sniff(file, facts, limits=limits, **asked)
    counts = {"rows": 0, "columns": len(dialect.columns), "lines": 0, "rejected": 0}

    def pieces() -> Iterator[pa.Table]:
        for piece in read_slices(file, facts, dialect, limits):
            counts["rows"] += piece.table.num_rows
            counts["lines"] += piece.lines_seen
            counts["rejected"] += len(piece.rejects)
            yield piece.table

    is_named = dialect.has_header or dialect.grammar is not None
    write_csv(path_given(args.out), dialect.columns if is_named else None, pieces())
    return counts


def _ingest(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source)
    file: ByteSource = workspace.inbox.open(args.file) if args.inbox else file_given(args.file)
    mapping = parse_mapping(text_given(args.mapping)) if args.mapping else None
    options = Options(
        replace=args.replace,
        segment=None if args.segment in (None, "none") else args.segment,
        notify=_recipients(args.notify, source),
        at=moment_given(args.at),
        again=args.again,
        accept_drift=args.accept_drift,
        parent=_parent(workspace, args.fixes, source),
        idempotency_key=args.key,
    )
    known = None if args.dry_run else workspace.loads.find_key(options)
    if known is not None:
        return known
    progress = _Talk()
    if options.at is None and not args.dry_run:
        workspace.jobs.let_pass(source, progress)
    plan = workspace.plan(
        file, source, mapping, options, is_auto=args.auto, overrides=_overrides(args), progress=progress
    )
    if args.dry_run:
        return workspace.loads.preview(plan, progress)
    if options.at is not None:
        receipt = workspace.jobs.schedule(plan, _overrides(args))
    else:
        with workspace.notices.at_work():
            receipt = workspace.loads.load(plan, progress)
    if args.inbox and receipt.status in ("Completed", "Scheduled"):
        workspace.inbox.put_away(args.file)
    return receipt


def _parent(workspace: Workspace, request_id: str | None, source: Source) -> str | None:
    if request_id is not None and workspace.history.get(request_id).source != source.name:
        raise InputError(
            "The upload named by --fixes belongs to another source. Nothing was loaded.",
            code="other_source",
            hint="See its source with: upload show ID",
        )
    return request_id


def _fix(workspace: Workspace, args: argparse.Namespace) -> Any:
    fixed = workspace.fixes.of_file(args.id, text_given(args.file))
    if args.dry_run:
        return workspace.fixes.check(args.id, fixed, _Talk()).receipt
    with workspace.notices.at_work():
        return workspace.fixes.load_now(args.id, fixed, _Talk())


def _approve(workspace: Workspace, args: argparse.Namespace) -> Any:
    workspace.history.get(args.id)
    if not workspace.jobs.approve(args.id, workspace.user):
        raise StateError(
            "This upload does not wait for a person. Nothing was changed.",
            code="not_held",
            hint="See what waits with: history",
        )
    return workspace.history.get(args.id)


def _recipients(given: list[str], source: Source) -> tuple[str, ...]:
    """Who is told: those given, nobody for "none", else the recipients of the source."""
    if not given:
        return source.settings.recipients
    return () if given == [NOBODY] else check_addresses(given)


class _Talk:
    """Progress for a person who watches: one line on stderr, only on a terminal."""

    def __init__(self) -> None:
        self._last = ""
        self._talk = talk()

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        check_stop()
        if self._talk is None:
            return
        share = f" {done * 100 // total} %" if total else ""
        text = f"{phase}{share}"
        if text != self._last:
            self._talk(f"\r\033[K{text}")
            self._last = text
