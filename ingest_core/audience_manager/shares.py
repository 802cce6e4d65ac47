"""The lines of one logical file on their way to the folds: apart by people, in shares that fit into memory.

What a line does depends on other lines of the same profile only. So a file of any size is folded in shares of its
profiles, one after the other, and each is let go of when it was folded.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest_core.engine import RowFile, Session

SHARE_BYTES = 128 << 20
"""Of plain text for a share: some three million lines."""

MOST_SHARES = 100
_AT_ONCE = 1 << 19  # lines that are put apart in one go

LINES = pa.schema(
    {
        "pos": pa.int64(),
        "category": pa.string(),
        "dpid": pa.int64(),
        "user_id": pa.string(),
        **dict.fromkeys(("used", "unused", "ignored", "failed", "failed_traits"), pa.int32()),
        "has_effect": pa.bool_(),
    }
)
OPERATIONS = pa.schema({"pos": pa.int64(), "trait_id": pa.int64(), "is_add": pa.bool_()})
_SCHEMAS = {"am_line": LINES, "am_line_op": OPERATIONS}

_BY_ID = "(hash(user_id) % {count})::UTINYINT"
_BY_PROFILE = """
SELECT {table}.*, share
FROM {table} JOIN (
    SELECT pos, hash(coalesce(device_id, user_id)) % {count} AS share
    FROM am_line LEFT JOIN am_resolved ON am_resolved.dpid = am_line.dpid AND am_resolved.id = am_line.user_id
) USING (pos)
"""

Files = dict[str, list[Path]]


class Shares:
    """Filled file by file; then each share stands in ``am_line`` and ``am_line_op`` in turn.

    ``size``: bytes of plain text that are to be expected.
    """

    def __init__(self, session: Session, size: int) -> None:
        self.count = min(1 + size // SHARE_BYTES, MOST_SHARES)
        self._session = session
        self._scratch = session.scratch
        self._shares = self._none()
        self._open: list[dict[str, RowFile]] = []
        self._waiting: list[dict[str, pa.Table]] = []

    @contextlib.contextmanager
    def file(self) -> Iterator[None]:
        """What is added inside is of one file: if that fails, nothing of it stays."""
        self._open = [
            {table: self._scratch.writer(schema) for table, schema in _SCHEMAS.items()} for _ in range(self.count)
        ]
        try:
            yield
            self._write()
        except BaseException:
            self._scratch.remove(path for files in self._close() for path in files.values())
            raise
        for share, files in zip(self._shares, self._close(), strict=True):
            for table, path in files.items():
                share[table].append(path)

    def add(self, lines: pa.Table, operations: pa.Table) -> None:
        """The next lines of the file and what they do, both in the order of their places."""
        self._waiting.append({"am_line": lines, "am_line_op": operations})
        if sum(tables["am_line"].num_rows for tables in self._waiting) >= _AT_ONCE:
            self._write()

    def regroup(self, resolve: Callable[[], None]) -> None:
        """Brings together the ids that stand for one device; ``resolve`` fills ``am_resolved`` for those of a share."""
        if self.count == 1:
            return
        regrouped = self._none()
        for _ in self:
            resolve()
            for table in _SCHEMAS:
                query = _BY_PROFILE.format(table=table, count=self.count)
                for share, paths in self._scratch.apart(query, "share").items():
                    regrouped[int(share)][table] += paths
        self._shares = regrouped

    def __iter__(self) -> Iterator[None]:
        """Shows the shares, one after the other; each is let go of when the next one is asked for."""
        for share in self._shares:
            if share["am_line"]:
                for table, paths in share.items():
                    self._scratch.show(table, paths or [self._nothing(table)])
                yield
        self._scratch.drop(*_SCHEMAS)
        self._shares = self._none()

    def _none(self) -> list[Files]:
        return [{table: [] for table in _SCHEMAS} for _ in range(self.count)]

    def _nothing(self, table: str) -> Path:
        file = self._scratch.writer(_SCHEMAS[table])
        file.close()
        return file.path

    def _write(self) -> None:
        if not self._waiting:
            return
        lines = pa.concat_tables(tables["am_line"] for tables in self._waiting)
        operations = pa.concat_tables(tables["am_line_op"] for tables in self._waiting)
        self._waiting = []
        share = np.asarray(self._session.evaluated(lines.select(["user_id"]), _BY_ID.format(count=self.count)))
        line = np.searchsorted(np.asarray(lines["pos"]), np.asarray(operations["pos"]))
        for table, rows, of in (("am_line", lines, share), ("am_line_op", operations, share[line])):
            in_order = rows.take(pa.array(np.argsort(of, kind="stable"))) if self.count > 1 else rows
            begin = 0
            for files, count in zip(self._open, np.bincount(of, minlength=self.count).tolist(), strict=True):
                if count:
                    files[table].write(in_order.slice(begin, count))
                begin += count

    def _close(self) -> list[dict[str, Path]]:
        """Ends the file; returns its paths per share."""
        for files in self._open:
            for file in files.values():
                file.close()
        closed = [{table: file.path for table, file in files.items()} for files in self._open]
        self._open, self._waiting = [], []
        return closed
