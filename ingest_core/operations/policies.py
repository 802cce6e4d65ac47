"""Named sets of the rules for files (domain.md §4): strict is the original's, friendly repairs and goes on."""

from __future__ import annotations

from typing import Any

from ingest_core.settings import Settings

POLICIES: dict[str, dict[str, Any]] = {
    "strict": {"browser_limit_bytes": 40_000_000, "other_formats": "convert", "strict_header": True},
    "friendly": {"browser_limit_bytes": 1_000_000_000, "other_formats": "convert", "strict_header": False},
}
"""Policy → setting → its value. Every other combination of these settings is "custom"."""


def policy_of(settings: Settings) -> str:
    """strict, friendly or custom."""
    for name, rules in POLICIES.items():
        if all(getattr(settings, setting) == value for setting, value in rules.items()):
            return name
    return "custom"
