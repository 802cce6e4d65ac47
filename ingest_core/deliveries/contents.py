"""What stands in the file of a delivery: rows of people, rejected rows, or a file as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest_core.deliveries import people_rows
from ingest_core.deliveries.changes import Comparison, Counts, Possible, possible_states
from ingest_core.deliveries.order import CHANGE, REMOVED, Delivery
from ingest_core.deliveries.packing import Packed
from ingest_core.deliveries.selection import Selection
from ingest_core.engine import Session
from ingest_core.errors import Stopped
from ingest_core.files.table_file import TableFile
from ingest_core.ledger.history import History
from ingest_core.ledger.reject_files import write_exact, write_spreadsheet
from ingest_core.models import Attribute, ByteSource
from ingest_core.vault import Keyset

IsEnding = Callable[[], bool]

_BLOCK = 1 << 20


@dataclass(slots=True)
class Content:
    """What was written. ``comparison``: of rows with a key, for the state to keep; ``is_empty``: nothing to send."""

    counts: dict[str, int] = field(default_factory=dict)
    comparison: Comparison | None = None
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes one file, in the session of its caller."""

    session: Session
    keyset: Keyset
    history: History
    delivery: Delivery
    selection: Selection
    known: Mapping[str, Attribute]
    is_ending: IsEnding

    def write(self, file: Packed, source: ByteSource | None) -> Content:
        """``source``: the bytes of a plain file."""
        if source is not None:
            return self._file(file, source)
        return self._rejects(file) if self.delivery.order.kind == "rejects" else self._people(file)

    def _file(self, file: Packed, source: ByteSource) -> Content:
        with source.open() as stream:
            while block := stream.read(_BLOCK):
                self._go_on()
                file.bytes.write(block)
        return Content()

    def _rejects(self, file: Packed) -> Content:
        request_id, is_spreadsheet = self.selection.object, self.delivery.order.form == "spreadsheet"
        layout = self.history.layout(request_id)
        write = write_spreadsheet if is_spreadsheet else write_exact
        rows = self.history.each_reject(request_id)
        many = write(file.text, rows, layout.get("columns", []), layout.get("delimiter", "\t"))
        return Content({"people": many})

    def _people(self, file: Packed) -> Content:
        order, names = self.delivery.order, [one.name for one in self.delivery.order.columns]
        table = TableFile(file.text, order.form)
        if order.key is None:
            table.header(names)
            return self._all_people(table)
        is_changed = order.scope == "changed"
        key_at = names.index(order.key)
        compared = Comparison(self.session, self.keyset, self._possible(), key_at)
        table.header([CHANGE, *names] if is_changed else names)
        for batch in self._batches():
            for kind, cells in compared.differing(batch):
                table.row([kind, *cells] if is_changed else cells)
        if is_changed:
            nothing = [""] * len(names)
            for key in compared.removed():
                table.row([REMOVED, *nothing[:key_at], key, *nothing[key_at + 1 :]])
        return Content(_told(compared.counts, table, is_changed=is_changed), compared, _is_empty(compared, is_changed))

    def _all_people(self, table: TableFile) -> Content:
        many = 0
        for batch in self._batches():
            for cells in batch:
                table.row(cells)
            many += len(batch)
        return Content({"people": many, "flattened": table.flattened})

    def _batches(self) -> Any:
        order, condition = self.delivery.order, self.selection.condition
        assert condition is not None
        for batch in people_rows.rows(
            self.session, self.keyset, order.columns, self.known, condition, order.reason if order.is_plain else None
        ):
            self._go_on()
            yield batch

    def _possible(self) -> Possible:
        if self.delivery.order.scope == "full" or self.delivery.channel is None:
            return Possible((), may_be_empty=True)
        return possible_states(self.session, self.delivery.channel, self.delivery.delivery_no)

    def _go_on(self) -> None:
        if self.is_ending():
            raise Stopped


def _told(counts: Counts, table: TableFile, *, is_changed: bool) -> dict[str, int]:
    told = {
        "people": counts.added + counts.changed,
        "without_key": counts.without_key,
        "same_key": counts.same_key,
        "flattened": table.flattened,
    }
    if is_changed:
        told |= {"added": counts.added, "changed": counts.changed, "removed": counts.removed}
    return told


def _is_empty(compared: Comparison, is_changed: bool) -> bool:
    counts = compared.counts
    return is_changed and not (counts.added or counts.changed or counts.removed)
