"""The one door through which a name becomes SQL text; data is always bound."""

from __future__ import annotations

from collections.abc import Iterable


def quote(name: str) -> str:
    """An identifier as SQL: quoted, inner quotes doubled."""
    return '"' + name.replace('"', '""') + '"'


def sql_list(parts: Iterable[str], *, indent: int = 4) -> str:
    """Expressions as a list for SELECT, one per line."""
    return (",\n" + " " * indent).join(parts)
