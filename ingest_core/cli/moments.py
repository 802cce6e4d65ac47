"""Times named on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest_core.errors import InputError


def moment_given(text: str | None) -> datetime | None:
    """An ISO 8601 time, UTC unless it names a zone; None stays None. InputError ``bad_time``."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            "The time is not written as ISO 8601. Nothing was loaded.", code="bad_time", hint="Such as 2027-01-31T06:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
