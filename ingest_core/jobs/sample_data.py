"""Sample data for a first look: two sources, a mapping, custom attributes and three uploads of invented people."""

from __future__ import annotations

from pathlib import Path

from ingest_core.catalog import Attributes, Sources, parse_mapping
from ingest_core.errors import ConfigError, StateError
from ingest_core.files import PathSource
from ingest_core.jobs.loads import Loads
from ingest_core.models import Options, Receipt, Source

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

_CUSTOM = (
    ("cross_sell_product", "string", "Cross-sell product", "CROSS_SELL_PRODUCT"),
    ("slot_num", "integer", "Slot number", "SLOT_NUM"),
    ("last_purchase", "date", "Last purchase", "LAST_PURCHASE"),
    ("amount", "number", "Amount", "AMOUNT"),
)


def load_sample_data(sources: Sources, attributes: Attributes, loads: Loads) -> list[Receipt]:
    """Loads the samples; pressing twice loads them once. ConfigError ``no_samples`` when the folder is missing."""
    files = [SAMPLES / name for name in ("customers.tsv", "second_visit.tsv", "customers.mapping.json")]
    if not all(path.is_file() for path in files):
        raise ConfigError(
            "The sample files are not installed. Nothing was loaded.",
            code="no_samples",
            hint="Run Onramp from its project folder.",
        )
    known = {attribute.name for attribute in attributes.list()}
    for name, kind, shown, upper in _CUSTOM:
        if name not in known:
            attributes.add(name, kind, display_name=shown, segment=upper, macro=upper)
    contacts = _source(sources, "CRM contacts", "Customers as the CRM exports them")
    visits = _source(sources, "Store visits", "Who came to the shop, with phone and preferences")
    return [
        receipt
        for source, file in ((contacts, files[0]), (contacts, files[1]), (visits, files[1]))
        if (receipt := _load(loads, source, file, files[2])) is not None
    ]


def _source(sources: Sources, name: str, description: str) -> Source:
    found = [source for source in sources.list(include_archived=True) if source.name == name]
    return found[0] if found else sources.add(name, description=description)


def _load(loads: Loads, source: Source, file: Path, mapping: Path) -> Receipt | None:
    try:
        plan = loads.planner.plan(PathSource(file), source, parse_mapping(mapping.read_text("utf-8")), Options())
    except StateError as error:
        if error.code in ("already_loaded", "source_archived"):
            return None
        raise
    return loads.load(plan)
