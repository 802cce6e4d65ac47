"""What screens show at a glance: read-only figures over the uploads, nothing that could be wrong elsewhere."""

from ingest_core.overview.overview import Day, HistoryDay, Overview, Running, SourceActivity, Week

__all__ = ["Day", "HistoryDay", "Overview", "Running", "SourceActivity", "Week"]
