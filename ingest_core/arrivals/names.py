"""Which files of a folder a schedule is for: a glob or a regular expression (RE2) over their names."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from ingest_core.arrivals.schedule import Rules
from ingest_core.errors import InputError
from ingest_core.transport.port import UNFINISHED, Entry

_HALF = (UNFINISHED, ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~")
"""Endings under which programs write a file that is not whole yet."""

NOTE = ".why.txt"
"""Ends the name of the note beside a file that failed."""

_INBOUND = ("ftp_dpm_", "adobe_id_", "c2c_id_")


def base(name: str) -> str:
    """The last part of a name."""
    return name.rpartition("/")[2]


def matching(rules: Rules, entries: Iterable[Entry]) -> list[Entry]:
    """The entries that a schedule is for, by name. Control files, hidden and unfinished ones are none.

    Of Audience Manager only what its names begin with; what such a name says is judged with the file.
    """
    found = [entry for entry in entries if _is_file_of_its_own(base(entry.name), rules)]
    if rules.reads == "audience_manager":
        found = [entry for entry in found if base(entry.name).startswith(_INBOUND)]
    if not found:
        return []
    if rules.is_regex:
        names = pa.array([base(entry.name) for entry in found])
        fits = pc.match_substring_regex(names, f"^(?:{rules.pattern})$").to_pylist()
    else:
        fits = [fnmatch.fnmatchcase(base(entry.name), rules.pattern) for entry in found]
    return sorted((entry for entry, fit in zip(found, fits, strict=True) if fit), key=lambda entry: entry.name)


def check_pattern(rules: Rules) -> None:
    """InputError ``bad_pattern``."""
    is_fine = rules.pattern.isprintable() and 0 < len(rules.pattern) <= 300 and "/" not in rules.pattern
    if is_fine and rules.is_regex:
        try:
            pc.match_substring_regex(pa.array([""]), f"^(?:{rules.pattern})$")
        except (pa.ArrowInvalid, UnicodeError):
            is_fine = False
    if not is_fine:
        raise InputError(
            "The name pattern cannot be used. Nothing was changed.",
            code="bad_pattern",
            hint=r"A pattern such as people_*.tsv, or a regular expression such as people_\d{8}\.tsv; no folders.",
        )


def _is_file_of_its_own(name: str, rules: Rules) -> bool:
    if rules.complete == "control" and name.endswith(rules.control):
        return False
    return not name.startswith((".", "~$")) and not name.lower().endswith(_HALF)
