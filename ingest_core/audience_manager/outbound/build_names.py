"""What the files of a build are called: kind, a timestamp that nobody used, numbered parts, the bucket's layout."""

from __future__ import annotations

from datetime import UTC

from ingest_core.audience_manager.outbound import build_sets
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.parts import part_count
from ingest_core.clock import now
from ingest_core.engine import Session


def timestamp(session: Session, build: Build) -> int:
    """Seconds of now, or the next second for which no file of this workspace has the name yet."""
    stamp = int(now().replace(tzinfo=UTC).timestamp())
    while any(_is_taken(session, str(name)) for name in _all_modes(build, stamp)):
        stamp += 1
    return stamp


def names(build: Build, stamp: int, count: int) -> list[str]:
    """One file has no number, several are numbered from 1 (spec §17); with a partner, the layout of the inbound
    bucket: ``partner/date=yyyy-mm-dd/name`` (spec §3.3).
    """
    numbers = [None] if count == 1 else range(1, count + 1)
    folder = f"{build.partner}/date={now():%Y-%m-%d}/" if build.partner else ""
    return [f"{folder}{build.file_name(stamp, number)}" for number in numbers]


def removals_of(build: Build) -> Build:
    """The definition of the file beside an overwrite, with the removals of people whom that cannot empty."""
    return build.model_copy(update={"mode": "sync"})


def previewed(session: Session, build: Build) -> tuple[list[str], int]:
    """Names as a run would give them now, after ``build_sets.fill``, and the plain bytes of all files."""
    stamp = timestamp(session, build)
    found, total = [], 0
    for one, table in ((build, "am_sending"), (removals_of(build), "am_leaving")):
        build_sets.lines_sql(session, build, table)
        size = int(session.value("SELECT coalesce(sum(strlen(line)), 0) FROM am_line"))
        lengths = (batch.column(0) for batch in session.batches("SELECT strlen(line) FROM am_line ORDER BY n"))
        count = part_count(lengths, build.split_bytes) if size > build.split_bytes else int(size > 0)
        found += names(one, stamp, count) if count else []
        total += size
    return found, total


def _all_modes(build: Build, stamp: int) -> list[object]:
    return [build.model_copy(update={"mode": mode}).file_name(stamp) for mode in ("sync", "overwrite")]


def _is_taken(session: Session, name: str) -> bool:
    stem = name.partition(".")[0] + "."
    sql = "SELECT count(*) FROM am_run WHERE contains(files, ?)"
    return bool(
        session.value(sql, [stem]) or session.value("SELECT count(*) FROM am_file WHERE starts_with(name, ?)", [stem])
    )
