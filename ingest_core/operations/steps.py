"""The steps of the work on a workspace as a whole: each one can be made to die before and after it (quality.md §2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_core.faults import abort_point

STEPS: dict[str, tuple[str, ...]] = {
    "backup": ("backup copy", "backup count", "backup write", "backup read back", "backup publish"),
    "restore": ("restore unpack", "restore open", "restore publish"),
    "maintain": ("maintain retention", "maintain vault", "maintain copy", "maintain check", "maintain replace"),
    "keys rotate": (
        "rotate add key", "rotate pages", "rotate retire", "rotate copy", "rotate check", "rotate replace",
        "rotate forget key",
    ),
}  # fmt: skip
"""Command → its steps in order. ``maintain vault`` and ``rotate pages`` happen once per batch of pages."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """A piece of work between two abort points."""
    abort_point(name, "before")
    yield
    abort_point(name, "after")
