"""The public CDNOW purchases: every line accounted for, ids with their zeros, totals as pandas computes them."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ingest_core.workspace import Workspace
from tests.cli.onramp import Onramp, check_receipt

CUSTOMERS, LINES = 23_570, 69_659
ATTRIBUTES = {"last_purchase": "date", "cds": "integer", "total_spent": "number", "purchases": "integer"}


@pytest.fixture(scope="module")
def file(repository, tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp("cdnow") / "cdnow.tsv"
    command = [sys.executable, "samples/cdnow.py", "--out", str(out)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    if done.returncode == 2:
        pytest.skip("the package lifetimes, which carries the CDNOW data, is not installed")
    assert json.loads(done.stdout)["lines"] == LINES
    return out


@pytest.fixture(scope="module")
def onramp(tmp_path_factory) -> Onramp:
    made = Onramp(tmp_path_factory.mktemp("workspace") / "home")
    made.json("source", "add", "CDNOW")
    for name, kind in ATTRIBUTES.items():
        made.json("attribute", "add", name, "--type", kind)
    return made


@pytest.fixture(scope="module")
def receipt(onramp, file, repository) -> dict[str, Any]:
    mapping = repository / "samples" / "cdnow.mapping.json"
    preview = onramp.load(file, "--mapping", mapping, "--dry-run", source="CDNOW")
    loaded = onramp.load(file, "--mapping", mapping, source="CDNOW")
    assert {name: preview[name] for name in ("stored", "duplicates", "created")} == {
        name: loaded[name] for name in ("stored", "duplicates", "created")
    }
    return loaded


def test_every_line_is_accounted_for(receipt):
    check_receipt(receipt)
    counts = {name: receipt[name] for name in ("lines", "stored", "created", "duplicates", "rejected", "blank")}
    assert counts == {
        "lines": LINES, "stored": CUSTOMERS, "created": CUSTOMERS, "duplicates": LINES - CUSTOMERS, "rejected": 0,
        "blank": 0,
    }  # fmt: skip
    assert receipt["duplicates"] == 46_089
    assert receipt["profiles_after"] == receipt["members"] == CUSTOMERS


def test_it_is_said_that_this_is_a_list_of_events(receipt):
    assert any(notice.startswith("This looks like a list of events") for notice in receipt["notices"])


def test_ids_keep_their_zeros(onramp, receipt):
    shown = onramp.json("profile", "show", "--by", "crmid=00001")
    assert shown["attributes"]["crmid"]["value"] == "00001"
    assert onramp.run("--json", "profile", "show", "--by", "crmid=1").json["error"]["code"] == "no_such_profile"


def test_totals_of_all_customers_equal_pandas(onramp, receipt, file):
    table = pd.read_csv(file, sep="\t", dtype=str)
    table["amount"] = table["amount"].map(Decimal)
    expected = table.groupby("customer_id").agg(
        last=("purchase_date", "max"), cds=("quantity", lambda column: int(column.astype(int).sum())),
        spent=("amount", "sum"), purchases=("amount", "size"),
    )  # fmt: skip
    with Workspace.open(onramp.home) as workspace, workspace.engine.session() as session:
        columns = {attribute.name: attribute.column for attribute in workspace.attributes.list()}
        wanted = ", ".join(columns[name] for name in ("crmid", *ATTRIBUTES))
        found = {row[0]: row[1:] for row in session.rows(f"SELECT {wanted} FROM profile")}
    assert len(found) == CUSTOMERS
    assert {customer: (f"{row[0]:%Y%m%d}", int(row[1]), row[2], int(row[3])) for customer, row in found.items()} == {
        customer: (row.last, row.cds, row.spent, row.purchases)
        for customer, row in zip(expected.index, expected.itertuples(index=False), strict=True)
    }


def test_a_rebuild_computes_the_same(onramp, receipt):
    before = onramp.json("digest")
    assert before.items() <= onramp.json("rebuild").items()
