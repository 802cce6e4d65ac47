"""How long a trait stays with somebody after it was realised (Audience Manager spec §14)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

DEFAULT_DAYS = 120


def expires_at(realised_at: datetime, ttl_days: int) -> datetime | None:
    """The moment from which the trait is gone, UTC; None: never (0 days).

    One day ends at the second midnight after it was realised (D-48); more days are exact.
    """
    if ttl_days == 0:
        return None
    if ttl_days == 1:
        midnight = datetime.combine(realised_at.date(), time(), tzinfo=realised_at.tzinfo)
        return midnight + timedelta(days=2)
    return realised_at + timedelta(days=ttl_days)


def is_live(realised_at: datetime, ttl_days: int, at: datetime) -> bool:
    """Whether a trait realised at one moment is still there at another."""
    end = expires_at(realised_at, ttl_days)
    return end is None or at < end
