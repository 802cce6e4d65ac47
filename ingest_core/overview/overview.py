"""Read-only screen queries. The statements stand in ``db/queries/*.sql``; this module only binds and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal

from ingest_core.clock import now
from ingest_core.engine import Engine, quote
from ingest_core.models import Attribute

ATTENTION_SHARE = 0.05  # a source whose last file lost more than this share of its rows needs attention
UNUSUAL_FACTOR = 2.0  # a file with more than twice, or less than half of the usual rows is unusual

Health = Literal["Running", "Healthy", "Needs attention", "No uploads yet"]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the whole workspace. ``profiles`` at its end."""

    day: date
    loaded: int
    rejected: int
    profiles: int


@dataclass(frozen=True, slots=True)
class Week:
    """The last seven days against the seven before. Shares 0-1; changes are None where there is nothing to compare."""

    profiles: int
    profiles_gained: int
    loaded: int
    loaded_change: float | None
    rejected: int
    reject_share: float | None
    reject_change: float | None

    @classmethod
    def of(cls, days: Sequence[Day]) -> Week:
        """From fourteen days, oldest first."""
        before, last = days[:7], days[7:]
        loaded, loaded_before = sum(day.loaded for day in last), sum(day.loaded for day in before)
        rejected = sum(day.rejected for day in last)
        share, share_before = _share(last), _share(before)
        return cls(
            profiles=days[-1].profiles,
            profiles_gained=days[-1].profiles - before[-1].profiles,
            loaded=loaded,
            loaded_change=loaded / loaded_before - 1 if loaded_before else None,
            rejected=rejected,
            reject_share=share,
            reject_change=None if share is None or share_before is None else share - share_before,
        )


def _share(days: Sequence[Day]) -> float | None:
    rows = sum(day.loaded + day.rejected for day in days)
    return sum(day.rejected for day in days) / rows if rows else None


@dataclass(frozen=True, slots=True)
class Running:
    """An upload that is under way or waits."""

    request_id: str
    source: str
    status: str


@dataclass(frozen=True, slots=True)
class SourceActivity:
    """What happened to one source so far. ``recent``: rows loaded by its last eight uploads, oldest first."""

    source_id: int
    running: int = 0
    last_at: datetime | None = None
    last_status: str | None = None
    last_rows: int | None = None
    last_rejected: int | None = None
    rows_loaded: int = 0
    recent: tuple[int, ...] = ()

    @property
    def reject_share(self) -> float | None:
        """Share 0-1 of the last upload's rows that were rejected; None without an upload or rows."""
        return (self.last_rejected or 0) / self.last_rows if self.last_rows else None

    @property
    def health(self) -> Health:
        """One word for the state of the source."""
        if self.running:
            return "Running"
        if self.last_at is None:
            return "No uploads yet"
        is_bad = self.last_status == "Failed" or (self.reject_share or 0) > ATTENTION_SHARE
        return "Needs attention" if is_bad else "Healthy"


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """Uploads of one day with one outcome."""

    day: date
    outcome: str
    uploads: int
    rows: int


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """When a version of a mapping was saved, by whom, and how many uploads used it."""

    version: int
    created_at: datetime
    created_by: str
    uploads: int


class Overview:
    """Figures for cards, tables and charts of one workspace."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def days(self, days: int = 14) -> list[Day]:
        """The last days, oldest first, today included (UTC)."""
        today = now().date()
        rows = self._rows("home_days", [today, days])
        before = self._rows("home_profiles_before", [today - timedelta(days=days - 1)])
        profiles = (before[0][0] if before else None) or 0
        result = []
        for day, loaded, rejected, after in rows:
            profiles = profiles if after is None else after
            result.append(Day(day, loaded, rejected, profiles))
        # Undo and erasing leave no upload behind: the last bar is what is there now.
        return [*result[:-1], replace(result[-1], profiles=self.profiles())]

    def profiles(self) -> int:
        """How many profiles there are now."""
        with self._engine.session() as session:
            return int(session.value("SELECT count(*) FROM profile"))

    def running(self) -> list[Running]:
        """Uploads under way or waiting, oldest first."""
        return [Running(*row) for row in self._rows("home_running")]

    def sources(self) -> dict[int, SourceActivity]:
        """Activity per source id; a source without uploads is missing."""
        with self._engine.session() as session:
            records = session.records(_statement("source_activity"))
        return {row["source_id"]: SourceActivity(**{**row, "recent": tuple(row["recent"])}) for row in records}

    def members(self, source_id: int) -> int:
        """Profiles that are members of a source now."""
        return int(self._rows("source_members", [source_id])[0][0])

    def live_uploads(self, source_id: int) -> int:
        """Uploads of a source that count: loaded, neither undone nor replaced."""
        return int(self._rows("source_live_uploads", [source_id])[0][0])

    def usual_rows(self, source_id: int, uploads: int = 8) -> int | None:
        """The median rows of the uploads before the newest one; None with fewer than three of them."""
        usual, count = self._rows("source_usual_rows", [source_id, uploads])[0]
        return int(usual) if count >= 3 else None

    def is_unusual(self, source_id: int, rows: int) -> bool:
        """Whether a file of so many rows is far from what this source usually brings."""
        usual = self.usual_rows(source_id)
        return usual is not None and not usual / UNUSUAL_FACTOR <= rows <= usual * UNUSUAL_FACTOR

    def history_days(
        self,
        *,
        source_id: int | None = None,
        status: str | None = None,
        user: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        badge: str | None = None,
        search: str | None = None,
    ) -> list[HistoryDay]:
        """Uploads per day and outcome under the filters of the history (``History.list``)."""
        filters = [source_id, status, user, since, until, badge, search and search.strip().lower()]
        return [HistoryDay(*row) for row in self._rows("history_days", filters)]

    def people(self) -> list[str]:
        """Everybody who ever uploaded something."""
        return [row[0] for row in self._rows("history_people")]

    def mapping_versions(self, source_id: int) -> list[MappingVersion]:
        """The versions of a source's mapping, newest first."""
        return [MappingVersion(*row) for row in self._rows("mapping_versions", [source_id])]

    def loaded_before(self, source_id: int, sha256: str) -> tuple[str, datetime, str] | None:
        """(request id, finished at, by whom) of a live upload of the same bytes for this source."""
        rows = self._rows("loaded_before", [source_id, sha256])
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None

    def landings_in_use(self) -> set[str]:
        """Ids of received files that an upload still needs."""
        return {row[0] for row in self._rows("landings_in_use")}

    def filled(self, attributes: Sequence[Attribute]) -> dict[str, float]:
        """Share 0-1 of profiles that have a value, per attribute name; empty without profiles."""
        if not attributes:
            return {}
        counts = ", ".join(f"count({quote(attribute.column)})" for attribute in attributes)
        with self._engine.session() as session:
            row = session.row(f"SELECT count(*), {counts} FROM profile")
        if row is None or not row[0]:
            return {}
        return {attribute.name: row[i] / row[0] for i, attribute in enumerate(attributes, start=1)}

    def _rows(self, name: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._engine.session() as session:
            return session.rows(_statement(name), parameters)


@cache
def _statement(name: str) -> str:
    return resources.files("ingest_core.db").joinpath("queries", f"{name}.sql").read_text("utf-8")
