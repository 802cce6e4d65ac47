"""Writes the public CDNOW purchase list as a file for Onramp: a list of events, several lines a person.

    python samples/cdnow.py --out cdnow.tsv

The data are the purchases of 23,570 customers of a record shop in 1997 and 1998 (P. Fader, B. Hardie), as the package
``lifetimes`` carries them: 69,659 lines. Ids keep their zeros and dates stay YYYYMMDD. The attributes that
``cdnow.mapping.json`` names are added first:

    python -m ingest_core attribute add last_purchase --type date
    python -m ingest_core attribute add cds --type integer
    python -m ingest_core attribute add total_spent --type number
    python -m ingest_core attribute add purchases --type integer
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import metadata
from pathlib import Path

COLUMNS = ("customer_id", "purchase_date", "quantity", "amount")
DATA = "lifetimes/datasets/CDNOW_master.txt"


def find_cdnow() -> Path | None:
    """The data file of the installed package, found without importing the package; None when it is not installed."""
    try:
        path = Path(str(metadata.distribution("lifetimes").locate_file(DATA)))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


def write_cdnow(data: Path, out: Path) -> int:
    """Write the purchases as TSV, each value exactly as it stands but for the padding; the number of data lines."""
    header, *lines = data.read_text(encoding="ascii").splitlines()
    if len(header.split()) != len(COLUMNS):
        raise ValueError(f"{DATA} has another form than expected: {len(header.split())} columns")
    rows = [line.split() for line in lines if line.strip()]
    with out.open("w", encoding="utf-8", newline="") as file:
        file.writelines("\t".join(row) + "\n" for row in [list(COLUMNS), *rows])
    return len(rows)


def main() -> int:
    """Read the arguments, write, and print what was written."""
    parser = argparse.ArgumentParser(description="Writes the public CDNOW purchase list as a TSV file.")
    parser.add_argument("--out", type=Path, default=Path("cdnow.tsv"))
    out: Path = parser.parse_args().out
    data = find_cdnow()
    if data is None:
        print("The package with the data is not installed: pip install --no-deps lifetimes", file=sys.stderr)
        return 2
    print(json.dumps({"file": str(out), "lines": write_cdnow(data, out)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
