"""Files made to hurt: does the time grow with the file, or faster?

python benchmarks/hostile.py [CASE ...] [--scale 1.0] [--out FILE.json]

Each case is made at N, 2 N and 4 N and run in a process of its own, on a new workspace. What is printed are ratios of
processor time (2 N against N, 4 N against 2 N; linear is 2, or less where a fixed part weighs), and the peak memory of
each run. ``--scale`` makes every case smaller or larger.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

ONE = """
import json, sys, time
from pathlib import Path
from ingest_core.catalog import parse_mapping
from ingest_core.errors import OnrampError
from ingest_core.files import PathSource
from ingest_core.models import Options
from ingest_core.workspace import Workspace

asked = json.loads(sys.argv[1])
results = []
with Workspace.open(Path(asked["home"])) as workspace:
    source = workspace.sources.add("hostile")
    for name, kind, rank in asked["attributes"]:
        workspace.attributes.add(name, kind, identifier=rank)
    for command, file in asked["commands"]:
        begun, used = time.perf_counter(), time.process_time()
        counts = {}
        try:
            if command == "inspect":
                made = workspace.inspect(PathSource(file))
                counts = {"columns": len(made.columns), "rows": made.rows}
            elif command == "undo":
                ids = [receipt.request_id for receipt in workspace.history.list()]
                workspace.undo.undo(ids[0])
            elif command == "rebuild":
                workspace.rebuild()
            else:
                columns = asked["mapping"]
                mapping = parse_mapping(json.dumps({"columns": columns}))
                receipt = workspace.loads.load(workspace.plan(PathSource(file), source, mapping, Options(again=True)))
                names = ("lines", "blank", "stored", "rejected", "duplicates", "created", "merged", "came_apart")
                counts = {name: getattr(receipt, name) for name in names if getattr(receipt, name)}
                if asked["verbose"]:
                    slow = sorted(receipt.steps, key=lambda step: -step.seconds)[:6]
                    counts["steps"] = {step.name: step.seconds for step in slow}
        except OnrampError as error:
            counts = {"refused": error.code}
        results.append({
            "command": command, "seconds": time.perf_counter() - begun, "cpu": time.process_time() - used, **counts,
        })
print(json.dumps(results))
"""

Commands = list[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """A file (or several) of size N and what is done with it."""

    size: int
    make: Callable[[Path, int], Commands]
    mapping: dict[str, str] = field(default_factory=lambda: {"crmid": "crmid"})
    attributes: tuple[tuple[str, str, str | None], ...] = ()
    settings: dict[str, str] = field(default_factory=dict)


def lines(path: Path, header: str, rows: Iterator[str]) -> str:
    """A file of these lines; its path."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write(header + "\n")
        stream.writelines(row + "\n" for row in rows)
    return str(path)


def load(*files: str) -> Commands:
    """Load one after the other."""
    return [("load", file) for file in files]


def columns(folder: Path, n: int) -> Commands:
    """N columns of 200 rows, all looked at and all loaded."""
    header = "\t".join(["crmid", *(f"c{at}" for at in range(1, n))])
    file = lines(folder / "f", header, ("\t".join([f"C{row}", *["x"] * (n - 1)]) for row in range(200)))
    return [("inspect", file), ("load", file)]


def equal_names(folder: Path, n: int) -> Commands:
    """N columns of one name."""
    return [("inspect", lines(folder / "f", "\t".join(["a"] * n), ("\t".join(["x"] * n) for _ in range(3))))]


def blank(folder: Path, n: int) -> Commands:
    """N blank lines before the header, and N between the rows."""
    file = folder / "f"
    file.write_bytes(b"\n" * n + b"crmid\tcity\nC1\tBonn\n" + b"\n" * n + b"C2\tOslo\n")
    return [("inspect", str(file)), ("load", str(file))]


def bad(folder: Path, n: int, every: int = 1) -> Commands:
    """N different values that are no numbers, in every row or in each second one."""
    rows = (f"C{at}\t{'no' if at % every == 0 else ''}{at}" for at in range(n))
    file = lines(folder / "f", "crmid\tamount", rows)
    return [("inspect", file), ("load", file)]


def short_lines(folder: Path, n: int) -> Commands:
    """N lines of one character in a table of two columns."""
    return load(lines(folder / "f", "crmid\tcity", ("a" for _ in range(n))))


def one_primary(folder: Path, n: int) -> Commands:
    """One customer on N rows."""
    return load(lines(folder / "f", "crmid\temail", (f"C1\ta{at}@example.com" for at in range(n))))


def one_secondary(folder: Path, n: int) -> Commands:
    """One address on N rows without a customer id, twice."""
    rows = [f"\tanna@example.com\tCity {at}" for at in range(n)]
    file = lines(folder / "f", "crmid\temail\tcity", iter(rows))
    return load(file, file)


def household(folder: Path, n: int) -> Commands:
    """One address with N customers: shared; afterwards rows that name only the address."""
    first = lines(folder / "f", "crmid\temail", (f"C{at}\tall@example.com" for at in range(n)))
    return load(first, lines(folder / "g", "crmid\temail", ("\tall@example.com" for _ in range(n))), first)


def becomes_shared(folder: Path, n: int) -> Commands:
    """N rows that only name one address; then it is met with many customers, and N people come apart."""
    first = lines(folder / "f", "crmid\temail", ("\tall@example.com" for _ in range(n)))
    return load(first, lines(folder / "g", "crmid\temail", (f"C{at}\tall@example.com" for at in range(100))))


def chain_rows(numbers: list[int]) -> Iterator[str]:
    """Links of a chain: each shares an identifier with the one before and another with the one behind it."""
    return (f"left{(at + 1) // 2:08d}\tright{at // 2:08d}" for at in numbers)


def chain(folder: Path, n: int, *, is_random: bool = False) -> Commands:
    """A chain of N rows without a primary: one person."""
    numbers = list(range(n))
    if is_random:
        random.Random(1).shuffle(numbers)
    return load(lines(folder / "f", "left\tright", chain_rows(numbers)))


def bridges(folder: Path, n: int) -> Commands:
    """Each second link of the chain; then the others, which merge N people into one; and undone."""
    first = lines(folder / "f", "left\tright", chain_rows(list(range(0, n, 2))))
    second = lines(folder / "g", "left\tright", chain_rows(list(range(1, n, 2))))
    return [*load(first, second), ("undo", ""), ("rebuild", "")]


def many_bridges(folder: Path, n: int) -> Commands:
    """A chain grown by 16 uploads, each linking what the ones before left apart."""
    files = [lines(folder / f"f{at}", "left\tright", chain_rows(list(range(at, n, 16)))) for at in range(16)]
    return load(*files)


def owned_chain(folder: Path, n: int) -> Commands:
    """N customers in a row, between two neighbours a number seen with both their addresses; then one moves."""
    owners = lines(folder / "f", "crmid\temail\tphone", (f"C{at}\tp{at}@example.com\t" for at in range(n)))
    links = lines(
        folder / "g",
        "crmid\temail\tphone",
        (f"\tp{at + side}@example.com\t+4930{1000000 + at}" for at in range(n - 1) for side in (0, 1)),
    )
    moved = lines(folder / "h", "crmid\temail\tphone", iter(["X\tp0@example.com\t"]))
    return [*load(owners, links, moved), ("undo", "")]


def same_value(folder: Path, n: int) -> Commands:
    """N rows whose values are all the same."""
    file = lines(folder / "f", "crmid\temail\tcity", (f"C{at}\tanna@example.com\tBonn" for at in range(n)))
    return [("inspect", file), ("load", file)]


def separators(folder: Path, n: int) -> Commands:
    """N lines of nothing but separators."""
    file = lines(folder / "f", "crmid" + "".join(f"\tc{at}" for at in range(49)), ("\t" * 49 for _ in range(n)))
    return [("inspect", file), ("load", file)]


def one_line(folder: Path, n: int) -> Commands:
    """One line of N bytes."""
    file = folder / "f"
    file.write_bytes(b"crmid\tcity\nC1\tBonn\nC2\t" + b"x" * n + b"\nC3\tOslo\n")
    return [("inspect", str(file)), ("load", str(file))]


def long_cells(folder: Path, n: int) -> Commands:
    """N rows with a name of half a megabyte each, sealed as PII."""
    rows = (f"C{at}\t{f'name {at} ' * 50_000}" for at in range(n))
    file = lines(folder / "f", "crmid\tfirst_name", rows)
    return [("inspect", file), ("load", file)]


def long_header(folder: Path, n: int) -> Commands:
    """A header of N bytes in 100 names, at the line limit when N is 1 MiB."""
    name = "x" * (n // 100 - 8)
    names = ["crmid", *(f"{name}{at}" for at in range(99))]
    file = lines(folder / "f", "\t".join(names), ("\t".join([f"C{at}"] * 100) for at in range(10)))
    return [("inspect", file), ("load", file)]


def one_name(folder: Path, n: int) -> Commands:
    """A header of N bytes in two names."""
    file = lines(folder / "f", "crmid\t" + "x y-" * (n // 4 - 4), (f"C{at}\tBonn" for at in range(10)))
    return [("inspect", file), ("load", file)]


def empty_members(folder: Path, n: int) -> Commands:
    """A gzip file of N empty members and one with rows."""
    file = folder / "f.gz"
    file.write_bytes(gzip.compress(b"") * n + gzip.compress(b"crmid\tcity\nC1\tBonn\n"))
    return [("inspect", str(file)), ("load", str(file))]


def small_members(folder: Path, n: int) -> Commands:
    """A gzip file with a member for each byte."""
    file = folder / "f.gz"
    data = b"crmid\tcity\n" + b"".join(b"C%d\tB\n" % at for at in range(n // 8))
    packed = {byte: gzip.compress(bytes([byte])) for byte in set(data)}
    file.write_bytes(b"".join(packed[byte] for byte in data))
    return [("inspect", str(file)), ("load", str(file))]


def open_quotes(folder: Path, n: int) -> Commands:
    """N lines with a quote that is never closed."""
    rows = (f'C{at},"{"x" * 20}' if at % 2 else f'C{at},"x""' for at in range(n))
    file = lines(folder / "f", "crmid,city", rows)
    return [("inspect", file), ("load", file)]


SECONDARY = (("left", "string", "secondary"), ("right", "string", "secondary"))
PAIR = {"left": "left", "right": "right"}
MAIL = {"crmid": "crmid", "email": "email"}
PERSON = {"crmid": "crmid", "email": "email", "city": "city"}

CASES = {
    "columns": Case(1_250, columns, settings={"column_limit": "100000", "line_limit_bytes": "4000000"}),
    "equal_names": Case(1_250, equal_names, settings={"column_limit": "100000"}),
    "blank_lines": Case(250_000, blank),
    "bad_values": Case(250_000, bad, {"crmid": "crmid", "amount": "amount"}, (("amount", "number", None),)),
    "bad_half": Case(
        250_000,
        lambda folder, n: bad(folder, n, 2),
        {"crmid": "crmid", "amount": "amount"},
        (("amount", "number", None),),
    ),
    "short_lines": Case(250_000, short_lines),
    "one_primary": Case(250_000, one_primary, MAIL),
    "one_secondary": Case(250_000, one_secondary, PERSON),
    "household": Case(250_000, household, MAIL),
    "becomes_shared": Case(250_000, becomes_shared, MAIL),
    "chain": Case(25_000, chain, PAIR, SECONDARY),
    "chain_random": Case(25_000, lambda folder, n: chain(folder, n, is_random=True), PAIR, SECONDARY),
    "bridges": Case(25_000, bridges, PAIR, SECONDARY),
    "many_bridges": Case(25_000, many_bridges, PAIR, SECONDARY),
    "owned_chain": Case(100, owned_chain, {"crmid": "crmid", "email": "email", "phone": "phone"}),
    "same_value": Case(250_000, same_value, PERSON),
    "separators": Case(50_000, separators),
    "one_line": Case(25_000_000, one_line),
    "long_cells": Case(100, long_cells, {"crmid": "crmid", "first_name": "first_name"}),
    "long_header": Case(250_000, long_header),
    "one_name": Case(250_000, one_name),
    "empty_members": Case(25_000, empty_members),
    "small_members": Case(250_000, small_members),
    "open_quotes": Case(50_000, open_quotes),
}


def measure(case: Case, n: int, *, is_verbose: bool) -> list[dict[str, Any]]:
    """Every command of the case at size n, with the peak memory of the process."""
    with tempfile.TemporaryDirectory(prefix="onramp-hostile-") as name:
        folder = Path(name)
        commands = case.make(folder, n)
        asked = {
            "home": str(folder / "home"),
            "commands": commands,
            "attributes": case.attributes,
            "mapping": [{"column": column, "attribute": attribute} for column, attribute in case.mapping.items()],
            "verbose": is_verbose,
        }
        environment = {f"ONRAMP_{key.upper()}": value for key, value in case.settings.items()}
        command = [sys.executable, "-c", ONE, json.dumps(asked)]
        with tempfile.TemporaryFile("w+") as out:
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, env={**os.environ, **environment})
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                sys.exit(f"a measured process ended with exit code {process.returncode}")
            out.seek(0)
            results: list[dict[str, Any]] = json.loads(out.read().strip().splitlines()[-1])
    for number, result in enumerate(results, start=1):
        result["command"] = f"{number} {result['command']}"
        result["megabytes"] = usage.ru_maxrss // 1024
    return results


def run(name: str, scale: float, *, is_verbose: bool) -> dict[str, Any]:
    """One case at N, 2 N, 4 N: what was counted, seconds, and the ratios."""
    case = CASES[name]
    sizes = [int(case.size * scale * factor) for factor in (1, 2, 4)]
    runs = [measure(case, n, is_verbose=is_verbose) for n in sizes]
    made: dict[str, Any] = {"sizes": sizes}
    for first, second, third in zip(*runs, strict=True):
        counts = {k: v for k, v in third.items() if k not in ("command", "seconds", "cpu", "megabytes")}
        made[first["command"]] = {
            "ratios": [round(second["cpu"] / first["cpu"], 2), round(third["cpu"] / second["cpu"], 2)],
            "seconds": [round(one["seconds"], 2) for one in (first, second, third)],
            "cpu": [round(one["cpu"], 2) for one in (first, second, third)],
            "megabytes": [one["megabytes"] for one in (first, second, third)],
            "counted": counts,
        }
    return made


def main() -> None:
    """Measures the cases asked for (all of them, unless named) and prints them as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--verbose", action="store_true", help="the slowest steps of each load, too")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    results = {}
    for name in options.cases or CASES:
        results[name] = run(name, options.scale, is_verbose=options.verbose)
        print(json.dumps({name: results[name]}, indent=1), flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
