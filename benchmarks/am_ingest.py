"""What processing an Audience Manager file costs from its bytes to its receipt, in lines per second and memory.

python benchmarks/am_ingest.py [--megabytes 150] [--kind traits|overwrite|signals|broken|ids|all] [--undo]

Each kind is a file of seeded, invented lines in a workspace of its own, taken by the ``am ingest`` command in a process
of its own; the file's size does not enter its memory. ``--undo`` takes the batch back afterwards, too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.cli.files_given import file_given
from ingest_core.clock import now
from ingest_core.workspace import Workspace

TRAITS = range(1_000, 3_000)
USERS = 20_000_000


def traits(rng: random.Random) -> str:
    """A customer and one to five traits, as most files have them."""
    named = ",".join(f"d_sid={rng.randrange(1_000, 3_000)}" for _ in range(rng.randrange(1, 6)))
    return f"C{rng.randrange(USERS):09d}\t{named}\n"


def signals(rng: random.Random) -> str:
    """Signals that rules look at, and a number."""
    town = rng.choice(("Rome", "Oslo", "Pune", "Goa"))
    spent = rng.randrange(100_000)
    return f'C{rng.randrange(USERS):09d}\t"town"="{town}","age"="{rng.randrange(18, 99)}","spent"="{spent}",1052\n'


def broken(rng: random.Random) -> str:
    """Every line is refused."""
    return f"C{rng.randrange(USERS):09d}\ttown=Rome,{rng.choice(('word', 'a==b', '28:7', 'd_sid=x'))}\n"


def ids(rng: random.Random) -> str:
    """Devices and the customers who use them."""
    return f"{rng.getrandbits(120):038d}\tC{rng.randrange(USERS):09d}\n"


KINDS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "traits": ("ftp_dpm_21_1700000000.sync", traits),
    "overwrite": ("ftp_dpm_21_1700000000.overwrite", traits),
    "signals": ("ftp_dpm_21_1700000000.sync", signals),
    "broken": ("ftp_dpm_21_1700000000.sync", broken),
    "ids": ("adobe_id_0_21_1700000000.sync", ids),
}


def write(path: Path, line: Callable[[random.Random], str], size: int) -> int:
    """A file of about so many bytes; returns its lines."""
    rng, count = random.Random(7), 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for block in _blocks(rng, line):
            file.writelines(block)
            count += len(block)
            if file.tell() >= size:
                return count
    return count


def _blocks(rng: random.Random, line: Callable[[random.Random], str]) -> Iterator[list[str]]:
    while True:
        yield [line(rng) for _ in range(10_000)]


def prepare(home: Path) -> None:
    """A data source with 2,000 traits, four of them with rules."""
    with Workspace.open(home, user="benchmark") as workspace:
        workspace.sources.add("Customers", kind="data_source", dpid=21, id_type="cross_device")
        for number, rule in enumerate(('town == "Rome"', 'town == "Pune" AND age > 40', "spent >= 50000", "age < 30")):
            workspace.audience.traits.add(f"Rule {number}", 21, trait_id=number + 1, rule=rule)
        with workspace.engine.write, workspace.engine.session() as session:
            session.run(
                "INSERT INTO am_trait (trait_id, name, dpid, type, ttl_days, created_at, created_by) "
                "SELECT range, 'Trait ' || range, 21, 'onboarded', 120, TIMESTAMP '2026-01-01', 'benchmark' "
                "FROM range(?, ?)",
                [TRAITS.start, TRAITS.stop],
            )


def run(home: Path, path: Path, *, undoes: bool) -> dict[str, object]:
    """In this process: one batch and, if wanted, its undo."""
    with Workspace.open(home, user="benchmark") as workspace:
        begin, begun = time.perf_counter(), time.process_time()
        report = workspace.audience.ingest([file_given(str(path))], BatchOptions(now()))
        found: dict[str, object] = {"seconds": round(time.perf_counter() - begin, 2)}
        found["cpu_seconds"] = round(time.process_time() - begun, 2)
        found["steps"] = {step.name: step.seconds for step in report.steps}
        if undoes:
            begin = time.perf_counter()
            workspace.audience.undo(str(report.request_id))
            found["undo_seconds"] = round(time.perf_counter() - begin, 2)
    found["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def measured(kind: str, megabytes: int, *, undoes: bool) -> dict[str, object]:
    """One kind, in a child of its own."""
    name, line = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path, home = Path(folder) / name, Path(folder) / "home"
        lines = write(path, line, megabytes << 20)
        prepare(home)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, json.dumps(run(home, path, undoes=undoes)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as answer:
            found = json.loads(answer.read())
        os.waitpid(child, 0)
        seconds = found["seconds"]
        return {"kind": kind, "megabytes": path.stat().st_size >> 20, "lines": lines,
                "lines_per_second": round(lines / seconds), **found}  # fmt: skip


def main() -> None:
    """Prints one line of JSON per kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=150)
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--undo", action="store_true")
    args = parser.parse_args()
    for kind in KINDS if args.kind == "all" else [args.kind]:
        print(json.dumps(measured(kind, args.megabytes, undoes=args.undo)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
