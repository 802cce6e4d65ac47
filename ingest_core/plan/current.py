"""A plan meets the attributes of now: somebody may have changed or added some since it was made."""

from __future__ import annotations

from dataclasses import replace

from ingest_core.catalog.attributes import attributes_now
from ingest_core.engine import Session
from ingest_core.errors import StateError
from ingest_core.models import Attribute
from ingest_core.plan.plan import Plan


def with_current_attributes(session: Session, plan: Plan) -> Plan:
    """The plan with all attributes that there are now, so that a load keeps values of those it does not know.

    Call it while ``engine.write`` is held. StateError ``attribute_changed`` when one that the file fills has another
    type now, or became personal data: the mapping was checked and the cells were promised for what it was.
    """
    current = attributes_now(session)
    nature = {attribute.attribute_id: _nature(attribute) for attribute in current}
    filled = [attribute for _, _, attribute in plan.resolved.columns]
    changed = [a.name for a in filled if nature.get(a.attribute_id) != _nature(a)]
    if changed:
        raise StateError(
            f"These attributes were changed since the load was prepared: {', '.join(changed)}. Nothing was loaded.",
            code="attribute_changed",
            hint="Start the load again: it is prepared with the attributes of now.",
            facts={"attributes": changed},
        )
    return replace(plan, attributes=tuple(current))


def _nature(attribute: Attribute) -> tuple[object, ...]:
    return attribute.type, attribute.pii, attribute.identifier
