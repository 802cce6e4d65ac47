"""Error sampling: the first lines of each kind of error, for the sender to look at (Audience Manager spec §11).

Switched on per data source, for fourteen days. The text of a line may be personal: it lies sealed in pages of the vault
and goes after thirty days, or with its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from ingest_core.audience_manager.batches import Inbound
from ingest_core.audience_manager.lines import BOM, MAX_LINE_BYTES
from ingest_core.audience_manager.reading import LongLine, read_blocks
from ingest_core.audience_manager.trait_fold import FILE_OF, LINE_OF
from ingest_core.audience_manager.wire import WireLimits, text_chunks
from ingest_core.engine import Session
from ingest_core.models import SourceSettings
from ingest_core.vault import Keyset
from ingest_core.vault.writing import append, seal_pages

SAMPLES_OF_KIND = 10
KEPT_DAYS = 30

SAMPLES = -1
"""The attribute id of pages that hold sampled lines."""

KINDS = ("format_errors", "invalid_aam_id", "invalid_device_id", "no_trait_realized", "no_matching_aam_id")
"""What is sampled, by the counters of the receipt."""

JUDGED = f"""
SELECT class, {LINE_OF} AS line FROM am_judged
WHERE {FILE_OF} = ? AND class IN ('no_trait_realized', 'no_matching_aam_id')
QUALIFY row_number() OVER (PARTITION BY class ORDER BY line) <= ? ORDER BY line
"""
GONE = """
DELETE FROM am_sample WHERE file_no IN (SELECT file_no FROM am_file_report WHERE counts_at < ?)
"""
DUE = """
SELECT count(*) FROM am_sample WHERE file_no IN (SELECT file_no FROM am_file_report WHERE counts_at < ?)
"""
PAGES_GO = f"""
DELETE FROM vault_page WHERE attribute_id = {SAMPLES} AND page_id NOT IN (SELECT page_id FROM am_sample)
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line that is shown. ``kind``: the counter it counts for; ``column``: bytes from 1."""

    kind: str
    line: int
    code: str | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Readable:
    """A file of the batch that can be read again."""

    file_no: int
    file: Inbound
    limits: WireLimits
    max_line_bytes: int = MAX_LINE_BYTES


def is_on(settings: SourceSettings, moment: datetime) -> bool:
    """Whether samples are taken at this moment (UTC, naive)."""
    return settings.sampling_until is not None and moment < settings.sampling_until


def judged(session: Session, file_no: int) -> list[Sample]:
    """The first lines of one file in ``am_judged`` whose id or trait was not found, up to ten of each."""
    return [Sample(kind, int(line)) for kind, line in session.rows(JUDGED, [file_no, SAMPLES_OF_KIND])]


def first_of_kind(samples: Sequence[Sample]) -> list[Sample]:
    """The first ten of each kind."""
    kept: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=lambda sample: sample.line):
        kept.setdefault(sample.kind, []).append(sample)
    return [sample for of_kind in kept.values() for sample in of_kind[:SAMPLES_OF_KIND]]


def keep(session: Session, keyset: Keyset, file: Readable, found: Sequence[Sample]) -> None:
    """Seals the first sampled lines of each kind of one file."""
    samples = sorted(first_of_kind(found), key=lambda sample: sample.line)
    if not samples:
        return
    texts = _texts(file, [sample.line for sample in samples])
    page_id = int(session.value("SELECT coalesce(max(page_id), 0) + 1 FROM vault_page"))
    values = pa.array([texts[sample.line] for sample in samples], pa.string())
    append(session, "vault_page", seal_pages(keyset, [(page_id, SAMPLES, values)]))
    for slot, sample in enumerate(samples):
        session.run(
            "INSERT INTO am_sample VALUES (?, ?, ?, ?, ?, ?, ?)",
            [file.file_no, sample.kind, sample.code, sample.line, sample.column, page_id, slot],
        )


def let_go(session: Session, moment: datetime, days: int = KEPT_DAYS) -> int:
    """Deletes samples of files that are older than ``days``; returns how many."""
    gone = session.run(GONE, [moment - timedelta(days=days)]) or 0
    session.run(PAGES_GO)
    return gone


def due(session: Session, moment: datetime, days: int = KEPT_DAYS) -> int:
    """How many ``let_go`` would delete."""
    return int(session.value(DUE, [moment - timedelta(days=days)]))


def forget(session: Session, files: Iterable[int]) -> None:
    """Deletes the samples of these files, such as of a batch that is undone."""
    session.run("DELETE FROM am_sample WHERE file_no IN (SELECT unnest(?::BIGINT[]))", [list(files)])
    session.run(PAGES_GO)


def _texts(file: Readable, lines: Sequence[int]) -> dict[int, str]:
    """The wanted lines (numbers from 1, ascending) of a file, which is read as far as the last of them."""
    wanted = list(lines)
    found: dict[int, str] = {}
    for block in read_blocks(text_chunks(file.file.source, file.file.tail, file.limits), file.max_line_bytes):
        if isinstance(block, LongLine):
            continue
        texts = block.data.removesuffix(b"\n").split(b"\n")
        while wanted and wanted[0] < block.first_line + len(texts):
            number = wanted.pop(0)
            text = texts[number - block.first_line].removesuffix(b"\r")
            found[number] = (text.removeprefix(BOM) if number == 1 else text).decode(errors="replace")
        if not wanted:
            break
    return found
