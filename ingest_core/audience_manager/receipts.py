"""The receipts of a batch (Audience Manager spec §10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from ingest_core.audience_manager.signal_loads import SignalLoad
from ingest_core.models import StepReport

SYNC_COUNTERS = (
    "records_received", "format_errors", "invalid_aam_id", "invalid_device_id", "no_matching_aam_id",
    "stored_records", "lines_too_long",
)  # fmt: skip


class Counts(BaseModel):
    """Every counter of one receipt, in the order of the original; the last ones are ours."""

    records_received: int = 0
    format_errors: int = 0
    invalid_aam_id: int = 0
    invalid_device_id: int = 0
    no_matching_aam_id: int = 0
    no_trait_realized: int = 0
    records_processed: int = 0
    stored_records: int = 0
    total_devices: int = 0
    total_signals: int = 0
    total_unused_signals: int = 0
    total_realized_traits: int = 0
    total_removed_traits: int = 0
    traits_failed_validation: int = 0
    users_failed_validation: int = 0
    lines_too_long: int = 0
    lines_over_user_cap: int = 0
    unmatched_stored: int = 0
    used_signals: int = 0
    ignored_signals: int = 0
    failed_signals: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in Counts.model_fields})

    def problems(self) -> list[str]:
        """Which of the identities I1 to I5 do not hold; none ever."""
        classes = self.format_errors + self.invalid_aam_id + self.invalid_device_id + self.no_matching_aam_id
        signals = self.used_signals + self.total_unused_signals + self.ignored_signals + self.failed_signals
        held = {
            "I1": self.records_received == self.records_processed + self.lines_too_long + self.lines_over_user_cap,
            "I2": self.stored_records == self.records_processed - classes - self.no_trait_realized,
            "I3": self.total_signals == signals,
            "I4": self.users_failed_validation <= self.traits_failed_validation
            and 0 <= self.unmatched_stored <= self.stored_records,
            "I5": self.total_devices <= self.stored_records,
        }
        return [name for name, is_held in held.items() if not is_held]


class BatchReceipt(Counts):
    """One receipt: of a batch, and of one data source (DPID) and the owner of the traits (target)."""

    dpid: int
    target: int | None = None
    files: list[str] = []

    @property
    def key(self) -> str:
        """``21``, or ``20915_21`` with a target."""
        return str(self.dpid) if self.target is None else f"{self.dpid}_{self.target}"


class SyncReceipt(BaseModel):
    """The small receipt of an ID sync file."""

    file: str
    counts: dict[str, int]


class RejectedFile(BaseModel):
    """A file that was refused as a whole."""

    file: str
    error: str
    message: str = ""


class BatchReport(BaseModel):
    """What a batch did. ``request_id`` None: it was a dry run, or the beta environment; nothing was stored.

    ``per_file``: the counters of each data file by its name, as far as one file can have them.
    """

    request_id: str | None
    environment: str
    at: datetime
    receipts: list[BatchReceipt] = []
    id_sync: list[SyncReceipt] = []
    rejected: list[RejectedFile] = []
    warnings: list[dict[str, Any]] = []
    uploads: list[SignalLoad] = []  # of files whose signals go into profiles, too
    steps: list[StepReport] = []
    per_file: dict[str, Counts] = Field({}, exclude=True)
