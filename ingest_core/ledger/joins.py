"""What one upload does to who is who: profiles that become one, values that were kept from joining anybody.

Read off the tables that identity resolution leaves behind while the upload runs, so that a preview says what the load
does. Costs follow the file: a pass over its different identifiers, one over the people who gained one, and the rest
only where something merged, is shared, or may differ by case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from ingest_core.engine import quote
from ingest_core.engine.session import Row
from ingest_core.engine.steps import Runner, Step
from ingest_core.ledger.fields import Fields, primary_of, profile_type, token_of
from ingest_core.models import (
    Attribute,
    BlockedCells,
    Cluster,
    IdentityPreview,
    MergeGroup,
    MergingProfile,
    MetIdentifiers,
)

GROUPS_SHOWN = 10
PROFILES_SHOWN = 20


class Joins:
    """The account of one upload; call its methods in the order of the load. ``fields``: those the file brings."""

    def __init__(self, runner: Runner, fields: Fields, first_rid: int, shared_limit: int) -> None:
        self._runner = runner
        self._fields = fields
        self._names = {attribute.attribute_id: attribute.name for attribute in fields.attributes}
        self._first_rid = first_rid
        self._found: dict[str, object] = {"shared_limit": shared_limit}
        self._met: dict[str, dict[str, int]] = {}

    def met(self) -> int:
        """After owners are decided: counts per identifier; returns the conflicts of the receipt."""
        for attribute_id, *counted in self._rows(_MET):
            names = ("contested", "foreign", "moved", "shared", "newly_shared")
            self._met[self._names[attribute_id]] = dict(zip(names, counted, strict=True))
        if any(one["shared"] for one in self._met.values()):
            self._found["shared_rows"] = self._rows(_SHARED_ROWS)[0][0]
        return sum(one["contested"] + one["foreign"] for one in self._met.values())

    def regrouped(self, merged: int, came_apart: int) -> None:
        """After rows were put together again."""
        if merged:
            groups, profiles = self._rows(_MERGES, [self._first_rid])[0]
            largest = _groups(self._rows(_largest(self._fields), [self._first_rid]), self._names)
            self._found |= {"groups": groups, "profiles": profiles, "largest": largest}
        if came_apart and any(one["newly_shared"] for one in self._met.values()):
            self._found["shared_came_apart"] = self._rows(_CAME_APART, [self._first_rid])[0][0]

    def people(self, *, is_rebuilt: bool) -> None:
        """After profiles are folded. ``is_rebuilt``: everything was, so all people of the file count as changed."""
        self._found["most_lines"] = _cluster(self._rows(_MOST_LINES))
        gained = "SELECT pid FROM person" if is_rebuilt else _GAINED
        self._found["most_identifiers"] = _cluster(self._rows(_most_identifiers(gained)))
        if is_rebuilt:
            return
        for attribute in self._fields.attributes:
            if attribute.identifier and not attribute.pii and profile_type(attribute) == "VARCHAR":
                found = self._rows(_case_only(attribute, self._fields))[0][0]
                self._met.setdefault(attribute.name, {})["case_only"] = found

    def made(self, left_out: Mapping[tuple[str, str], int]) -> IdentityPreview:
        """The account; ``left_out``: cells by attribute and reason."""
        met = [MetIdentifiers(attribute=name, **counts) for name, counts in self._met.items() if any(counts.values())]
        blocked = [
            BlockedCells(attribute=attribute, reason=reason, cells=cells)
            for (attribute, reason), cells in sorted(left_out.items(), key=lambda entry: (-entry[1], entry[0]))
        ]
        return IdentityPreview.model_validate({**self._found, "met": met, "blocked": blocked})

    def _rows(self, step: Step, parameters: Sequence[object] = ()) -> list[Row]:
        with self._runner.timed(step.name, step.purpose, step.sql) as done:
            rows = self._runner.session.rows(step.sql, parameters)
            done(None)
        return rows


def _cluster(rows: Sequence[Row]) -> Cluster | None:
    return Cluster(profile_id=_public(rows[0][0]), count=rows[0][1]) if rows else None


def _public(pid: int) -> str:
    """A profile's public id: the upload and line of its first record."""
    return f"{pid >> 32}-{pid & 0xFFFFFFFF}"


def _groups(rows: Sequence[Row], names: Mapping[int, str]) -> tuple[MergeGroup, ...]:
    """From rows (target, size, profile, attribute, record), those of a target together."""
    groups = []
    for (_, size), members in groupby(rows, key=lambda row: row[:2]):
        profiles = [
            MergingProfile(
                profile_id=_public(pid), attribute=names.get(attribute), line=None if rid is None else rid & 0xFFFFFFFF
            )
            for _, _, pid, attribute, rid in members
        ]
        groups.append(MergeGroup(size=size, profiles=tuple(profiles)))
    return tuple(groups)


_MET = Step(
    "identifiers met",
    "Count per identifier the values that are contested, belong to others, change hands or are shared.",
    """WITH homed AS (
    SELECT mention.token, met.attribute_id, met.owner, met.p_min IS DISTINCT FROM met.p_max AS is_contested,
           arg_min(met.owner, mention.priority) OVER (PARTITION BY mention.rid) AS home
    FROM mention
    JOIN met ON met.token = mention.token
    WHERE mention.p IS NULL AND NOT met.is_shared AND met.owner IS NOT NULL
), other AS (
    SELECT attribute_id, count(DISTINCT token) AS foreign_values
    FROM homed
    WHERE owner <> home AND NOT is_contested
    GROUP BY attribute_id
)
SELECT met.attribute_id, count(*) FILTER (p_min <> p_max), coalesce(any_value(foreign_values), 0),
       count(*) FILTER (NOT is_shared AND old_owner IS NOT NULL AND owner <> old_owner),
       count(*) FILTER (is_shared), count(*) FILTER (is_shared AND NOT was_shared)
FROM met
LEFT JOIN other ON other.attribute_id = met.attribute_id
GROUP BY met.attribute_id
ORDER BY met.attribute_id""",
)
"""Contested values and those of others are the receipt's conflicts: each is counted once, however often it stands."""

_SHARED_ROWS = Step(
    "rows with shared values",
    "Count the rows that state a value which identifies nobody.",
    "SELECT count(DISTINCT rid) FROM mention SEMI JOIN (SELECT token FROM met WHERE is_shared) AS shared USING (token)",
)

_EDGE = "edge AS (SELECT DISTINCT old_pid, pid FROM regrouped WHERE rid < ?)"

_MERGES = Step(
    "merges",
    "Count the profiles that become one with others.",
    f"""WITH {_EDGE}, sized AS (
    SELECT count(*) AS size FROM edge GROUP BY pid HAVING count(*) > 1
)
SELECT count(*), coalesce(sum(size), 0)::BIGINT FROM sized""",
)


def _largest(fields: Fields) -> Step:
    return Step(
        "largest merges",
        "List the largest groups, and which identifier of the file names each profile.",
        f"""WITH {_EDGE}, largest AS (
    SELECT pid, count(*) AS size FROM edge GROUP BY pid HAVING count(*) > 1 ORDER BY size DESC, pid LIMIT {GROUPS_SHOWN}
), line AS (
    SELECT landed.rid, landed.pid FROM landed SEMI JOIN largest ON largest.pid = landed.pid
), named AS (
    SELECT line.pid, prime.old_pid, prime.attribute_id, line.rid, 0 AS priority
    FROM line
    JOIN stage ON stage.rid = line.rid
    JOIN prime ON prime.token = {primary_of(fields, "stage")}
    UNION ALL
    SELECT line.pid, met.old_pid, met.attribute_id, line.rid, mention.priority
    FROM line
    JOIN mention ON mention.rid = line.rid
    JOIN met ON met.token = mention.token
), first_named AS (
    SELECT pid, old_pid, first(attribute_id ORDER BY rid, priority) AS attribute_id, min(rid) AS rid
    FROM named
    WHERE old_pid IS NOT NULL
    GROUP BY pid, old_pid
)
SELECT edge.pid, largest.size, edge.old_pid, first_named.attribute_id, first_named.rid
FROM largest
JOIN edge ON edge.pid = largest.pid
LEFT JOIN first_named ON first_named.pid = edge.pid AND first_named.old_pid = edge.old_pid
QUALIFY row_number() OVER (PARTITION BY edge.pid ORDER BY edge.old_pid) <= {PROFILES_SHOWN}
ORDER BY largest.size DESC, edge.pid, edge.old_pid""",
    )


_CAME_APART = Step(
    "apart by shared values",
    "Count the profiles that come apart because a value that joined them is shared now.",
    f"""WITH {_EDGE}, split AS (
    SELECT old_pid, count(*) - 1 AS more FROM edge GROUP BY old_pid HAVING count(*) > 1
)
SELECT coalesce(sum(more), 0)::BIGINT FROM split WHERE old_pid IN (
    SELECT regrouped.old_pid
    FROM regrouped
    JOIN floating_mention ON floating_mention.rid = regrouped.rid
    SEMI JOIN newly_shared ON newly_shared.token = floating_mention.token
)""",
)

_MOST_LINES = Step(
    "most rows of one person",
    "Find the person with the most rows of the file.",
    "SELECT pid, lines FROM person ORDER BY lines DESC, pid LIMIT 1",
)

_GAINED = """SELECT pid FROM identity_new WHERE pid IS NOT NULL
    UNION
    SELECT pid FROM token_place WHERE pid IS NOT NULL"""


def _most_identifiers(gained: str) -> Step:
    return Step(
        "most identifiers of one person",
        "Find the person with the most identifiers, of those whom the file brings one.",
        f"""WITH gained AS (
    {gained}
)
SELECT identity.pid, count(*) AS identifiers
FROM identity
SEMI JOIN gained ON gained.pid = identity.pid
GROUP BY identity.pid
ORDER BY identifiers DESC, identity.pid
LIMIT 1""",
    )


def _case_only(attribute: Attribute, fields: Fields) -> Step:
    """New values of an identifier that is no PII, against the profiles' values: equal but for case."""
    name, token = quote(attribute.column), token_of(attribute, "stage")
    if attribute.identifier == "primary":
        known, is_new = (
            f"prime ON prime.token = {primary_of(fields, 'stage')}",
            f"old_pid IS NULL AND {token} = prime.token",
        )
    else:
        known, is_new = f"met ON met.token = {token}", "NOT is_known"
    return Step(
        f"{attribute.column}: case",
        "Count the new values of an identifier that differ from another one only in case.",
        f"""WITH fresh AS (
    SELECT DISTINCT stage.{name} AS text
    FROM stage
    JOIN {known}
    WHERE {is_new} AND lower(stage.{name}) <> upper(stage.{name})
)
SELECT count(DISTINCT fresh.text)
FROM profile
JOIN fresh ON lower(fresh.text) = lower(profile.{name})
WHERE profile.{name} <> fresh.text""",
    )
