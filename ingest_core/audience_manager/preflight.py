"""Pre-flight: what would become of files before they are sent, against what this workspace knows (spec §17).

The checks that need nothing but the file are those of ``checking``; here come those that need the catalogue and the
history, and the receipt that the real processor would write: the batch itself, rolled back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel

from ingest_core.audience_manager.audience import AudienceManager
from ingest_core.audience_manager.batches import logical_key
from ingest_core.audience_manager.check_report import FileCheck, Place, Problem, ProblemList
from ingest_core.audience_manager.checking import CheckOptions, check_file
from ingest_core.audience_manager.fixing import fixable
from ingest_core.audience_manager.name_types import DataName, IdSyncName, NameProblem, Tail
from ingest_core.audience_manager.names import lint_name, parse_base, parse_s3_key
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.receipts import BatchReport
from ingest_core.audience_manager.registered import UUID_TYPES
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.models import ByteSource, Progress

Verdict = Literal["fine", "ask", "blocked"]
PART_BYTES, PACKED_BYTES = 1 << 30, 250 << 20
SHOWN = 20
_Sizes = Mapping[tuple[object, ...], int]
NO_KEYS: Mapping[str, str] = MappingProxyType({})


class PreflightFile(BaseModel):
    """One file. ``check`` as ``am check`` has it; ``remarks``: what this workspace says beside it.

    ``bad_ids`` and ``without_trait``: share of the records, 0 to 1, None where there are none. ``parts``: into how many
    files it should be split, 1: as it is. ``traits``: {unknown, not_onboarded, of_another}: the first ids of each.
    ``fixes``: what can be put right by itself → lines (see ``fixing.FIXES``).
    """

    check: FileCheck
    remarks: list[Problem] = []
    bad_ids: float | None = None
    without_trait: float | None = None
    parts: int = 1
    traits: dict[str, list[int]] = {}
    fixes: dict[str, int] = {}

    @property
    def verdict(self) -> Verdict:
        """Errors block, warnings ask."""
        problems = [*self.check.problems, *self.remarks]
        if not self.check.valid or any(problem.level == "error" for problem in problems):
            return "blocked"
        return "ask" if problems else "fine"


class Preflight(BaseModel):
    """All files in the order given, and what the receipt would say; None where nothing of them can be processed."""

    files: list[PreflightFile]
    receipt: BatchReport | None = None
    verdict: Verdict = "fine"


def preflight(
    engine: Engine, audience: AudienceManager, sources: Sequence[ByteSource], at: datetime, *,
    keys: Mapping[str, str] = NO_KEYS, progress: Progress = ignore_progress,
) -> Preflight:  # fmt: skip
    """Checks files and processes them as a dry run. ``at``: UTC, naive; ``keys``: name of a file → its S3 key."""
    sources_known = audience.registered().sources.items()
    uuids = frozenset(number for number, one in sources_known if one.inbound_id_type in UUID_TYPES)
    options = CheckOptions(uuid_sources=uuids)
    checks = [check_file(source, at, options, progress) for source in sources]
    known = [source for source, check in zip(sources, checks, strict=True) if check.kind in ("data", "id_sync")]
    report = audience.ingest(known, BatchOptions(at), is_dry_run=True, progress=progress) if known else None
    with engine.session() as session:
        sizes = _records_of_whole(checks)
        files = [_judged(session, check, report, at, keys.get(check.file), sizes) for check in checks]
    verdicts = [file.verdict for file in files]
    worst: Verdict = "blocked" if "blocked" in verdicts else "ask" if "ask" in verdicts else "fine"
    return Preflight(files=files, receipt=report, verdict=worst)


def _judged(
    session: Session, check: FileCheck, report: BatchReport | None, at: datetime, key: str | None, sizes: _Sizes
) -> PreflightFile:
    made = PreflightFile(check=check, parts=_parts(check), fixes=fixable(check))
    name = parse_base(check.file)
    remarks = ProblemList()
    if isinstance(name, DataName | IdSyncName):
        whole = name if key is None else parse_s3_key(key)
        if isinstance(whole, NameProblem):
            remarks.add(whole.code, Place(column=whole.start + 1, why=whole.why))
        else:
            found = lint_name(whole, at, lambda stamp: timestamp_is_used(session, check.file, stamp))
            used = {"timestamp_used_before"} if _has_other_bytes(report, check) else set()
            for code in used | {"timestamp_used_before", "date_folder_not_today"} & set(found):
                remarks.add(code, Place())
        _refusal(remarks, check, report)
    if isinstance(name, DataName) and check.is_checked:
        made.traits = _traits(session, name.owner, check)
        for kind, code in _TRAIT_CODES.items():
            if made.traits[kind]:
                remarks.add(code, Place(why=", ".join(map(str, made.traits[kind]))), len(made.traits[kind]))
        _records(made, remarks, name, check, report)
        _shrinking(session, remarks, name, sizes[logical_key(name)])
    made.remarks = remarks.sorted()
    return made


_TRAIT_CODES = {
    "unknown": "traits_unknown", "not_onboarded": "traits_not_onboarded", "of_another": "traits_of_another_source",
}  # fmt: skip


def _traits(session: Session, owner: int, check: FileCheck) -> dict[str, list[int]]:
    rows: list[Any] = session.rows(
        "SELECT trait_id, dpid, type FROM am_trait WHERE trait_id IN (SELECT unnest(?::BIGINT[]))", [list(check.traits)]
    )
    known = {trait: (dpid, kind) for trait, dpid, kind in rows}
    named = sorted(trait for trait in check.traits if trait >= 0)
    return {
        "unknown": [trait for trait in named if trait not in known][:SHOWN],
        "not_onboarded": [trait for trait in named if trait in known and known[trait][1] != "onboarded"][:SHOWN],
        "of_another": [trait for trait in named if trait in known and known[trait][0] != owner][:SHOWN],
    }


def _records(
    made: PreflightFile, remarks: ProblemList, name: DataName, check: FileCheck, report: BatchReport | None
) -> None:
    records = check.lines - check.by_category.get("blank", 0)
    if not records:
        return
    bad = check.by_category.get("invalid_aam_id", 0) + check.by_category.get("invalid_device_id", 0)
    made.bad_ids = bad / records
    counts = report.per_file.get(check.file) if report else None
    if counts is not None:
        made.without_trait = counts.no_trait_realized / records
        for code, count in (("lines_without_trait", counts.no_trait_realized),
                            ("lines_over_user_cap", counts.lines_over_user_cap)):  # fmt: skip
            if count:
                remarks.add(code, Place(), count)


def _has_other_bytes(report: BatchReport | None, check: FileCheck) -> bool:
    """Whether the same name was taken before, with other content."""
    return report is not None and {"code": "same_name_other_bytes", "file": check.file} in report.warnings


_OF_OUR_KEYS = ("decrypt_failed",)
"""That no key here opens a message says nothing: it is for the keys of its receiver."""


def _refusal(remarks: ProblemList, check: FileCheck, report: BatchReport | None) -> None:
    """What the processor would refuse the whole file for, where the check of the file alone did not see it."""
    for one in report.rejected if report else []:
        if one.file == check.file and one.error not in (check.error, *_OF_OUR_KEYS):
            remarks.add(one.error, Place(why=one.message))


def _records_of_whole(checks: Sequence[FileCheck]) -> _Sizes:
    """Records of each data file, all its parts together."""
    sizes: Counter[tuple[object, ...]] = Counter()
    for check in checks:
        name = parse_base(check.file)
        if isinstance(name, DataName):
            sizes[logical_key(name)] += check.lines - check.by_category.get("blank", 0)
    return sizes


def _shrinking(session: Session, remarks: ProblemList, name: DataName, records: int) -> None:
    if name.mode != "overwrite":
        return
    stem = str(replace(name, tail=Tail()))
    like = re.sub("_[0-9]{10}[.]", "_[0-9]{10}[.]", stem)
    last = session.value(_LAST_FULL, [f"{like}([.].*)?", stem.partition(".")[0]])
    if last and records * 2 < int(last):
        remarks.add("overwrite_shrinks", Place(why=f"{records:,} lines; the last one had {int(last):,}."))


_LAST_FULL = """SELECT sum((counts ->> '$.received')::BIGINT)::BIGINT FROM am_file
WHERE regexp_full_match(name, ?) AND split_part(name, '.', 1) <> ? AND code IS NULL
GROUP BY split_part(name, '.', 1) ORDER BY max(file_no) DESC LIMIT 1"""
"""Bound: what names of the same data source's overwrite files look like, the one that is judged up to its mode."""


def timestamp_is_used(session: Session, file: str, stamp: int) -> bool:
    """Whether another file of the same data source had this timestamp (of its name); parts of one file share theirs."""
    stem = file[: file.index(f"{stamp:010}")] if f"{stamp:010}" in file else file
    logical = f"{stem}{stamp:010}."
    found = session.rows("SELECT name FROM am_file WHERE starts_with(name, ?) AND name <> ?", [logical, file])
    return any(_is_no_part(name, file) for (name,) in found)


def _is_no_part(name: str, file: str) -> bool:
    """Whether two names of one stem and timestamp are not two parts of one file: another mode, or the same part."""
    if name.split(".")[:2] != file.split(".")[:2]:
        return True
    one, other = parse_base(name), parse_base(file)
    if isinstance(one, NameProblem) or isinstance(other, NameProblem):
        return False
    return one.tail.split == other.tail.split


def _parts(check: FileCheck) -> int:
    packed = bool(check.name and (check.name.get("compression") or check.name.get("encryption")))
    good, most = (PACKED_BYTES, 300 << 20) if packed else (PART_BYTES, PART_BYTES)
    return 1 if check.bytes <= most else -(-check.bytes // good)
