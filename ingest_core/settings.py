"""What an installation can set: ``settings.json`` in the workspace folder, each overridable by ``ONRAMP_<NAME>``."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingest_core.errors import ConfigError

BlockedRank = Literal["any", "primary", "secondary"]


class BlockedPattern(BaseModel):
    """A regular expression (RE2, whole value, any case) of values that identify nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern: str = Field(min_length=1, max_length=1_000)
    rank: BlockedRank = "any"
    title: str = Field("", max_length=200)  # what people are told instead of the expression

    @field_validator("pattern")
    @classmethod
    def _must_compile(cls, pattern: str) -> str:
        """In brackets, as it is used: what is open at the end of one pattern would swallow the next."""
        return _compiling(f"^(?:{pattern})$", pattern)


def blocked_expression(patterns: tuple[BlockedPattern, ...], rank: str) -> str:
    """One expression (RE2) for all patterns of a rank, for the whole value."""
    chosen = [p.pattern for p in patterns if p.rank in ("any", rank)]
    return r"^(?:" + "|".join(f"(?:{pattern})" for pattern in chosen) + r")$" if chosen else r"[^\s\S]"


def _compiling(expression: str, pattern: str) -> str:
    try:
        pc.match_substring_regex(pa.array([""]), expression)
    except (pa.ArrowInvalid, UnicodeError):
        raise ValueError("it is no regular expression (RE2)") from None
    return pattern


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
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def bytes_of(size: str) -> int:
    """``40 MB`` and ``1.5GiB``, as all sizes are written here, in bytes. ValueError where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)(i?)B?", size.strip())
    if found is None:
        raise ValueError("it is no size")
    return round(float(found[1]) * (_BINARY if found[3] else _UNITS)[found[2]])


def _bytes(value: object) -> object:
    """Beside a plain number of bytes."""
    with contextlib.suppress(ValueError):
        return bytes_of(value) if isinstance(value, str) else value
    return value


def _none(value: object) -> object:
    """``none``, ``off`` and nothing mean that there is no value."""
    return None if isinstance(value, str) and value.strip().lower() in ("", "none", "off") else value


def _json(value: object) -> object:
    """A list that comes as text, from the environment or the command line."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("it is no JSON list") from None


def _quarter_of_memory() -> str:
    """A quarter of the machine's memory for the engine, 512 MB to 4 GB: a load of 10 million rows needs about 1 GB."""
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4_000_000
    return f"{min(max(megabytes, 512), 4096)}MB"


Bytes = Annotated[int, BeforeValidator(_bytes)]
Days = Annotated[Annotated[int, Field(ge=0, le=36_500)] | None, BeforeValidator(_none)]
Text = Annotated[Annotated[str, Field(max_length=4_000)] | None, BeforeValidator(_none)]


class Settings(BaseModel):
    """All settings with their defaults; sizes in bytes. The description of each is what screen and command show.

    Nobody assigns to one. An open workspace has one object of it that everybody holds, and ``take`` gives that the
    values of another at once, so that what begins afterwards uses the new ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    browser_limit_bytes: Bytes = Field(40_000_000, ge=1, description="Largest file sent by the browser")
    file_limit_bytes: Bytes = Field(5_000_000_000, ge=1, description="Largest file from a folder or the command line")
    line_limit_bytes: Bytes = Field(1_048_576, ge=1, description="Longest line of a file")
    column_limit: int = Field(2_000, ge=1, description="Most columns of a file")
    unpacked_limit_bytes: Bytes = Field(20_000_000_000, ge=1, description="Largest file after unpacking")
    ratio_limit: int = Field(1_000, ge=1, description="Most that unpacking may multiply a file, above 16 MiB")
    upload_seconds: int = Field(3_600, ge=0, description="Longest pass over the bytes of an upload; 0: no limit")
    reader_memory_bytes: Bytes = Field(2 << 30, ge=128 << 20, description="Memory of the process that reads a workbook")
    inbox_folder: Text = Field(None, description="Folder where files wait to be taken; none: inbox in the workspace")
    inbox_keep_days: Days = Field(7, description="Days that files taken out of the inbox are kept beside it")
    strict_header: bool = Field(True, description="Column names that break the rules need a person's word")
    other_formats: Literal["convert", "refuse"] = Field(
        "convert", description="Files that are not tab-separated UTF-8: convert with a notice, or refuse"
    )
    phone_country: Annotated[str | None, BeforeValidator(_none)] = Field(
        None, description="Country of phone numbers without a country code, where the source names none"
    )
    lower_email_local: bool = Field(True, description="E-mail addresses in any case are one address")
    blocked: Annotated[tuple[BlockedPattern, ...], BeforeValidator(_json)] = Field(
        BLOCKED, max_length=500, description="Patterns of values that identify nobody"
    )
    # A secondary met with more primaries than this is shared.
    shared_limit: int = Field(20, ge=1, description="Most customers that one e-mail or phone may name")
    minimum_secondary_length: int = Field(4, ge=1, le=100, description="Fewest characters of an e-mail or phone")
    memory_limit: str = Field(default_factory=_quarter_of_memory, pattern=_SIZE, description="Memory of the database")
    threads: int = Field(
        default_factory=lambda: os.cpu_count() or 2, ge=1, le=1_024, description="Threads of the database"
    )
    temp_limit: str = Field("50GB", pattern=_SIZE, description="Disk space for temporary files of the database")
    slice_bytes: Bytes = Field(8 << 20, ge=1, le=1 << 30, description="Piece of a file that is worked on at once")
    draft_keep_days: int = Field(
        30, ge=0, le=36_500, description="Days that an unfinished ingest is kept after it was last touched"
    )
    reject_keep_days: Days = Field(None, description="Days that rejected rows are kept after the load")
    undone_keep_days: Days = Field(None, description="Days after an undo in which it can be taken back")
    id_sync_route: bool = Field(False, description="Take ID syncs of browsers by HTTP (/ibs:dpid=…)")
    id_sync_per_minute: int = Field(600, ge=1, le=1_000_000, description="Most ID syncs by HTTP of one client a minute")
    audience_keep_days: Days = Field(60, description="Days that lines of Audience Manager files are kept in the log")
    audience_files_keep_days: Days = Field(
        30, description="Days that Audience Manager files are kept as they came; 0: not at all"
    )
    explore_seconds: int = Field(30, ge=1, description="Longest query of Explore")
    explore_rows: int = Field(10_000, ge=1, le=1_000_000, description="Most rows of a result that Explore shows")
    explore_result_bytes: Bytes = Field(32 << 20, ge=1 << 16, le=1 << 30, description="Most bytes of these rows")
    explore_file_rows: int = Field(500_000, ge=1, description="Most rows of a file that Explore looks at")
    explore_profiles: int = Field(100_000, ge=1, description="Most profiles that Explore looks at, masked")
    explore_memory_bytes: Bytes = Field(1 << 30, ge=128 << 20, description="Memory of one person's queries")
    explore_idle_seconds: int = Field(900, ge=1, description="Idle time after which that process ends")
    explore_sessions: int = Field(4, ge=1, description="Most people who query at once")
    mail_host: Text = Field(None, description="Mail server (SMTP)")
    mail_port: int = Field(587, ge=1, le=65_535, description="Port of the mail server")
    mail_security: Literal["starttls", "tls", "none"] = Field("starttls", description="How the connection is secured")
    mail_user: Text = Field(None, description="User name at the mail server")
    mail_password: Text = Field(
        None, repr=False, description="Password at the mail server, kept encrypted, never shown"
    )
    mail_sender: Text = Field(None, description="Address that messages come from")
    base_url: Text = Field(None, description="Address of this app in the links of messages")
    notice_after_seconds: int = Field(
        300, ge=1, le=864_000, description="Seconds of a load after which people are told that it is still running"
    )
    notice_retry_hours: int = Field(72, ge=1, le=720, description="Hours in which sending a notice is tried again")
    notice_keep_days: Days = Field(90, description="Days that sent notices are listed")
    webhook_url: Text = Field(None, description="Address that every notice is posted to as signed JSON")
    webhook_secret: Text = Field(
        None, repr=False, description="Secret that signs what is posted, kept encrypted, never shown"
    )
    webhook_plain: bool = Field(False, description="The webhook may be http and lead to this machine by any name")

    @field_validator("phone_country")
    @classmethod
    def _known_country(cls, country: str | None) -> str | None:
        from phonenumbers import SUPPORTED_REGIONS

        if country is not None and country not in SUPPORTED_REGIONS:
            raise ValueError("it is no country code of two capital letters, such as IN")
        return country

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", address):
            raise ValueError("it is no web address, such as https://onramp.example.com")
        return address.rstrip("/") if address else None

    @field_validator("webhook_url")
    @classmethod
    def _hook_address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(r"https?://[^\s/?#@]+([/?][^\s#]*)?", address):
            raise ValueError("it is no web address, such as https://example.com/onramp")
        return address

    @field_validator("webhook_secret")
    @classmethod
    def _long_secret(cls, secret: str | None) -> str | None:
        if secret is not None and len(secret) < 16:
            raise ValueError("a secret has at least 16 characters")
        return secret

    @field_validator("mail_host")
    @classmethod
    def _host_name(cls, host: str | None) -> str | None:
        if host is not None and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?", host):
            raise ValueError("it is no name of a server, such as smtp.example.com")
        return host

    @field_validator("mail_sender")
    @classmethod
    def _mail_address(cls, address: str | None) -> str | None:
        if address is not None and not is_address(address):
            raise ValueError("it is no e-mail address")
        return address

    @model_validator(mode="after")
    def _patterns_together(self) -> Settings:
        for rank in ("primary", "secondary"):
            _compiling(blocked_expression(self.blocked, rank), "")
        return self

    def take(self, other: Settings) -> None:
        """Has the values of ``other`` from now on: one assignment, so nobody meets half of them."""
        object.__setattr__(self, "__dict__", dict(other.__dict__))


_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def is_address(text: str) -> bool:
    """Whether a text is one bare e-mail address: nothing in it can become a second line or a second recipient."""
    return _ADDRESS.fullmatch(text) is not None


AT_RESTART = ("memory_limit", "threads", "temp_limit")
"""What the database is opened with: a change shows when the workspace is opened next."""


def from_environment() -> dict[str, str]:
    """Setting → the text that ``ONRAMP_<NAME>`` gives it."""
    given = {name: os.environ.get(f"ONRAMP_{name.upper()}") for name in Settings.model_fields}
    return {name: text for name, text in given.items() if text is not None}


def read_file(home: Path) -> dict[str, Any]:
    """What ``settings.json`` says, unchecked; {} when there is none. ConfigError ``bad_settings``."""
    path = home / "settings.json"
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text("utf-8"))
        if not isinstance(values, dict):
            raise ValueError
    except ValueError as error:
        raise ConfigError(
            "settings.json is not valid JSON. The workspace was not opened.",
            code="bad_settings",
            hint="Correct the file, or move it away to start with the defaults.",
        ) from error
    return values


def made_of(values: Mapping[str, Any]) -> Settings:
    """Settings of what the file says, the environment winning. Raises pydantic's ValidationError."""
    return Settings.model_validate({**values, **from_environment()})


def load_settings(home: Path) -> Settings:
    """Reads ``settings.json`` (all keys optional) and the environment, the environment winning."""
    values = read_file(home)
    try:
        return made_of(values)
    except ValidationError as error:
        names = sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}) or ["blocked"]
        raise ConfigError(
            f"These settings are not valid: {', '.join(names)}. The workspace was not opened.",
            code="bad_settings",
            hint="Correct them in settings.json or in the environment.",
            facts={"settings": names},
        ) from None  # its text quotes the values, of which one is a password
