"""Loading by command: a file counts once, a preview is the load, options do what they say."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.onramp import Onramp, write_mapping, write_table

FULL = (
    ("crmid", None), ("phone", None), ("preferences", None), ("slot_num", None), ("email", None), ("first_name", None),
    ("last_name", None), ("city", None), ("country", None), ("birth_date", "YYYY-MM-DD"),
    ("last_purchase", "YYYY-MM-DD"), ("amount", None),
)  # fmt: skip
SAMPLE = [{"column": name, "attribute": name, "format": form} for name, form in FULL]
"""Every column of the samples, mapped to the attribute of its name."""


@pytest.fixture(scope="module")
def samples(repository, tmp_path_factory) -> list[Path]:
    """The files of samples/ and five generated ones with other mistakes each."""
    folder = tmp_path_factory.mktemp("samples")
    files = [repository / "samples" / name for name in ("customers.tsv", "second_visit.tsv")]
    for seed in range(1, 6):
        out = folder / f"dirty{seed}.tsv"
        command = [sys.executable, "samples/make_sample.py", "--rows", "150", "--seed", str(seed), "--dirt", "0.3"]
        subprocess.run([*command, "--out", str(out)], cwd=repository, check=True, capture_output=True)
        files.append(out)
    return files


def test_the_same_bytes_load_once_unless_told_again(onramp, people, tmp_path):
    first = onramp.load(people, "--auto")
    digest = onramp.json("digest")
    copy = tmp_path / "another name.tsv"
    copy.write_bytes(people.read_bytes())
    error = onramp.refuse("ingest", copy, "--source", "CRM", "--auto", exit_code=3)
    assert error["code"] == "already_loaded"
    assert error["facts"]["request_id"] == first["request_id"]
    again = onramp.load(copy, "--again")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    assert onramp.json("digest") == digest
    assert onramp.load(copy, "--auto", source="Shop")["updated"] == 3  # another source is another matter


def test_a_failed_upload_does_not_block_its_bytes(onramp, tmp_path):
    file = write_table(tmp_path / "a.tsv", "crmid|birth_date", "C1|never", "C2|neither")
    mapping = write_mapping(
        tmp_path / "m.json",
        {"column": "crmid", "attribute": "crmid"},
        {"column": "birth_date", "attribute": "birth_date"},
    )
    for _ in range(2):
        done = onramp.run("--json", "ingest", file, "--source", "CRM", "--mapping", mapping)
        assert done.code == 1
        assert (done.json["status"], done.json["error"]["code"]) == ("Failed", "no_row_stored")
        assert (done.json["rejected"], done.json["withheld"]) == (2, 0)
    assert onramp.json("profile", "count")["count"] == 0


def test_an_upload_with_too_many_rejects_fails_and_withholds_the_good_rows(onramp, people):
    onramp.json("source", "add", "Careful", "--threshold", "10")
    done = onramp.run("--json", "ingest", people, "--source", "Careful", "--auto")
    assert done.code == 1
    assert done.json["error"]["code"] == "too_many_rejects"
    assert [done.json[name] for name in ("lines", "blank", "rejected", "withheld", "stored")] == [6, 1, 1, 4, 0]
    assert onramp.json("digest")["profiles"] == 0
    text = onramp.run("ingest", people, "--source", "Careful", "--auto")
    assert text.code == 1
    assert "more than the source allows (10 %)" in text.out
    assert len(onramp.json("rejects", done.json["request_id"])) == 1


def test_one_idempotency_key_is_one_upload(onramp, people, tmp_path):
    first = onramp.load(people, "--auto", "--key", "nightly-1")
    second = onramp.load(people, "--auto", "--key", "nightly-1")
    assert second["request_id"] == first["request_id"]
    assert len(onramp.json("history")) == 1
    other = write_table(tmp_path / "other.tsv", "crmid|email", "C9|iris@example.com")
    preview = onramp.load(other, "--auto", "--key", "nightly-1", "--dry-run")
    assert (preview["request_id"], preview["created"]) == (None, 1)  # a preview starts no upload


def test_a_preview_leaves_no_trace_and_equals_the_load(onramp, samples, tmp_path):
    mapping = write_mapping(tmp_path / "m.json", *SAMPLE)
    for file in samples:
        before = onramp.state()
        preview = onramp.load(file, "--mapping", mapping, "--segment", f"create:{_upper(file)}", "--dry-run")
        assert onramp.state() == before
        assert preview["request_id"] is None
        loaded = onramp.load(file, "--mapping", mapping, "--segment", f"create:{_upper(file)}")
        assert _numbers(preview) == _numbers(loaded)
        assert loaded["profiles_after"] == (
            loaded["profiles_before"] + loaded["created"] - loaded["merged"] + loaded["came_apart"]
        )
        assert onramp.json("segment", "count", _upper(file))["count"] == loaded["stored"]


def test_a_preview_of_every_option_leaves_no_trace(onramp, people, tmp_path):
    onramp.load(people, "--auto", "--segment", "create:FIRST")
    other = write_table(tmp_path / "other.tsv", "crmid|email", "C1|anna@example.com", "C9|iris@example.com")
    for options in (["--replace"], ["--replace", "values"], ["--segment", "add:FIRST"], ["--segment", "create:SECOND"]):
        before = onramp.state()
        preview = onramp.load(other, "--auto", "--dry-run", *options)
        assert onramp.state() == before
        loaded = Onramp(_copy(onramp.home, tmp_path / f"copy {'-'.join(options)[2:].replace(':', '')}")).load(
            other, "--auto", *options
        )
        assert _numbers(preview) == _numbers(loaded)


def test_replace_ends_memberships_and_keeps_values(onramp, people, tmp_path):
    onramp.load(people, "--auto")
    other = write_table(tmp_path / "other.tsv", "crmid|email", "C1|anna@example.com", "C9|iris@example.com")
    receipt = onramp.load(other, "--auto", "--replace")
    assert (receipt["memberships_ended"], receipt["members"], receipt["profiles_after"]) == (2, 2, 4)
    assert onramp.json("profile", "show", "--by", "crmid=C2")["sources"] == []
    assert onramp.json("profile", "show", "--by", "crmid=C1")["attributes"]["city"]["value"] == "Kiel"
    assert onramp.json("digest")["memberships"] == 2


def test_replace_values_forgets_what_the_source_said_before(onramp, people, tmp_path):
    shop = write_table(tmp_path / "shop.tsv", "crmid|city", "C2|Riga")
    onramp.load(people, "--auto")
    onramp.load(shop, "--auto", source="Shop")
    other = write_table(tmp_path / "other.tsv", "crmid|email", "C1|anna@example.com", "C9|iris@example.com")
    receipt = onramp.load(other, "--auto", "--replace", "values")
    assert receipt["profiles_after"] == 3  # C1 and C9, and C2 whom the shop knows
    assert set(onramp.json("profile", "show", "--by", "crmid=C1")["attributes"]) == {"crmid", "email"}
    assert onramp.json("profile", "show", "--by", "crmid=C2")["attributes"]["city"]["value"] == "Riga"
    assert onramp.refuse("profile", "show", "--by", "crmid=C4")["code"] == "no_such_profile"
    digest = onramp.json("digest")
    assert digest.items() <= onramp.json("rebuild").items()
    assert "Replaced" in onramp.json("history", "--source", "CRM")[1]["badges"]
    fresh = Onramp(tmp_path / "fresh")
    for source, file in (("CRM", other), ("Shop", shop)):
        fresh.json("source", "add", source)
        fresh.load(file, "--auto", source=source)
    assert fresh.json("digest") == digest


def test_a_segment_is_created_and_added_to(onramp, people, tmp_path):
    receipt = onramp.load(people, "--auto", "--segment", "create:SPRING")
    assert receipt["segment"] == "SPRING"
    other = write_table(tmp_path / "other.tsv", "crmid|email", "C1|anna@example.com", "C9|iris@example.com")
    onramp.load(other, "--auto", "--segment", "add:SPRING")
    assert onramp.json("segment", "count", "SPRING")["count"] == 4  # C1 in both files, C2, C4, C9
    assert onramp.json("profile", "show", "--by", "crmid=C9")["segments"] == ["SPRING"]
    third = write_table(tmp_path / "third.tsv", "crmid|city", "C7|Graz")
    assert onramp.load(third, "--auto", "--segment", "none")["segment"] is None
    assert onramp.json("segment", "count", "SPRING")["count"] == 4


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (["--segment", "create:lower"], "bad_upper_snake", 2),
        (["--segment", "create:TAKEN"], "segment_exists", 3),
        (["--segment", "add:NOBODY"], "no_such_segment", 2),
        (["--segment", "drop:TAKEN"], "bad_segment_option", 2),
        (["--notify", "somebody"], "bad_address", 2),
        (["--at", "tomorrow"], "bad_time", 2),
        (["--delimiter", "ab"], "wrong_delimiter", 2),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_the_load(onramp, people, tmp_path, options, code, exit_code):
    (tmp_path / "rule.json").write_text('{"source": "CRM"}')
    onramp.json("segment", "add", "TAKEN", "--rule", tmp_path / "rule.json")
    error = onramp.refuse("ingest", people, "--source", "CRM", "--auto", *options, exit_code=exit_code)
    assert error["code"] == code


def test_a_load_at_a_later_time_waits_with_its_bytes_encrypted(onramp, people):
    receipt = onramp.json(
        "ingest", people, "--source", "CRM", "--auto", "--at", "2099-01-31T06:00+02:00", "--notify", "me@example.com"
    )
    assert (receipt["status"], receipt["scheduled_for"]) == ("Scheduled", "2099-01-31T04:00:00Z")
    assert onramp.json("profile", "count")["count"] == 0
    landed = [path.read_bytes() for path in (onramp.home / "landing").iterdir()]
    assert len(landed) == 2
    assert not any(b"anna@example.com" in data or b"people.tsv" in data for data in landed)
    assert onramp.json("history")[0]["status"] == "Scheduled"


def test_an_archived_source_takes_nothing(onramp, people):
    onramp.json("source", "archive", "CRM")
    assert onramp.refuse("ingest", people, "--source", "CRM", "--auto", exit_code=3)["code"] == "source_archived"


def test_without_a_mapping_nothing_is_guessed(onramp, people):
    assert onramp.refuse("ingest", people, "--source", "CRM")["code"] == "no_mapping"


def test_a_suggested_mapping_loads_unchanged_and_is_found_again(onramp, people, tmp_path):
    suggested = onramp.run("--json", "mapping", "suggest", people, "--source", "CRM")
    (tmp_path / "m.json").write_text(suggested.out)
    receipt = onramp.load(people, "--mapping", tmp_path / "m.json")
    assert (receipt["mapping_version"], receipt["ignored_columns"]) == (1, [])
    assert onramp.load(people, "--again")["mapping_version"] == 1
    kept = onramp.json("mapping", "show", "--source", "CRM")
    told = json.loads(suggested.out)
    assert [(c["column"], c["attribute"]) for c in kept["columns"]] == [
        (c["column"], c["attribute"]) for c in told["columns"]
    ]


def test_auto_takes_sure_suggestions_only_and_names_what_it_left_out(onramp, tmp_path):
    file = write_table(tmp_path / "a.tsv", "crmid|email|xq7", "C1|anna@example.com|blue", "C2|ben@example.com|green")
    receipt = onramp.load(file, "--auto")
    assert receipt["ignored_columns"] == ["xq7"]
    assert any("xq7" in notice for notice in receipt["notices"])


def test_a_date_that_can_be_read_in_two_ways_is_a_question_and_not_taken_by_auto(onramp, tmp_path):
    rows = [f"C{n}|0{n % 9 + 1}/0{n % 7 + 1}/1990" for n in range(1, 30)]
    file = write_table(tmp_path / "a.tsv", "crmid|birth_date", *rows)
    problem = next(p for p in onramp.json("inspect", file)["problems"] if p["column"] == "birth_date")
    assert problem["code"] == "ambiguous_date"
    assert len(problem["options"]) >= 2
    assert onramp.load(file, "--auto", "--dry-run")["ignored_columns"] == ["birth_date"]
    mapping = write_mapping(
        tmp_path / "m.json",
        {"column": "crmid", "attribute": "crmid"},
        {"column": "birth_date", "attribute": "birth_date", "format": problem["options"][0]["value"]},
    )
    assert onramp.load(file, "--mapping", mapping)["stored"] == 29


def test_a_repaired_column_name_is_offered_and_remembered(onramp, tmp_path):
    file = write_table(tmp_path / "a.tsv", "crmid|slot num", "C1|4", "C2|5")
    made = onramp.json("inspect", file)
    assert [(c["name"], c["repaired"]) for c in made["columns"]][1] == ("slot num", "slot_num")
    assert "slot num" in {problem["column"] for problem in made["problems"]}
    error = onramp.refuse("ingest", file, "--source", "CRM", "--auto")  # a person accepts a new name, not a guess
    assert error["code"] == "bad_header"
    assert "slot_num" in error["hint"]
    suggested = onramp.run("--json", "mapping", "suggest", file, "--source", "CRM")
    (tmp_path / "m.json").write_text(suggested.out)
    assert onramp.load(file, "--mapping", tmp_path / "m.json")["ignored_columns"] == []
    other = write_table(tmp_path / "b.tsv", "crmid|slot num", "C1|6")
    assert onramp.load(other)["updated"] == 1
    assert onramp.json("profile", "show", "--by", "crmid=C1")["attributes"]["slot_num"]["value"] == "6"


def test_a_packed_file_is_the_file(onramp, people, tmp_path):
    packed = tmp_path / "people.tsv.gz"
    packed.write_bytes(gzip.compress(people.read_bytes()))
    preview = onramp.load(people, "--auto", "--dry-run")
    same = onramp.load(packed, "--auto", "--dry-run")
    assert {**_numbers(same), "notices": 0} == {**_numbers(preview), "notices": 0}


@pytest.mark.parametrize(
    "name", ["[ab]*.csv", "..%2f..%2fx.tsv", "'; drop table profile; --.tsv", "=cmd|x.tsv", "ü\n.tsv"]
)
def test_a_file_name_is_only_data(onramp, people, tmp_path, name):
    (tmp_path / "a.csv").write_text("crmid\nWRONG\n")
    file = tmp_path / name
    file.write_bytes(people.read_bytes())
    receipt = onramp.load(file, "--auto")
    assert (receipt["file"], receipt["stored"]) == (name, 3)
    assert onramp.json("history")[0]["file"] == name
    assert len(onramp.run("history").out.splitlines()) == 2


def test_a_file_name_that_is_not_text_is_shown_with_replacement_characters(onramp, people):
    file = people.parent / "caf\udce9.tsv"
    file.write_bytes(people.read_bytes())
    assert onramp.load(file, "--auto")["file"] == "caf\ufffd.tsv"


def _upper(file: Path) -> str:
    return file.stem.upper()


def _numbers(receipt: dict[str, object]) -> dict[str, object]:
    """All of a receipt that a preview must foretell."""
    skipped = {"request_id", "steps", "created_at", "started_at", "finished_at", "mapping_version", "file", "sha256"}
    return {name: value for name, value in receipt.items() if name not in skipped}


def _copy(home: Path, to: Path) -> Path:
    import shutil

    return Path(shutil.copytree(home, to))
