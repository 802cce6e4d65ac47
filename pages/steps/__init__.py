"""The five steps of the ingest wizard."""
