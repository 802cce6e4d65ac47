"""What reading the lines of an Audience Manager data file costs, as a ratio to splitting them in Python.

python benchmarks/am_lines.py [--lines 400000] [--runs 5]

One core, whole blocks in memory, medians of CPU time over interleaved runs. "split" is ``line.split(b"\\t")`` and
``payload.split(b",")`` for each line: the least that any program in Python does. "exact" is ``parse_line`` on each
line, "blocks" is what files are read with. The kinds differ in how often items repeat, which the blocks live on.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable

from ingest_core.audience_manager.data_sources import CUSTOMER, UUID
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import LineContext, parse_line

_BLOCK = 8 << 20


def traits(rng: random.Random) -> str:
    """Traits to add, as most files have them."""
    return ", ".join(f"d_sid={rng.randrange(1_000, 3_000)}" for _ in range(rng.randrange(1, 6)))


def signals(rng: random.Random) -> str:
    """Quoted signals, half of them with values that repeat."""
    town = rng.choice(("Rome", "Oslo", "Pune", "Goa"))
    return f'"town"="{town}","age"="{rng.randrange(18, 99)}","spent"="{rng.randrange(10_000_000) / 100:.2f}",52'


def distinct(rng: random.Random) -> str:
    """Three signals that hardly ever come again: the worst case of the blocks."""
    return f"order={rng.getrandbits(48)},sku={rng.getrandbits(40)},paid={rng.getrandbits(32)}"


def broken(rng: random.Random) -> str:
    """Every line is refused, and each by the exact parser."""
    return f"town=Rome,{rng.choice(('word', 'a==b', '28:7', 'd_sid=x'))}"


KINDS: dict[str, Callable[[random.Random], str]] = {
    "traits": traits, "signals": signals, "distinct": distinct, "broken": broken,
}  # fmt: skip


def make_blocks(kind: str, lines: int, *, is_uuid: bool) -> list[bytes]:
    """Invented lines, seeded, in blocks as the reader makes them."""
    rng = random.Random(kind)
    blocks, held = [], bytearray()
    for number in range(lines):
        user = f"{rng.getrandbits(126):038d}" if is_uuid else f"C{number:09d}"
        held += f"{user}\t{KINDS[kind](rng)}\n".encode()
        if len(held) > _BLOCK:
            blocks.append(bytes(held))
            held.clear()
    return [*blocks, bytes(held)] if held else blocks


def split(blocks: list[bytes], _: LineContext) -> int:
    """The yardstick: lines into cells and items."""
    count = 0
    for block in blocks:
        for line in block.splitlines():
            _user, payload = line.split(b"\t")
            count += len(payload.split(b","))
    return count


def exact(blocks: list[bytes], context: LineContext) -> int:
    """Line by line."""
    return sum(parse_line(line, context).category == "ok" for block in blocks for line in block.splitlines())


def whole(blocks: list[bytes], context: LineContext) -> int:
    """Block by block."""
    parser, first, found = BlockParser(context), 1, 0
    for block in blocks:
        parsed = parser.parse(block, first)
        first += len(parsed)
        found += int((parsed.category == 0).sum())
    return found


def main() -> None:
    """Prints one line of JSON per kind of lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    for kind in KINDS:
        context = LineContext(UUID if kind == "traits" else CUSTOMER)
        blocks = make_blocks(kind, args.lines, is_uuid=kind == "traits")
        taken: dict[str, list[float]] = {"split": [], "exact": [], "blocks": []}
        for _ in range(args.runs):
            for name, work in (("split", split), ("exact", exact), ("blocks", whole)):
                begin = time.process_time()
                work(blocks, context)
                taken[name].append(time.process_time() - begin)
        median = {name: statistics.median(times) for name, times in taken.items()}
        print(
            json.dumps(
                {
                    "lines": kind,
                    "lines_per_second": {name: round(args.lines / seconds) for name, seconds in median.items()},
                    "times_split": {name: round(median[name] / median["split"], 2) for name in ("exact", "blocks")},
                }
            )
        )


if __name__ == "__main__":
    main()
