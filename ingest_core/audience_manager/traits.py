"""The catalogue of traits: named qualifications, each owned by one data source (Audience Manager spec §12)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ingest_core.audience_manager.evaluation import Realisable
from ingest_core.audience_manager.rules import parse_trait_rule
from ingest_core.audience_manager.rules.expiry import DEFAULT_DAYS
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Model

TraitType = Literal["onboarded", "rule_based", "folder"]
MOST_TRAITS = 100_000
_LARGEST = 10**18 - 1


class Trait(Model):
    """``rule``: canonical text over signals, None where only ids in files name it. ``ttl_days``: 0 = for ever."""

    trait_id: int
    name: str
    dpid: int
    type: TraitType = "onboarded"
    rule: str | None = None
    ttl_days: int = Field(default=DEFAULT_DAYS, ge=0, le=36_500)
    integration_code: str | None = None
    folder: str | None = None


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
    ) -> Trait:
        """Creates a trait of a data source; without ``trait_id`` it gets the next free one.

        InputError ``bad_name``, ``unknown_data_source``, ``bad_trait_id``, ``bad_ttl`` and all of ``parse_trait_rule``;
        StateError ``trait_exists``, ``integration_code_taken``, ``too_many_traits``.
        """
        name = check_name(name, "a trait")
        canonical = str(parse_trait_rule(rule)) if rule else None
        if not 0 <= ttl_days <= 36_500:
            raise _refused("Days to live are 0 (for ever) to 36,500.", "bad_ttl", "The usual number is 120.")
        if trait_id is not None and not 0 < trait_id <= _LARGEST:
            raise _refused("A trait id has 1 to 18 digits.", "bad_trait_id", "Leave it out to get the next free one.")
        with self._engine.write, self._engine.session() as session, session.transaction():
            self._check(session, dpid, trait_id, integration_code)
            number = trait_id or int(session.value("SELECT coalesce(max(trait_id), 0) + 1 FROM am_trait"))
            session.run(
                NEW,
                [
                    number, name, dpid, type, canonical, ttl_days, integration_code or None, folder or None, now(),
                    self._user,
                ],
            )  # fmt: skip
            write_audit(session, self._user, "add trait", str(number), {"dpid": dpid})
            return Trait(**session.records("SELECT * FROM am_trait WHERE trait_id = ?", [number])[0])

    def _check(self, session: Session, dpid: int, trait_id: int | None, integration_code: str | None) -> None:
        if not session.value("SELECT count(*) FROM source WHERE dpid = ?", [dpid]):
            raise _refused(
                f"There is no data source with the DPID {dpid}.",
                "unknown_data_source",
                "Create it with: source add NAME --kind data_source --dpid N",
            )
        total, same, code = session.row(_TAKEN, [trait_id, dpid, integration_code]) or (0, 0, 0)
        if same:
            raise _taken(f"There is a trait {trait_id} already.", "trait_exists", "Choose another id.")
        if code:
            raise _taken(
                "Another trait of this data source has the integration code.",
                "integration_code_taken",
                "Codes are unique in a data source.",
            )
        if total >= MOST_TRAITS:
            raise _taken("There are 100,000 traits already.", "too_many_traits", "Put several into one rule.")


NEW = """
INSERT INTO am_trait (trait_id, name, dpid, type, rule, ttl_days, integration_code, folder, created_at, created_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TAKEN = """
SELECT count(*), count(*) FILTER (WHERE trait_id = ?), count(*) FILTER (WHERE dpid = ? AND integration_code = ?)
FROM am_trait
"""


def realisable(session: Session, owner: int) -> Realisable:
    """The onboarded traits as a file that feeds the traits of ``owner`` may use them."""
    rows: list[Any] = session.rows("SELECT trait_id, dpid, rule FROM am_trait WHERE type = 'onboarded'")
    return Realisable(
        own=frozenset(trait for trait, dpid, _ in rows if dpid == owner),
        foreign=frozenset(trait for trait, dpid, _ in rows if dpid != owner),
        rules={trait: parse_trait_rule(rule) for trait, dpid, rule in rows if dpid == owner and rule},
    )


def _refused(what: str, code: str, hint: str) -> InputError:
    return InputError(f"{what} Nothing was created.", code=code, hint=hint)


def _taken(what: str, code: str, hint: str) -> StateError:
    return StateError(f"{what} Nothing was created.", code=code, hint=hint)
