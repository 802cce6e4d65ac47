"""The catalogue of traits: named qualifications, each owned by one data source (Audience Manager spec §12)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from ingest_core.audience_manager.evaluation import Realisable
from ingest_core.audience_manager.rules import parse_trait_rule
from ingest_core.audience_manager.rules.expiry import DEFAULT_DAYS
from ingest_core.audience_manager.trait_table import at_line, read_table
from ingest_core.audience_manager.trait_taking import MOST_TRAITS, Catalogue, Trait, TraitType
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError
from ingest_core.ledger.audit import write_audit
from ingest_core.vault.writing import append

__all__ = ["MOST_TRAITS", "Trait", "TraitType", "Traits", "realisable"]

Listed = list[Trait]
"""Inside the class, ``list`` is its method."""


class Traits:
    """Creates and lists traits."""

    def __init__(self, engine: Engine, user: str) -> None:
        self._engine = engine
        self._user = user

    def list(self, dpid: int | None = None) -> Listed:
        """All of them, or those of one data source, by id."""
        with self._engine.session() as session:
            rows = session.records(
                "SELECT * FROM am_trait WHERE ?::BIGINT IS NULL OR dpid = ? ORDER BY trait_id", [dpid, dpid]
            )
        return [Trait(**row) for row in rows]

    def add(
        self,
        name: str,
        dpid: int,
        *,
        trait_id: int | None = None,
        type: TraitType = "onboarded",
        rule: str | None = None,
        ttl_days: int = DEFAULT_DAYS,
        integration_code: str | None = None,
        folder: str | None = None,
        description: str | None = None,
    ) -> Trait:
        """Creates a trait of a data source; without ``trait_id`` it gets the next free one.

        InputError ``bad_name``, ``unknown_data_source``, ``bad_trait_id``, ``bad_ttl`` and all of ``parse_trait_rule``;
        StateError ``trait_exists``, ``integration_code_taken``, ``too_many_traits``.
        """
        number = 0 if trait_id is None else trait_id or -1  # 0 is no id that somebody may choose
        given = Trait(
            trait_id=0, name=name, dpid=dpid, type=type, rule=rule, ttl_days=DEFAULT_DAYS,
            integration_code=integration_code or None, folder=folder or None, description=description or None,
        ).model_copy(update={"trait_id": number, "ttl_days": ttl_days})  # fmt: skip
        with self._engine.write, self._engine.session() as session, session.transaction():
            made = Catalogue(session).take(given)
            append(session, "am_trait", _rows([made], self._user))
            write_audit(session, self._user, "add trait", str(made.trait_id), {"dpid": dpid})
        return made

    def load_table(self, text: str, *, is_dry_run: bool = False) -> int:
        """Creates the traits of a CSV table (``trait_table``), all of them or none; returns how many.

        InputError ``bad_trait_table`` and all errors of ``add``, with the line of the first row that cannot be used in
        ``facts``.
        """
        rows = read_table(text)
        with self._engine.write, self._engine.session() as session, session.transaction():
            catalogue = Catalogue(session)
            made = [at_line(line, partial(catalogue.take, given)) for line, given in rows]
            if made and not is_dry_run:
                append(session, "am_trait", _rows(made, self._user))
                write_audit(session, self._user, "load traits", "", {"traits": len(made)})
        return len(made)

    def remove(self, trait_id: int) -> int:
        """Deletes a trait; whoever had it has it no more. Its id is never given again. Returns how many had it.

        InputError ``no_such_trait``.
        """
        with self._engine.write, self._engine.session() as session, session.transaction():
            if not session.run(REMOVED, [now(), self._user, trait_id]):
                raise InputError(
                    f"There is no trait {trait_id}. Nothing was changed.",
                    code="no_such_trait",
                    hint="See: am trait list",
                )
            session.run("DELETE FROM am_trait WHERE trait_id = ?", [trait_id])
            session.run("DELETE FROM am_base_held WHERE trait_id = ?", [trait_id])
            held = session.run("DELETE FROM am_held WHERE trait_id = ?", [trait_id]) or 0
            write_audit(session, self._user, "remove trait", str(trait_id), {"held": held})
        return held


def _rows(traits: Sequence[Trait], user: str) -> pa.Table:
    made = {"created_at": now(), "created_by": user}
    table = [{**trait.model_dump(), **made} for trait in traits]
    kinds = pa.schema(
        [("trait_id", pa.int64()), ("name", pa.string()), ("dpid", pa.int64()), ("type", pa.string()),
         ("rule", pa.string()), ("ttl_days", pa.int32()), ("integration_code", pa.string()), ("folder", pa.string()),
         ("description", pa.string()), ("created_at", pa.timestamp("us")), ("created_by", pa.string())]
    )  # fmt: skip
    return pa.Table.from_pylist(table, schema=kinds)


REMOVED = """
INSERT INTO am_trait_removed SELECT trait_id, name, dpid, ?::TIMESTAMP, ?::VARCHAR FROM am_trait WHERE trait_id = ?
"""


def realisable(session: Session, owner: int) -> Realisable:
    """The onboarded traits as a file that feeds the traits of ``owner`` may use them."""
    rows: list[Any] = session.rows("SELECT trait_id, dpid, rule FROM am_trait WHERE type = 'onboarded'")
    return Realisable(
        own=frozenset(trait for trait, dpid, _ in rows if dpid == owner),
        foreign=frozenset(trait for trait, dpid, _ in rows if dpid != owner),
        rules={trait: parse_trait_rule(rule) for trait, dpid, rule in rows if dpid == owner and rule},
    )
