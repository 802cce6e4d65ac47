"""Whose profiles a build looks at: those of a segment, of a source, or all."""

from __future__ import annotations

from ingest_core.clock import now
from ingest_core.engine import Session
from ingest_core.errors import InputError
from ingest_core.segments.compiling import Condition, compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.segments import condition_of
from ingest_core.segments.tree import InSource


def people_of(session: Session, known: Known, segment: str | None, source: str | None) -> Condition:
    """InputError ``no_such_segment``, ``no_such_source``; StateError ``segment_unusable``."""
    if segment is not None:
        return condition_of(known, segment)
    if source is None:
        return Condition("true")
    found = session.row("SELECT source_id, name FROM source WHERE lower(name) = lower(?)", [source])
    if found is None:
        raise InputError("There is no such source. Nothing was built.", code="no_such_source", hint="See: source list")
    return compile_rule(InSource(int(found[0]), str(found[1])), now())
