"""How fast a load is, as ratios to what DuckDB alone takes for the same file, in one run.

python benchmarks/ingest.py [--rows 385000] [--stores 1000000 10000000] [--runs 5] [--big-gb 2] [--out FILE.json]

Rows of docs/architecture.md "goals": a 40 MB file into a store, the same file again, growth with the store, a big file
with its peak memory, the first screen of a big file. Each run works on a fresh copy of the store; runs of ours and of
raw DuckDB are interleaved; figures are medians of wall-clock seconds, start-up of the interpreter excluded.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CUSTOM = {
    "preferences": "string",
    "slot_num": "integer",
    "surname": "string",
    "last_purchase": "date",
    "amount": "number",
}
ATTRIBUTE = {"last_name": "surname"}
COLUMNS = (
    "crmid", "phone", "preferences", "slot_num", "email", "first_name", "last_name", "city", "country",
    "last_purchase", "amount",
)  # fmt: skip

RAW = """
import duckdb, sys, time, json
file, database, threads = sys.argv[1:4]
begun = time.perf_counter()
connection = duckdb.connect(database)
connection.execute(f"SET threads = {threads}")
connection.execute("SET enable_progress_bar = false")
connection.execute(
    "CREATE TABLE t AS SELECT * FROM read_csv(?, delim='\\t', quote='', escape='', header=true, all_varchar=true, "
    "store_rejects=true)", [file])
connection.execute("CHECKPOINT")
connection.close()
print(json.dumps({"seconds": time.perf_counter() - begun}))
"""

OURS = """
import json, sys, time
from pathlib import Path
from ingest_core.catalog import parse_mapping
from ingest_core.files import PathSource
from ingest_core.models import Options
from ingest_core.workspace import Workspace
home, file, mapping = map(Path, sys.argv[1:4])
with Workspace.open(home) as workspace:
    source = workspace.sources.get("bench")
    chosen = parse_mapping(mapping.read_text("utf-8"))
    begun = time.perf_counter()
    plan = workspace.plan(PathSource(file), source, chosen, Options(again=True))
    receipt = workspace.loads.load(plan)
    workspace.engine.checkpoint()
    seconds = time.perf_counter() - begun
counts = receipt.model_dump(include={"lines", "blank", "stored", "rejected", "duplicates", "created", "unchanged"})
steps = {step.name: step.seconds for step in receipt.steps}
print(json.dumps({"seconds": seconds, **counts, "steps": steps}))
"""

FIRST_SCREEN = """
import json, sys, time
from pathlib import Path
from ingest_core.files import PathSource
from ingest_core.workspace import Workspace
with Workspace.open(Path(sys.argv[1])) as workspace:
    begun = time.perf_counter()
    made = workspace.inspect(PathSource(Path(sys.argv[2])), head_only=True)
    print(json.dumps({"seconds": time.perf_counter() - begun, "columns": len(made.columns)}))
"""


def run(code: str, *arguments: object) -> dict[str, Any]:
    """A piece of Python in its own process: the JSON it prints, with its peak memory in MB."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"a measured process ended with exit code {process.returncode}")
        out.seek(0)
        printed = json.loads(out.read().strip().splitlines()[-1])  # an engine may draw a progress bar first
        return {**printed, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss // 1024}


def sample(out: Path, rows: int, seed: int, known: int = 0) -> Path:
    """A generated file of invented people."""
    command = [sys.executable, "samples/make_sample.py", "--rows", rows, "--seed", seed, "--dirt", "0.01", "--out", out]
    if known:
        command += ["--known", known]
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return out


def store(home: Path, folder: Path, profiles: int) -> Path:
    """A workspace with about so many profiles, and the mapping file beside it."""
    onramp = [sys.executable, "-m", "ingest_core", "--home", str(home), "--json"]
    commands = [["source", "add", "bench"], *(["attribute", "add", name, "--type", CUSTOM[name]] for name in CUSTOM)]
    for command in commands:
        subprocess.run([*onramp, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    mapping = folder / "mapping.json"
    columns = [{"column": name, "attribute": ATTRIBUTE.get(name, name)} for name in COLUMNS]
    mapping.write_text(json.dumps({"columns": columns}), encoding="utf-8")
    if profiles:
        file = sample(folder / "store.tsv", profiles, 1)
        subprocess.run(
            [*onramp, "ingest", str(file), "--source", "bench", "--mapping", str(mapping)],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        file.unlink()
    return mapping


def into_stores(folder: Path, rows: int, stores: list[int], runs: int) -> dict[str, Any]:
    """The file into each store and once more, beside raw DuckDB; medians and ratios."""
    file = sample(folder / "file.tsv", rows, 1, known=min(stores))
    homes = {}
    for profiles in stores:
        place = folder / str(profiles)
        place.mkdir()
        homes[profiles] = (place / "home", store(place / "home", place, profiles))
    raw: list[float] = []
    ours: dict[int, list[dict[str, Any]]] = {profiles: [] for profiles in stores}
    again: dict[int, list[dict[str, Any]]] = {profiles: [] for profiles in stores}
    for number in range(runs):
        raw.append(run(RAW, file, folder / f"raw{number}.duckdb", os.cpu_count())["seconds"])
        for profiles, (home, mapping) in homes.items():
            copy = folder / "copy"
            shutil.copytree(home, copy)
            ours[profiles].append(run(OURS, copy, file, mapping))
            again[profiles].append(run(OURS, copy, file, mapping))
            shutil.rmtree(copy)
    base = statistics.median(raw)
    result: dict[str, Any] = {"file_bytes": file.stat().st_size, "rows": rows, "raw_duckdb_seconds": round(base, 3)}
    for profiles in stores:
        result[f"into_{profiles}"] = _summary(ours[profiles], base)
        result[f"again_{profiles}"] = _summary(again[profiles], base)
    first = result[f"into_{stores[0]}"]["seconds"]
    result["growth"] = {str(p): round(result[f"into_{p}"]["seconds"] / first, 2) for p in stores}
    return result


def _summary(measured: list[dict[str, Any]], base: float) -> dict[str, Any]:
    middle = sorted(measured, key=lambda one: one["seconds"])[len(measured) // 2]
    return {**middle, "seconds": round(middle["seconds"], 3), "ratio_to_raw": round(middle["seconds"] / base, 2)}


def big_file(folder: Path, gigabytes: float) -> dict[str, Any]:
    """A file of so many GB: seconds per GB at a tenth and at the whole, peak memory, time to the first screen."""
    result: dict[str, Any] = {}
    for share in (0.1, 1.0):
        rows = int(gigabytes * share * 1e9 / 119)
        place = folder / f"big{share}"
        place.mkdir()
        mapping = store(place / "home", place, 0)
        file = sample(place / "big.tsv", rows, 3)
        if share == 1.0:
            result["first_screen"] = run(FIRST_SCREEN, place / "home", file)
        measured = run(OURS, place / "home", file, mapping)
        size = file.stat().st_size / 1e9
        raw = run(RAW, file, place / "raw.duckdb", os.cpu_count())
        result[f"{size:.2f} GB"] = {
            **measured,
            "seconds_per_gb": round(measured["seconds"] / size, 2),
            "ratio_to_raw": round(measured["seconds"] / raw["seconds"], 2),
        }
        shutil.rmtree(place)
    return result


def main() -> None:
    """Measures what was asked for and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=385_000)
    parser.add_argument("--stores", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--big-gb", type=float, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory(prefix="onramp-bench-") as name:
        folder = Path(name)
        result = {
            "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
            "stores": into_stores(folder, options.rows, options.stores, options.runs),
        }
        if options.big_gb:
            result["big"] = big_file(folder, options.big_gb)
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
