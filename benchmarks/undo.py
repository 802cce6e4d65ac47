"""What taking an upload back costs, as ratios to loading it and to a rebuild of everybody, in one run.

python benchmarks/undo.py [--stores 1000000 10000000] [--rows 1000 385000] [--runs 3]

Each store gets the files on top; then each is taken back and brought back. Figures are medians of wall-clock seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from ingest import OURS, ROOT, run, sample, store

UNDO = """
import json, sys, time
from pathlib import Path
from ingest_core.workspace import Workspace
home, rows, runs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Workspace.open(home) as workspace:
    upload = next(r for r in workspace.history.list() if r.lines == rows)
    seconds = {"undo": [], "redo": []}
    steps = {}
    for _ in range(runs):
        for name in seconds:
            begun = time.perf_counter()
            done = getattr(workspace.undo, name)(upload.request_id)
            seconds[name].append(time.perf_counter() - begun)
            steps[name] = {step.name: step.seconds for step in done.steps}
    print(json.dumps({"seconds": seconds, "steps": steps, "moved": done.returned}))
"""

REBUILD = """
import json, sys
from pathlib import Path
from ingest_core.workspace import Workspace
with Workspace.open(Path(sys.argv[1])) as workspace:
    steps = workspace.rebuild()["steps"]  # without the digest that it also returns
    print(json.dumps({"seconds": sum(step["seconds"] for step in steps)}))
"""


def measure(folder: Path, profiles: int, sizes: list[int], runs: int) -> dict[str, Any]:
    """One store: each file loaded, taken back and brought back; then everything folded again."""
    home = folder / "home"
    mapping = store(home, folder, profiles)
    loads = {}
    for number, rows in enumerate(sizes):
        file = sample(folder / f"{rows}.tsv", rows, 5 + number, known=profiles)
        loads[rows] = run(OURS, home, file, mapping)
    rebuild = run(REBUILD, home)["seconds"]
    result: dict[str, Any] = {"rebuild_seconds": round(rebuild, 2)}
    for rows in sizes:
        measured = run(UNDO, home, loads[rows]["lines"], runs)
        undo, redo = (statistics.median(measured["seconds"][name]) for name in ("undo", "redo"))
        result[str(rows)] = {
            "load_seconds": round(loads[rows]["seconds"], 2),
            "undo_seconds": round(undo, 2),
            "redo_seconds": round(redo, 2),
            "undo_to_load": round(undo / loads[rows]["seconds"], 2),
            "undo_to_rebuild": round(undo / rebuild, 3),
            "megabytes": measured["megabytes"],
            "steps": measured["steps"],
        }
    return result


def main() -> None:
    """Prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 385_000])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    result = {}
    for profiles in options.stores:
        with tempfile.TemporaryDirectory(prefix="onramp-bench-") as name:
            result[str(profiles)] = measure(Path(name), profiles, options.rows, options.runs)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
