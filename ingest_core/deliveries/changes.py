"""What a receiver has, remembered as keys and tokens, and what differs from it now.

After a delivery that failed on its way nobody knows whether the receiver has it. So a receiver has one of several
*possible states*: that of the last delivery that was confirmed (or nothing), or that of any one tried since. A row is
left out only where it is the same in all of them, and a removal is named where any of them has the row: whoever applies
the file has the current rows, whichever state it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ingest_core.deliveries.order import ADDED, CHANGED
from ingest_core.engine import Session
from ingest_core.vault import Keyset
from ingest_core.vault.keys import derive
from ingest_core.vault.tokens import tokens

PAGE = 10_000

Cells = list[str]


@dataclass(frozen=True, slots=True)
class Possible:
    """The deliveries of a channel after which the receiver may be as it is; ``may_be_empty``: it may have nothing."""

    numbers: tuple[int, ...]
    may_be_empty: bool


@dataclass(slots=True)
class Counts:
    """Of one comparison."""

    added: int = 0
    changed: int = 0
    same: int = 0
    without_key: int = 0
    same_key: int = 0
    removed: int = 0


def possible_states(session: Session, channel: str, before: int) -> Possible:
    """As the deliveries before this number left the receiver."""
    confirmed = session.value(
        "SELECT max(delivery_no) FROM delivery WHERE channel = ? AND delivery_no < ? AND status = 'delivered'",
        [channel, before],
    )
    tried = session.rows(
        "SELECT delivery_no FROM delivery WHERE channel = ? AND delivery_no < ? AND delivery_no > ? "
        "AND status <> 'delivered' AND tried_at IS NOT NULL ORDER BY delivery_no",
        [channel, before, confirmed or -1],
    )
    numbers = [*([] if confirmed is None else [confirmed]), *(number for (number,) in tried)]
    return Possible(tuple(map(int, numbers)), may_be_empty=confirmed is None)


@dataclass
class Comparison:
    """Tells the rows of a file from those that a receiver has. Works in temporary tables of the session."""

    session: Session
    keyset: Keyset
    possible: Possible
    key_at: int
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.session.run("CREATE OR REPLACE TEMP TABLE outgoing (key_text VARCHAR, row_token UUID)")

    def differing(self, rows: Sequence[Cells]) -> Iterator[tuple[str, Cells]]:
        """(added or changed, row) of the rows that are not the same in every possible state, in their order.

        Rows without a key, and those whose key an earlier row has, are counted and dropped.
        """
        kept = self._keyed(rows)
        if not kept:
            return
        token = tokens(_key(self.keyset), pa.array(["\x1f".join(cells) for cells in kept], pa.string()))
        keys = pa.array([cells[self.key_at] for cells in kept], pa.string())
        table = pa.table({"n": pa.array(range(len(kept)), pa.int64()), "key_text": keys, "row_token": token})
        self.session.register("delivery_rows", table)
        try:
            found = self.session.rows(_COMPARED.format(numbers=self._numbers()))
            self.session.run("INSERT INTO outgoing SELECT key_text, row_token FROM delivery_rows ORDER BY n")
        finally:
            self.session.unregister("delivery_rows")
        states = len(self.possible.numbers) + self.possible.may_be_empty
        for n, held, same in found:
            if same == states:
                self.counts.same += 1
                continue
            kind = CHANGED if held else ADDED
            self.counts.added += kind == ADDED
            self.counts.changed += kind == CHANGED
            yield kind, kept[n]

    def removed(self) -> Iterator[str]:
        """The keys that a receiver may have and should not, in order."""
        last = ""
        while rows := self.session.rows(_REMOVED.format(numbers=self._numbers()), [last, PAGE]):
            self.counts.removed += len(rows)
            yield from (key for (key,) in rows)
            last = rows[-1][0]

    def keep(self, delivery_no: int) -> None:
        """The state that a receiver has after this delivery, inside the caller's transaction."""
        self.session.run(
            "INSERT INTO delivery_state SELECT ?::BIGINT, key_text, row_token FROM outgoing", [delivery_no]
        )

    def _keyed(self, rows: Sequence[Cells]) -> list[Cells]:
        """The rows that have a key which no earlier row has."""
        with_key = [cells for cells in rows if cells[self.key_at]]
        self.counts.without_key += len(rows) - len(with_key)
        keys = [cells[self.key_at] for cells in with_key]
        seen = {
            key
            for (key,) in self.session.rows(
                "SELECT key_text FROM outgoing WHERE key_text IN (SELECT unnest(?::VARCHAR[]))", [keys]
            )
        }
        kept = []
        for key, cells in zip(keys, with_key, strict=True):
            if key not in seen:
                seen.add(key)
                kept.append(cells)
        self.counts.same_key += len(with_key) - len(kept)
        return kept

    def _numbers(self) -> str:
        """SQL: the numbers of the possible states, none of which is -1."""
        return ", ".join(map(str, self.possible.numbers or (-1,)))


_COMPARED = """
SELECT n, count(s.key_text), count(*) FILTER (s.row_token = r.row_token)
FROM delivery_rows AS r LEFT JOIN (SELECT * FROM delivery_state WHERE delivery_no IN ({numbers})) AS s
  ON s.key_text = r.key_text
GROUP BY n ORDER BY n"""

_REMOVED = """
SELECT DISTINCT key_text FROM delivery_state
WHERE delivery_no IN ({numbers}) AND key_text > ? AND key_text NOT IN (SELECT key_text FROM outgoing)
ORDER BY key_text LIMIT ?"""


def _key(keyset: Keyset) -> str:
    """HMAC key of the tokens of rows: 64 hex characters."""
    return derive(keyset.tokens, b"delivery rows").hex()
