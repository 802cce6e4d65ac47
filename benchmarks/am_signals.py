"""What loading the signals of a data file into profiles costs, beside the very same table as CSV; and its memory.

python benchmarks/am_signals.py [--megabytes 60]

The file is that of ``am_ingest.py --kind signals``: seeded, invented lines. It is read once as a table, which the CSV
is written from; then each is loaded by one mapping into a workspace of its own, in a process of its own. ``read`` is
the pass over the rows alone: it holds some slices, whatever the size of the file.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from am_ingest import signals, write

from ingest_core.files import PathSource, read_slices, write_csv
from ingest_core.models import ColumnMapping, Mapping, Options
from ingest_core.workspace import Workspace

NAME = "ftp_dpm_21_1700000000.sync"
COLUMNS = {"id_21": "crmid", "town": "town", "age": "age", "spent": "spent"}
ATTRIBUTES = (("town", "string"), ("age", "integer"), ("spent", "number"))


def peak() -> int:
    """MB of this process at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def read(home: Path, file: Path, out: Path | None) -> dict[str, float]:
    """Opens the file as a table and passes over its rows."""
    with Workspace.open(home) as workspace:
        limits, source, began = workspace.planner.limits(), PathSource(file), time.perf_counter()
        facts = workspace.tables.receive(source, limits)
        dialect = workspace.tables.sniff(source, facts, limits=limits)
        slices = read_slices(source, facts, dialect, limits)
        if out is not None:
            write_csv(out, dialect.columns, (piece.table for piece in slices))
        else:
            sum(piece.table.num_rows for piece in slices)
        return {"seconds": round(time.perf_counter() - began, 2), "megabytes": peak()}


def load(home: Path, file: Path) -> dict[str, float]:
    """Plans and loads it."""
    with Workspace.open(home) as workspace:
        source = workspace.sources.add("Signals", kind="data_source", dpid=21, id_type="cross_device")
        for name, kind in ATTRIBUTES:
            workspace.attributes.add(name, type=kind)
        columns = tuple(ColumnMapping(column=column, attribute=attribute) for column, attribute in COLUMNS.items())
        began = time.perf_counter()
        plan = workspace.plan(PathSource(file), source, Mapping(columns=columns), Options())
        receipt = workspace.loads.load(plan)
        seconds = time.perf_counter() - began
        return {"seconds": round(seconds, 2), "megabytes": peak(), "rows": receipt.lines, "people": receipt.stored}


def apart(*arguments: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Prints a line per measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=60)
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "HOME", "FILE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        what, home, file = args.one[0], Path(args.one[1]), Path(args.one[2])
        out = file.with_suffix(".csv") if what == "write" else None
        print(json.dumps(load(home, file) if what == "load" else read(home, file, out)))
        return
    with tempfile.TemporaryDirectory(prefix="onramp-bench-") as folder:
        file, homes = Path(folder) / NAME, Path(folder)
        write(file, signals, args.megabytes * 1_000_000)
        apart("--one", "write", str(homes / "w"), str(file))
        for label, what, path in (
            ("read the data file", "read", file),
            ("load the data file", "load", file),
            ("load the same table as CSV", "load", file.with_suffix(".csv")),
        ):
            home = homes / f"{what}{path.suffix}"
            print(f"{label}: {apart('--one', what, str(home), str(path))}")


if __name__ == "__main__":
    main()
