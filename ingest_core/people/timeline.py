"""What happened to one person, upload by upload: what each one said and what became of it, and who was joined by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from ingest_core.engine import Session, quote
from ingest_core.ledger.fields import Fields, is_cleared, primary_of, token_of
from ingest_core.ledger.stated import Stated, follow, look_at, stated
from ingest_core.ledger.uploads import utc
from ingest_core.models import Attribute
from ingest_core.people.finding import strongest_first
from ingest_core.people.ids import profile_id
from ingest_core.people.joining import Joined, joins, rows_of
from ingest_core.people.lineage import Reading

Read = Callable[[list[Any]], Reading]
Said = dict[int, list[dict[str, Any]]]
"""Upload number → what it said, one entry per attribute."""

NOT_COUNTED = "not counted"
MOST_SILENT = 50
"""Uploads that count for nothing, the newest ones, which are looked into for rows of a person."""

_UPLOADS = """
SELECT upload.upload_no, request_id, source.name AS source, file, finished_at AS at, uploaded_by AS user, undone_at,
       undone_by, replaced_by IS NOT NULL AS is_replaced
FROM upload JOIN source USING (source_id)
WHERE upload_no IN (SELECT unnest(?::INTEGER[]))"""

_SILENT = """
SELECT upload_no FROM upload
WHERE status = 'Completed' AND NOT is_live AND purged_at IS NULL
ORDER BY upload_no DESC LIMIT ?"""


def timeline(session: Session, pid: int, fields: Fields, read: Read) -> list[dict[str, Any]]:
    """Every upload that has rows of a person, newest first; see ``People.timeline``."""
    rules = look_at(session, fields, "q.pid = ?", [pid])
    statements = {one: stated(session, one, rules).get(pid, []) for one in fields.attributes}
    lines = dict(_pairs(session, "SELECT rid >> 32, min(rid), count(*) FROM looked_at GROUP BY ALL"))
    silent, silent_lines = _silent(session, pid, fields)
    joined = joins(rows_of(session, strongest_first(fields.attributes), pid))
    tokens = [one.value for a, said in statements.items() if a.pii for one in said]
    tokens += [one.text for a, said in silent.items() if a.pii for one in said if not one.is_cleared]
    tokens += [value for one in joined for a, value in one.by if a.pii]
    show = read(tokens)
    said = _said(statements, show)
    for number, entries in _not_counted(silent, show).items():
        said[number] = entries
    members = {number for (number,) in session.rows("SELECT upload_no FROM membership WHERE pid = ?", [pid])}
    lines |= silent_lines
    return [
        {
            **upload,
            "line": lines[number][0] & 0xFFFFFFFF,
            "lines": lines[number][1],
            "is_first": lines[number][0] == pid,
            "is_new_member": number in members,
            "joined": [_told(one, show) for one in joined if one.upload_no == number],
            "said": said.get(number, []),
        }
        for number, upload in sorted(_uploads(session, list(lines)).items(), reverse=True)
    ]


def _pairs(session: Session, sql: str, parameters: Sequence[object] = ()) -> list[tuple[int, tuple[int, int]]]:
    """(upload number, (first record, how many))."""
    return [(number, (first, many)) for number, first, many in session.rows(sql, parameters)]


def _uploads(session: Session, numbers: list[int]) -> dict[int, dict[str, Any]]:
    found = {}
    for row in session.records(_UPLOADS, [numbers]):
        number = row.pop("upload_no")
        is_undone, is_replaced = row["undone_at"] is not None, row.pop("is_replaced")
        state = "undone" if is_undone else "replaced" if is_replaced else "counts"
        times = {name: utc(row[name]) for name in ("at", "undone_at")}
        found[number] = {**row, **times, "state": state}
    return found


def _said(statements: dict[Attribute, list[Stated]], show: Reading) -> Said:
    """What the uploads that count said, with the value that stood before each."""
    found: Said = defaultdict(list)
    for attribute, said in statements.items():
        followed = follow(said)
        standing = followed[-1][1] if followed else None
        before: Stated | None = None
        for one, (effect, after) in zip(said, followed, strict=True):
            found[one.upload_no].append(
                {
                    **_entry(attribute, one, show),
                    "before": show(attribute, before) if before else None,
                    "effect": effect,
                    "is_change": (before and before.value) != (after and after.value),
                    "is_current": one is standing,
                }
            )
            before = after
    return found


def _not_counted(silent: dict[Attribute, list[Stated]], show: Reading) -> Said:
    found: Said = defaultdict(list)
    for attribute, said in silent.items():
        for one in said:
            what = {"before": None, "effect": NOT_COUNTED, "is_change": False, "is_current": False}
            found[one.upload_no].append({**_entry(attribute, one, show), **what})
    return found


def _entry(attribute: Attribute, one: Stated, show: Reading) -> dict[str, Any]:
    return {"attribute": attribute.name, "value": show(attribute, one), "line": one.line, "lines": one.lines}


def _told(one: Joined, show: Reading) -> dict[str, Any]:
    def shown(attribute: Attribute, value: Any) -> str | None:
        return show(attribute, Stated(0, one.upload_no, value, value, False, False, one.line, 1))

    return {
        "line": one.line,
        "profiles": [profile_id(first) for first in one.groups],
        "by": [{"attribute": attribute.name, "value": shown(attribute, value)} for attribute, value in one.by],
    }


def _silent(
    session: Session, pid: int, fields: Fields
) -> tuple[dict[Attribute, list[Stated]], dict[int, tuple[int, int]]]:
    """What uploads said that were undone or replaced, in rows that would be this person's by their identifiers."""
    numbers = [number for (number,) in session.rows(_SILENT, [MOST_SILENT])]
    own = [str(token) for (token,) in session.rows("SELECT token FROM identity WHERE pid = ?", [pid])]
    if not numbers or not own:
        return {}, {}
    columns = "".join(f", {quote(one.column)}" for one in fields.attributes)
    ranges = " OR ".join("(rid >= ? AND rid < ?)" for _ in numbers)
    session.run(
        f"CREATE OR REPLACE TEMP TABLE silent_row AS SELECT rid{columns} FROM record "
        f"WHERE ({ranges}) AND ({_is_own(fields)})",
        [bound for number in numbers for bound in (number << 32, number + 1 << 32)] + _bound(fields, own),
    )
    lines = dict(_pairs(session, "SELECT rid >> 32, min(rid), count(*) FROM silent_row GROUP BY ALL"))
    return ({one: _last_stated(session, one) for one in fields.attributes} if lines else {}), lines


def _is_own(fields: Fields) -> str:
    """SQL: a row belongs to whom its primary names, and to whom any identifier names when it has none."""
    tokens = [token_of(one) for one in fields.secondaries]
    others = " OR ".join(f"coalesce(list_contains(?::UUID[], {token}), false)" for token in tokens) or "false"
    primary = primary_of(fields)
    return f"CASE WHEN {primary} IS NULL THEN {others} ELSE list_contains(?::UUID[], {primary}) END"


def _bound(fields: Fields, own: list[str]) -> list[object]:
    return [own] * (len(fields.secondaries) + 1)


def _last_stated(session: Session, attribute: Attribute) -> list[Stated]:
    """The last text of each of these uploads, whatever their rules would have made of it."""
    column = quote(attribute.column)
    rows = session.rows(
        f"SELECT upload_no, text, coalesce({is_cleared(attribute, 'text')}, false), rid & 4294967295 FROM ("
        f"SELECT rid >> 32 AS upload_no, arg_max({column}, rid) AS text, max(rid) AS rid "
        f"FROM silent_row WHERE {column} IS NOT NULL GROUP BY rid >> 32)"
    )
    return [Stated(0, number, text, text, is_empty, False, line, 1) for number, text, is_empty, line in rows]
