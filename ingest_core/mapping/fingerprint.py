"""The header fingerprint: by it a saved mapping is found again when the next file of its kind arrives."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence

from ingest_core.files import repair_names
from ingest_core.models import Mapping


def fold(name: str) -> str:
    """A header name without the differences that do not make another column: Unicode form, case, outer spaces."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def fingerprint(columns: Sequence[str]) -> str:
    """SHA-256 (hex) over the folded names, repaired and sorted: the order of columns does not matter."""
    return _digest(repair_names(columns))


def mapping_fingerprint(mapping: Mapping) -> str:
    """The fingerprint of the header that the mapping speaks of; one column may feed several attributes."""
    return fingerprint(tuple(dict.fromkeys(column.column for column in mapping.columns)))


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(fold(name) for name in names)).encode()).hexdigest()
