"""One way for all type tests to ask: texts in, (canonical text, reason code) out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from ingest_core.mapping.types import data_type
from ingest_core.models import TypeContext

Convert = Callable[..., list[tuple[str | None, str | None]]]


@pytest.fixture(scope="session")
def convert() -> Convert:
    def ask(name: str, values: Sequence[str | None], fmt: str | None = None, **context: object):
        result = data_type(name).convert(pa.array(values, pa.string()), fmt, TypeContext(**context))
        codes = [None] * len(values) if result.code is None else result.code.to_pylist()
        return list(zip(result.text.to_pylist(), codes, strict=True))

    return ask
