"""The one door through which a name becomes SQL text; data is always bound."""

from __future__ import annotations


def quote(name: str) -> str:
    """An identifier as SQL: quoted, inner quotes doubled."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text of our own as SQL, where the engine takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
