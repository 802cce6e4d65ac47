"""The receipt of a batch as a message to the people of its data sources (Audience Manager spec §10)."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_core.audience_manager.receipts import BatchReceipt, BatchReport, Counts
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


def events(report: BatchReport, registered: Registered, times: tuple[str, str]) -> Iterator[Event]:
    """One per receipt, to the recipients of the data source and of the traits' owner.

    ``times``: start and end as ``YYYY-MM-DD HH:MM:SS``, UTC.
    """
    for receipt in report.receipts:
        concerned = [registered.sources.get(dpid) for dpid in (receipt.dpid, receipt.target) if dpid is not None]
        people = _recipients([source for source in concerned if source is not None])
        source = concerned[0]
        yield Event(
            key=f"audience receipt {report.request_id} {receipt.key}",
            kind="audience_receipt",
            letter=_letter(report, receipt, source, times),
            data={"receipt": receipt.model_dump(mode="json"), "request_id": report.request_id},
            recipients=people,
            request_id=report.request_id,
            source_id=None if source is None else source.source_id,
        )


def _recipients(sources: list[Source]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for source in sources for address in source.settings.recipients))


def _letter(report: BatchReport, receipt: BatchReceipt, source: Source | None, times: tuple[str, str]) -> Letter:
    of = f"data source {receipt.dpid}" if source is None else f"{source.name} (DPID {receipt.dpid})"
    target = "" if receipt.target is None else f", for the traits of {receipt.target}"
    is_fine = receipt.stored_records == receipt.records_received
    counters = {name: f"{getattr(receipt, name):,}" for name in Counts.model_fields if name in LABELS}
    return Letter(
        subject=f"{SUBJECT}: {of}",
        title=f"{receipt.stored_records:,} of {receipt.records_received:,} records stored",
        tone="good" if is_fine else "warning" if receipt.stored_records else "bad",
        sentences=(f"These files of {of}{target} were processed together.",),
        rows=(
            *(("File name", name) for name in receipt.files),
            *((LABELS[name], text) for name, text in counters.items()),
            ("Job start time", times[0]),
            ("Job end time", times[1]),
        ),
        path=f"am_receipt?receipt={report.request_id}",
        action="Open the receipt in Onramp",
    )
