"""What the pages share: open workspace, words, charts, tables, drop zone."""
