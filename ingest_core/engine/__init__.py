"""The embedded engine: the only package that knows DuckDB."""

from ingest_core.engine.duck import Engine, EngineError, Session
from ingest_core.engine.names import quote

__all__ = ["Engine", "EngineError", "Session", "quote"]
