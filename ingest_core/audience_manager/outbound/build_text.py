"""A build as JSON, as files and the command line have it."""

from __future__ import annotations

import json

from pydantic import ValidationError

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.errors import InputError


def parse_build(text: str, name: str | None = None) -> Build:
    """A definition as JSON. InputError ``bad_build`` names the fields that are wrong."""
    try:
        values = json.loads(text)
        return Build.model_validate({**values, **({} if name is None else {"name": name})})
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, one["loc"])) or "items" for one in error.errors()}))
        raise InputError(
            f"This is no build: {fields}. Nothing was built.", code="bad_build",
            hint="docs/audience-manager.md has examples.",
        ) from None  # fmt: skip
    except (ValueError, TypeError):
        raise InputError(
            "This is no JSON of a build. Nothing was built.", code="bad_build",
            hint="docs/audience-manager.md has examples.",
        ) from None  # fmt: skip
