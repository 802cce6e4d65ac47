"""A table as RFC 4180 CSV in UTF-8."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence

import pyarrow as pa


def write_csv(path: str | os.PathLike[str], header: Sequence[str] | None, slices: Iterator[pa.Table]) -> None:
    """Write text tables one after another: CRLF, quotes only where reading back needs them.

    ``header``: column names, or None for no header line. A row that is one empty cell is written ``""``, for an empty
    line would be blank.
    """
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
        if header is not None:
            writer.writerow(header)
        for table in slices:
            columns = [column.to_pylist() for column in table.columns]
            writer.writerows(zip(*columns, strict=True))
