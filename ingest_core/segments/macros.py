"""Messages with macros, such as ``Hi {{FIRST_NAME}}``: how they read for one person, and who would miss a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ingest_core.catalog.attributes import attributes_now
from ingest_core.engine import Engine, Session, quote
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Attribute
from ingest_core.people.people import People
from ingest_core.segments import masked
from ingest_core.segments.compiling import Condition
from ingest_core.segments.known import Known, similar
from ingest_core.segments.segments import condition_of
from ingest_core.vault import Keyset

Rows = list[dict[str, Any]]
"""Inside the class, ``list`` is its method."""

LONGEST = 100_000
"""Characters of a message."""

_MACRO = re.compile(r"\{\{([^{}]{0,200})\}\}")


class Macros:
    """Previews of messages. Personal data is masked unless ``reveal`` is asked for, which is on the audit log."""

    def __init__(self, engine: Engine, keyset: Keyset, people: People, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._people = people
        self._user = user

    def list(self) -> list[dict[str, str]]:
        """{macro, attribute, display_name} of every macro, by name."""
        with self._engine.session() as session:
            known = _macros(attributes_now(session))
        named = {macro: {"attribute": one.name, "display_name": one.display_name} for macro, one in known.items()}
        return [{"macro": macro, **named[macro]} for macro in sorted(named)]

    def preview(
        self,
        text: str,
        *,
        segment: str | None = None,
        by: tuple[str, str] | None = None,
        nth: int = 1,
        reveal: bool = False,
    ) -> dict[str, Any]:
        """{text, parts, profile_id, segment, members, macros, unknown}

        ``text``: the message for one person: the one named ``by`` (attribute, value), else the ``nth`` of the segment,
        else the ``nth`` of all; behind the last comes the first again; None when there is nobody. ``parts``: the same
        as [{text, macro}]; macro is None of what stands between macros. ``macros``: [{macro, attribute, display_name,
        missing}], ``missing`` of the ``members`` of the segment (without one: of everybody) having no value.
        ``unknown``: [{macro, suggestions}]; they stay in the text as they are written. InputError
        ``message_too_long``, ``no_such_segment`` and all of ``People.show``.
        """
        _check_length(text)
        chosen = self._people.show(*by)["profile_id"] if by else None
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            condition = condition_of(known, segment) if segment else Condition("true")
            macros = _macros(list(known.attributes.values()))
            written = _written(text)
            used = {name: macros[name] for name in written if name in macros}
            missing = _missing(session, condition, list(used.values()))
            place = (nth - 1) % max(missing[0], 1)
            pids = [_pid(chosen)] if chosen else masked.pids(session, condition, 1, place)
            person = masked.profiles(session, self._keyset, list(used.values()), pids, is_plain=reveal)
        if reveal and person:
            self._audit(person[0]["profile_id"], sorted(used))
        parts = _parts(text, used, person[0]["attributes"]) if person else None
        return {
            "text": "".join(part["text"] for part in parts) if parts is not None else None,
            "parts": parts,
            "profile_id": person[0]["profile_id"] if person else None,
            "segment": segment,
            "members": missing.pop(0),
            "macros": [
                {"macro": name, "attribute": one.name, "display_name": one.display_name, "missing": count}
                for (name, one), count in zip(used.items(), missing, strict=True)
            ],
            "unknown": [{"macro": name, "suggestions": similar(name, macros)} for name in written if name not in used],
        }

    def missing(self, text: str) -> Rows:
        """Whom a message would fail, of everybody and of each segment: {segment, members, without, macros}.

        ``segment`` is None of everybody; ``macros``: {macro: members without a value}; ``without``: members who lack at
        least one of them. A segment whose rule cannot be used is left out. InputError ``message_too_long``.
        """
        _check_length(text)
        with self._engine.session() as session, session.transaction():
            known = Known.of(session)
            macros = _macros(list(known.attributes.values()))
            used = {name: macros[name] for name in _written(text) if name in macros}
            told = []
            for segment in [None, *(kept.name for kept in known.visible)]:
                try:
                    condition = condition_of(known, segment) if segment else Condition("true")
                except StateError:
                    continue
                members, *missing, without = _missing(session, condition, list(used.values()), in_all=True)
                told.append(
                    {
                        "segment": segment,
                        "members": members,
                        "without": without,
                        "macros": dict(zip(used, missing, strict=True)),
                    }
                )
        return told

    def _audit(self, profile_id: str, macros: Sequence[str]) -> None:
        with self._engine.write, self._engine.session() as session, session.transaction():
            write_audit(session, self._user, "reveal", profile_id, {"by": "message", "macros": list(macros)})


def _macros(attributes: Sequence[Attribute]) -> dict[str, Attribute]:
    return {attribute.macro: attribute for attribute in attributes if attribute.macro}


def _pid(profile_id: str) -> int:
    upload, _, line = profile_id.partition("-")
    return (int(upload) << 32) + int(line)


def _parts(text: str, used: dict[str, Attribute], values: dict[str, str]) -> list[dict[str, Any]]:
    """The message cut at its macros; a value is never looked into for macros."""
    parts: list[dict[str, Any]] = []
    end = 0
    for found in _MACRO.finditer(text):
        name = found[1].strip()
        if name not in used:
            continue
        parts += [{"text": text[end : found.start()], "macro": None}] if found.start() > end else []
        parts.append({"text": values.get(used[name].name, ""), "macro": name})
        end = found.end()
    return parts + ([{"text": text[end:], "macro": None}] if end < len(text) else [])


def _written(text: str) -> list[str]:
    """The names between double braces, each once, in their order."""
    return list(dict.fromkeys(name.strip() for name in _MACRO.findall(text)))


def _check_length(text: str) -> None:
    if len(text) > LONGEST:
        raise InputError(
            "The message is too long to preview.",
            code="message_too_long",
            hint=f"At most {LONGEST:,} characters are possible.",
        )


def _missing(
    session: Session, condition: Condition, attributes: Sequence[Attribute], *, in_all: bool = False
) -> list[int]:
    """How many profiles the condition is true for, and how many of them have no value of each attribute.

    ``in_all``: and at the end, how many have no value of at least one.
    """
    columns = [f"p.{quote(attribute.column)}" for attribute in attributes]
    counts = ["count(*)", *(f"count(*) - count({column})" for column in columns)]
    if in_all:
        lacking = " OR ".join(f"{column} IS NULL" for column in columns) or "false"
        counts.append(f"count(*) FILTER ({lacking})")
    sql = f"SELECT {', '.join(counts)} FROM profile AS p WHERE {condition.sql}"
    return [int(number) for number in session.rows(sql, condition.parameters)[0]]
