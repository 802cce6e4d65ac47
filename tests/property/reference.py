"""The judge: what a workspace must hold after its uploads, worked out the slow and obvious way.

Written from docs and rules alone, with dicts and loops; it shares no code with the product and imports nothing of it.
Everything is recomputed from the raw text of all uploads each time, so there is nothing incremental to get wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

Key = tuple[int, int]  # (upload, line): names a record, and its smallest one a person
Identifier = tuple[str, str]  # (attribute, canonical value)
Value = str | int | Decimal

BLOCKED = (r"[0-]*", r"-1", r"null", r"none", r"n/a", r"anonymous", r"(test|none|null|n/a|anonymous)@.*")
SHORTEST_SECONDARY = 4


class Cleared:
    """A cell that says: forget the value. Not the same as saying nothing."""

    def __repr__(self) -> str:
        return "CLEARED"


CLEARED = Cleared()


@dataclass(frozen=True)
class Field:
    """An attribute. ``priority``: of identifiers, smaller is stronger."""

    name: str
    type: str  # string | email | phone | number | integer
    rank: str | None = None  # primary | secondary
    priority: int = 0


@dataclass(frozen=True)
class Column:
    """One column of a file and its rules."""

    field: Field
    blank: str = "keep"
    conflict: str = "newest"
    combine: str = "last"
    bad_cell: str = "reject"


@dataclass(frozen=True)
class Upload:
    """One file: ``lines`` are those below the header, the first of them is line 2 of the file."""

    number: int
    source: str
    columns: tuple[Column, ...]
    lines: tuple[str, ...]
    replace: str | None = None  # members | values


@dataclass(frozen=True)
class Record:
    """An accepted line. ``cells`` lacks what is absent; ``identifiers`` are the usable ones."""

    key: Key
    source: str
    cells: dict[str, Value | Cleared]
    identifiers: dict[str, str]


@dataclass(frozen=True)
class Reject:
    line: int
    codes: tuple[str, ...]
    text: str


@dataclass
class Reading:
    """What became of every line of a file."""

    records: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    blank: int = 0


@dataclass(frozen=True)
class Person:
    records: frozenset[Key]
    identifiers: frozenset[Identifier]
    values: dict[str, Value]
    sources: frozenset[str]


State = dict[Key, Person]


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────


def read(upload: Upload) -> Reading:
    """Every line is blank, a record or a reject."""
    reading = Reading()
    for number, text in enumerate(upload.lines, 2):
        if "\t" not in text and not text.strip():
            reading.blank += 1
            continue
        cells = text.split("\t")
        if len(cells) != len(upload.columns):
            code = "missing_cell" if len(cells) < len(upload.columns) else "extra_cell"
            reading.rejects.append(Reject(number, (code,), text))
            continue
        outcome = read_row(upload, number, cells)
        if isinstance(outcome, Record):
            reading.records.append(outcome)
        else:
            reading.rejects.append(Reject(number, outcome, text))
    return reading


def read_row(upload: Upload, number: int, cells: Sequence[str]) -> Record | tuple[str, ...]:
    """A record, or the codes that say why not."""
    values: dict[str, Value | Cleared] = {}
    identifiers: dict[str, str] = {}
    bad: list[str] = []
    has_bad_identifier = has_blocked = False
    for column, cell in zip(upload.columns, cells, strict=True):
        name, rank = column.field.name, column.field.rank
        text = cell.strip()
        if (column.blank == "clear" and text == "") or (column.blank not in ("keep", "clear") and text == column.blank):
            values[name] = CLEARED
            continue
        if text == "":
            continue
        if rank is not None and is_blocked(text, rank):
            has_blocked = True
            continue
        if column.combine == "count":
            values[name] = 1
            continue
        value, code = convert(text, column.field.type)
        if code is not None:
            if column.bad_cell == "reject":
                bad.append(code)
                has_bad_identifier |= rank is not None
            continue
        if rank is not None:
            assert isinstance(value, str)
            if is_blocked(value, rank) or (rank == "secondary" and len(value) < SHORTEST_SECONDARY):
                has_blocked = True
                continue
            identifiers[name] = value
        assert value is not None
        values[name] = value
    if not identifiers and not has_bad_identifier:
        bad.append("blocked_identifier" if has_blocked else "no_identifier")
    if bad:
        return tuple(sorted(set(bad)))
    return Record((upload.number, number), upload.source, values, identifiers)


def is_blocked(text: str, rank: str) -> bool:
    """Placeholders; digits that are all equal only where no real id looks like that."""
    if any(re.fullmatch(pattern, text, re.IGNORECASE) for pattern in BLOCKED):
        return True
    if rank == "secondary":
        digits = text.removeprefix("+")
        return digits.isdigit() and len(set(digits)) == 1
    return text.isdigit() and len(text) >= 10 and len(set(text)) == 1


def convert(text: str, kind: str) -> tuple[Value | None, str | None]:
    """(canonical value, None) or (None, code), for the plain forms that the tests write."""
    if kind == "email":
        return (text.lower(), None) if re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-zA-Z]+", text) else (None, "not_an_email")
    if kind == "phone":
        digits = re.sub(r"[ ().-]", "", text)
        return (digits, None) if re.fullmatch(r"\+[1-9]\d{6,14}", digits) else (None, "not_a_phone")
    if kind in ("number", "integer"):
        try:
            number = Decimal(text)
        except InvalidOperation:
            return None, "not_a_number" if kind == "number" else "not_an_integer"
        if kind == "number":
            return number, None
        return (int(number), None) if number == int(number) else (None, "not_an_integer")
    return text, None


# ── who is who ──────────────────────────────────────────────────────────────────────────────────────────


class Identities:
    """The rules of identity over all live records at once."""

    def __init__(self, records: Sequence[Record], fields: Sequence[Field], limit: int) -> None:
        self.rank = {f.name: f.rank for f in fields}
        self.priority = {f.name: f.priority for f in fields}
        self.records = records
        self.shared: set[Identifier] = set()
        self.owner: dict[Identifier, Identifier] = {}
        self._meet(limit)
        self.person_of: dict[Key, Key] = {}  # record → person
        self._by_primary: dict[Identifier, Key] = {}
        self._place()

    def primary(self, record: Record) -> Identifier | None:
        """The primary a record states."""
        for name, value in record.identifiers.items():
            if self.rank[name] == "primary":
                return (name, value)
        return None

    def secondaries(self, record: Record) -> list[Identifier]:
        """Usable ones, the strongest first."""
        found = [(n, v) for n, v in record.identifiers.items() if self.rank[n] == "secondary"]
        return sorted((i for i in found if i not in self.shared), key=lambda i: self.priority[i[0]])

    def met_in(self, upload: int) -> dict[Identifier, set[Identifier]]:
        """Secondary → primaries it stands beside in the lines of one upload."""
        met: dict[Identifier, set[Identifier]] = {}
        for record in self.records:
            primary = self.primary(record)
            if record.key[0] == upload and primary is not None:
                for name, value in record.identifiers.items():
                    if self.rank[name] == "secondary":
                        met.setdefault((name, value), set()).add(primary)
        return met

    def home(self, record: Record) -> Identifier | None:
        """The primary that a record without one goes to through what it owns, if any."""
        for identifier in self.secondaries(record):
            if identifier in self.owner:
                return self.owner[identifier]
        return None

    def _meet(self, limit: int) -> None:
        uploads = sorted({record.key[0] for record in self.records})
        ever: dict[Identifier, set[Identifier]] = {}
        for upload in uploads:
            for secondary, primaries in self.met_in(upload).items():
                ever.setdefault(secondary, set()).update(primaries)
                if len(primaries) == 1:  # otherwise contested in this upload: nothing changes
                    self.owner[secondary] = next(iter(primaries))
        self.shared = {secondary for secondary, primaries in ever.items() if len(primaries) > limit}
        self.owner = {s: p for s, p in self.owner.items() if s not in self.shared}

    def _place(self) -> None:
        groups: dict[Identifier, list[Record]] = {}
        homeless: list[Record] = []
        for record in self.records:
            to = self.primary(record) or self.home(record)
            if to is None:
                homeless.append(record)
            else:
                groups.setdefault(to, []).append(record)
        people: list[list[Record]] = []
        for component in self._components(homeless):
            homes = self.neighbours({i for record in component for i in self.secondaries(record)})
            if len(homes) == 1:
                groups[next(iter(homes))] += component
            else:
                people.append(component)
        for primary, members in groups.items():
            self._by_primary[primary] = min(record.key for record in members)
        for members in [*groups.values(), *people]:
            for record in members:
                self.person_of[record.key] = min(r.key for r in members)

    def neighbours(self, identifiers: set[Identifier]) -> set[Identifier]:
        """Homes of the records that state one of these beside something that is owned."""
        return {
            home
            for record in self.records
            if self.primary(record) is None and (home := self.home(record)) is not None
            if identifiers & set(self.secondaries(record))
        }

    def _components(self, records: Sequence[Record]) -> list[list[Record]]:
        """Records linked by their usable identifiers; one without any stands alone."""
        components: list[tuple[set[Identifier], list[Record]]] = []
        for record in records:
            names, members = set(self.secondaries(record)), [record]
            apart = []
            for other_names, other_members in components:
                if names & other_names:
                    names, members = names | other_names, other_members + members
                else:
                    apart.append((other_names, other_members))
            components = [*apart, (names, members)]
        return [members for _, members in components]

    def named(self) -> set[Identifier]:
        """All identifiers that any record states."""
        return {pair for record in self.records for pair in record.identifiers.items()}

    def resolve(self, identifier: Identifier) -> Key | None:
        """The person that a line stating only this would go to; None when that would be somebody new."""
        if identifier in self.shared:
            return None
        if self.rank[identifier[0]] == "primary":
            return self._by_primary[identifier]
        if identifier in self.owner:
            return self._by_primary[self.owner[identifier]]
        for record in self.records:
            floats = self.primary(record) is None and self.home(record) is None
            if floats and identifier in self.secondaries(record):
                return self.person_of[record.key]
        homes = self.neighbours({identifier})
        return self._by_primary[next(iter(homes))] if len(homes) == 1 else None


# ── what is known about them ────────────────────────────────────────────────────────────────────────────


def fits(value: int | Decimal) -> bool:
    """Integers hold 64 bits, numbers 28 digits before the decimal sign."""
    return abs(value) < 10**28 if isinstance(value, Decimal) else -(2**63) <= value < 2**63


def combine(cells: Sequence[Value | Cleared], rule: str) -> Value | Cleared | None:
    """Several lines of one person in one file, absent cells left out → what the file says; None: nothing."""
    values = [cell for cell in cells if not isinstance(cell, Cleared)]
    if rule == "first":
        return cells[0]
    if rule == "last" or not values:
        return cells[-1]
    if rule in ("sum", "count"):
        total = sum(values)  # type: ignore[arg-type]
        return total if fits(total) else None
    return min(values) if rule == "min" else max(values)  # type: ignore[type-var]


def values_of(records: Sequence[Record], uploads: Sequence[Upload]) -> dict[str, Value]:
    """Folds one person's records, upload by upload."""
    held: dict[str, Value] = {}
    for upload in uploads:
        own = [record for record in records if record.key[0] == upload.number]
        for column in upload.columns:
            name = column.field.name
            cells = [record.cells[name] for record in own if name in record.cells]
            if not cells:
                continue
            said = combine(cells, column.combine)
            if isinstance(said, Cleared):
                held.pop(name, None)
            elif said is None:
                continue
            elif name not in held or column.conflict == "newest":
                held[name] = said
    return held


@dataclass
class Fold:
    """Everything that follows from the live uploads."""

    identities: Identities
    state: State


def as_type(value: Value | Cleared, kind: str) -> Value | Cleared | None:
    """A value after a change of its attribute's type; None where its text does not fit."""
    if isinstance(value, Cleared):
        return value
    if kind == "string":
        return str(value)
    converted, _ = convert(str(value), kind)
    return converted


def fold(
    uploads: Sequence[Upload], fields: Sequence[Field], limit: int, types: Mapping[str, str] | None = None
) -> Fold:
    """The whole state from nothing. ``uploads``: the live ones, in order; ``types``: those changed since."""
    records = sorted((record for upload in uploads for record in read(upload).records), key=lambda r: r.key)
    for record in records:
        for name, kind in (types or {}).items():
            if name in record.cells:
                value = as_type(record.cells.pop(name), kind)
                if value is not None:
                    record.cells[name] = value
    identities = Identities(records, fields, limit)
    people: dict[Key, list[Record]] = {}
    for record in records:
        people.setdefault(identities.person_of[record.key], []).append(record)
    names: dict[Key, set[Identifier]] = {}
    for identifier in identities.named():
        person = identities.resolve(identifier)
        if person is not None:
            names.setdefault(person, set()).add(identifier)
    counting = _counting_for_membership(uploads)
    state = {
        person: Person(
            records=frozenset(record.key for record in members),
            identifiers=frozenset(names.get(person, ())),
            values=values_of(members, uploads),
            sources=frozenset(record.source for record in members if record.key[0] in counting),
        )
        for person, members in people.items()
    }
    return Fold(identities, state)


def _counting_for_membership(uploads: Sequence[Upload]) -> set[int]:
    """Uploads of each source from its last replacing one on."""
    first: dict[str, int] = {}
    for upload in uploads:
        if upload.replace is not None:
            first[upload.source] = upload.number
    return {upload.number for upload in uploads if upload.number >= first.get(upload.source, 0)}


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────


class Reference:
    """A workspace in miniature: give it uploads, ask for its state and receipts."""

    def __init__(self, fields: Sequence[Field], limit: int) -> None:
        self.fields = tuple(fields)
        self.limit = limit
        self.loaded: list[Upload] = []
        self.undone: set[int] = set()
        self.joins: dict[str, object] = {}  # what the last upload joined, and what it did not
        self.types: dict[str, str] = {}  # changed since the attribute was made

    @property
    def live(self) -> list[Upload]:
        """Uploads that count: not undone, nor replaced with their values by a later one that counts."""
        kept: list[Upload] = []
        for upload in (upload for upload in self.loaded if upload.number not in self.undone):
            if upload.replace == "values":
                kept = [other for other in kept if other.source != upload.source]
            kept.append(upload)
        return kept

    @property
    def state(self) -> State:
        return self.fold(self.live).state

    def fold(self, uploads: Sequence[Upload]) -> Fold:
        return fold(uploads, self.fields, self.limit, self.types)

    def load(self, upload: Upload) -> dict[str, object]:
        """Adds an upload; returns the counts of its receipt."""
        reading = read(upload)
        before = self.fold(self.live)
        base: dict[str, object] = {
            "lines": len(upload.lines),
            "blank": reading.blank,
            "rejected": len(reading.rejects),
            "suppressed": 0,
            "withheld": 0,
        }
        if not reading.records:
            return base | {"status": "Failed", "stored": 0, "duplicates": 0}
        self.loaded.append(upload)
        remaining = self.fold([other for other in self.live if other != upload])
        after = self.fold(self.live)
        touched = {after.identities.person_of[record.key] for record in reading.records}
        counts = {
            "status": "Completed",
            "stored": len(touched),
            "duplicates": len(reading.records) - len(touched),
            "profiles_before": len(before.state),
            "profiles_after": len(after.state),
            "members": sum(upload.source in person.sources for person in after.state.values()),
        }
        self.joins = {} if upload.replace == "values" else joins(remaining, after, upload)
        if upload.replace == "values":
            counts |= _recognised(before, after, touched)
        else:
            counts |= _changes(remaining, after, upload, touched)
        if upload.replace == "members":
            counts["memberships_ended"] = _ended(after, self.live)
        return base | counts

    def undo(self, number: int) -> None:
        """As if it had never been loaded."""
        self.undone.add(number)

    def redo(self, number: int) -> None:
        """As if it had never been undone."""
        self.undone.discard(number)


def _changes(before: Fold, after: Fold, upload: Upload, touched: Iterable[Key]) -> dict[str, int]:
    """What moved between two states that differ by one upload."""
    came_from = {
        pid: {before.identities.person_of[key] for key in person.records if key[0] != upload.number}
        for pid, person in after.state.items()
    }
    went_to: dict[Key, set[Key]] = {}
    for pid, earlier in came_from.items():
        for old in earlier:
            went_to.setdefault(old, set()).add(pid)
    unchanged = 0
    for pid in touched:
        if len(came_from[pid]) == 1:
            old, new = before.state[next(iter(came_from[pid]))], after.state[pid]
            unchanged += (old.values, old.sources, old.identifiers) == (new.values, new.sources, new.identifiers)
    created = sum(not came_from[pid] for pid in touched)
    stored = len(set(touched))
    return {
        "created": created,
        "unchanged": unchanged,
        "updated": stored - created - unchanged,
        "merged": sum(max(len(earlier) - 1, 0) for earlier in came_from.values()),
        "came_apart": sum(len(later) - 1 for later in went_to.values()),
        "conflicts": len(_conflicts(after.identities, upload)),
        "shared": len(after.identities.shared - before.identities.shared),
    }


def joins(before: Fold, after: Fold, upload: Upload) -> dict[str, object]:
    """Who becomes one with whom, largest first, and per identifier the values that joined nobody or changed hands."""
    earlier = {
        pid: {before.identities.person_of[key] for key in person.records if key[0] != upload.number}
        for pid, person in after.state.items()
    }
    mine = [record for record in after.identities.records if record.key[0] == upload.number]
    stated = {
        pair for record in mine for pair in record.identifiers.items() if after.identities.rank[pair[0]] != "primary"
    }
    contested = {s for s, primaries in after.identities.met_in(upload.number).items() if len(primaries) > 1}
    shared, was = after.identities.shared, before.identities
    lines: dict[Key, int] = {}
    for record in mine:
        person = after.identities.person_of[record.key]
        lines[person] = lines.get(person, 0) + 1

    def per_name(values: Iterable[Identifier]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, _ in values:
            found[name] = found.get(name, 0) + 1
        return found

    return {
        "sizes": sorted((len(old) for old in earlier.values() if len(old) > 1), reverse=True),
        "conflicts": per_name(_conflicts(after.identities, upload)),
        "contested": per_name(contested),
        "shared": per_name(stated & shared),
        "newly_shared": per_name(shared - was.shared),
        "shared_rows": sum(any(pair in shared for pair in record.identifiers.items()) for record in mine),
        "most_lines": max(lines.values()),
    }


def _recognised(before: Fold, after: Fold, touched: Iterable[Key]) -> dict[str, int]:
    """Across a replacement of values people are known by any of their identifiers, as their records are gone."""
    created = unchanged = 0
    for pid in touched:
        new = after.state[pid]
        known = {i for i in new.identifiers if i in before.identities.named()}
        earlier = {old for i in known if (old := before.identities.resolve(i)) is not None}
        created += not earlier
        if len(earlier) == 1:
            old_person = before.state[next(iter(earlier))]
            unchanged += (old_person.values, old_person.sources, old_person.identifiers) == (
                new.values,
                new.sources,
                new.identifiers,
            )
    stored = len(set(touched))
    return {"created": created, "unchanged": unchanged, "updated": stored - created - unchanged}


def _ended(after: Fold, uploads: Sequence[Upload]) -> int:
    """People who would still be members, had the last upload not replaced the earlier ones."""
    source = uploads[-1].source
    would = _counting_for_membership(uploads[:-1])
    own = {upload.number for upload in uploads if upload.source == source} & would
    return sum(
        source not in person.sources and any(key[0] in own for key in person.records) for person in after.state.values()
    )


def _conflicts(identities: Identities, upload: Upload) -> set[Identifier]:
    """Secondaries contested in this upload, or stated by one of its records that belongs to somebody else."""
    found = {secondary for secondary, primaries in identities.met_in(upload.number).items() if len(primaries) > 1}
    for record in identities.records:
        if record.key[0] == upload.number and identities.primary(record) is None:
            home = identities.home(record)
            found |= {i for i in identities.secondaries(record) if identities.owner.get(i, home) != home}
    return found
