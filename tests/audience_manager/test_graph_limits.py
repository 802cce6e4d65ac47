"""Limits of mappings hold over files and batches, and what an undone batch had pushed out is back (spec §8.4)."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

AT = datetime(2026, 11, 28, tzinfo=UTC).replace(tzinfo=None)
BATCHES, FILES = 4, 2


def uuid(number):
    return f"{number:038}"


def idfa(number):
    return f"AEBE52E7-03EE-455A-B3C4-{number:012X}"


def sha(number):
    return f"{number:064x}"


class Limit:
    """One limit: rows of a pool of pairs, of which the newest are kept in each group."""

    def __init__(self, prefix, columns, most, row, group):
        self.prefix, self.columns, self.most, self.row, self.group = prefix, columns, most, row, group

    def name(self, stamp):
        return f"{self.prefix}_{'_'.join(map(str, self.columns))}_{1_700_000_000 + stamp}.sync"

    def kept(self, batches):
        """By the letter: all pairs by when they were named last, the newest of each group."""
        order = {}
        for pair in (pair for files in batches for pairs in files for pair in pairs):
            order.pop(pair, None)
            order[pair] = None
        found, counts = set(), {}
        for pair in reversed(order):
            group = self.group(pair)
            counts[group] = counts.get(group, 0) + 1
            if counts[group] <= self.most:
                found.add(pair)
        return found


LIMITS = {
    "advertising ids of a customer": Limit(
        "adobe_id", (20915, 21), 100, lambda n: (idfa(n), "c"), lambda pair: pair[1]
    ),
    "customers of an advertising id": Limit(
        "adobe_id", (20915, 21), 10, lambda n: (idfa(n % 2), f"c{n}"), lambda pair: pair[0]
    ),
    "devices of a cookie id": Limit("adobe_id", (0, 33), 1_000, lambda n: (uuid(n), "ck"), lambda pair: pair[1]),
    "cookie ids of a device": Limit("adobe_id", (0, 33), 1_000, lambda n: (uuid(1), f"ck{n}"), lambda pair: pair[0]),
    "addresses of a customer": Limit("c2c_id", (21, 40), 10, lambda n: (f"c{n % 2}", sha(n)), lambda pair: pair[0]),
}


@pytest.fixture
def workspace(tmp_path):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        for dpid, kind in ((21, "cross_device"), (22, "cross_device"), (33, "cookie"), (40, "cross_device")):
            opened.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
        yield opened


def ingest(workspace, files):
    given = [MemoryFile(name, "".join("\t".join(pair) + "\n" for pair in pairs).encode()) for name, pairs in files]
    report = workspace.audience.ingest(given, BatchOptions(AT, keeps_files=False))
    assert report.rejected == []
    return report.request_id


def pairs_now(workspace, limit):
    sql = "SELECT id, hash FROM am_hash" if limit.prefix == "c2c_id" else "SELECT device_id, id FROM am_map"
    with workspace.engine.session() as session:
        rows = session.rows(sql)
    assert len(rows) == len(set(rows))
    return set(rows)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("what", list(LIMITS))
def test_the_newest_stay_over_files_batches_undo_and_rebuild(workspace, what, seed):
    limit, chance = LIMITS[what], random.Random(seed)
    pool = [limit.row(n) for n in range(limit.most * 3)]
    batches = [
        [[chance.choice(pool) for _ in range(max(limit.most // 2, 8))] for _ in range(FILES)] for _ in range(BATCHES)
    ]
    taken = []
    for number, files in enumerate(batches):
        named = [(limit.name(10 * number + place), pairs) for place, pairs in enumerate(files)]
        taken.append(ingest(workspace, named))
        assert pairs_now(workspace, limit) == limit.kept(batches[: number + 1])
    every = {pair for files in batches for pairs in files for pair in pairs}
    assert len(every) > len(limit.kept(batches)), "the limit was never reached"
    undone = set()
    for place in [BATCHES - 1, 1, *(chance.randrange(BATCHES) for _ in range(3))]:
        (workspace.audience.redo if place in undone else workspace.audience.undo)(taken[place])
        undone ^= {place}
        left = [files for number, files in enumerate(batches) if number not in undone]
        assert pairs_now(workspace, limit) == limit.kept(left)
    before = workspace.audience.digest()
    assert workspace.rebuild()["audience"] == before


def test_customers_of_an_advertising_id_are_counted_by_data_source(workspace):
    for number, dpid in enumerate((21, 22)):
        rows = [(idfa(1), f"{dpid}-{n}") for n in range(12)]
        ingest(workspace, [(f"adobe_id_20915_{dpid}_{1_700_000_000 + number}.sync", rows)])
    with workspace.engine.session() as session:
        counts = session.rows("SELECT dpid, count(*) FROM am_map GROUP BY dpid ORDER BY dpid")
    assert counts == [(21, 10), (22, 10)]
