"""What a batch keeps for its reports beside what it does: counts per file, codes, samples, unused signals.

All of it is gathered while the lines are read anyway. Only samples, where they are switched on, read a file again, up
to the last line that is wanted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from ingest_core.audience_manager import sampling, unused
from ingest_core.audience_manager.data_sources import email_at
from ingest_core.audience_manager.evaluation import Effects
from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.parsed_block import ParsedBlock
from ingest_core.audience_manager.reading import TextBlock
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.sampling import SAMPLES_OF_KIND, Sample
from ingest_core.audience_manager.trait_fold import FILE_OF
from ingest_core.engine import Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.models import Progress
from ingest_core.vault import Keyset
from ingest_core.vault.writing import append

_CLASS = {
    "format_error": "format_errors",
    "invalid_aam_id": "invalid_aam_id",
    "invalid_device_id": "invalid_device_id",
}
_SPACED = "whitespace_around_user_id"
_SPACED_AT_ONCE = 50_000  # ids that are held until they are written

REALISED_BY_FILE = f"SELECT {FILE_OF} AS file_no, count(*) FROM am_change WHERE is_realised GROUP BY ALL"
KEEP_REPORT = "INSERT INTO am_file_report VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass
class PartWatch:
    """Follows one file. ``samples``: the first lines of each kind that are refused as they are read or judged."""

    file_no: int
    dpid: int
    signals: unused.UnusedSignals
    codes: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    spaced: list[tuple[int, str]] = field(default_factory=list)
    realised: int = 0
    progress: Progress = ignore_progress
    write_spaced: Callable[[PartWatch], None] = lambda watch: None
    _sampled: Counter[str] = field(default_factory=Counter)

    def take(self, block: TextBlock, parsed: ParsedBlock, effects: Effects) -> None:
        """The next lines of the file."""
        spaced = []
        for index, line in parsed.exact.items():
            if line.problem is None:
                continue
            self.codes[line.problem.code] += 1
            kind = _CLASS.get(line.category)
            if kind is not None and self._sampled[kind] < SAMPLES_OF_KIND:
                self._sampled[kind] += 1
                place = Sample(kind, parsed.first_line + index, line.problem.code, line.problem.column)
                self.samples.append(place)
            if line.problem.code == _SPACED:
                spaced.append(index)
        for index, text in zip(spaced, lines_at(block.data, spaced), strict=True):
            user_id = text.split("\t")[0]
            if user_id.strip() and email_at(user_id) is None:
                self.spaced.append((parsed.first_line + index, user_id))
        if len(self.spaced) > _SPACED_AT_ONCE:
            self.write_spaced(self)
        self.signals.take(parsed.ops, effects.is_unused)
        self.progress("read", parsed.first_line + len(parsed) - 1, None)

    def take_long(self) -> None:
        """A line whose bytes were passed over."""
        self.codes["line_too_long"] += 1


class Observer:
    """For one batch. ``keyset``: seals the samples."""

    def __init__(
        self,
        session: Session,
        keyset: Keyset,
        registered: Registered,
        at: datetime,
        clock: datetime,
        progress: Progress = ignore_progress,
    ) -> None:
        self._session = session
        self._keyset = keyset
        self._registered = registered
        self._at = at
        self._clock = clock
        self._progress = progress
        self._signals = unused.UnusedSignals(session)
        self._watched: dict[int, PartWatch] = {}

    def part(self, file_no: int, dpid: int, owner: int) -> PartWatch:
        """A watch for the file that is read next; one that could not be read is watched again from its start."""
        self._signals.begin(file_no, owner)
        watch = PartWatch(file_no, dpid, self._signals, progress=self._progress, write_spaced=self._write_spaced)
        self._watched[file_no] = watch
        return watch

    def forget(self, file_no: int) -> None:
        """The file was refused while it was read."""
        self._signals.forget(file_no)
        self._session.run("DELETE FROM am_spaced WHERE file_no = ?", [file_no])
        self._watched.pop(file_no, None)

    def note(self, name: DataName) -> None:
        """What became of a share of the lines of one logical file that was just folded."""
        for file_no, traits in self._session.rows(REALISED_BY_FILE):
            self._watched[int(file_no)].realised += int(traits)
        if self._is_any_sampled(name):
            for watch in self._watched.values():
                watch.samples += sampling.judged(self._session, watch.file_no)

    def keep(self, name: DataName, counts: Mapping[int, Counts], files: Sequence[sampling.Readable]) -> None:
        """Writes what is known of the files of one logical file after it was folded. ``counts``: by file number."""
        is_sampled = self._is_any_sampled(name)
        for file in files:
            watch = self._watched.pop(file.file_no)
            of_file = counts.get(file.file_no, Counts()) + Counts(total_realized_traits=watch.realised)
            self._session.run(
                KEEP_REPORT,
                [
                    file.file_no, name.dpid, name.target, self._at, is_sampled, of_file.model_dump_json(),
                    json.dumps(dict(watch.codes.most_common())),
                ],
            )  # fmt: skip
            self._write_spaced(watch)
            if is_sampled:
                sampling.keep(self._session, self._keyset, file, watch.samples)
        self._signals.keep(self._at)

    def let_go(self) -> None:
        """What is kept for a time and is older than that goes."""
        sampling.let_go(self._session, self._clock)
        unused.let_go(self._session, self._clock.date())

    def _is_any_sampled(self, name: DataName) -> bool:
        return any(self._is_sampled(dpid) for dpid in (name.dpid, name.target) if dpid is not None)

    def _is_sampled(self, dpid: int) -> bool:
        source = self._registered.sources.get(dpid)
        return source is not None and sampling.is_on(source.settings, self._clock)

    def _write_spaced(self, watch: PartWatch) -> None:
        if watch.spaced:
            count = len(watch.spaced)
            table = {
                "file_no": np.full(count, watch.file_no, np.int64),
                "line": np.array([line for line, _ in watch.spaced], np.int64),
                "dpid": np.full(count, watch.dpid, np.int64),
                "user_id": pa.array([text for _, text in watch.spaced], pa.string()),
            }
            append(self._session, "am_spaced", pa.table(table))
            watch.spaced.clear()


def lines_at(data: bytes, indexes: Sequence[int]) -> Iterator[str]:
    """The lines with these numbers (from 0) of a block, without their ends; broken characters are replaced."""
    if not indexes:
        return
    stops = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    for index in indexes:
        start = 0 if index == 0 else int(stops[index - 1]) + 1
        stop = int(stops[index]) if index < len(stops) else len(data)
        yield data[start:stop].removesuffix(b"\r").decode(errors="replace")
