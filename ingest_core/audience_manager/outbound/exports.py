"""Exports: an order's receiver is told who is in what, everything or what changed since (Audience Manager spec §15)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from ingest_core.audience_manager.outbound import sets
from ingest_core.audience_manager.outbound.holding import Wanted, holding
from ingest_core.audience_manager.outbound.macros import AS_MAPPINGS, RowCompiler, RowSql, written
from ingest_core.audience_manager.outbound.orders import CONTENT, Order, Orders, controlled
from ingest_core.audience_manager.outbound.parts import Part, Parts
from ingest_core.audience_manager.outbound.runs import NOTHING, Run, Runs, named
from ingest_core.audience_manager.outbound.samples import OrderSample, invented_rows, masked_rows
from ingest_core.audience_manager.outbound.segments import onboarded, rules_of
from ingest_core.audience_manager.outbound.template import parse
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules import SegmentRule
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, StateError
from ingest_core.models import Model, Progress

if TYPE_CHECKING:
    import pyarrow as pa

Mode = Literal["full", "iter"]
SHOWN = 5


class ExportPreview(Model):
    """What a run would be: nothing is kept of it. ``rows`` are the first ones as they would stand in the file."""

    order_id: int
    mode: str
    counts: dict[str, int]
    files: tuple[str, ...]
    rows: tuple[str, ...]


class Exports:
    """Makes the runs of orders and brings them to their places."""

    def __init__(self, engine: Engine, orders: Orders, runs: Runs, registered: Callable[[], Registered]) -> None:
        self._engine = engine
        self._orders = orders
        self.runs = runs
        self._registered = registered

    def sample(self, order: Order, mode: Mode = "iter") -> OrderSample:
        """How files of an order would look, kept or not, with two invented people. InputError ``bad_template``."""
        at = now()
        with self._engine.session() as session, session.transaction():
            made = compile_rows(session, order, mode, at)
            rows = invented_rows(session, self._registered(), order, at, made)
        header = _header(order, mode, at).decode().removesuffix("\n")
        (file,), control = file_names(order, mode, at, 1), control_name(order, mode, at)
        return OrderSample(file=file, control=control, header=header, rows=tuple(rows))

    def needs_full(self, order: Order) -> bool:
        """Whether its next run has to tell everything, because one was given up."""
        with self._engine.session() as session:
            return self.runs.needs_full(session, "export", str(order.order_id))

    def preview(
        self, key: str | int, mode: Mode = "iter", at: datetime | None = None, *, is_masked: bool = False
    ) -> ExportPreview:
        """What the next run would tell. Raises as ``run``. ``is_masked``: ids of people in the rows are."""
        order, moment = self._orders.get(key), at or now()
        with self._engine.session() as session, session.transaction():
            compiled = compile_rows(session, order, mode, moment)
            counts = self._fill(session, order, mode, moment, compiled)
            stamp, lines = self._stamp(session, order, mode), lines_sql(session, order, compiled)
            with Parts(self.runs.zone, most=order.split_bytes, header=_header(order, mode, stamp)) as parts:
                parts.add_all(session.batches(lines, parameters=compiled.parameters))
                names = file_names(order, mode, stamp, len(parts.finish()))
                parts.give_up()
            rows = [str(row) for (row,) in session.rows(f"{lines} LIMIT {SHOWN}", compiled.parameters)]
            if is_masked:
                rows = masked_rows(session, compiled, _joins(session, order, compiled), SHOWN)
        return ExportPreview(
            order_id=order.order_id, mode=mode, counts=counts, files=tuple(names),
            rows=tuple(row.removesuffix("\n") for row in rows),
        )  # fmt: skip

    def run(
        self, key: str | int, mode: Mode = "iter", *, at: datetime | None = None, user: str,
        progress: Progress = ignore_progress,
    ) -> Run:  # fmt: skip
        """Makes one run and delivers it. ``at``: the moment that counts, UTC, naive; now.

        A run of the order that is not delivered yet is delivered first, as it was made. InputError ``no_such_order``;
        StateError ``needs_full`` after a run was given up, ``export_runs``; DeliveryError as the place.
        """
        with self.runs.alone():
            order = self._orders.get(key)
            if waiting := self.runs.waiting("export", str(order.order_id)):
                self.runs.deliver(waiting, progress)
            run = self.runs.get(self._prepare(order, mode, at or now(), user, progress))
            if run.status != NOTHING:
                run = self.runs.deliver(run, progress)
            if order.keep_days is not None:
                self.runs.purge("export", str(order.order_id), order.keep_days)
        return run

    def _prepare(self, order: Order, mode: Mode, at: datetime, user: str, progress: Progress) -> int:
        place = {"folder": order.folder} if order.folder else {"destination": str(order.destination)}
        with self._engine.session() as session, session.transaction():
            progress("people", 0, None)
            compiled = compile_rows(session, order, mode, at)
            counts, stamp = self._fill(session, order, mode, at, compiled), self._stamp(session, order, mode)
            header, lines = _header(order, mode, stamp), lines_sql(session, order, compiled)
            progress("rows", 0, counts["rows"])
            with Parts(self.runs.zone, most=order.split_bytes, header=header, is_gzip=order.gzip) as parts:
                rows = session.batches(lines, parameters=compiled.parameters)
                parts.add_all(told_of(rows, counts["rows"], progress))
                made: list[Part] = parts.finish()
                files = named(made, file_names(order, mode, stamp, len(made)))
                with self._engine.queue:
                    number = self.runs.insert(
                        session, "export", str(order.order_id), mode, user, place, files=files,
                        control=control_name(order, mode, stamp), counts=counts,
                    )  # fmt: skip
                    if files:
                        sets.keep_told(session, number)
        return number

    def _stamp(self, session: Session, order: Order, mode: Mode) -> datetime:
        """The time in the names of the files: now, or just after it where a run has this name already."""
        stamp, tick = now(), timedelta(seconds=1) if order.timestamp_digits == 10 else timedelta(milliseconds=1)
        sql = "SELECT count(*) FROM am_run WHERE kind = 'export' AND definition = ? AND control = ?"
        while session.value(sql, [str(order.order_id), control_name(order, mode, stamp)]):
            stamp += tick
        return stamp

    def _fill(self, session: Session, order: Order, mode: Mode, at: datetime, compiled: RowSql) -> dict[str, int]:
        """``am_out`` of this run, and what is in it."""
        if mode == "iter" and self.runs.needs_full(session, "export", str(order.order_id)):
            raise StateError(
                "A run of this order was given up, so nobody knows what its receiver has. Nothing was sent.",
                code="needs_full",
                hint="Send everything once: am export ORDER --mode full",
            )
        fill_now(session, self._registered(), order, at, compiled.needs)
        if mode == "full":
            rows = sets.all_rows(session)
        else:
            rows = sets.changed_rows(session, self.runs.last_told(session, "export", str(order.order_id)))
        added, removed = session.rows(_TOLD)[0]
        return {"rows": rows, "added": int(added), "removed": int(removed)}


_TOLD = "SELECT coalesce(sum(len(added)), 0), coalesce(sum(len(removed)), 0) FROM am_out"


def fill_now(session: Session, registered: Registered, order: Order, at: datetime, needs: Collection[str] = ()) -> None:
    """``am_now`` of an order at a moment, without what export controls keep from it. ``needs``: of its rows."""
    kept_back = controlled(session, order)
    rules = _sendable(session, rules_of(session, order.items), kept_back) if order.what == "segments" else {}
    traits = sets.named_traits(rules) if order.what == "segments" else order.items or None
    wanted = Wanted(order.master, at, traits if order.what != "ids" else None, kept_back, order.scope)
    held = holding(session, registered, wanted)
    if order.what == "segments":
        people = sets.segments_by_profile(held, rules, at.date())
    else:
        people = sets.everybody(held) if order.what == "ids" else sets.traits_by_profile(held, needs)
    if registered.kind(order.master) == "cookie" or not {"uuid", "ids"}.isdisjoint(needs):
        sets.find_devices(session, registered, order.master, at)
    sets.by_master(session, registered, order.master, people)


def _sendable(session: Session, rules: Mapping[int, SegmentRule], without: Sequence[int]) -> dict[int, SegmentRule]:
    """Rules to which no data source contributes that is kept back: half a rule would tell something else."""
    traits = session.rows("SELECT trait_id FROM am_trait WHERE dpid IN (SELECT unnest(?::BIGINT[]))", [list(without)])
    kept_back = {trait for (trait,) in traits}
    return {segment: rule for segment, rule in rules.items() if rule.traits.isdisjoint(kept_back)}


def lines_sql(session: Session, order: Order, compiled: RowSql) -> str:
    """The statement that reads the rows of ``am_out`` by id, each with its line end; its parameters are ``compiled``'s.

    They are texts before they are put in order and leave the database as they come; sorting goes to disk where it must.
    """
    joins = _joins(session, order, compiled)
    return f"SELECT line FROM (SELECT id, concat({compiled.sql}, chr(10)) AS line FROM am_out {joins}) ORDER BY id"


def _joins(session: Session, order: Order, compiled: RowSql) -> str:
    """What a template needs behind ``am_out``."""
    session.run(AS_MAPPINGS)
    return "".join(_join(session, name) for name in sorted(compiled.needs))


def compile_rows(session: Session, order: Order, mode: Mode, at: datetime) -> RowSql:
    """The template of an order as SQL; rows of segments get their removed list behind (spec §15.1)."""
    compiler = RowCompiler(order.values(mode), onboarded(session), at)
    made = compiler.compile(parse(order.content or CONTENT[order.what]))
    if not order.content and order.what != "ids":
        separator = "chr(9)" if order.what == "traits" else "' '"
        behind = f"{separator} || array_to_string(removed, ',')"
        made.sql = f"concat({made.sql}, CASE WHEN len(removed) > 0 THEN {behind} ELSE '' END)"
    return made


def _join(session: Session, what: str) -> str:
    """What a template needs beside the sets; ``newest`` and ``held`` are there. UUIDs stand for themselves."""
    if what not in ("uuid", "ids"):
        return ""
    session.run(_DEVICE_OF)
    found = _UUIDS if what == "uuid" else _IDS
    return f"LEFT JOIN ({found}) AS {what}_of ON {what}_of.of_id = am_out.id "


_DEVICE_OF = """CREATE OR REPLACE TEMP TABLE am_device_of AS
SELECT id AS of_id, device_dpid, device_id FROM am_resolved WHERE dpid <> 0
UNION ALL
SELECT am_out.id, dpid, am_out.id FROM am_out JOIN am_master ON dpid = 0"""

_UUIDS = "SELECT of_id, CASE WHEN device_dpid = 0 THEN device_id END AS uuid FROM am_device_of"

_IDS = """SELECT of_id, list({'dpid': h.dpid, 'id': h.id, 'place': h.place} ORDER BY h.dpid, h.place) AS ids
FROM am_device_of JOIN (
    SELECT dpid, id, device_dpid, device_id,
           row_number() OVER (PARTITION BY dpid, device_dpid, device_id ORDER BY seq DESC) AS place
    FROM (SELECT * FROM am_mapped QUALIFY row_number() OVER (PARTITION BY dpid, id ORDER BY seq DESC) = 1)
) AS h USING (device_dpid, device_id)
GROUP BY of_id
UNION ALL
SELECT am_out.id, [{'dpid': am_master.dpid, 'id': am_out.id, 'place': 1::BIGINT}]
FROM am_out JOIN am_master ON dpid <> 0 ANTI JOIN am_device_of ON of_id = am_out.id"""
"""All ids of the device of each id; who has no device that is known has this one."""


def told_of(batches: Iterable[pa.RecordBatch], total: int, progress: Progress) -> Iterator[pa.RecordBatch]:
    """The same batches, with progress told after each."""
    done = 0
    for batch in batches:
        yield batch
        done += batch.num_rows
        progress("rows", done, total)


def _header(order: Order, mode: str, at: datetime) -> bytes:
    if not order.header:
        return b""
    text = written(parse(order.header), order.values(mode), at, digits=order.timestamp_digits)
    return (text if text.endswith("\n") else text + "\n").encode()


def file_names(order: Order, mode: str, at: datetime, count: int) -> list[str]:
    """One part has no number, several are (none), 001, 002, … (D-31a)."""
    gz = ".gz" if order.gzip else ""
    text = written(parse(order.name_template), order.values(mode), at, digits=order.timestamp_digits)
    return [_name(text.replace("SPLITNUM", f"{n:03}" if n else "") + gz) for n in range(count)]


def control_name(order: Order, mode: str, at: datetime) -> str:
    """The root of the sequence, before the number of the part."""
    text = written(parse(order.name_template), order.values(mode), at, digits=order.timestamp_digits)
    return _name(text.partition("SPLITNUM")[0] + ".info")


def _name(text: str) -> str:
    if not text or "/" in text or not text.isprintable():
        raise InputError(
            "The template gives no name of a file. Nothing was sent.", code="bad_template", hint="Without / in it."
        )
    return text


def told(run: Run) -> dict[str, Any]:
    """The JSON of a run, without where its bytes wait."""
    plain = run.model_dump(mode="json")
    plain["files"] = [{k: v for k, v in file.items() if k != "landing"} for file in plain["files"]]
    return plain
