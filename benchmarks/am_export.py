"""What an export of many profiles costs from the store to the partner's folder: rows per second, CPU time and memory.

PYTHONPATH=. python benchmarks/am_export.py [--customers 500000 1000000 5000000] [--runs full iter …] [--engine SIZE]

For each number of customers a workspace of its own is made: every customer has three of 200 traits and is in one to
three of 30 segments. Then, each in a process of its own, in this order:

full     everything, plain, the default row          gzip     the same packed
traits   every customer with their traits, by a TRAIT_LIST template
iter     nothing has changed since the full run      changed  one in a hundred has another trait

The state is put into the tables that ``am ingest`` fills by SQL; with 1,000 customers it is compared with what
``am ingest`` makes of a file that says the same before anything is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.cli.files_given import file_given
from ingest_core.workspace import Workspace

DPID, TRAITS, SINGLE = 21, 200, 20
MOMENT = datetime.fromisoformat("2026-03-01 12:00")
CHECKED = 1_000

# Customer n and their traits: the first of 20, one of 80, one of 100.
HELD = """
SELECT 'C' || lpad(n::VARCHAR, 9, '0') AS id,
       unnest([1 + h % 20, 21 + h // 20 % 80, 101 + h // 1600 % 100])::BIGINT AS trait_id, n + 1 AS line
FROM (SELECT range AS n, hash(range) % 1000000 AS h FROM range(?))
"""
FILL = (
    f"INSERT INTO am_held SELECT {DPID}, id, trait_id, ?::TIMESTAMP, 1, line FROM ({HELD})",
    f"INSERT INTO am_profile SELECT {DPID}, 'C' || lpad(range::VARCHAR, 9, '0'), ?::TIMESTAMP FROM range(?)",
)
CHANGED = f"""
UPDATE am_held SET trait_id = trait_id % {SINGLE} + 1 WHERE trait_id <= {SINGLE} AND line % 100 = 0
"""
ORDERS = {
    "segments": Order(order_id=1, name="Segments", master=DPID, folder="/"),
    "packed": Order(order_id=2, name="Packed", master=DPID, folder="/", gzip=True),
    "traits": Order(
        order_id=3, name="Traits", what="traits", master=DPID, folder="/",
        content='<PID><TAB><DP_UUID><TAB><TRAIT_LIST; separator="|">', pid="1131",
    ),
}  # fmt: skip
RUNS = {
    "full": ("segments", "full"),
    "gzip": ("packed", "full"),
    "traits": ("traits", "full"),
    "iter": ("segments", "iter"),
    "changed": ("segments", "iter"),
}


def catalogue(workspace: Workspace) -> None:
    """One data source, its traits, and segments: one for each of the first 20 traits, and ten of several."""
    workspace.sources.add("Customers", kind="data_source", dpid=DPID, id_type="cross_device")
    with workspace.engine.write, workspace.engine.session() as session:
        session.run(
            "INSERT INTO am_trait (trait_id, name, dpid, type, ttl_days, created_at, created_by) "
            "SELECT range, 'Trait ' || range, ?, 'onboarded', 120, TIMESTAMP '2026-01-01', 'benchmark' "
            "FROM range(1, ?)",
            [DPID, TRAITS + 1],
        )
    for number in range(1, SINGLE + 1):
        workspace.outbound.segments.add(f"Has {number}", f"{number}T", number)
    for number in range(1, 11):
        rule = f"({number}T OR {20 + number}T) AND NOT {100 + number}T AND ({30 + number}T OR {number}T)"
        workspace.outbound.segments.add(f"Several {number}", rule, 100 + number)


def seed(home: Path, customers: int, folder: Path) -> None:
    """A workspace with so many customers."""
    with Workspace.open(home, user="benchmark") as workspace:
        catalogue(workspace)
        for order in ORDERS.values():
            workspace.outbound.orders.add(order.model_copy(update={"folder": str(folder)}))
        _fill(workspace, customers)


def _fill(workspace: Workspace, customers: int) -> None:
    with workspace.engine.write, workspace.engine.session() as session:
        session.run(FILL[0], [MOMENT, customers])
        session.run(FILL[1], [MOMENT, customers])
        session.run("CHECKPOINT")


def check_seed(folder: Path) -> None:
    """What is filled by SQL is what ``am ingest`` makes of a file that says the same."""
    states = []
    path = folder / f"ftp_dpm_{DPID}_1700000000.sync"
    for name in ("by_sql", "by_file"):
        with Workspace.open(folder / name, user="benchmark") as workspace:
            catalogue(workspace)
            if name == "by_sql":
                _fill(workspace, CHECKED)
                with workspace.engine.session() as session:
                    rows = session.rows(f"SELECT id, list(trait_id) FROM ({HELD}) GROUP BY id ORDER BY id", [CHECKED])
                path.write_text("".join(f"{one}\t{','.join(f'd_sid={t}' for t in traits)}\n" for one, traits in rows))
            else:
                workspace.audience.ingest([file_given(str(path))], BatchOptions(MOMENT))
            with workspace.engine.session() as session:
                states.append((workspace.audience.digest(), session.rows("SELECT * FROM am_held ORDER BY ALL")))
    if states[0] != states[1]:
        raise SystemExit("the seeded state is not what am ingest makes")


def run(home: Path, name: str, *, changes: bool = False) -> dict[str, Any]:
    """In this process: one run of an order."""
    order, mode = RUNS[name]
    with Workspace.open(home, user="benchmark") as workspace:
        if changes:
            with workspace.engine.write, workspace.engine.session() as session:
                session.run(CHANGED)
        begin, cpu = time.perf_counter(), _cpu()
        made = workspace.outbound.exports.run(ORDERS[order].order_id, mode, at=MOMENT + timedelta(days=1), user="b")
        seconds, used = time.perf_counter() - begin, _cpu() - cpu
    size = sum(file.size for file in made.files)
    figures = {"megabytes": size >> 20, "seconds": round(seconds, 2), "cpu_seconds": round(used, 2)}
    return {"rows": made.counts["rows"], "files": len(made.files), **figures}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the work says, done in a child, and the child's peak memory."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            found = work()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            os.write(writer, json.dumps({**found, "peak_megabytes": peak}).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    if not text:
        raise SystemExit("the run failed")
    return dict(json.loads(text))


def measured(customers: int, names: list[str]) -> None:
    """Prints one line of JSON per run."""
    with tempfile.TemporaryDirectory() as root:
        home, folder = Path(root) / "home", Path(root) / "partner"
        folder.mkdir()

        def seeded() -> dict[str, Any]:
            seed(home, customers, folder)
            return {}

        apart(seeded)
        for name in names:
            found = apart(lambda name=name: run(home, name, changes=name == "changed"))
            found["customers_per_second"] = round(customers / found["seconds"])
            print(json.dumps({"customers": customers, "run": name, **found}))
            sys.stdout.flush()
            for file in folder.iterdir():
                file.unlink()


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[500_000, 1_000_000, 5_000_000])
    parser.add_argument("--runs", nargs="+", choices=[*RUNS], default=[*RUNS])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        apart(lambda: check_seed(Path(folder)) or {})
    for customers in args.customers:
        measured(customers, args.runs)


if __name__ == "__main__":
    main()
