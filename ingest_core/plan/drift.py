"""How far a file is from the former one of its source: rows, filled cells, people in common, new values.

A file unlike the one before it is often a broken export, or another table under the same name. The *former file* is the
last live upload of the source with other bytes: one that was undone or replaced says nothing any more, and the same
bytes loaded again are compared with what they were compared with the first time. Only accepted rows are looked at.

========== ==================================== ========================== ==========================================
what       before, now                          change                     far off
========== ==================================== ========================== ==========================================
rows       accepted rows                        per cent of ``before``     more or fewer
filled     per cent of the rows in which an     points (now − before)      more or fewer
           attribute is filled
overlap    per cent of the former file's people points                     more or fewer; ``before`` is what the former
           who are in the file again                                       file had, as ``now`` when that is not known
new_values per cent of an attribute's values    points                     more; ``before`` is what the former file
           that the former file did not have                               had, 0 when that is not known
========== ==================================== ========================== ==========================================

So the last two are compared with what is usual for the source: files that each bring other people are not far off for
that. What is usual stands in the former upload's own findings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

from ingest_core.engine import Session, quote
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.fields import NIL, Fields, token_of
from ingest_core.models import Attribute, Drift
from ingest_core.plan.plan import Plan
from ingest_core.plan.staging import mapped
from ingest_core.plan.unlike import FEW_ROWS, Comparison, is_over

FEW_VALUES = 50  # an attribute with more values in the former file is no list to choose from
MANY_ROWS = 100_000  # from here on one identifier in sixteen is looked at
_MOVING = ("date", "datetime", "number")  # measures: their values are new in every file
_SIXTEENTH = "'10000000-0000-0000-0000-000000000000'::UUID"  # tokens are spread evenly
_RANGE = "rid >= ? AND rid < ?"  # the rows of one upload lie together in the log


def compare(runner: Runner, plan: Plan) -> Comparison:
    """Compares ``stage`` with the log rows of the former file: at most three aggregates, none without such a file."""
    former = None if plan.options.parent else _Former.of(runner.session, plan)
    if former is None:
        return Comparison()
    return Comparison(former.request_id, tuple(_Comparing(runner, plan, former).findings()))


@dataclass(frozen=True)
class _Former:
    """The upload that a file is compared with."""

    upload_no: int
    request_id: str
    attributes: frozenset[str]
    findings: tuple[Drift, ...]

    @classmethod
    def of(cls, session: Session, plan: Plan) -> _Former | None:
        row = session.row(_FORMER, [plan.source.source_id, plan.facts.sha256])
        if row is None:
            return None
        upload_no, request_id, columns, drift = row
        names = frozenset(column["attribute"] for column in json.loads(columns or "[]") if column["attribute"])
        return cls(upload_no, request_id, names, tuple(Drift(**finding) for finding in json.loads(drift or "[]")))

    @property
    def rids(self) -> list[int]:
        """From, to: the stretch of the log that holds its rows."""
        return [self.upload_no << 32, (self.upload_no + 1) << 32]

    def usual(self, what: str, column: str) -> float | None:
        """What was found when the former file itself was compared; None when it was not."""
        return next((found.now for found in self.findings if (found.what, found.column) == (what, column)), None)


_FORMER = """
SELECT upload_no, request_id, mapping.columns, drift
FROM upload
LEFT JOIN mapping ON mapping.source_id = upload.source_id AND mapping.version = upload.mapping_version
WHERE upload.source_id = ? AND is_live AND sha256 <> ? AND json_extract_string(options, '$.parent') IS NULL
ORDER BY upload_no DESC
LIMIT 1"""


@dataclass(frozen=True)
class _Account:
    """Of one attribute: rows of both files in which it is filled, about how many values the former file had."""

    attribute: Attribute
    before: int
    now: int
    values: int

    @property
    def is_enough(self) -> bool:
        """Whether shares of these rows mean anything."""
        return min(self.before, self.now) >= FEW_ROWS


class _Comparing:
    """One comparison under way."""

    def __init__(self, runner: Runner, plan: Plan, former: _Former) -> None:
        self.runner = runner
        self.former = former
        self.percent = plan.source.settings.drift_percent
        self.brought = {attribute.name for attribute, _ in mapped(plan)}
        both = self.brought | former.attributes
        self.fields = Fields.of([attribute for attribute in plan.attributes if attribute.name in both])

    def findings(self) -> list[Drift]:
        before, now, accounts = self._account()
        found = [self._finding("rows", None, before, now, (now - before) * 100 / before if before else 100.0)]
        if min(before, now) < FEW_ROWS:
            return found
        found += [
            self._points("filled", one.attribute, one.before * 100 / before, one.now * 100 / now)
            for one in accounts
            if one.before or one.attribute.name in self.brought
        ]
        return [*found, *self._people(accounts), *self._new_values(accounts)]

    def _account(self) -> tuple[int, int, list[_Account]]:
        attributes = self.fields.attributes
        step = _count(attributes, self.brought)
        (_, before, *were), (_, now, *are) = self._rows(step)
        return before, now, list(starmap(_Account, zip(attributes, were[::2], are[::2], were[1::2], strict=True)))

    def _people(self, accounts: Sequence[_Account]) -> list[Drift]:
        """By the strongest identifier that both files have."""
        rows = {one.attribute.name: one.before for one in accounts if one.is_enough}
        strongest = [a for a in (*self.fields.primaries, *self.fields.secondaries) if a.name in rows]
        if not strongest:
            return []
        identifier = strongest[0]
        people, again = self._rows(_overlap(identifier, is_sampled=rows[identifier.name] >= MANY_ROWS))[0]
        if people < FEW_ROWS:
            return []
        now = again * 100 / people
        usual = self.former.usual("overlap", identifier.name)
        return [self._points("overlap", identifier, now if usual is None else usual, now)]

    def _new_values(self, accounts: Sequence[_Account]) -> list[Drift]:
        few = [one for one in accounts if one.is_enough and 0 < one.values <= 2 * FEW_VALUES]
        if not few:
            return []
        counted = self._rows(_unknown([one.attribute for one in few]))[0]
        return [
            self._points(
                "new_values",
                one.attribute,
                self.former.usual("new_values", one.attribute.name) or 0.0,
                unknown * 100 / one.now,
            )
            for one, values, unknown in zip(few, counted[::2], counted[1::2], strict=True)
            if values <= FEW_VALUES
        ]

    def _rows(self, step: Step) -> list[tuple[int, ...]]:
        with self.runner.timed(step.name, step.purpose, step.sql) as done:
            rows = self.runner.session.rows(step.sql, self.former.rids)
            done(None)
        return rows

    def _points(self, what: str, attribute: Attribute, before: float, now: float) -> Drift:
        return self._finding(what, attribute.name, before, now, now - before)

    def _finding(self, what: str, column: str | None, before: float, now: float, change: float) -> Drift:
        change = round(change, 2)
        return Drift(
            what=what,
            column=column,
            before=round(before, 2),
            now=round(now, 2),
            change=change,
            is_over=self.percent is not None and is_over(what, change, self.percent),
        )


def _count(attributes: Sequence[Attribute], brought: set[str]) -> Step:
    were = "".join(f",\n       count({_cell(a)}), {_about_how_many(a)}" for a in attributes)
    are = "".join(f",\n       {f'count({_cell(a)})' if a.name in brought else '0'}, 0" for a in attributes)
    return Step(
        "drift",
        "Count rows and filled cells of the file and of the former one of its source.",
        f"SELECT 0 AS file, count(*){were}\nFROM record WHERE {_RANGE}\n"
        f"UNION ALL\nSELECT 1, count(*){are}\nFROM stage ORDER BY file",
    )


def _cell(attribute: Attribute) -> str:
    """SQL: what a row says of the attribute, NULL when that is nothing or "cleared"."""
    nothing = NIL if attribute.pii else "''"
    return f"nullif({quote(attribute.column)}, {nothing})"


def _about_how_many(attribute: Attribute) -> str:
    """SQL: about how many values there are; 0 where new ones say nothing, or must not be looked at."""
    if attribute.pii or attribute.identifier or attribute.type in _MOVING:
        return "0"
    return f"approx_count_distinct({_cell(attribute)})"


def _overlap(identifier: Attribute, *, is_sampled: bool) -> Step:
    token = token_of(identifier)
    chosen = f"{token} < {_SIXTEENTH}" if is_sampled else f"{token} IS NOT NULL"
    return Step(
        "drift: people",
        "Count the former file's people who are in the file again.",
        f"""WITH former AS (
    SELECT DISTINCT {token} AS token FROM record WHERE {_RANGE} AND {chosen}
), again AS (
    FROM former SEMI JOIN (SELECT {token} AS token FROM stage WHERE {chosen}) AS file USING (token)
)
SELECT (SELECT count(*) FROM former), (SELECT count(*) FROM again)""",
    )


def _unknown(attributes: Sequence[Attribute]) -> Step:
    cells = [(quote(a.column), _cell(a)) for a in attributes]
    lists = ",\n           ".join(
        f"list(DISTINCT {cell}) FILTER ({cell} IS NOT NULL) AS {name}" for name, cell in cells
    )
    counts = ",\n       ".join(
        f"any_value(len(known.{name})),\n"
        f"       count(*) FILTER (stage.{name} <> '' AND NOT list_contains(known.{name}, stage.{name}))"
        for name, _ in cells
    )
    return Step(
        "drift: new values",
        "Count the values that the former file did not have, of attributes that had few.",
        f"WITH known AS (\n    SELECT {lists}\n    FROM record WHERE {_RANGE}\n)\n"
        f"SELECT {counts}\nFROM stage CROSS JOIN known",
    )
