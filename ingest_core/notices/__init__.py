"""Notices: what people and other programs are told about uploads and whatever else happens in a workspace."""

from ingest_core.ledger.outbox import Event, Letter, LetterReason

__all__ = ["Event", "Letter", "LetterReason"]
