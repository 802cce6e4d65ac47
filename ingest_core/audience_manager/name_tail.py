"""The pieces that inbound names share: the numbers, the timestamp and what follows the mode (spec §3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from ingest_core.audience_manager.name_types import NameProblem, Tail

DPID = re.compile("0|[1-9][0-9]{0,9}")
_SPLIT = re.compile("[0-9]{1,10}")
_LIKE_COMPRESSION = re.compile("[A-Za-z]{1,4}|7z|bz2", re.IGNORECASE)
_PACKED = ("gz", "pgp", "gpg")


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a name: data source ids, then the timestamp."""

    ids: tuple[int, ...]
    timestamp: int
    warnings: tuple[str, ...]


def read_numbers(text: str, at: int, *, lenient_timestamp: bool, most_ids: int | None) -> Numbers | NameProblem:
    """``DPID_DPID_…_TIMESTAMP``, the text between prefix and first dot, which begins at ``at``.

    The last number is the timestamp, so names with ten-digit DPIDs stay unambiguous. ``lenient_timestamp``: nine
    digits pass with a warning (D-01).
    """
    *ids, stamp = text.split("_")
    stamp_at = at + len(text) - len(stamp)
    is_short = lenient_timestamp and re.fullmatch("[0-9]{9}", stamp) is not None
    if not is_short and re.fullmatch("[0-9]{10}", stamp) is None:
        why = f"The timestamp has to be 10 digits (UNIX seconds); here stand {len(stamp)} characters."
        return NameProblem("bad_timestamp", stamp_at, stamp_at + len(stamp), why)
    if not ids:
        return NameProblem("missing_dpid", at, stamp_at, "There is one number only: the timestamp.")
    if most_ids is not None and len(ids) > most_ids:
        begin = at + sum(len(part) + 1 for part in ids[:most_ids])
        why = f"{len(ids)} parts stand before the timestamp; there may be {most_ids}."
        return NameProblem("too_many_ids", begin, stamp_at - 1, why)
    place = at
    for part in ids:
        if DPID.fullmatch(part) is None:
            why = "A data source id is 1 to 10 digits without a leading zero."
            return NameProblem("bad_dpid", place, place + len(part), why)
        place += len(part) + 1
    return Numbers(tuple(map(int, ids)), int(stamp), ("short_timestamp",) if is_short else ())


def read_tail(text: str, at: int) -> Tail | NameProblem:
    """What follows the mode: ``[.split][.gz|.pgp|.gpg]``; ``text`` begins with a dot or is empty."""
    if not text:
        return Tail()
    parts = text[1:].split(".")
    split = None
    if _SPLIT.fullmatch(parts[0]):
        split = int(parts.pop(0))
    if not parts:
        return Tail(split)
    if len(parts) == 1 and parts[0] in _PACKED:
        if parts[0] == "gz":
            return Tail(split, "gz")
        return Tail(split, None, cast(Literal["pgp", "gpg"], parts[0]))
    return _tail_problem(parts, at + len(text) - len(".".join(parts)), at + len(text))


def _tail_problem(parts: list[str], start: int, stop: int) -> NameProblem:
    known = [part.lower() in _PACKED for part in parts]
    if all(part in _PACKED for part in parts) and len(set(parts)) > 1 and "gz" in parts:
        return NameProblem("gzip_and_pgp", start, stop, "OpenPGP compresses already; there may be no gzip with it.")
    if len(parts) > 1 and not known[0]:
        return NameProblem("bad_suffix", start, stop, "After the mode may stand one part number, nothing else.")
    if _LIKE_COMPRESSION.fullmatch(parts[-1]):
        why = "Only .gz, .pgp and .gpg are read, once, in lower case and at the end."
        return NameProblem("bad_compression", start, stop, why)
    return NameProblem("bad_suffix", start, stop, "After the mode may stand one part number of 1 to 10 digits.")
