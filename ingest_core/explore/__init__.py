"""Looking with SQL: over a file before anything is uploaded, or over masked profiles (docs/explore.md)."""
