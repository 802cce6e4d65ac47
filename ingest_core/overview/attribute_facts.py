"""What an attribute holds and who uses it: for the list of attributes and for one of them."""

from __future__ import annotations

from typing import Any

from ingest_core.catalog import Attributes, Mappings, Sources
from ingest_core.engine import Engine, Session, quote
from ingest_core.ledger.stated import plain
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.segments.segments import Segments

TOP = 10
MOST_DIFFERENT = 200_000
"""Different values up to which the commonest ones are counted: above, hardly any value is common."""


class AttributeFacts:
    """Reads only. Values of personal data and of identifiers are never among what is told: they name people."""

    def __init__(
        self, engine: Engine, attributes: Attributes, sources: Sources, mappings: Mappings, segments: Segments
    ) -> None:
        self._engine = engine
        self._attributes = attributes
        self._sources = sources
        self._mappings = mappings
        self._segments = segments

    def uses(self) -> dict[str, dict[str, list[str]]]:
        """Attribute name → {sources, segments} that use it: by their mapping of now, by their rule. Every attribute."""
        of_segments = self._segments.uses()["attribute"]
        found: dict[str, dict[str, list[str]]] = {
            one.name: {"sources": [], "segments": of_segments.get(one.name, [])} for one in self._attributes.list()
        }
        for source in self._sources.list():
            mapping = self._mappings.current(source)
            for name in dict.fromkeys(column.attribute for column in mapping.columns) if mapping else ():
                if name in found:
                    found[name]["sources"].append(source.name)
        return found

    def show(self, name: str) -> dict[str, Any]:
        """{profiles, filled, distinct, least, greatest, top, sources, segments} of one attribute.

        ``filled``: profiles that have a value, of all ``profiles``. ``distinct``: different values, estimated (within
        some percent) above a few hundred. ``least`` and ``greatest``: of numbers and dates. ``top``: the commonest
        values as [{value, profiles}]; empty of personal data, of identifiers, and where none is common.
        InputError ``unknown_attribute``.
        """
        attribute = self._attributes.get(name)
        with self._engine.session() as session, session.transaction():
            facts = _counts(session, attribute)
            is_countable = not attribute.pii and not attribute.identifier and facts["distinct"] <= MOST_DIFFERENT
            facts["top"] = _top(session, attribute) if is_countable else []
        return {**facts, **self.uses()[attribute.name]}


def _counts(session: Session, attribute: Attribute) -> dict[str, Any]:
    column = quote(attribute.column)
    kind = data_type(attribute.type)
    is_ordered = kind.is_ordered and kind.sql_type != "VARCHAR" and not attribute.pii and not attribute.identifier
    ends = [plain(attribute, f"CAST({end}({column}) AS VARCHAR)") if is_ordered else "NULL" for end in ("min", "max")]
    profiles, filled, distinct, least, greatest = session.rows(
        f"SELECT count(*), count({column}), approx_count_distinct({column}), {', '.join(ends)} FROM profile"
    )[0]
    return {
        "profiles": profiles,
        "filled": filled,
        "distinct": min(distinct, filled),
        "least": least,
        "greatest": greatest,
    }


def _top(session: Session, attribute: Attribute) -> list[dict[str, Any]]:
    column = quote(attribute.column)
    found = session.records(
        f"SELECT {plain(attribute, f'CAST({column} AS VARCHAR)')} AS value, count(*) AS profiles FROM profile "
        f"WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY profiles DESC, {column} LIMIT {TOP}"
    )
    return found if found and found[0]["profiles"] > 1 else []
