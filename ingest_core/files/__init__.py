"""Bytes → rows of text: receive, open, lines, dialect, slices, with an exact account of every line."""

from ingest_core.files.dialect import sniff
from ingest_core.files.header import header_problems, repair_names
from ingest_core.files.receive import receive
from ingest_core.files.slices import head, read_slices
from ingest_core.files.source import PathSource, sha256_of
from ingest_core.files.tables import PLAIN_TABLES, Tables
from ingest_core.files.write import write_csv

__all__ = [
    "PLAIN_TABLES",
    "PathSource",
    "Tables",
    "head",
    "header_problems",
    "read_slices",
    "receive",
    "repair_names",
    "sha256_of",
    "sniff",
    "write_csv",
]
