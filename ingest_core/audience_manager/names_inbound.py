"""Names of inbound files: data files, ID sync files, and the S3 keys they lie under (spec §3.2–3.4)."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, cast

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, UUID_DPID, is_device
from ingest_core.audience_manager.name_tail import read_numbers, read_tail
from ingest_core.audience_manager.name_types import DataName, IdSyncName, Mode, NameProblem, S3Key, Tail

_DATA = "ftp_dpm_"
_ODC = "odc_"
_ID_SYNC = ("adobe_id_", "c2c_id_")
_SCHEMES = ("s3n", "s3a", "s3")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_base(name: str, *, lenient_timestamp: bool = False) -> DataName | IdSyncName | NameProblem:
    """A file's own name, by its prefix (spec §3.7)."""
    if name.startswith(_ID_SYNC):
        return parse_id_sync(name, lenient_timestamp=lenient_timestamp)
    if name.startswith(_DATA):
        return parse_data(name, lenient_timestamp=lenient_timestamp)
    return _bad_prefix(name, "ftp_dpm_, adobe_id_ or c2c_id_")


def parse_data(name: str, *, lenient_timestamp: bool = False) -> DataName | NameProblem:
    """``ftp_dpm_[odc_]DPID[_TARGET]_TIMESTAMP.(sync|overwrite)[.split][.gz|.pgp|.gpg]``."""
    if not name.startswith(_DATA):
        return _bad_prefix(name, _DATA)
    is_odc = name.startswith(_ODC, len(_DATA))
    at = len(_DATA) + (len(_ODC) if is_odc else 0)
    stem, _, _ = name.partition(".")
    numbers = read_numbers(stem[at:], at, lenient_timestamp=lenient_timestamp, most_ids=2)
    if isinstance(numbers, NameProblem):
        return numbers
    read = _mode_and_tail(name, len(stem), ("sync", "overwrite"))
    if isinstance(read, NameProblem):
        return read
    mode, tail = read
    dpid, target = numbers.ids[0], numbers.ids[1] if len(numbers.ids) > 1 else None
    wrong = _wrong_target(dpid, target, at)
    if wrong is not None:
        return wrong
    variant: Literal["odc", "standard"] = "odc" if is_odc else "standard"
    return DataName(dpid, target, numbers.timestamp, mode, variant, tail, numbers.warnings)


def parse_id_sync(name: str, *, lenient_timestamp: bool = False) -> IdSyncName | NameProblem:
    """``(adobe_id|c2c_id)_DPID_DPID…_TIMESTAMP.sync[.split][.gz|.pgp|.gpg]``."""
    prefix = next((prefix for prefix in _ID_SYNC if name.startswith(prefix)), None)
    if prefix is None:
        return _bad_prefix(name, " or ".join(_ID_SYNC))
    at = len(prefix)
    stem, _, _ = name.partition(".")
    numbers = read_numbers(stem[at:], at, lenient_timestamp=lenient_timestamp, most_ids=None)
    if isinstance(numbers, NameProblem):
        return numbers
    read = _mode_and_tail(name, len(stem), ("sync",))
    if isinstance(read, NameProblem):
        return read
    wrong = _wrong_columns(numbers.ids, at, is_c2c=prefix == "c2c_id_")
    if wrong is not None:
        return wrong
    kind = cast(Literal["adobe_id", "c2c_id"], prefix[:-1])
    warnings = numbers.warnings
    if kind == "adobe_id" and not is_device(numbers.ids[0]):
        warnings += ("master_is_cross_device",)
    return IdSyncName(kind, numbers.ids[0], numbers.ids[1:], numbers.timestamp, read[1], warnings)


def parse_s3_key(key: str, *, lenient_timestamp: bool = False) -> S3Key | NameProblem:
    """``[scheme://bucket/][folders/]partner/date=YYYY-MM-DD/name``; the key is checked before the name in it."""
    scheme, colon, rest = key.partition("://")
    if colon and scheme not in _SCHEMES:
        return NameProblem("bad_scheme", 0, len(scheme), "The scheme has to be s3n, s3 or s3a.")
    parts = (rest if colon else key).split("/")
    if len(parts) > 1 and "" in parts:
        at = len(key) - len("/".join(parts[parts.index("") :]))
        return NameProblem("bad_path", at, at, "A folder name is empty.")
    bucket = parts.pop(0) if colon else None
    file_at = len(key) - len(parts[-1]) if parts else len(key)
    folders, file = parts[:-1], parts[-1] if parts else ""
    if not folders or not folders[-1].startswith("date="):
        return NameProblem("missing_date_prefix", 0, file_at, "The file has to lie directly under date=YYYY-MM-DD.")
    day_at = file_at - 1 - len(folders[-1]) + len("date=")
    day = _day(folders[-1][len("date=") :])
    if day is None:
        return NameProblem("bad_date", day_at, file_at - 1, "date= needs a day of the calendar, as YYYY-MM-DD.")
    if len(folders) < 2 or folders[-2].startswith("date="):
        return NameProblem("missing_partner", 0, day_at, "Above the date folder has to be the partner's folder.")
    name = parse_base(file, lenient_timestamp=lenient_timestamp)
    if isinstance(name, NameProblem):
        return name.moved(file_at)
    kind = cast(Literal["s3n", "s3", "s3a"], scheme) if colon else None
    return S3Key(folders[-2], day, name, file, "/".join(folders[:-2]), kind, bucket)


def _mode_and_tail(name: str, dot: int, modes: tuple[str, ...]) -> tuple[Mode, Tail] | NameProblem:
    mode, _, _ = name[dot + 1 :].partition(".")
    if mode not in modes:
        why = f"After the timestamp has to stand {' or '.join(f'.{word}' for word in modes)}, in lower case."
        return NameProblem("bad_mode", dot, min(dot + 1 + len(mode), len(name)), why)
    stop = dot + 1 + len(mode)
    tail = read_tail(name[stop:], stop)
    return tail if isinstance(tail, NameProblem) else (cast(Mode, mode), tail)


def _wrong_target(dpid: int, target: int | None, at: int) -> NameProblem | None:
    stop = at + len(str(dpid))
    if target is not None and is_device(target):
        why = "Nobody's traits belong to a shared namespace; name the data source that owns them."
        return NameProblem("target_is_global", stop + 1, stop + 1 + len(str(target)), why)
    if target is None and is_device(dpid):
        whose = "Audience Manager UUIDs" if dpid == UUID_DPID else f"{GLOBAL_SOURCES[dpid].name} ids"
        why = f"{dpid} is the shared namespace of {whose}; the name has to say whose traits the file feeds."
        return NameProblem("target_required", at, stop, why)
    return None


def _wrong_columns(ids: tuple[int, ...], at: int, *, is_c2c: bool) -> NameProblem | None:
    places = [at + sum(len(str(dpid)) + 1 for dpid in ids[:index]) for index in range(len(ids))]
    if len(ids) < 2:
        return NameProblem("missing_dpid", at, places[0] + len(str(ids[0])), "An ID sync names at least two sources.")
    for index, (dpid, place) in enumerate(zip(ids, places, strict=True)):
        stop = place + len(str(dpid))
        if dpid in ids[:index]:
            return NameProblem("duplicate_dpid", place, stop, f"{dpid} stands in the name twice.")
        if is_c2c and is_device(dpid):
            return NameProblem("c2c_global_dpid", place, stop, f"{dpid} holds devices; c2c_id links customer ids.")
    if is_c2c and len(ids) != 2:
        why = "c2c_id takes two sources: the customers and the hashed e-mail addresses."
        return NameProblem("c2c_needs_two_dpids", at, places[-1] + len(str(ids[-1])), why)
    return None


def _day(text: str) -> date | None:
    if _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _bad_prefix(name: str, wanted: str) -> NameProblem:
    return NameProblem("bad_prefix", 0, len(name), f"The name has to begin with {wanted}.")
