"""Who becomes one with whom, in a few lines under a receipt."""

from __future__ import annotations

from typing import Any

_KINDS = (
    ("contested", "contested"),
    ("foreign", "somebody else's"),
    ("moved", "changed hands"),
    ("shared", "shared by too many"),
    ("case_only", "differ only in case"),
)


def identity_lines(identity: dict[str, Any] | None, *, is_preview: bool) -> list[str]:
    """At most three lines: merges and the largest clusters, values left out, values that joined nobody."""
    if identity is None:
        return []
    return [line for line in (_merges(identity, is_preview), _left_out(identity), _met(identity)) if line]


def _merges(identity: dict[str, Any], is_preview: bool) -> str:
    would = "would become" if is_preview else "became"
    parts = [f"no profiles {'would merge' if is_preview else 'merged'}"]
    if identity["groups"]:
        largest = identity["largest"][0]
        parts = [f"{identity['profiles']:,} profiles {would} {identity['groups']:,}, at most {largest['size']:,} one"]
    if (lines := identity["most_lines"]) and lines["count"] > 1:
        parts.append(f"most rows of one person {lines['count']:,} ({lines['profile_id']})")
    if identifiers := identity["most_identifiers"]:
        parts.append(f"most identifiers {identifiers['count']:,} ({identifiers['profile_id']})")
    return f"Identity: {'; '.join(parts)}"


def _left_out(identity: dict[str, Any]) -> str:
    cells = [f"{one['cells']:,} × {one['attribute']}: {one['reason']}" for one in identity["blocked"]]
    return f"  identify nobody: {'; '.join(cells)}" if cells else ""


def _met(identity: dict[str, Any]) -> str:
    found = [
        f"{one[name]:,} × {one['attribute']} {words}" for one in identity["met"] for name, words in _KINDS if one[name]
    ]
    apart = identity["shared_came_apart"]
    if apart:
        found.append(f"{apart:,} profiles more because of shared values")
    return f"  joined nobody, or somebody else: {'; '.join(found)}" if found else ""
