"""Traits changed and counted, and rules tried before they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ingest_core.audience_manager.qualified import make_live
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.rules import parse_trait_rule
from ingest_core.audience_manager.traits import Trait, Traits
from ingest_core.audience_manager.unused import COUNTING, SHOWN_DAYS
from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.errors import InputError, StateError
from ingest_core.ledger.audit import write_audit

MEMBERS = "SELECT trait_id, count(*) FROM am_live GROUP BY trait_id"
SIGNALS = f"""
SELECT key, value, sum(seen)::BIGINT FROM {COUNTING}
WHERE dpid = ? AND day > current_date - ? GROUP BY key, value ORDER BY 3 DESC LIMIT ?
"""
CHANGE = """
UPDATE am_trait SET name = ?, rule = ?, ttl_days = ?, integration_code = ?, folder = ? WHERE trait_id = ?
"""
MOST_SIGNALS = 100_000


class RuleTrial(BaseModel):
    """What a rule would be true of. ``rule``: its canonical text.

    ``signals``: how often single pairs of the last days that led to no trait satisfy it; ``pairs``: how many different
    ones. A rule that needs several signals of one line together is true of none of them alone.
    """

    rule: str
    signals: int = 0
    pairs: int = 0
    days: int = SHOWN_DAYS


@dataclass(frozen=True)
class TraitEditing:
    """Beside the catalogue of traits."""

    engine: Engine
    traits: Traits
    user: str

    def members(self, registered: Registered) -> dict[int, int]:
        """Trait → how many profiles have it now."""
        with self.engine.session() as session:
            make_live(session, registered, now())
            return {int(trait): int(count) for trait, count in session.rows(MEMBERS)}

    def get(self, trait_id: int) -> Trait:
        """InputError ``no_such_trait``."""
        found = next((trait for trait in self.traits.list() if trait.trait_id == trait_id), None)
        if found is None:
            raise InputError("There is no such trait.", code="no_such_trait", hint="See: am trait list")
        return found

    def change(self, trait_id: int, changed: Mapping[str, Any]) -> Trait:
        """Changes name, rule, ttl_days, integration_code, folder: what is given. It counts from the next file on.

        Raises as ``Traits.add``, and InputError ``no_such_trait``.
        """
        new = self.get(trait_id).model_copy(update=dict(changed))
        name = check_name(new.name, "a trait")
        rule = str(parse_trait_rule(new.rule)) if new.rule else None
        if not 0 <= new.ttl_days <= 36_500:
            raise InputError("Days to live are 0 (for ever) to 36,500. Nothing was changed.", code="bad_ttl")
        with self.engine.write, self.engine.session() as session, session.transaction():
            taken = session.value(
                "SELECT count(*) FROM am_trait WHERE dpid = ? AND integration_code = ? AND trait_id <> ?",
                [new.dpid, new.integration_code, trait_id],
            )
            if taken:
                raise StateError(
                    "Another trait of this data source has the integration code. Nothing was changed.",
                    code="integration_code_taken",
                    hint="Codes are unique in a data source.",
                )
            code, folder = new.integration_code or None, new.folder or None
            session.run(CHANGE, [name, rule, new.ttl_days, code, folder, trait_id])
            write_audit(session, self.user, "change trait", str(trait_id), {"fields": sorted(changed)})
        return self.get(trait_id)

    def try_rule(self, rule: str, dpid: int) -> RuleTrial:
        """What a rule would be true of among the unused signals of the last days. Raises as ``parse_trait_rule``."""
        parsed = parse_trait_rule(rule)
        with self.engine.session() as session:
            rows = session.rows(SIGNALS, [dpid, SHOWN_DAYS, MOST_SIGNALS])
        hits = [int(seen) for key, value, seen in rows if parsed.holds([(key, value)])]
        return RuleTrial(rule=str(parsed), signals=sum(hits), pairs=len(hits))
