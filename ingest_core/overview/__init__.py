"""What screens show at a glance: read-only figures over the uploads, nothing that could be wrong elsewhere."""

from ingest_core.overview.overview import Day, HistoryDay, MappingVersion, Overview, Running, SourceActivity, Week

__all__ = ["Day", "HistoryDay", "MappingVersion", "Overview", "Running", "SourceActivity", "Week"]
