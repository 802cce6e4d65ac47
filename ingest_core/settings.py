"""What an installation can set: ``settings.json`` in the workspace folder, each overridable by ``ONRAMP_<NAME>``."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest_core.errors import ConfigError


class BlockedPattern(BaseModel):
    """A regular expression (RE2, whole value, any case) of values that identify nobody."""

    model_config = ConfigDict(frozen=True)

    pattern: str
    rank: str = "any"  # any | primary | secondary
    title: str = ""  # what people are told instead of the expression


_SAME = "one digit again and again"

BLOCKED = (
    BlockedPattern(pattern=r"[0-]*", title="only zeros or dashes"),
    BlockedPattern(pattern=r"-1", title="-1"),
    BlockedPattern(pattern=r"null|none|n/a|anonymous", title="a word such as none or n/a"),
    BlockedPattern(pattern=r"(test|none|null|n/a|anonymous)@.*", title="an address such as none@… or test@…"),
    # All digits equal. Customer ids such as 11111 are real (CDNOW), so a primary must be as long as a phone number.
    BlockedPattern(pattern="|".join(rf"\+?{d}+" for d in "123456789"), rank="secondary", title=_SAME),
    BlockedPattern(pattern="|".join(rf"{d}{{10,}}" for d in "123456789"), rank="primary", title=_SAME),
)

_SIZE = r"^\d+(\.\d+)? ?[KMGT]i?B$"


def _quarter_of_memory() -> str:
    """A quarter of the machine's memory for the engine, 512 MB to 4 GB: a load of 10 million rows needs about 1 GB."""
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4_000_000
    return f"{min(max(megabytes, 512), 4096)}MB"


class Settings(BaseModel):
    """All settings with their defaults; sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    browser_limit_bytes: int = 40_000_000
    file_limit_bytes: int = 5_000_000_000
    line_limit_bytes: int = 1_048_576
    column_limit: int = 2_000
    unpacked_limit_bytes: int = Field(default=20_000_000_000, ge=1)
    ratio_limit: int = Field(default=1_000, ge=1)  # times the packed size, above 16 MiB
    upload_seconds: int = Field(default=3_600, ge=0)  # for one pass over the bytes of an upload; 0 = no limit
    reader_memory_bytes: int = Field(default=2 << 30, ge=128 << 20)  # of a process that reads a workbook apart
    inbox_folder: str | None = None  # where files wait to be taken; None: `inbox` in the workspace folder
    inbox_keep_days: int | None = Field(default=7, ge=0, le=36_500)  # files taken out of the inbox; None: for ever
    strict_header: bool = True
    phone_country: str | None = None
    lower_email_local: bool = True
    blocked: tuple[BlockedPattern, ...] = BLOCKED
    shared_limit: int = Field(default=20, ge=1)  # a secondary met with more primaries than this is shared
    minimum_secondary_length: int = 4
    memory_limit: str = Field(default_factory=_quarter_of_memory, pattern=_SIZE)
    threads: int = Field(default_factory=lambda: os.cpu_count() or 2, ge=1)
    temp_limit: str = Field(default="50GB", pattern=_SIZE)
    slice_bytes: int = Field(default=8 << 20, ge=1)
    draft_keep_days: int = Field(default=30, ge=0, le=36_500)  # by `maintain`: since an unfinished ingest was touched
    reject_keep_days: int | None = Field(default=None, ge=0, le=36_500)  # rejected rows since the load; None: for ever
    undone_keep_days: int | None = Field(default=None, ge=0, le=36_500)  # log rows since the undo; None: for ever
    explore_seconds: int = Field(default=30, ge=1)  # of one query
    explore_rows: int = Field(default=10_000, ge=1, le=1_000_000)  # of a result that are shown
    explore_result_bytes: int = Field(default=32 << 20, ge=1 << 16, le=1 << 30)  # of these rows
    explore_file_rows: int = Field(default=500_000, ge=1)  # of a file that are looked at
    explore_profiles: int = Field(default=100_000, ge=1)  # that are looked at, masked
    explore_memory_bytes: int = Field(default=1 << 30, ge=128 << 20)  # of the process that runs one person's queries
    explore_idle_seconds: int = Field(default=900, ge=1)  # after which that process ends
    explore_sessions: int = Field(default=4, ge=1)  # such processes at once


def load_settings(home: Path) -> Settings:
    """Reads ``settings.json`` (all keys optional) and the environment, the environment winning."""
    path = home / "settings.json"
    values: dict[str, object] = {}
    if path.exists():
        try:
            values.update(json.loads(path.read_text("utf-8")))
        except ValueError as error:
            raise ConfigError(
                "settings.json is not valid JSON. The workspace was not opened.",
                code="bad_settings",
                hint="Correct the file, or move it away to start with the defaults.",
            ) from error
    for name in Settings.model_fields:
        text = os.environ.get(f"ONRAMP_{name.upper()}")
        if text is not None:
            values[name] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        names = sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]})
        raise ConfigError(
            f"These settings are not valid: {', '.join(names)}. The workspace was not opened.",
            code="bad_settings",
            hint="Correct them in settings.json or in the environment.",
            facts={"settings": names},
        ) from error
