"""Orders: what a receiver of trait and segment data gets, in which form, where (Audience Manager spec §15)."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field

from ingest_core.audience_manager.outbound import macros
from ingest_core.audience_manager.outbound.runs import Runs
from ingest_core.audience_manager.outbound.template import parse
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model

What = Literal["segments", "traits", "ids"]
GB = 1 << 30

CONTENT: dict[str, str] = {
    "segments": '<DP_UUID> <SEGMENT_LIST; separator=",">',
    "traits": '<DP_UUID><TAB><TRAIT_LIST; separator=",">',
    "ids": "<UUID><TAB><DP_UUID>",
}
"""Rows where an order has no template of its own. Those of segments get their removed list, if there is one, behind."""

NAME = "<SYNC_TYPE>_<ORDER_ID>_<MASTER_DPID>_<SYNC_MODE>_<TIMESTAMP>SPLITNUM.sync"
NAME_WITH_ALIAS = "<SYNC_TYPE>_<ORDER_ID>_<MASTER_DPID>_<PID_ALIAS>_<SYNC_MODE>_<TIMESTAMP>SPLITNUM.sync"


class Order(Model):
    """``items``: ids of segments or traits, none: all. ``master``: the DPID whose ids key the rows.

    ``destination`` is the name of one, ``folder`` a whole path of this machine: one of them. ``content``, ``header``
    and ``file_name`` are templates. ``split_bytes`` is of plain text; ``keep_days``: after which its files are deleted
    at the place, None never. ``labels`` meet the export controls of data sources. ``timestamp_digits``: 13 for
    milliseconds, 10 for seconds.
    """

    order_id: int = Field(ge=1, lt=10**18)
    name: str
    what: What = "segments"
    items: tuple[int, ...] = ()
    master: int = Field(ge=0, lt=10**10)
    destination: str | None = None
    folder: str | None = None
    sync_type: Literal["ftp", "s3", "http"] = "ftp"
    pid: str = Field("", pattern=r"^[0-9]{0,18}$")
    pid_alias: str = Field("", pattern=r"^([A-Za-z0-9][A-Za-z0-9.-]*(_[A-Za-z0-9.-]+)*)?$", max_length=100)
    dpid: int | None = Field(None, ge=0, lt=10**10)
    scope: Literal["profile_only", "device_plus_last_authenticated"] = "profile_only"
    content: str = ""
    header: str = ""
    file_name: str = ""
    timestamp_digits: Literal[10, 13] = 13
    gzip: bool = False
    split_bytes: int = Field(GB, ge=1_000, le=1 << 40)
    keep_days: int | None = Field(8, ge=0, le=3_650)
    labels: tuple[str, ...] = ()

    @property
    def remembered_by(self) -> tuple[object, ...]:
        """What may not change while the receiver's state is to mean the same: whose ids, what they have, where."""
        return (self.master, self.what, self.destination, self.folder)

    @property
    def name_template(self) -> str:
        """As it is used."""
        return self.file_name or (NAME_WITH_ALIAS if self.pid_alias else NAME)

    def values(self, mode: str) -> dict[str, str]:
        """What the macros about the order stand for."""
        return {
            "PID": self.pid,
            "PIDALIAS": self.pid_alias,
            "PID_ALIAS": self.pid_alias,
            "ORDER_ID": str(self.order_id),
            "DPID": "" if self.dpid is None else str(self.dpid),
            "MASTER_DPID": str(self.master),
            "SYNC_MODE": mode,
            "SYNC_TYPE": self.sync_type,
        }


Listed = list[Order]
Table = list[dict[str, Any]]
"""Inside the class, ``list`` is its method."""


class Orders:
    """Creates, lists and removes orders, and the export controls that keep data from some of them."""

    def __init__(self, engine: Engine, user: str, runs: Runs) -> None:
        self._engine = engine
        self._user = user
        self._runs = runs

    def list(self) -> Listed:
        """By id."""
        with self._engine.session() as session:
            rows = session.rows("SELECT content FROM am_order ORDER BY order_id")
        return [Order.model_validate_json(content) for (content,) in rows]

    def get(self, key: str | int) -> Order:
        """By id or name. InputError ``no_such_order``."""
        for order in self.list():
            if str(order.order_id) == str(key) or order.name.lower() == str(key).lower():
                return order
        raise InputError(
            "There is no such order. Nothing was changed.", code="no_such_order", hint="See: am order list"
        )

    def add(self, order: Order) -> Order:
        """InputError ``bad_name``, ``bad_template``, ``bad_order``; StateError ``order_exists``."""
        order = checked(order)
        with self._engine.write, self._engine.session() as session, session.transaction():
            self._refuse_taken(session, order, is_new=True)
            session.run(
                "INSERT INTO am_order VALUES (?, ?, ?, ?, ?)",
                [order.order_id, order.name, order.model_dump_json(), now(), self._user],
            )
            write_audit(session, self._user, "add order", str(order.order_id), {"what": order.what})
        return order

    def change(self, key: str | int, new: Order) -> Order:
        """Other settings for an order from its next run on; its id stays.

        Raises as ``add``; InputError ``no_such_order``, StateError ``export_runs``.
        Where ids, content or place mean something else from now on, what its receiver was told is forgotten: the next
        run tells everything. Everything else keeps it: what goes is told as removed.
        """
        with self._runs.alone():
            old = self.get(key)
            new = checked(new.model_copy(update={"order_id": old.order_id}))
            with self._engine.write, self._engine.session() as session, session.transaction():
                self._refuse_taken(session, new, is_new=False)
                session.run("UPDATE am_order SET name = ?, content = ? WHERE order_id = ?",
                            [new.name, new.model_dump_json(), new.order_id])  # fmt: skip
                if new.remembered_by != old.remembered_by:
                    self._runs.forget(session, "export", str(new.order_id))
                fields = sorted(name for name, value in new if value != getattr(old, name))
                write_audit(session, self._user, "change order", str(new.order_id), {"fields": fields})
        return new

    def remove(self, key: str | int) -> Order:
        """Its runs stay in the history; what its receiver knows is forgotten.

        InputError ``no_such_order``, StateError ``export_runs``.
        """
        with self._runs.alone():
            order = self.get(key)
            with self._engine.write, self._engine.session() as session, session.transaction():
                session.run("DELETE FROM am_order WHERE order_id = ?", [order.order_id])
                self._runs.forget(session, "export", str(order.order_id))
                write_audit(session, self._user, "remove order", str(order.order_id), {})
        return order

    @staticmethod
    def _refuse_taken(session: Session, order: Order, *, is_new: bool) -> None:
        taken = session.value(
            "SELECT count(*) FROM am_order WHERE (order_id = ? AND ?) OR (lower(name) = lower(?) AND order_id <> ?)",
            [order.order_id, is_new, order.name, order.order_id],
        )
        if taken:
            raise StateError(
                "There is an order of this id or name already. Nothing was changed.",
                code="order_exists",
                hint="Choose another, or remove that one first: its receiver is told everything again then.",
            )

    def controls(self) -> Table:
        """[{dpid, label}]: data of the source goes to no order that has the label."""
        with self._engine.session() as session:
            return session.records("SELECT dpid, label FROM am_control ORDER BY ALL")

    def left_out(self, order: Order) -> Table:
        """[{dpid, labels, traits}]: data sources that this order gets nothing of, by which labels, and how much."""
        with self._engine.session() as session:
            return session.records(_LEFT_OUT, [list(order.labels)])

    def set_controls(self, dpid: int, labels: tuple[str, ...]) -> Table:
        """The labels of a data source from now on; returns all. InputError ``bad_name``, ``unknown_data_source``."""
        named = sorted({check_name(label, "a label") for label in labels})
        with self._engine.write, self._engine.session() as session, session.transaction():
            if not session.value("SELECT count(*) FROM source WHERE dpid = ?", [dpid]):
                raise InputError(
                    f"There is no data source with the DPID {dpid}. Nothing was changed.",
                    code="unknown_data_source",
                    hint="See: source list",
                )
            session.run("DELETE FROM am_control WHERE dpid = ?", [dpid])
            for label in named:
                session.run("INSERT INTO am_control VALUES (?, ?)", [dpid, label])
            write_audit(session, self._user, "set export control", str(dpid), {"labels": named})
        return self.controls()


def checked(order: Order) -> Order:
    """The order with its templates read once. InputError as ``Orders.add``."""
    order = order.model_copy(update={"name": check_name(order.name, "an order")})
    if (order.destination is None) == (order.folder is None):
        raise _bad("An order goes to a destination or into a folder: name one of them.")
    check_file_name(order)
    check_header(order)
    check_content(order)
    return order


def check_file_name(order: Order) -> None:
    """InputError ``bad_template``, ``bad_order``."""
    if "SPLITNUM" not in order.name_template or "<TIMESTAMP" not in order.name_template:
        raise _bad("A file name needs <TIMESTAMP> and, without brackets, SPLITNUM: parts must not share a name.")
    macros.check(parse(order.name_template), macros.IN_NAMES)


def check_header(order: Order) -> None:
    """InputError ``bad_template``."""
    macros.check(parse(order.header), macros.IN_HEADERS)


def check_content(order: Order) -> None:
    """InputError ``bad_template``, ``bad_order``."""
    nodes = parse(order.content or CONTENT[order.what])
    macros.check(nodes, macros.IN_ROWS)
    if any(isinstance(node, str) and not node.replace("\t", "").isprintable() for node in nodes):
        raise _bad("A row is one line: its template has no line break.")
    macros.RowCompiler(order.values("full"), (), now()).compile(nodes)


def _bad(why: str) -> InputError:
    return InputError(f"{why} Nothing was changed.", code="bad_order", hint="See: am order add --help")


def controlled(session: Session, order: Order) -> list[int]:
    """DPIDs whose traits this order may have nothing of."""
    rows = session.rows(
        "SELECT DISTINCT dpid FROM am_control WHERE label IN (SELECT unnest(?::VARCHAR[])) ORDER BY dpid",
        [list(order.labels)],
    )
    return [dpid for (dpid,) in rows]


_LEFT_OUT = """
SELECT dpid, list(label ORDER BY label) AS labels,
       (SELECT count(*) FROM am_trait WHERE am_trait.dpid = am_control.dpid) AS traits
FROM am_control WHERE label IN (SELECT unnest(?::VARCHAR[])) GROUP BY dpid ORDER BY dpid"""


def as_listed(orders: list[Order]) -> list[dict[str, Any]]:
    """The JSON form."""
    return [json.loads(order.model_dump_json()) for order in orders]
