"""The public purchase list: complete, in order, and not a character changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def rows(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    out = tmp_path_factory.mktemp("cdnow") / "cdnow.tsv"
    command = [sys.executable, "samples/cdnow.py", "--out", str(out)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    if done.returncode == 2:
        pytest.skip("the package lifetimes, which carries the CDNOW data, is not installed")
    assert json.loads(done.stdout)["lines"] == 69_659
    return [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]


def test_every_purchase_is_there(rows: list[list[str]]) -> None:
    assert rows[0] == ["customer_id", "purchase_date", "quantity", "amount"]
    assert len(rows) - 1 == 69_659
    assert len({row[0] for row in rows[1:]}) == 23_570


@pytest.mark.parametrize(
    ("column", "is_right"),
    [
        (0, lambda text: len(text) == 5 and text.isdigit()),
        (1, lambda text: len(text) == 8 and text[:4] in {"1997", "1998"}),
        (2, lambda text: int(text) > 0),
        (3, lambda text: Decimal(text) >= 0 and len(text.partition(".")[2]) == 2),
    ],
)
def test_values_keep_their_form(rows: list[list[str]], column: int, is_right: Callable[[str], bool]) -> None:
    assert [row for row in rows[1:] if not is_right(row[column])] == []


def test_first_purchases_stand_as_published(rows: list[list[str]]) -> None:
    assert rows[1] == ["00001", "19970101", "1", "11.77"]
    assert rows[3] == ["00002", "19970112", "5", "77.00"]


def test_mapping_names_columns_of_the_file(rows: list[list[str]], repository: Path) -> None:
    mapping = json.loads((repository / "samples" / "cdnow.mapping.json").read_text(encoding="utf-8"))
    assert {column["column"] for column in mapping["columns"]} == set(rows[0])
