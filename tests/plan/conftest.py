"""The kernel's fixtures, and the row function over a few cells."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from ingest_core.models import Attribute, ColumnMapping, Dialect, Slice, TypeContext
from ingest_core.plan.rows import Batch, ColumnPlan, RowPlan, convert_slice
from ingest_core.settings import Settings
from ingest_core.vault.keys import Keyset
from tests.workspaces import home, kernel, template, workspace

__all__ = ["KEYS", "home", "kernel", "template", "workspace"]

KEYS = Keyset(1, {1: b"p" * 32}, b"t" * 32, b"s" * 32)

ATTRIBUTES = {
    a.name: a
    for a in (
        Attribute(attribute_id=1, name="crmid", display_name="", type="string", identifier="primary"),
        Attribute(attribute_id=2, name="email", display_name="", type="email", identifier="secondary", pii=True),
        Attribute(attribute_id=3, name="phone", display_name="", type="phone", identifier="secondary", pii=True),
        Attribute(attribute_id=4, name="first_name", display_name="", type="string", pii=True),
        Attribute(attribute_id=5, name="city", display_name="", type="string"),
        Attribute(attribute_id=6, name="amount", display_name="", type="number"),
        Attribute(attribute_id=7, name="slot", display_name="", type="integer"),
        Attribute(attribute_id=8, name="device", display_name="", type="string", identifier="secondary"),
    )
}


@pytest.fixture
def convert() -> Callable[..., Batch]:
    """Rows of cells under columns named after attributes → what the row function makes of them."""

    def converting(names, *rows, rules=None, suppressed=None, rejects=(), blank=0, quoting=False, country="IN"):
        rules, suppressed = rules or {}, suppressed or {}
        columns = tuple(
            ColumnPlan(
                index=index,
                mapping=ColumnMapping(column=name, attribute=name, **rules.get(name, {})),
                attribute=ATTRIBUTES[name],
                token_key=KEYS.token_key(ATTRIBUTES[name].attribute_id),
                suppression_key=KEYS.suppression_key(ATTRIBUTES[name].attribute_id),
            )
            for index, name in enumerate(names)
            if name in ATTRIBUTES
        )
        settings = Settings()
        plan = RowPlan(
            columns=columns,
            dialect=Dialect("," if quoting else "\t", quoting, True, 1, tuple(names)),
            context=TypeContext(phone_country=country),
            blocked=settings.blocked,
            minimum_secondary_length=settings.minimum_secondary_length,
            suppressed=suppressed,
        )
        table = pa.table({f"c{i}": pa.array([row[i] for row in rows], pa.string()) for i in range(len(names))})
        lines = pa.array(range(2, 2 + len(rows)), pa.int64())
        seen = len(rows) + blank + len(rejects)
        return convert_slice(Slice(table, lines, blank, tuple(rejects), seen, seen, 100), plan)

    return converting
