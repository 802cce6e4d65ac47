"""What counting segments costs: twenty of them over many profiles, as seconds and as ratios to one count(*) scan.

python benchmarks/segments.py [--profiles 1000000] [--runs 5]

The profiles are generated inside the database, so that ten million take a minute and not an hour. The goal is twenty
segments over ten million profiles in at most two seconds. Figures are medians of wall-clock seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest_core.clock import now
from ingest_core.engine import Session, quote
from ingest_core.segments import counting
from ingest_core.segments.compiling import compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.rules import parse_rule
from ingest_core.workspace import Workspace

ATTRIBUTES = {
    "town": ("string", "['Rome', 'Oslo', 'Pune', 'Goa', 'Bonn', 'Lyon', 'Kiel', NULL][1 + (hash(n) % 8)::INTEGER]"),
    "nick": ("string", "'User ' || (hash(n * 3) % 1000000)"),
    "amount": ("number", "CASE WHEN n % 5 > 0 THEN ((hash(n * 7) % 100000) / 100)::DECIMAL(38, 10) END"),
    "visits": ("integer", "(hash(n * 11) % 500)::BIGINT"),
    "bought": ("date", "current_date - (hash(n * 13) % 2000)::INTEGER"),
    "seen": ("datetime", "current_date - to_seconds((hash(n * 17) % 60000000)::BIGINT)"),
    "vip": ("boolean", "CASE WHEN n % 7 > 0 THEN n % 10 = 0 END"),
}
"""Name → type and the SQL of its value for profile number n."""


def has(attribute: str, operator: str, *value: Any) -> dict[str, Any]:
    """One condition on an attribute."""
    return {"attribute": attribute, "operator": operator, **({"value": value[0]} if value else {})}


RULES: dict[str, Any] = {
    "EVERYBODY": {"all": []},
    "IN_ROME": has("town", "equals", "rome"),
    "NOT_IN_ROME": has("town", "not equals", "Rome"),
    "NORTH": has("town", "is one of", ["Oslo", "Kiel"]),
    "NO_TOWN": has("town", "is absent"),
    "NICK_WITH_42": has("nick", "contains", "42"),
    "NICK_BEGINS": has("nick", "starts with", "user 9"),
    "NICK_LACKS_7": has("nick", "does not contain", "7"),
    "BIG_SPENDERS": has("amount", ">", 900),
    "MIDDLE": has("amount", "between", [100, 200.5]),
    "OFTEN": has("visits", ">=", 400),
    "RECENT": has("bought", "in the last days", 30),
    "LONG_AGO": has("bought", "before", "2020-01-01"),
    "SEEN_LATELY": has("seen", "in the last days", 7),
    "VIPS": has("vip", "is", True),
    "NOT_VIPS": {"not": has("vip", "is", True)},
    "SHOPPERS": {"source": "Shop"},
    "RICH_ROMANS": {"all": [has("town", "equals", "Rome"), has("amount", ">", 500), has("visits", ">", 100)]},
    "EITHER": {"any": [{"source": "Shop"}, has("amount", ">", 950), has("bought", "in the last days", 10)]},
    "BUILT_ON": {"all": [{"segment": "NORTH"}, {"not": {"segment": "VIPS"}}]},
}


def fill(workspace: Workspace, profiles: int) -> None:
    """So many profiles; every fourth is a member of one of two sources."""
    for name, (kind, _) in ATTRIBUTES.items():
        workspace.attributes.add(name, kind, segment=name.upper())
    shop = workspace.sources.add("Shop").source_id
    columns = [f"{sql} AS {quote(workspace.attributes.get(name).column)}" for name, (_, sql) in ATTRIBUTES.items()]
    with workspace.engine.session() as session, session.transaction():
        session.run(
            f"INSERT INTO profile BY NAME SELECT n AS pid, {', '.join(columns)} FROM range(?) AS numbers(n)", [profiles]
        )
        session.run("INSERT INTO membership SELECT pid, ?, 1 FROM profile WHERE pid % 4 = 0", [shop])
    workspace.engine.checkpoint()
    for name, rule in RULES.items():
        workspace.segments.add(name, rule)


def timed(run: Callable[[], Any], runs: int) -> float:
    """The median of some runs, the first one left out."""
    seconds = []
    for _ in range(runs + 1):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


def measure(session: Session, runs: int) -> dict[str, Any]:
    """Seconds of one scan, of each segment alone, and of all of them together."""
    known, moment = Known.of(session), now()
    # Of count(*) alone the engine reads no column: the yardstick is one that has to look at the values of a column.
    town = known.attribute("town")
    assert town is not None
    scan = timed(lambda: session.value(f"SELECT count({quote(town.column)}) FROM profile"), runs)
    each = {}
    for name, rule in RULES.items():
        condition = compile_rule(parse_rule(rule, known), moment)
        each[name] = timed(lambda condition=condition: counting.count(session, condition), runs)  # type: ignore[misc]
    together = timed(lambda: counting.counts(session), runs)
    ten = [compile_rule(parse_rule(RULES[name], known), moment) for name in list(RULES)[1:11]]
    return {
        "scan_seconds": round(scan, 4),
        "together_seconds": round(together, 3),
        "together_to_scan": round(together / scan, 1),
        "overlap_of_ten_seconds": round(timed(lambda: counting.overlap(session, ten), runs), 3),
        "seconds": {name: round(seconds, 4) for name, seconds in each.items()},
        "to_scan": {name: round(seconds / scan, 1) for name, seconds in each.items()},
    }


def main() -> None:
    """Prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="onramp-bench-") as name,
        Workspace.open(Path(name) / "home") as workspace,
    ):
        fill(workspace, options.profiles)
        with workspace.engine.session() as session:
            print(json.dumps({"profiles": options.profiles, **measure(session, options.runs)}, indent=1))


if __name__ == "__main__":
    main()
