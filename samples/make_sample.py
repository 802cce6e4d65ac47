"""Makes customer files of invented people: any number of rows, the same bytes for the same arguments.

    python samples/make_sample.py --rows 1000000 --out big.tsv --dirt 0.02

Every value is a function of (seed, person or row, column), so a second visit of the same people needs no memory of the
first. Telephone numbers are from ranges kept free for fiction, addresses at domains kept free for documentation. What
was written is printed as JSON: how many lines are blank, rejected (by reason) or duplicates when every column is mapped
as in ``customers.mapping.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from faker import Faker
from numpy.typing import NDArray

COLUMNS = (
    "crmid",
    "phone",
    "preferences",
    "slot_num",
    "email",
    "first_name",
    "last_name",
    "city",
    "country",
    "birth_date",
    "last_purchase",
    "amount",
)
BLOCK = 250_000  # rows made at a time: bounds the memory, changes nothing in the result

LOCALES = {"GB": "en_GB", "US": "en_US", "IN": "en_IN", "DE": "de_DE", "FR": "fr_FR"}
PREFERENCES = ("sports", "travel, by train", 'music; "live"', "cooking", "gardens & balconies", "cinema", "reading", "")

# Share of the dirty rows that each kind gets, and the reason the row is rejected for (None: it is accepted).
DIRT = {
    "duplicate": (40, None),  # the person stands in another row, too
    "without_crmid": (12, None),  # still has e-mail and phone
    "blank": (6, None),
    "no_identifier": (8, "no_identifier"),
    "bad_date": (9, "not_a_date"),
    "bad_email": (7, "not_an_email"),
    "bad_phone": (5, "not_a_phone"),
    "damaged_phone": (7, "spreadsheet_damage"),
    "bad_amount": (3, "not_a_number"),
    "missing_cell": (2, "missing_cell"),
    "extra_cell": (1, "extra_cell"),
}
KINDS = ("clean", *DIRT)

Numbers = NDArray[np.uint64]


@dataclass
class Facts:
    """What was written. ``lines`` = blank + rejected + stored + duplicates; ``known``: people of the first visit."""

    rows: int
    seed: int
    dirt: float
    lines: int = 0
    blank: int = 0
    rejected: int = 0
    stored: int = 0
    duplicates: int = 0
    without_crmid: int = 0
    known: int = 0
    rejects_by_reason: dict[str, int] = field(default_factory=dict)
    bytes: int = 0


def draw(numbers: Numbers, seed: int, what: str) -> Numbers:
    """A well mixed 64-bit number for each number, another one per seed and word (splitmix64)."""
    salt = np.uint64(int.from_bytes(hashlib.blake2b(f"{seed} {what}".encode(), digest_size=8).digest(), "little"))
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + salt
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def below(numbers: Numbers, limit: int, seed: int, what: str) -> Numbers:
    """A number from 0 to limit - 1 for each number."""
    return draw(numbers, seed, what) % np.uint64(limit)


def make_pools(seed: int) -> dict[str, pl.Series]:
    """Names and cities: the same count for every country, country after country."""
    pools: dict[str, list[str]] = {"first": [], "last": [], "city": []}
    for locale in LOCALES.values():
        people = Faker(locale)
        people.seed_instance(seed)
        pools["first"] += [people.first_name() for _ in range(120)]
        pools["last"] += [people.last_name() for _ in range(160)]
        pools["city"] += [people.city() for _ in range(60)]
    plain = [unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() for name in pools["last"]]
    pools["mail"] = ["".join(letter for letter in name.lower() if letter.isalpha()) or "person" for name in plain]
    return {name: pl.Series(values) for name, values in pools.items()}


def kinds_of(rows: Numbers, seed: int, dirt: float) -> NDArray[np.int64]:
    """The kind (a position in KINDS) of each row."""
    shares = np.array([share for share, _ in DIRT.values()], dtype=np.float64)
    edges = np.cumsum(shares / shares.sum()) * dirt
    position = np.searchsorted(edges, draw(rows, seed, "dirt") / 2.0**64, side="right")
    return np.where(position < len(DIRT), position + 1, 0)


def phones_of(people: Numbers) -> pl.Expr:
    """Eleven to twelve digits nobody has: British drama numbers and American 555-01xx first, then impossible areas."""
    number = people.astype(np.int64)
    british = 447_700_900_000 + number // 2
    areas = np.array([area for area in range(200, 900) if area % 100 != 11 and area != 555])
    place = np.where(number < 2_000, number // 2, number - 1_000)
    area = areas[np.minimum(place // 100, len(areas) - 1)]
    fiction = 10_000_000_000 + area * 10_000_000 + 5_550_100 + place % 100
    never_assigned = np.array([555, 211, 311, 411, 511, 611, 711, 811, 911])
    area = never_assigned[number // 8_000_000 % len(never_assigned)]
    impossible = 10_000_000_000 + area * 10_000_000 + 2_000_000 + number % 8_000_000
    is_british = (number < 2_000) & (number % 2 == 0)
    chosen = np.select([is_british, place < 100 * len(areas)], [british, fiction], impossible)
    return pl.lit(pl.Series(chosen)).cast(pl.String)


def dates_of(days: Numbers, first: str) -> pl.Expr:
    """ISO dates, so many days after the first."""
    offsets = pl.Series((np.datetime64(first, "D") + days.astype("timedelta64[D]")).astype("datetime64[ms]"))
    return pl.lit(offsets.cast(pl.Date)).cast(pl.String)


def cells_of(rows: Numbers, people: Numbers, seed: int, visit: int, pools: dict[str, pl.Series]) -> pl.DataFrame:
    """The clean cells: who a person is depends on the person, what happened to them on the row and visit."""
    country = below(people, len(LOCALES), seed, "country")

    def pick(pool: str, numbers: Numbers, what: str) -> pl.Series:
        size = len(pools[pool]) // len(LOCALES)
        return pools[pool].gather(country * np.uint64(size) + below(numbers, size, seed, what))

    last_names = below(people, 160, seed, "last") + country * np.uint64(160)
    cents = below(rows, 90_000, seed, f"cents {visit}").astype(np.int64) + 500
    return pl.select(
        crmid=pl.lit(pl.Series(people.astype(np.int64) * 7 + 1_204_711)).cast(pl.String).str.zfill(10),
        phone=pl.lit("+") + phones_of(people),
        preferences=pl.lit(pl.Series(PREFERENCES).gather(below(rows, 8, seed, f"preferences {visit}"))),
        slot_num=pl.lit(pl.Series(below(rows, 48, seed, f"slot {visit}") + np.uint64(1))).cast(pl.String),
        email=pl.lit(pools["mail"].gather(last_names))
        + pl.lit(pl.Series(people)).cast(pl.String)
        + pl.lit(pl.Series(["@example.com", "@example.org", "@Example.NET"]).gather(people % np.uint64(3))),
        first_name=pl.lit(pick("first", people, "first")),
        last_name=pl.lit(pools["last"].gather(last_names)),
        city=pl.lit(pick("city", rows, f"city {visit}")),
        country=pl.lit(pl.Series(list(LOCALES)).gather(country)),
        birth_date=dates_of(below(people, 22_000, seed, "birth"), "1945-01-01"),
        last_purchase=dates_of(below(rows, 365, seed, f"purchase {visit}"), f"{2024 + visit}-01-01"),
        amount=pl.lit(pl.Series(cents // 100)).cast(pl.String)
        + pl.lit(".")
        + pl.lit(pl.Series(cents % 100)).cast(pl.String).str.zfill(2),
    )


def damage(cells: pl.DataFrame, kinds: NDArray[np.int64]) -> pl.Series:
    """The lines, each dirty one with the damage of its kind."""
    kind = pl.lit(pl.Series(kinds))

    def when(*names: str) -> pl.Expr:
        return kind.is_in([KINDS.index(name) for name in names])

    def replaced(column: str, name: str, value: pl.Expr) -> pl.Expr:
        return pl.when(when(name)).then(value).otherwise(pl.col(column)).alias(column)

    empty = pl.lit("")
    cells = cells.with_columns(
        pl.when(when("no_identifier", "without_crmid")).then(empty).otherwise("crmid").alias("crmid"),
        replaced("email", "bad_email", pl.col("email").str.replace("@", ".", literal=True)),
        replaced("birth_date", "bad_date", pl.col("birth_date").str.slice(0, 4) + "-02-30"),
        replaced("amount", "bad_amount", pl.lit("twelve")),
        pl.when(when("no_identifier")).then(empty)
        .when(when("bad_phone")).then(pl.lit("call after six"))
        .when(when("damaged_phone")).then(pl.col("phone").str.slice(1, 1) + ".47E+11")
        .otherwise("phone").alias("phone"),
    ).with_columns(replaced("email", "no_identifier", empty))  # fmt: skip
    line = pl.concat_str(COLUMNS, separator="\t")
    short = pl.concat_str(COLUMNS[:-2], separator="\t")
    return cells.select(
        pl.when(when("blank")).then(empty)
        .when(when("missing_cell")).then(short)
        .when(when("extra_cell")).then(line + "\tseen twice")
        .otherwise(line).alias("line")
    )["line"]  # fmt: skip


def people_of(
    rows: Numbers, kinds: NDArray[np.int64], total: int, seed: int, dirt: float, known: int
) -> tuple[Numbers, NDArray[np.bool_]]:
    """Who stands in each row, and whether the row repeats the person of another, clean row."""

    def own(row: Numbers) -> Numbers:
        if not known:
            return row
        was_here = (below(row, 2, seed, "was here") == 0) & (row < np.uint64(known))
        return np.where(was_here, row * np.uint64(7919) % np.uint64(known), row + np.uint64(known))

    other = below(rows, total, seed, "other row")
    is_repeated = (kinds == KINDS.index("duplicate")) & (kinds_of(other, seed, dirt) == 0)
    return np.where(is_repeated, own(other), own(rows)), is_repeated


def write_sample(out: Path, *, rows: int, seed: int = 1, dirt: float = 0.0, known: int = 0) -> Facts:
    """Write one TSV with ``rows`` data lines; ``known`` > 0: a second visit, half of it of people 0 … known - 1."""
    facts = Facts(rows=rows, seed=seed, dirt=dirt)
    pools = make_pools(seed)
    visit = 1 if known else 0
    row_seed = seed * 2 + visit  # the same row number has another fate on another visit
    counts = np.zeros(len(KINDS), dtype=np.int64)
    with out.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for start in range(0, rows, BLOCK):
            block = np.arange(start, min(start + BLOCK, rows), dtype=np.uint64)
            kinds = kinds_of(block, row_seed, dirt)
            people, is_repeated = people_of(block, kinds, rows, row_seed, dirt, known)
            file.write("\n".join(damage(cells_of(block, people, seed, visit, pools), kinds)) + "\n")
            counts += np.bincount(kinds, minlength=len(KINDS))
            is_stored = (kinds <= KINDS.index("without_crmid")) & ~is_repeated
            facts.duplicates += int(is_repeated.sum())
            facts.known += int((is_stored & (people < np.uint64(known))).sum())
    account(facts, dict(zip(KINDS, counts.tolist(), strict=True)))
    facts.bytes = out.stat().st_size
    return facts


def account(facts: Facts, counts: dict[str, int]) -> None:
    """Turn the number of rows of each kind into the counts of a receipt."""
    facts.lines = sum(counts.values())
    facts.blank = counts["blank"]
    facts.without_crmid = counts["without_crmid"]
    for kind, (_, reason) in DIRT.items():
        if reason and counts[kind]:
            facts.rejects_by_reason[reason] = facts.rejects_by_reason.get(reason, 0) + counts[kind]
    facts.rejected = sum(facts.rejects_by_reason.values())
    facts.stored = facts.lines - facts.blank - facts.rejected - facts.duplicates


COMMITTED: dict[str, dict[str, float]] = {
    "customers.tsv": {"rows": 500, "seed": 11, "dirt": 0.09},
    "second_visit.tsv": {"rows": 200, "seed": 11, "dirt": 0.12, "known": 500},
}
"""The two small files beside this script, and how they were made."""


def main() -> None:
    """Read the arguments, write, and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000, help="data lines")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dirt", type=float, default=0.0, help="share of lines with something wrong, 0 to 1")
    parser.add_argument("--known", type=int, default=0, help="a second visit: people of a first file of so many rows")
    parser.add_argument("--out", type=Path, default=Path("sample.tsv"))
    parser.add_argument("--committed", action="store_true", help="make the small files beside this script again")
    args = parser.parse_args()
    if args.committed:
        made = {
            name: asdict(write_sample(Path(__file__).parent / name, **how))  # type: ignore[arg-type]
            for name, how in COMMITTED.items()
        }
        print(json.dumps(made, indent=2))
        return
    facts = write_sample(args.out, rows=args.rows, seed=args.seed, dirt=args.dirt, known=args.known)
    print(json.dumps(asdict(facts), indent=2))


if __name__ == "__main__":
    main()
