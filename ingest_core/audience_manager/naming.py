"""A name for a file that has none that is read: built from data source, target, now and mode (spec §17)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

from ingest_core.audience_manager.data_sources import is_device
from ingest_core.audience_manager.name_types import DataName, IdSyncName, Mode, NameProblem, Tail
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.wire import looks_like_pgp
from ingest_core.errors import InputError
from ingest_core.models import ByteSource, Model

Kind = Literal["data", "adobe_id", "c2c_id"]
KINDS: tuple[Kind, ...] = ("data", "adobe_id", "c2c_id")

_HEAD = 64
_NUMBER = re.compile("(?<![0-9])(?:0|[1-9][0-9]{0,9})(?![0-9])")
_SPLIT = re.compile(r"\.(?:sync|overwrite)\.([0-9]{1,10})(?:\.|$)")
_REPLACES = re.compile("overwrite|full|replace", re.IGNORECASE)


class Wanted(Model):
    """What a name is to say. ``dpids``: of a data file whose ids these are, of an ID sync its columns in order.

    ``target``: whose traits a data file feeds, None: the same data source's.
    """

    kind: Kind = "data"
    dpids: tuple[int, ...] = ()
    target: int | None = None
    mode: Mode = "sync"
    is_odc: bool = False


def guess(name: str, registered: Registered) -> Wanted:
    """What a name, right or wrong, says or hints at."""
    read = parse_base(name)
    if isinstance(read, DataName):
        return Wanted(dpids=(read.dpid,), target=read.target, mode=read.mode, is_odc=read.variant == "odc")
    if isinstance(read, IdSyncName):
        return Wanted(kind=read.prefix, dpids=read.columns)
    kind = next((kind for kind in KINDS if name.startswith(f"{kind}_")), "data")
    known = [number for text in _NUMBER.findall(name) if _is_known(number := int(text), registered)]
    found = tuple(dict.fromkeys(known))
    if kind != "data":
        return Wanted(kind=kind, dpids=found)
    own = found[:1] or tuple(registered.sources)[:1] * (len(registered.sources) == 1)
    targets = [number for number in found[1:] if not is_device(number)]
    mode: Mode = "overwrite" if _REPLACES.search(name) else "sync"
    return Wanted(dpids=own, target=targets[0] if targets else None, mode=mode, is_odc=name.startswith("ftp_dpm_odc_"))


def tail_of(source: ByteSource) -> Tail:
    """The ending that the bytes ask for, and the part number that stands in the name."""
    with source.open() as stream:
        head = stream.read(_HEAD)
    found = _SPLIT.search(source.name)
    split = int(found[1]) if found else None
    if looks_like_pgp(head):
        return Tail(split, None, "gpg" if source.name.endswith(".gpg") else "pgp")
    return Tail(split, "gz" if head.startswith(b"\x1f\x8b") else None)


def suggested(wanted: Wanted, tail: Tail, at: datetime, is_taken: Callable[[str], bool] = lambda _: False) -> str:
    """A valid name of this moment (UTC, naive), or of the first second after it that no other file has.

    InputError with the code of what is missing or not allowed.
    """
    if not wanted.dpids:
        raise InputError("No data source was chosen.", code="missing_dpid", hint=AM_REASONS["missing_dpid"].fix)
    for seconds in range(10_000):
        name = _written(wanted, tail, int((at + timedelta(seconds=seconds)).replace(tzinfo=UTC).timestamp()))
        read = parse_base(name)
        if isinstance(read, NameProblem):
            raise InputError(read.why, code=read.code, hint=AM_REASONS[read.code].fix)
        if not is_taken(name):
            return name
    raise InputError("No timestamp is free.", code="timestamp_used_before", hint="Try again later.")


def joining(wanted: Wanted, tail: Tail, others: Iterable[str]) -> str | None:
    """The name of a part, when another part of the same file has its name already: they share the timestamp."""
    if wanted.kind != "data" or not wanted.dpids or tail.split is None:
        return None
    names = list(others)
    for read in map(parse_base, names):
        if not isinstance(read, DataName) or read.tail.split in (None, tail.split):
            continue
        if (read.dpid, read.target, read.mode) == (wanted.dpids[0], wanted.target, wanted.mode):
            name = _written(wanted, tail, read.timestamp)
            return None if name in names else name
    return None


def _written(wanted: Wanted, tail: Tail, stamp: int) -> str:
    if wanted.kind == "data":
        variant: Literal["odc", "standard"] = "odc" if wanted.is_odc else "standard"
        target = None if wanted.target == wanted.dpids[0] else wanted.target
        return str(DataName(wanted.dpids[0], target, stamp, wanted.mode, variant, tail))
    return str(IdSyncName(wanted.kind, wanted.dpids[0], wanted.dpids[1:], stamp, tail))


def _is_known(number: int, registered: Registered) -> bool:
    return number in registered.sources or (number != 0 and is_device(number))
