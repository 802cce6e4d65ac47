"""How files of an order look: with invented people before there are any, and the first rows with ids masked."""

from __future__ import annotations

from datetime import datetime

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES
from ingest_core.audience_manager.outbound.macros import AS_MAPPINGS, RowSql
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.registered import Registered
from ingest_core.engine import Session
from ingest_core.models import Model

INVENTED_UUID = "07955261652886032950143702505894272138"
INVENTED_ID = "C-1042"
INVENTED_OTHER = "C-2077"
INVENTED_DEVICE = "AEBE52E7-03EE-455A-B3C4-E57283966239"
LEFT_BEHIND = 2
"""Items of the invented person who lost some."""


class OrderSample(Model):
    """How files would look. ``rows``: of two invented people, the second of whom lost something."""

    file: str
    control: str
    header: str
    rows: tuple[str, ...]


def invented_rows(session: Session, registered: Registered, order: Order, at: datetime, made: RowSql) -> list[str]:
    """Rows by a compiled template, of two people who are nobody. ``at``: UTC, naive."""
    first, second = _ids(registered, order.master)
    items = list(order.items[:3]) or _some(session, order.what)
    session.run(AS_MAPPINGS)
    rows = session.rows(
        f"SELECT concat({made.sql}) FROM ({_INVENTED}) AS am_out ORDER BY n",
        [*made.parameters, first, items, at, items, items, at, INVENTED_UUID, order.master, first,
         second, items[:-1], items[-1:], at, items, items, at, INVENTED_UUID[::-1], order.master, second],
    )  # fmt: skip
    return [str(row) for (row,) in rows]


_PERSON = (
    "SELECT {n} AS n, ?::VARCHAR AS id, ?::BIGINT[] AS added, {removed} AS removed, ?::TIMESTAMP AS newest, "
    "map(?::BIGINT[], list_transform(?::BIGINT[], lambda x: ?::TIMESTAMP)) AS held, ?::VARCHAR AS uuid, "
    "[{{'dpid': ?::BIGINT, 'id': ?::VARCHAR, 'place': 1}}] AS ids"
)
_INVENTED = " UNION ALL ".join(
    (_PERSON.format(n=1, removed="[]::BIGINT[]"), _PERSON.format(n=2, removed="?::BIGINT[]"))
)


def _ids(registered: Registered, master: int) -> tuple[str, str]:
    """Two ids in the form of the master's."""
    kind = registered.kind(master)
    if kind == "uuid":
        return INVENTED_UUID, INVENTED_UUID[::-1]
    if kind == "device":
        example = GLOBAL_SOURCES[master].example if master in GLOBAL_SOURCES else None
        made = example or INVENTED_DEVICE
        return made, made[::-1]
    return INVENTED_ID, INVENTED_OTHER


def _some(session: Session, what: str) -> list[int]:
    table, column = ("am_segment", "segment_id") if what == "segments" else ("am_trait", "trait_id")
    found = [int(one) for (one,) in session.rows(f"SELECT {column} FROM {table} ORDER BY 1 LIMIT {LEFT_BEHIND}")]
    return [*found, 101, 102][:LEFT_BEHIND] if what != "ids" else [0]


def masked_rows(session: Session, made: RowSql, joins: str, limit: int) -> list[str]:
    """The first rows of ``am_out`` by a compiled template and its joins, with every id of a person masked."""
    columns = "".join(f", {_MASKED[name]} AS {name}" for name in sorted(made.needs & _MASKED.keys()))
    first = f"SELECT row_number() OVER (ORDER BY id) AS n, * FROM am_out ORDER BY id LIMIT {limit}"
    hidden = f"SELECT n, {_HIDDEN.format('id')} AS id, added, removed, newest, held{columns}"
    rows = session.rows(
        f"SELECT concat({made.sql}) FROM ({hidden} FROM ({first}) AS am_out {joins}) ORDER BY n", made.parameters
    )
    return [str(row) for (row,) in rows]


_HIDDEN = "left({0}, least(2, length({0}) // 2)) || '•••'"
_MASKED = {
    "uuid": _HIDDEN.format("uuid"),
    "ids": f"list_transform(ids, lambda x: {{'dpid': x.dpid, 'id': {_HIDDEN.format('x.id')}, 'place': x.place}})",
}
