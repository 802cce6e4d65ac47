"""The columns of log and profile as the folds see them: which attribute, which token, which type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.engine import quote
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute

NIL = "'00000000-0000-0000-0000-000000000000'::UUID"


@dataclass(frozen=True)
class Fields:
    """All attributes of the workspace, in id order."""

    attributes: tuple[Attribute, ...]

    @classmethod
    def of(cls, attributes: Sequence[Attribute]) -> Fields:
        return cls(tuple(sorted(attributes, key=lambda a: a.attribute_id)))

    @property
    def primaries(self) -> list[Attribute]:
        """Primary identifiers, strongest first."""
        return sorted((a for a in self.attributes if a.identifier == "primary"), key=lambda a: a.priority)

    @property
    def secondaries(self) -> list[Attribute]:
        """Secondary identifiers, strongest first."""
        return sorted((a for a in self.attributes if a.identifier == "secondary"), key=lambda a: a.priority)

    def only(self, columns: set[str]) -> Fields:
        """The fields whose column is one of ``columns`` (those a file brings)."""
        return Fields(tuple(a for a in self.attributes if a.column in columns))


def token_of(attribute: Attribute, alias: str = "") -> str:
    """SQL: the identifier token of a log row, NULL when it names nobody."""
    prefix = f"{alias}." if alias else ""
    if attribute.pii:
        return f"nullif({prefix}{quote(attribute.column)}, {NIL})"
    return f"{prefix}{quote(f'i{attribute.attribute_id}')}"


def primary_of(fields: Fields, alias: str = "") -> str:
    """SQL: the token of the strongest primary of a log row, or NULL."""
    parts = [token_of(a, alias) for a in fields.primaries]
    if not parts:
        return "NULL::UUID"
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def log_columns(attribute: Attribute) -> list[str]:
    """The log columns of an attribute: its text or token, and the token of an identifier that is no PII."""
    if attribute.identifier and not attribute.pii:
        return [attribute.column, f"i{attribute.attribute_id}"]
    return [attribute.column]


def column_type(attribute: Attribute) -> str:
    """SQL type in the log."""
    return "UUID" if attribute.pii else "VARCHAR"


def profile_type(attribute: Attribute) -> str:
    """SQL type in the profile."""
    return "UUID" if attribute.pii else data_type(attribute.type).sql_type


def is_cleared(attribute: Attribute, text: str) -> str:
    """SQL: whether a log value (an expression) says "cleared"."""
    return f"{text} = {NIL}" if attribute.pii else f"{text} = ''"


def typed(attribute: Attribute, text: str) -> str:
    """SQL: a log value as the profile's type; cleared or absent is NULL."""
    if attribute.pii:
        return f"nullif({text}, {NIL})"
    if profile_type(attribute) == "VARCHAR":
        return f"nullif({text}, '')"
    return f"TRY_CAST(nullif({text}, '') AS {profile_type(attribute)})"


def fits(attribute: Attribute, text: str) -> str:
    """SQL: whether a log value says something: text from before a change of type that does not fit counts as absent."""
    kind = profile_type(attribute)
    if kind in ("VARCHAR", "UUID"):
        return f"{text} IS NOT NULL"
    return f"({text} = '' OR TRY_CAST({text} AS {kind}) IS NOT NULL)"
