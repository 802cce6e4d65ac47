"""The receipt of a batch as a message to the people of its data sources (Audience Manager spec §10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest_core.audience_manager.name_types import DataName, IdSyncName
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.audience_manager.receipts import BatchReceipt, BatchReport, Counts, RejectedFile, SyncReceipt
from ingest_core.audience_manager.registered import Registered
from ingest_core.ledger.outbox import Event, Letter
from ingest_core.models import Source

SUBJECT = "Audience Manager Server-To-Server Processing Result"

LABELS: dict[str, str] = {
    "records_received": "Records received",
    "format_errors": "Format Errors",
    "invalid_aam_id": "Invalid AAM ID",
    "invalid_device_id": "Invalid Device ID",
    "no_matching_aam_id": "No Matching AAM ID",
    "no_trait_realized": "No Trait Realized",
    "records_processed": "Records processed",
    "stored_records": "Stored Records",
    "total_devices": "Total devices",
    "total_signals": "Total signals",
    "total_unused_signals": "Total unused signals",
    "total_realized_traits": "Total realized traits",
    "total_removed_traits": "Total removed traits",
    "traits_failed_validation": "Total traits failed validation",
    "users_failed_validation": "Total users that have traits which failed validation",
}
"""The fields in the order of the original; ours after them are in the receipt's page."""

SYNC_LABELS = {
    "records_received": "Rows received",
    "stored_records": "Stored Records",
    "lines_too_long": "Lines too long",
}
"""Of the small receipt of an ID sync, where a field has another name."""


def events(report: BatchReport, registered: Registered, times: tuple[str, str]) -> Iterator[Event]:
    """One per receipt, ID sync, and data source of which every file was refused, to the recipients of the data sources.

    ``times``: start and end as ``YYYY-MM-DD HH:MM:SS``, UTC. Refused files stand in the letter of their data sources;
    one whose name cannot be read is nobody's.
    """
    refused = _refused(report)
    for receipt in report.receipts:
        dpids = [dpid for dpid in (receipt.dpid, receipt.target) if dpid is not None]
        letter = _letter(report, receipt, registered.sources.get(receipt.dpid), times, refused.pop(tuple(dpids), []))
        data = {"receipt": receipt.model_dump(mode="json")}
        yield _event(report, receipt.key, letter, data, dpids, registered)
    for sync in report.id_sync:
        dpids = _of_name(sync.file)
        again = refused.pop(tuple(dpids), [])
        letter = _sync_letter(report, sync, times, again)
        yield _event(report, f"sync {sync.file}", letter, {"id_sync": sync.model_dump(mode="json")}, dpids, registered)
    for of, files in refused.items():
        letter = _refused_letter(report, files, times)
        rejected = {"rejected": [one.model_dump(mode="json") for one in files]}
        yield _event(report, "refused " + "_".join(map(str, of)), letter, rejected, of, registered)


def _event(
    report: BatchReport,
    key: str,
    letter: Letter,
    data: Mapping[str, object],
    dpids: Sequence[int],
    registered: Registered,
) -> Event:
    concerned = [source for dpid in dpids if (source := registered.sources.get(dpid)) is not None]
    return Event(
        key=f"audience receipt {report.request_id} {key}",
        kind="audience_receipt",
        letter=letter,
        data={**data, "request_id": report.request_id},
        recipients=_recipients(concerned),
        request_id=report.request_id,
        source_id=concerned[0].source_id if concerned else None,
    )


def _refused(report: BatchReport) -> dict[tuple[int, ...], list[RejectedFile]]:
    """The data sources that names of refused files say → these files."""
    found: dict[tuple[int, ...], list[RejectedFile]] = {}
    for one in report.rejected:
        if of := tuple(_of_name(one.file)):
            found.setdefault(of, []).append(one)
    return found


def _of_name(file: str) -> list[int]:
    """Of a data file its data source and the owner of the traits, of an ID sync its columns; none of a bad name."""
    name = parse_base(file.rpartition("/")[2])
    if isinstance(name, DataName):
        return [name.dpid] if name.target is None else [name.dpid, name.target]
    return list(name.columns) if isinstance(name, IdSyncName) else []


def _recipients(sources: list[Source]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for source in sources for address in source.settings.recipients))


def _letter(
    report: BatchReport,
    receipt: BatchReceipt,
    source: Source | None,
    times: tuple[str, str],
    refused: Sequence[RejectedFile],
) -> Letter:
    of = f"data source {receipt.dpid}" if source is None else f"{source.name} (DPID {receipt.dpid})"
    target = "" if receipt.target is None else f", for the traits of {receipt.target}"
    is_fine = receipt.stored_records == receipt.records_received
    counters = {name: f"{getattr(receipt, name):,}" for name in Counts.model_fields if name in LABELS}
    return Letter(
        subject=f"{SUBJECT}: {of}",
        title=f"{receipt.stored_records:,} of {receipt.records_received:,} records stored",
        tone="good" if is_fine and not refused else "warning" if receipt.stored_records else "bad",
        sentences=(f"These files of {of}{target} were processed together.",),
        rows=(
            *(("File name", name) for name in receipt.files),
            *((LABELS[name], text) for name, text in counters.items()),
            *_ends(times, refused),
        ),
        **_link(report),
    )


def _sync_letter(
    report: BatchReport, sync: SyncReceipt, times: tuple[str, str], refused: Sequence[RejectedFile]
) -> Letter:
    received, stored = (sync.counts.get(name, 0) for name in ("records_received", "stored_records"))
    return Letter(
        subject=f"{SUBJECT}: ID sync",
        title=f"{stored:,} of {received:,} rows of ids found their device",
        tone="good" if stored == received and not refused else "warning",
        sentences=("Rows whose device is not known yet wait for it: a later file may name it.",),
        rows=(
            ("File name", sync.file),
            *((SYNC_LABELS.get(name, LABELS.get(name, name)), f"{count:,}") for name, count in sync.counts.items()),
            *_ends(times, refused),
        ),
        **_link(report),
    )


def _refused_letter(report: BatchReport, files: Sequence[RejectedFile], times: tuple[str, str]) -> Letter:
    one = len(files) == 1
    return Letter(
        subject=f"{SUBJECT}: {'file' if one else 'files'} refused",
        title=f"{len(files):,} {'file was' if one else 'files were'} refused as a whole",
        tone="bad",
        sentences=("Nothing of them was stored. The receipt has them as they came, for some time.",),
        rows=_ends(times, files),
        **_link(report),
    )


def _ends(times: tuple[str, str], refused: Sequence[RejectedFile]) -> tuple[tuple[str, str], ...]:
    return (
        ("Job start time", times[0]),
        ("Job end time", times[1]),
        *((f"Refused: {one.file}", f"{_title(one.error)} ({one.error})") for one in refused),
    )


def _title(code: str) -> str:
    return AM_REASONS[code].title if code in AM_REASONS else "It could not be read"


def _link(report: BatchReport) -> dict[str, Any]:
    return {"path": f"am_receipt?receipt={report.request_id}", "action": "Open the receipt in Onramp"}
