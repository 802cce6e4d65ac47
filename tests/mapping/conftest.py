"""Attributes as a new workspace has them, and small tables."""

import pyarrow as pa
import pytest

from ingest_core.files import PathSource, repair_names
from ingest_core.mapping.statistics import TableCollector
from ingest_core.models import Attribute, TypeContext

BUILT_IN = (
    ("crmid", "Customer ID", "string", "primary", False),
    ("email", "E-mail", "email", "secondary", True),
    ("phone", "Phone", "phone", "secondary", True),
    ("first_name", "First name", "string", None, True),
    ("last_name", "Last name", "string", None, True),
    ("birth_date", "Date of birth", "date", None, True),
    ("gender", "Gender", "string", None, False),
    ("city", "City", "string", None, False),
    ("region", "Region", "string", None, False),
    ("postal_code", "Postal code", "string", None, False),
    ("country", "Country", "country", None, False),
    ("language", "Language", "string", None, False),
)


@pytest.fixture
def attributes():
    custom = (
        ("total", "Total spent", "number"),
        ("purchases", "Purchases", "integer"),
        ("tier", "Tier", "string"),
        ("consent", "Consent", "boolean"),
    )
    return tuple(
        Attribute(
            attribute_id=number,
            name=name,
            display_name=display_name,
            type=type_name,
            identifier=rank,
            priority=number,
            pii=pii,
            is_builtin=True,
        )
        for number, (name, display_name, type_name, rank, pii) in enumerate(BUILT_IN, 1)
    ) + tuple(
        Attribute(attribute_id=100 + number, name=name, display_name=display_name, type=type_name)
        for number, (name, display_name, type_name) in enumerate(custom)
    )


@pytest.fixture
def statistics_of():
    """{header: values} → TableStatistics; ``cuts`` rows per slice."""

    def make(columns, *, country=None, cut=None):
        names = list(columns)
        rows = len(columns[names[0]]) if names else 0
        collector = TableCollector(names, repair_names(names), TypeContext(phone_country=country))
        table = pa.table({f"c{i}": pa.array(columns[name], pa.string()) for i, name in enumerate(names)})
        for start in range(0, rows, cut or max(rows, 1)):
            collector.add(table.slice(start, cut or rows))
        return collector.finish()

    return make


@pytest.fixture
def file_of(tmp_path):
    """Text → a ByteSource."""

    def make(text, name="people.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return PathSource(path)

    return make
