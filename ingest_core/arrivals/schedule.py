"""A schedule: when to look where, for which files, and what becomes of them. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from ingest_core.models import Model, Options, Replace

After = Literal["move", "delete", "leave"]
"""What is done at its place with a file that was loaded; one that failed is never deleted."""

Complete = Literal["stable", "control", "renamed"]
"""How to tell that a file is whole: it stays as it is, a control file lies beside it, or its sender renames it."""

State = Literal["waiting", "taken", "submitted", "loaded", "failed", "skipped", "refused", "gone"]

Reads = Literal["rows", "audience_manager"]

LATEST: Final = "latest"
AUTO: Final = "auto"


class Rules(Model):
    """What a person chose. Exactly one of ``cron`` (five fields) and ``every_seconds`` is given."""

    place: str
    folder: str = ""
    days_back: int = Field(default=2, ge=0, le=60)  # of a folder of each day: so many before today are looked into
    pattern: str = "*"
    is_regex: bool = False
    cron: str | None = None
    every_seconds: int | None = Field(default=None, ge=60, le=31 * 86_400)
    zone: str = "UTC"
    mapping: int | Literal["latest", "auto"] = LATEST
    replace: Replace | None = None
    segment: str | None = None  # "add:NAME"
    threshold_percent: float | None = Field(default=None, ge=0, le=100)  # None = the source's
    notify: tuple[str, ...] | None = None  # None = the source's recipients
    after: After = "move"
    complete: Complete = "stable"
    control: str = ".done"  # ends the name of the control file, which else is the file's
    reads: Reads = "rows"


class Schedule(Model):
    """A schedule as it stands; moments are UTC without a zone. ``error``: of the last look, None when it was fine."""

    schedule_id: int
    source_id: int
    source: str
    rules: Rules
    is_paused: bool = False
    next_at: datetime
    attempts: int = 0
    looked_at: datetime | None = None
    error: dict[str, Any] | None = None
    created_at: datetime
    created_by: str
    removed_at: datetime | None = None


class Arrival(Model):
    """One file that was met at a place. Moments are UTC without a zone; ``modified`` as the place told it, in UTC."""

    arrival_no: int
    schedule_id: int
    source_id: int
    source: str
    place: str
    path: str
    file: str
    size: int
    modified: datetime | None = None
    version: str | None = None
    state: State
    reason: dict[str, Any] | None = None
    seen_at: datetime
    unchanged_since: datetime
    sha256: str | None = None
    landing: str | None = Field(default=None, exclude=True)
    taken_at: datetime | None = None
    request_id: str | None = None
    ended_at: datetime | None = None
    after: str | None = None
    after_attempts: int = 0
    after_next_at: datetime | None = None
    after_note: str | None = None
    reads: Reads = "rows"

    @property
    def key(self) -> str:
        """Idempotency key of its upload."""
        return f"arrival:{self.arrival_no}"


def options_of(rules: Rules, recipients: tuple[str, ...]) -> Options:
    """The options of an upload of this schedule. ``recipients``: the source's."""
    return Options(
        replace=rules.replace,
        segment=rules.segment,
        threshold_percent=rules.threshold_percent,
        notify=recipients if rules.notify is None else rules.notify,
    )
