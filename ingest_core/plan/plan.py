"""The frozen plan: file + dialect + mapping + options. The only thing a preview, a load and a replay know."""

from __future__ import annotations

from dataclasses import dataclass

from ingest_core.mapping.rules import Resolved
from ingest_core.models import (
    Attribute,
    ByteSource,
    Dialect,
    FileFacts,
    FileLimits,
    Mapping,
    Options,
    Source,
)


@dataclass(frozen=True)
class Plan:
    """Nothing in here changes after it was made; the state it meets is looked up when it runs."""

    source: Source
    file: ByteSource
    facts: FileFacts
    dialect: Dialect
    limits: FileLimits
    mapping: Mapping
    resolved: Resolved
    attributes: tuple[Attribute, ...]
    options: Options
    uploaded_by: str
    columns: tuple[str, ...]  # header as strict mode accepts it (repaired names)
