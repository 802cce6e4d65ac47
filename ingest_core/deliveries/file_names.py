"""Names of files that leave: a template with macros, filled in safely."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime

from ingest_core.deliveries.order import Order
from ingest_core.errors import InputError
from ingest_core.transport.control_file import SUFFIX
from ingest_core.transport.port import checked_name

MACROS: Mapping[str, str] = {
    "name": "the segment, or the file of the upload",
    "kind": "segment, upload, rejects or file",
    "destination": "the destination",
    "scope": "full or changed",
    "date": "20270131",
    "time": "235959 (UTC)",
    "timestamp": "milliseconds since 1970",
    "id": "the id of the delivery",
}

_MACRO = re.compile(r"\{([^{}]*)\}")


def check_template(template: str) -> None:
    """InputError ``bad_file_name`` when a name cannot be made of it."""
    unknown = sorted({*_MACRO.findall(template)} - {*MACROS})
    if unknown or "{" in _MACRO.sub("", template) or "}" in _MACRO.sub("", template):
        raise InputError(
            "The name of the file holds a macro that there is not. Nothing was sent.",
            code="bad_file_name",
            hint="There are: " + ", ".join("{" + name + "}" for name in MACROS),
        )
    checked_name(_MACRO.sub("x", template))


def file_name(order: Order, label: str, delivery_id: str, moment: datetime, is_taken: Callable[[str], bool]) -> str:
    """The name with its endings, one that no other delivery has at this destination. ``moment`` in UTC.

    An order that keeps its name has it whoever used it: the place itself takes no other bytes under it.
    """
    if order.keeps_name:
        return checked_name(order.file_name)
    values = {
        "name": _safe(label if order.kind != "file" else label.rpartition(".")[0] or label),
        "kind": order.kind,
        "destination": _safe(order.destination),
        "scope": order.scope,
        "date": f"{moment:%Y%m%d}",
        "time": f"{moment:%H%M%S}",
        "timestamp": str(int(moment.timestamp() * 1000)),
        "id": delivery_id,
    }
    check_template(order.file_name)
    root = _MACRO.sub(lambda found: values[found[1]], order.file_name)
    ending = endings(order, label)
    number = 1
    while is_taken(name := root + (f"_{number}" if number > 1 else "") + ending):
        number += 1
    return checked_name(name)


def endings(order: Order, label: str) -> str:
    """``.tsv``, ``.csv`` or the file's own ending, then ``.gz`` as it is packed, and ``.pgp`` as it is encrypted."""
    if order.kind == "file":
        _, dot, own = label.rpartition(".")
        first = f".{_safe(own)}" if dot else ""
    else:
        first = ".tsv" if order.form == "tsv" else ".csv"
    return first + (".gz" if order.gzip else "") + (".pgp" if order.pgp else "")


def control_name(name: str) -> str:
    """The name of a file's control file: ``.info`` in the place of its endings."""
    packed = name.removesuffix(".pgp").removesuffix(".gz")
    folder, slash, last = packed.rpartition("/")
    return folder + slash + (last.rpartition(".")[0] or last) + SUFFIX


def _safe(text: str) -> str:
    """Letters, digits, dots, dashes and underscores; never empty, hidden or a way out of the folder."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")
    return kept[:80] or "delivery"
