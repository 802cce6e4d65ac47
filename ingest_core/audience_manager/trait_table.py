"""Traits as a table (CSV): written, and read again to create those that are not there yet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from ingest_core.audience_manager.trait_taking import Trait
from ingest_core.errors import InputError, OnrampError

COLUMNS = ("trait_id", "name", "dpid", "type", "rule", "ttl_days", "integration_code", "folder", "description")
_NEEDED = ("name", "dpid")


def write_table(traits: Sequence[Trait]) -> str:
    """RFC 4180, one line per trait by id."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for trait in traits:
        values = trait.model_dump()
        writer.writerow(["" if values[name] is None else values[name] for name in COLUMNS])
    return out.getvalue()


def read_table(text: str) -> list[tuple[int, Trait]]:
    """The trait of each row after its line; 0 stands for the next free id. InputError ``bad_trait_table``."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    names = reader.fieldnames or []
    missing = [name for name in _NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown:
        wrong = f"is without {missing[0]}" if missing else f"has a column it should not have, {unknown[0]}"
        raise _refused(1, f"The first line {wrong}.")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise _refused(reader.line_num, "The row has another number of cells than the first line.")
        given = {name: value for name, value in row.items() if value != ""}
        try:
            trait = Trait.model_validate({"trait_id": 0, **given})
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise _refused(reader.line_num, f"The value of {place} cannot be used.") from None
        rows.append((reader.line_num, trait))
    return rows


def at_line(line: int, take: Callable[[], Trait]) -> Trait:
    """What ``take`` gives; an error of it says the line."""
    try:
        return take()
    except OnrampError as error:
        error.message = f"Line {line:,}: {error.message}"
        error.facts["line"] = line
        raise


def _refused(line: int, why: str) -> InputError:
    return InputError(
        f"Line {line:,}: {why} Nothing was created.",
        code="bad_trait_table",
        hint=f"The columns are {', '.join(COLUMNS)}; am trait export shows how they are written.",
        facts={"line": line},
    )
