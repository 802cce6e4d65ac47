"""The embedded engine: the only package that knows DuckDB."""

from ingest_core.engine.boundary import EngineError
from ingest_core.engine.duck import Engine
from ingest_core.engine.names import quote
from ingest_core.engine.scratch import RowFile
from ingest_core.engine.session import Session

__all__ = ["Engine", "EngineError", "RowFile", "Session", "quote"]
