"""The sample generator: same arguments same bytes, strict headers, and counts that are true."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import phonenumbers
import pytest

from ingest_core.reasons import REASONS


@pytest.fixture(scope="module")
def make_sample(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", repository / "samples" / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_sample"] = module
    spec.loader.exec_module(module)
    return module


def read_rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def test_same_arguments_make_the_same_bytes(make_sample: ModuleType, tmp_path: Path) -> None:
    first, second = tmp_path / "a.tsv", tmp_path / "b.tsv"
    assert make_sample.write_sample(first, rows=3000, seed=5, dirt=0.1) == make_sample.write_sample(
        second, rows=3000, seed=5, dirt=0.1
    )
    assert first.read_bytes() == second.read_bytes()


def test_another_seed_makes_other_people_and_other_dirt(make_sample: ModuleType, tmp_path: Path) -> None:
    texts = []
    for seed in (1, 2):
        make_sample.write_sample(tmp_path / "x.tsv", rows=2000, seed=seed, dirt=0.2)
        texts.append((tmp_path / "x.tsv").read_text(encoding="utf-8").splitlines())
    assert set(texts[0]) & set(texts[1]) == {"\t".join(make_sample.COLUMNS), ""}
    widths = [[line.count("\t") for line in lines] for lines in texts]
    assert all(widths[0][shift:] != widths[1][: len(widths[1]) - shift] for shift in range(3))


def test_block_size_changes_nothing(make_sample: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_sample.write_sample(tmp_path / "whole.tsv", rows=1000, seed=3, dirt=0.1)
    monkeypatch.setattr(make_sample, "BLOCK", 77)
    assert make_sample.write_sample(tmp_path / "blocks.tsv", rows=1000, seed=3, dirt=0.1) == whole
    assert (tmp_path / "blocks.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()


def test_committed_files_are_what_the_script_makes(make_sample: ModuleType, repository: Path, tmp_path: Path) -> None:
    for name, how in make_sample.COMMITTED.items():
        make_sample.write_sample(tmp_path / name, **how)
        assert (tmp_path / name).read_bytes() == (repository / "samples" / name).read_bytes(), name


def test_header_follows_the_strict_rules(make_sample: ModuleType) -> None:
    names = make_sample.COLUMNS
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert len({name.lower() for name in names}) == len(names)


def test_clean_file_has_one_complete_row_a_person(make_sample: ModuleType, tmp_path: Path) -> None:
    facts = make_sample.write_sample(tmp_path / "clean.tsv", rows=5000, seed=9)
    header, *rows = read_rows(tmp_path / "clean.tsv")
    assert header == list(make_sample.COLUMNS)
    assert {len(row) for row in rows} == {12}
    assert (facts.lines, facts.stored, facts.rejected, facts.duplicates, facts.blank) == (5000, 5000, 0, 0, 0)
    for column in ("crmid", "email", "phone"):
        assert len({row[header.index(column)].lower() for row in rows}) == 5000, column


def test_phones_are_possible_and_invented_however_many_people(make_sample: ModuleType) -> None:
    import numpy as np
    import polars as pl

    people = np.concatenate([np.arange(start, start + 300) for start in (0, 1_900, 70_000, 3_550_000, 50_000_000)])
    texts = pl.select(make_sample.phones_of(people.astype(np.uint64))).to_series().to_list()
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert phonenumbers.is_possible_number(phonenumbers.parse("+" + text)), text
        assert re.fullmatch(r"447700900\d{3}|1\d{3}55501\d\d|1(555|[2-9]11)\d{7}", text), text


@pytest.mark.parametrize("known", [0, 2000])
def test_counts_are_true(make_sample: ModuleType, tmp_path: Path, known: int) -> None:
    facts = make_sample.write_sample(tmp_path / "dirty.tsv", rows=4000, seed=8, dirt=0.2, known=known)
    header, *rows = read_rows(tmp_path / "dirty.tsv")
    reasons: Counter[str] = Counter()
    people = set()
    accepted = blank = 0
    for row in rows:
        reason = judge(dict(zip(header, row, strict=False)), row)
        if reason == "blank":
            blank += 1
        elif reason:
            reasons[reason] += 1
        else:
            accepted += 1
            people.add(row[4].lower())
    assert dict(reasons) == facts.rejects_by_reason
    assert set(reasons) <= set(REASONS)
    assert (len(rows), blank, len(people), accepted - len(people)) == (
        facts.lines,
        facts.blank,
        facts.stored,
        facts.duplicates,
    )
    assert facts.lines == facts.blank + facts.stored + facts.rejected + facts.duplicates


def judge(cells: dict[str, str], row: list[str]) -> str | None:
    """Why a row is not a good one, decided without the generator."""
    if row == [""]:
        return "blank"
    checks = {
        "missing_cell": len(row) < 12,
        "extra_cell": len(row) > 12,
        "no_identifier": not (cells["crmid"] or cells["email"] or cells["phone"]),
        "spreadsheet_damage": "E+" in cells["phone"],
        "not_a_phone": cells["phone"].startswith("call"),
        "not_an_email": bool(cells["email"]) and "@" not in cells["email"],
        "not_a_date": cells.get("birth_date", "").endswith("-02-30"),
        "not_a_number": cells.get("amount") == "twelve",
    }
    return next((reason for reason, is_so in checks.items() if is_so), None)


def test_second_visit_brings_back_people_with_other_values(repository: Path) -> None:
    def by_email(name: str) -> dict[str, list[str]]:
        rows = read_rows(repository / "samples" / name)[1:]
        return {row[4].lower(): row for row in rows if len(row) == 12 and row[4]}

    first, second = by_email("customers.tsv"), by_email("second_visit.tsv")
    back = set(first) & set(second)
    assert 70 <= len(back) <= 110
    assert all(first[email][5:7] == second[email][5:7] for email in back)
    assert all(first[email] != second[email] for email in back)
    assert any(second[email][0] == "" for email in second)


def test_the_command_prints_json(repository: Path, tmp_path: Path) -> None:
    command = [sys.executable, "samples/make_sample.py", "--rows", "50", "--out", str(tmp_path / "s.tsv")]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["stored"] == 50
    assert json.loads(done.stdout)["bytes"] == (tmp_path / "s.tsv").stat().st_size
