"""What is configured: sources, attributes, mappings, drafts."""

from ingest_core.catalog.attributes import Attributes
from ingest_core.catalog.drafts import Drafts
from ingest_core.catalog.mappings import Mappings, parse_mapping
from ingest_core.catalog.sources import Sources

__all__ = ["Attributes", "Drafts", "Mappings", "Sources", "parse_mapping"]
