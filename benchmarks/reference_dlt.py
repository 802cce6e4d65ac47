"""Loads a customer file with dlt into DuckDB by merge, with the same checks and encryption as reference_pandas.py.

python benchmarks/reference_dlt.py FILE DB [--as arrow|dicts]      prints {seconds, rows, blank, stored, rejected, …}

dlt has many dependencies of its own, so it runs in an environment of its own:

    python3 -m venv dlt-env && dlt-env/bin/pip install "dlt[duckdb]" duckdb==2.0.0 pandas pyarrow cryptography

``arrow`` hands dlt whole tables, its quickest way; ``dicts`` one row at a time, as most sources do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"  # before dlt is imported: it reports home otherwise
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")

import dlt
import pandas as pd
import pyarrow as pa
from reference_job import check, load_keys, protect, read, report

BATCH = 100_000


def main() -> None:
    """Load one file."""
    parser = argparse.ArgumentParser(description="Loads a customer file with dlt.")
    parser.add_argument("file", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--as", dest="form", choices=("arrow", "dicts"), default="arrow")
    args = parser.parse_args()
    started = time.perf_counter()
    checked = check(read(args.file))
    checked.rejects.to_csv(args.database.with_suffix(".rejects.tsv"), sep="\t", index=False)
    people = protect(checked.good, load_keys(args.database.with_suffix(".keys")))
    people = people.drop_duplicates("person", keep="last")
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "reference",
            destination=dlt.destinations.duckdb(str(args.database)),
            dataset_name="reference",
            pipelines_dir=folder,
        )
        pipeline.run(
            dlt.resource(batches(people, args.form), name="profile"), write_disposition="merge", primary_key="person"
        )
    print(report(time.perf_counter() - started, checked, len(people)))


def batches(people: pd.DataFrame, form: str) -> Iterator[object]:
    """The people in batches of the form that dlt is to be given."""
    for start in range(0, len(people), BATCH):
        table = pa.Table.from_pandas(people[start : start + BATCH], preserve_index=False)
        yield table if form == "arrow" else table.to_pylist()


if __name__ == "__main__":
    main()
