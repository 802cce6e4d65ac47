"""Loads a customer file with pandas, per-cell encryption and DuckDB, as scripts of today do.

python benchmarks/reference_pandas.py FILE DB      prints {seconds, rows, blank, stored, rejected, duplicates, …}
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
from reference_job import check, load_keys, protect, read, report

SCHEMA = """
CREATE TABLE IF NOT EXISTS profile (
    person VARCHAR, crmid_token VARCHAR, email_token VARCHAR, phone_token VARCHAR,
    email BLOB, phone BLOB, first_name BLOB,
    preferences VARCHAR, slot_num BIGINT, last_name VARCHAR, city VARCHAR, country VARCHAR,
    birth_date DATE, last_purchase DATE, amount DOUBLE)
"""
FIND_BY_EMAIL = """
UPDATE batch SET person = profile.person FROM profile
WHERE batch.crmid_token IS NULL AND batch.email_token = profile.email_token
"""
DELETE_OLD = "DELETE FROM profile USING batch WHERE profile.person = batch.person"


def store(people: pd.DataFrame, database: Path) -> int:
    """Upsert by person in one transaction; the number of distinct people."""
    connection = duckdb.connect(str(database))
    connection.execute(SCHEMA)
    connection.register("incoming", people)
    connection.execute("CREATE TEMP TABLE batch AS SELECT * FROM incoming")
    connection.execute(FIND_BY_EMAIL)
    columns = [name for name in people.columns if name != "person"]
    kept = ", ".join(f"coalesce(batch.{name}, profile.{name}) AS {name}" for name in columns)
    connection.execute("BEGIN")
    connection.execute(
        f"CREATE TEMP TABLE merged AS SELECT batch.person, {kept} FROM batch LEFT JOIN profile USING (person)"
    )
    connection.execute(DELETE_OLD)
    connection.execute("INSERT INTO profile SELECT * FROM merged")
    connection.execute("COMMIT")
    connection.execute("CHECKPOINT")
    connection.close()
    return len(people)


def main() -> None:
    """Load one file."""
    file, database = Path(sys.argv[1]), Path(sys.argv[2])
    started = time.perf_counter()
    checked = check(read(file))
    checked.rejects.to_csv(database.with_suffix(".rejects.tsv"), sep="\t", index=False)
    people = protect(checked.good, load_keys(database.with_suffix(".keys")))
    stored = store(people.drop_duplicates("person", keep="last"), database)
    print(report(time.perf_counter() - started, checked, stored))


if __name__ == "__main__":
    main()
