"""Our load against what people use today, as ratios: the same file, the same counts, interleaved runs, medians.

python benchmarks/compare.py --rows 200000 --runs 3 [--dlt-python PATH]

A run is a whole process into a new database, start-up included, and the same file again into that database. Prints
JSON; exit code 1 when the counts of a reference differ from ours. How to make an environment for dlt: reference_dlt.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNTS = ("blank", "stored", "rejected", "duplicates")
CUSTOM = {"preferences": "string", "slot_num": "integer", "last_purchase": "date", "amount": "number"}
COLUMNS = ("crmid", "phone", "email", "first_name", "last_name", "city", "country", "birth_date")
Run = dict[str, float]


def measure(command: list[str]) -> tuple[Run, dict[str, object]]:
    """Run one process: wall-clock and CPU seconds, peak memory in MB, and the JSON it printed."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with exit code {process.returncode}:\n{text}")
    cost = {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": usage.ru_maxrss / 1024}
    # A reference may talk before its result; ours prints one document only.
    return cost, json.loads(text if text.startswith("{") else text.splitlines()[-1])


def prepare_ours(home: Path) -> list[str]:
    """A workspace with a source and the attributes of the sample; the command that loads, without the file."""
    onramp = [sys.executable, "-m", "ingest_core", "--home", str(home), "--json"]
    commands = [["source", "add", "bench"], *(["attribute", "add", name, "--type", CUSTOM[name]] for name in CUSTOM)]
    for command in commands:
        subprocess.run([*onramp, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    mapping = home / "bench.mapping.json"
    columns = [{"column": name, "attribute": name} for name in [*COLUMNS, *CUSTOM]]
    mapping.write_text(json.dumps({"columns": columns}), encoding="utf-8")
    return [*onramp, "ingest", "--source", "bench", "--mapping", str(mapping), "--again"]


def run_all(file: Path, folder: Path, dlt_python: str | None) -> dict[str, tuple[Run, Run, dict[str, object]]]:
    """One round: each contender once into nothing and once more into what it made."""
    home = folder / "ours"
    home.mkdir(parents=True)
    ours = prepare_ours(home)
    contenders = {
        "ours": [*ours, str(file)],
        "pandas": [sys.executable, "benchmarks/reference_pandas.py", str(file), str(folder / "pandas.duckdb")],
    }
    if dlt_python:
        contenders["dlt"] = [dlt_python, "benchmarks/reference_dlt.py", str(file), str(folder / "dlt.duckdb")]
    results = {}
    for name, command in contenders.items():
        first, counts = measure(command)
        again, _ = measure(command)
        results[name] = (first, again, {key: counts[key] for key in COUNTS})
    shutil.rmtree(folder)
    return results


def summarise(rounds: list[dict[str, tuple[Run, Run, dict[str, object]]]]) -> dict[str, object]:
    """Medians of each contender, and how many times ours they took."""

    def median(name: str, which: int, what: str) -> float:
        return statistics.median(float(str(one[name][which][what])) for one in rounds)

    summary: dict[str, object] = {}
    for name in rounds[0]:
        figures = {
            f"{load} {what}": round(median(name, which, what), 2)
            for which, load in enumerate(("first", "again"))
            for what in ("seconds", "cpu", "megabytes")
        }
        ratios = {
            f"{load} times ours": round(median(name, which, "seconds") / median("ours", which, "seconds"), 2)
            for which, load in enumerate(("first", "again"))
        }
        counts = rounds[0][name][2]
        summary[name] = {**figures, **ratios, "counts": counts, "same counts": counts == rounds[0]["ours"][2]}
    return summary


def main() -> int:
    """Make the file, run the rounds, print the summary."""
    parser = argparse.ArgumentParser(description="Our load against what people use today.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--dlt-python", help="Python of an environment with dlt[duckdb]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onramp-bench-") as name:
        folder = Path(name)
        file = folder / "sample.tsv"
        make = [
            sys.executable,
            "samples/make_sample.py",
            "--rows",
            str(args.rows),
            "--dirt",
            "0.02",
            "--out",
            str(file),
        ]
        subprocess.run(make, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        rounds = [run_all(file, folder / str(number), args.dlt_python) for number in range(args.runs)]
        summary = summarise(rounds)
        print(json.dumps({"rows": args.rows, "bytes": file.stat().st_size, "runs": args.runs, **summary}, indent=2))
    is_same = all(one["same counts"] for one in summary.values() if isinstance(one, dict))
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
