"""A trait, and what has to be true of a new one beside those that are there (Audience Manager spec §12)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ingest_core.audience_manager.rules import parse_trait_rule
from ingest_core.audience_manager.rules.expiry import DEFAULT_DAYS
from ingest_core.catalog.names import check_name
from ingest_core.engine import Session
from ingest_core.errors import InputError, StateError
from ingest_core.models import Model

TraitType = Literal["onboarded", "rule_based", "folder"]
MOST_TRAITS = 100_000
MOST_NAME = 255
_LARGEST = 10**18 - 1


class Trait(Model):
    """``rule``: canonical text over signals, None where only ids in files name it. ``ttl_days``: 0 = for ever.

    ``trait_id`` 0: the next free one, of a trait that is not created yet.
    """

    trait_id: int
    name: str
    dpid: int
    type: TraitType = "onboarded"
    rule: str | None = None
    ttl_days: int = Field(default=DEFAULT_DAYS, ge=0, le=36_500)
    integration_code: str | None = None
    folder: str | None = None
    description: str | None = None


NEXT = """
SELECT greatest((SELECT coalesce(max(trait_id), 0) FROM am_trait),
                (SELECT coalesce(max(trait_id), 0) FROM am_trait_removed)) + 1
"""


class Catalogue:
    """The traits there are, while new ones are taken in."""

    def __init__(self, session: Session) -> None:
        self._sources = {dpid for (dpid,) in session.rows("SELECT dpid FROM source WHERE dpid IS NOT NULL")}
        self._ids = {number for (number,) in session.rows("SELECT trait_id FROM am_trait")}
        self._total = len(self._ids)
        self._ids |= {number for (number,) in session.rows("SELECT trait_id FROM am_trait_removed")}
        self._codes = set(session.rows("SELECT dpid, integration_code FROM am_trait"))
        self._next = int(session.value(NEXT))

    def take(self, given: Trait) -> Trait:
        """The trait as it is to be stored. The errors of ``Traits.add``."""
        name = check_name(given.name, "a trait", MOST_NAME)
        rule = str(parse_trait_rule(given.rule)) if given.rule else None
        self._check(given)
        number = given.trait_id or self._next
        self._next = max(self._next, number + 1)
        self._ids.add(number)
        self._total += 1
        if given.integration_code:
            self._codes.add((given.dpid, given.integration_code))
        return given.model_copy(update={"trait_id": number, "name": name, "rule": rule})

    def _check(self, given: Trait) -> None:
        if not 0 <= given.ttl_days <= 36_500:
            raise _refused("Days to live are 0 (for ever) to 36,500.", "bad_ttl", "The usual number is 120.")
        if not 0 <= given.trait_id <= _LARGEST:
            raise _refused("A trait id has 1 to 18 digits.", "bad_trait_id", "Leave it out to get the next free one.")
        if given.dpid not in self._sources:
            raise _refused(
                f"There is no data source with the DPID {given.dpid}.",
                "unknown_data_source",
                "Create it with: source add NAME --kind data_source --dpid N",
            )
        if given.trait_id in self._ids:
            there = f"There is a trait {given.trait_id} already, or there was one."
            raise _taken(there, "trait_exists", "Choose another id.")
        if given.integration_code and (given.dpid, given.integration_code) in self._codes:
            raise _taken(
                "Another trait of this data source has the integration code.",
                "integration_code_taken",
                "Codes are unique in a data source.",
            )
        if self._total >= MOST_TRAITS:
            raise _taken("There are 100,000 traits already.", "too_many_traits", "Put several into one rule.")


def _refused(what: str, code: str, hint: str) -> InputError:
    return InputError(f"{what} Nothing was created.", code=code, hint=hint)


def _taken(what: str, code: str, hint: str) -> StateError:
    return StateError(f"{what} Nothing was created.", code=code, hint=hint)
