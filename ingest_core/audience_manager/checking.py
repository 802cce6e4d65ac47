"""Checks a file as its receiver will read it, before it is sent: name, size, compression, every line (spec §17)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ingest_core.audience_manager.check_lines import DataCheck, RowsCheck
from ingest_core.audience_manager.check_report import CheckReport, FileCheck, Kind, Place, ProblemList
from ingest_core.audience_manager.data_sources import id_rule
from ingest_core.audience_manager.id_sync import RowContext
from ingest_core.audience_manager.lines import MAX_LINE_BYTES, LineContext
from ingest_core.audience_manager.name_types import DataName, IdSyncName, InfoName, NameProblem, OutboundName
from ingest_core.audience_manager.names import lint_name, parse_base, parse_outbound
from ingest_core.audience_manager.reading import LongLine, TextBlock, read_blocks
from ingest_core.audience_manager.wire import WireLimits, check_wire, size_warnings, text_chunks
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import FileError
from ingest_core.models import ByteSource, Progress


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """``uuid_sources``: own data sources whose inbound ids are UUIDs. The rest as in names and data sources."""

    uuid_sources: frozenset[int] = frozenset()
    lenient_timestamp: bool = False
    strict_alnum: bool = False
    limits: WireLimits = field(default_factory=WireLimits)


def check_files(
    sources: Iterable[ByteSource],
    now: datetime,
    options: CheckOptions = CheckOptions(),
    progress: Progress = ignore_progress,
) -> CheckReport:
    """Checks files one after another, streaming. ``now``: UTC, naive. What is wrong is in the report, never raised."""
    return CheckReport(files=[check_file(source, now, options, progress) for source in sources])


def check_file(
    source: ByteSource, now: datetime, options: CheckOptions = CheckOptions(), progress: Progress = ignore_progress
) -> FileCheck:
    """One file, by the name its source gives it."""
    problems = ProblemList()
    name = _read_name(source.name, options)
    if isinstance(name, NameProblem):
        problems.add(name.code, Place(column=name.start + 1, why=name.why))
        return FileCheck(
            file=source.name, kind=None, valid=False, error=name.code, bytes=source.size, problems=problems.sorted()
        )
    check = FileCheck(file=source.name, kind=_kind(name), name=name.fields(), bytes=source.size)
    for code in lint_name(name, now):
        problems.add(code, Place())
    if isinstance(name, DataName | IdSyncName):
        try:
            _read_content(source, name, options, check, problems, progress)
        except FileError as error:
            _refuse(check, problems, error.code, error.message)
    check.valid = not problems.has_error
    check.problems = problems.sorted()
    return check


def _refuse(check: FileCheck, problems: ProblemList, code: str, why: str) -> None:
    check.error = code
    problems.add(code, Place(why=why))


def _read_name(name: str, options: CheckOptions) -> DataName | IdSyncName | OutboundName | InfoName | NameProblem:
    read = parse_base(name, lenient_timestamp=options.lenient_timestamp)
    if not isinstance(read, NameProblem) or read.code != "bad_prefix":
        return read
    outbound = parse_outbound(name)
    return read if isinstance(outbound, NameProblem) else outbound


def _kind(name: DataName | IdSyncName | OutboundName | InfoName) -> Kind:
    if isinstance(name, DataName):
        return "data"
    return "id_sync" if isinstance(name, IdSyncName) else "info" if isinstance(name, InfoName) else "outbound"


def _read_content(
    source: ByteSource,
    name: DataName | IdSyncName,
    options: CheckOptions,
    check: FileCheck,
    problems: ProblemList,
    progress: Progress,
) -> None:
    for code in size_warnings(source.size, name.tail, options.limits):
        problems.add(code, Place(why=f"The file has {source.size:,} bytes."))
    if name.tail.pgp:
        check_wire(source, name.tail, options.limits)
        problems.add("not_decrypted", Place())
        return
    reader = _reader(name, options, problems)
    try:
        for block in _blocks(source, name, options):
            reader.take(block)
            progress("check", reader.lines, None)
        check.is_checked = True
    finally:
        check.lines = reader.lines
        check.by_category = {category: count for category, count in reader.by_category.items() if count}
        check.traits = dict(reader.traits)
        check.operations = {kind: count for kind, count in reader.operations.items() if count}
    if reader.lines == reader.by_category["blank"]:
        _refuse(check, problems, "empty_file", "There are only blank lines.")


def _blocks(source: ByteSource, name: DataName | IdSyncName, options: CheckOptions) -> Iterator[TextBlock | LongLine]:
    return read_blocks(text_chunks(source, name.tail, options.limits), MAX_LINE_BYTES)


def _reader(name: DataName | IdSyncName, options: CheckOptions, problems: ProblemList) -> DataCheck | RowsCheck:
    if isinstance(name, IdSyncName):
        return RowsCheck(RowContext(name, options.strict_alnum), problems)
    holds_uuids = name.dpid in options.uuid_sources
    rule = id_rule(name.dpid, holds_uuids=holds_uuids, strict_alnum=options.strict_alnum)
    return DataCheck(LineContext(rule, name.mode, name.variant, None, options.strict_alnum), problems)
