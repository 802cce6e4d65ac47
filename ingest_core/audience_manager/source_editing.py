"""What is said of a data source is changed after it was made: all but what gives its stored ids their meaning.

The log keeps with each batch what was set for its data sources then, so that files have the same effects when they are
folded again, whatever is changed here. How long people are kept is asked when one looks: another number of days counts
at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest_core.audience_manager.batches import read_logged
from ingest_core.audience_manager.name_types import IdSyncName
from ingest_core.audience_manager.registered import Registered
from ingest_core.catalog import Sources
from ingest_core.catalog.attributes import attributes_now
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.models import Model, Source, SourceSettings

FROZEN = ("kind", "dpid", "id_type", "inbound_id_type")
"""Fields that files which were processed have taken their meaning from."""

_WORDS = {"kind": "kind", "dpid": "DPID", "id_type": "id type", "inbound_id_type": "inbound id type"}

DATA_FILES = "SELECT count(*) FROM am_file_report WHERE dpid = ? OR target = ?"
ID_SYNCS = "SELECT name FROM am_file WHERE kind = 'id_sync' AND code IS NULL"
NAMED_BY = """
SELECT (SELECT count(*) FROM am_trait WHERE dpid = ?) + (SELECT count(*) FROM am_trait_removed WHERE dpid = ?)
     + (SELECT count(*) FROM am_control WHERE dpid = ?)
"""
DEFINITIONS = "SELECT content FROM am_order UNION ALL SELECT content FROM am_build"
UPLOADS = "SELECT count(*) FROM upload WHERE source_id = ?"
DAYS = """
SELECT count(*) FILTER (WHERE is_there AND NOT will_be), count(*) FILTER (WHERE will_be AND NOT is_there)
FROM (SELECT seen_at + to_days(?) > ?::TIMESTAMP AS is_there, seen_at + to_days(?) > ?::TIMESTAMP AS will_be
      FROM am_profile WHERE dpid = ?)
"""


class Effect(Model):
    """Of another number of days: profiles that are over with it, and ones that were over and are there again."""

    ended: int = 0
    back: int = 0


class Changed(Model):
    """The data source as it is now, and what the change meant for its profiles."""

    source: Source
    effect: Effect = Effect()


class SourceEditing:
    """Changes data sources by the rules of what their files left behind."""

    def __init__(self, engine: Engine, sources: Sources) -> None:
        self._engine = engine
        self._sources = sources

    def change(
        self,
        source_id: int,
        *,
        name: str | None = None,
        description: str | None = None,
        settings: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Changed:
        """``settings``: names of ``SourceSettings`` → values, ``fields``: of ``catalog.sources.FIELDS``.

        StateError ``source_in_use`` (files were processed by what would change); InputError ``bad_days``,
        ``personal_id``, ``unknown_attribute``; and what ``Sources.update`` raises.
        """
        effects: list[Effect] = []

        def guard(session: Session, before: Source, after: Source) -> None:
            _check_frozen(session, before, after)
            _check_dpid(session, before, after)
            if after.settings.load_signals and not before.settings.load_signals:
                _check_load_signals(after)
            if after.id_attribute != before.id_attribute:
                check_id_attribute(session, after.id_attribute)
            effects.append(_effect(session, before, after, now()))

        current = self._sources.get(source_id)
        merged = None if settings is None else merged_settings(current.settings, settings)
        source = self._sources.update(
            source_id, name=name, description=description, settings=merged, fields=fields, guard=guard
        )
        return Changed(source=source, effect=effects[0])

    def files(self, source: Source) -> int:
        """How many files were processed by what this source says of its ids; 0: everything can be changed."""
        with self._engine.session() as session:
            return files_of(session, source)

    def effect_of_days(self, source: Source, days: int) -> Effect:
        """What keeping profiles for so many days would mean now."""
        settings = source.settings.model_copy(update={"profile_days": days})
        with self._engine.session() as session:
            return _effect(session, source, source.model_copy(update={"settings": settings}), now())


def merged_settings(current: SourceSettings, given: Mapping[str, Any]) -> SourceSettings:
    """The settings with what is given. InputError ``bad_days``."""
    days = given.get("profile_days", current.profile_days)
    if not 30 <= days <= 1800:
        raise InputError(
            "Profiles are kept 30 to 1,800 days. Nothing was changed.", code="bad_days", hint="The usual number is 720."
        )
    return SourceSettings(**(current.model_dump() | dict(given)))


def check_id_attribute(session: Session, name: str | None) -> None:
    """InputError ``unknown_attribute``, ``personal_id``: personal data is no id of files."""
    if name is None:
        return
    found = [attribute for attribute in attributes_now(session) if attribute.name.lower() == name.lower()]
    if not found:
        raise InputError(
            "There is no such attribute. Nothing was changed.", code="unknown_attribute", hint="See: attribute list"
        )
    if found[0].pii:
        raise InputError(
            f"{found[0].name} is personal data, which is no id of Audience Manager files. Nothing was changed.",
            code="personal_id",
            hint="Name an attribute such as crmid.",
        )


def _check_load_signals(source: Source) -> None:
    if source.kind != "data_source" or source.dpid is None:
        raise InputError(
            "Only files of a data source with a DPID hold signals. Nothing was changed.",
            code="not_a_data_source",
            hint="Such as: source add Shop --kind data_source --dpid 478",
        )


def files_of(session: Session, source: Source) -> int:
    """Uploads of the source, data files of its ids or for its traits, and ID syncs with a column of it."""
    count = int(session.value(UPLOADS, [source.source_id]))
    if source.dpid is None:
        return count
    count += int(session.value(DATA_FILES, [source.dpid, source.dpid]))
    names = (read_logged(name) for (name,) in session.rows(ID_SYNCS))
    return count + sum(isinstance(name, IdSyncName) and source.dpid in name.columns for name in names)


def _check_frozen(session: Session, before: Source, after: Source) -> None:
    changed = [field for field in FROZEN if getattr(before, field) != getattr(after, field)]
    if not changed:
        return
    files = files_of(session, before)
    if files:
        words = " and ".join(_WORDS[field] for field in changed)
        is_are = "says" if len(changed) == 1 else "say"
        raise StateError(
            f"{files:,} {'file' if files == 1 else 'files'} of this source were stored, and its {words} {is_are} what "
            "their ids mean. Nothing was changed.",
            code="source_in_use",
            hint="Make another source for files of the other kind, and archive this one.",
            facts={"fields": changed, "files": files},
        )


def _check_dpid(session: Session, before: Source, after: Source) -> None:
    if after.dpid == before.dpid:
        return
    if before.dpid is not None and _is_named(session, before.dpid):
        raise StateError(
            "Traits, export controls, orders or builds name this DPID. Nothing was changed.",
            code="source_in_use",
            hint="Remove them first, or make another source with the other DPID.",
            facts={"fields": ["dpid"]},
        )


def _is_named(session: Session, dpid: int) -> bool:
    """Whether something else than a file names it."""
    if session.value(NAMED_BY, [dpid] * 3):
        return True
    contents = (json.loads(content) for (content,) in session.rows(DEFINITIONS))
    return any(dpid in (one.get("master"), one.get("dpid"), one.get("target")) for one in contents)


def _effect(session: Session, before: Source, after: Source, moment: datetime) -> Effect:
    old, new = before.settings.profile_days, after.settings.profile_days
    if old == new or before.dpid is None or Registered.of([before]).kind(before.dpid) != "cross_device":
        return Effect()
    row = session.row(DAYS, [old, moment, new, moment, before.dpid]) or (0, 0)
    return Effect(ended=int(row[0]), back=int(row[1]))
