"""Data files of Audience Manager as profile data: what every command says of one, from a first look to its undo."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

NAME = "ftp_dpm_478_1366545717.sync"
LINES = (
    "C1\tcity=Oslo,tier=gold,d_sid=24\n"
    "C2\tTier=silver,age=31,52,28:0\n"
    "C3\tword\n"
    "\n"
    "C1\tcity=Pune,city=Goa\n"
    "a@example.com\tcity=Rome\n"
    "C4\tage=x,shoe=43\n"
)


@pytest.fixture
def shop(onramp):
    """A data source whose ids are customer ids, and attributes for its signals."""
    onramp.json(
        "source", "add", "Visitors", "--kind", "data_source", "--dpid", "478", "--id-type", "cross_device",
        "--id-attribute", "crmid",
    )  # fmt: skip
    onramp.json("attribute", "add", "tier", "--type", "string")
    onramp.json("attribute", "add", "age", "--type", "integer")
    return onramp


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / NAME
    path.write_text(LINES, encoding="utf-8")
    return path


def test_a_first_look_says_which_signals_there_are(shop, file):
    found = shop.json("inspect", str(file), "--source", "Visitors")
    assert [column["name"] for column in found["columns"]] == [
        "id_478", "traits", "removed_traits", "city", "tier", "age", "shoe",
    ]  # fmt: skip
    assert (found["lines"], found["rows"], found["blank"], found["rejected"]) == (7, 4, 1, 2)
    assert found["rejects_by_reason"] == {"bad_item": 1, "pii_in_user_id": 1}
    assert (found["grammar"], found["has_header"]) == ("audience_manager", False)
    assert found["columns"][0]["suggestion"]["attribute"] == "crmid"
    assert found["columns"][0]["suggestion"]["confidence"] == 1
    assert "a data file of Audience Manager" in shop.run("inspect", str(file), "--source", "Visitors").out


def test_the_table_can_be_written(shop, file, tmp_path):
    counts = shop.json("read", str(file), "--out", str(tmp_path / "out.csv"))
    assert counts == {"rows": 4, "columns": 7, "lines": 7, "rejected": 2}
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as out:
        assert list(csv.reader(out)) == [
            ["id_478", "traits", "removed_traits", "city", "tier", "age", "shoe"],
            ["C1", "24", "", "Oslo", "gold", "", ""],
            ["C2", "52", "28", "", "silver", "31", ""],
            ["C1", "", "", "Goa", "", "", ""],
            ["C4", "", "", "", "", "x", "43"],
        ]


def test_it_is_mapped_loaded_shown_and_undone_like_any_file(shop, file, tmp_path):
    suggested = shop.json("mapping", "suggest", str(file), "--source", "Visitors")
    mapped = {column["column"]: column["attribute"] for column in suggested["columns"] if column["attribute"]}
    assert mapped == {"id_478": "crmid", "city": "city", "tier": "tier", "age": "age"}
    made = tmp_path / "mapping.json"
    made.write_text(json.dumps(suggested), encoding="utf-8")
    shop.json("mapping", "set", "--source", "Visitors", str(made))
    preview = shop.json("ingest", str(file), "--source", "Visitors", "--dry-run")
    receipt = shop.json("ingest", str(file), "--source", "Visitors")
    assert preview["stored"] == receipt["stored"] == 2
    assert (receipt["physical_lines"], receipt["lines"], receipt["blank"], receipt["duplicates"]) == (7, 7, 1, 1)
    assert receipt["rejects_by_reason"] == {"bad_item": 1, "pii_in_user_id": 1, "not_an_integer": 1}
    assert receipt["ignored_columns"] == ["traits", "removed_traits", "shoe"]
    shown = shop.json("profile", "show", "--by", "crmid=C1")["attributes"]
    assert {name: (shown[name]["value"], shown[name]["line"]) for name in ("city", "tier")} == {
        "city": ("Goa", 5), "tier": ("gold", 1),
    }  # fmt: skip
    assert shop.refuse("ingest", str(file), "--source", "Visitors", exit_code=3)["code"] == "already_loaded"
    undone = shop.json("undo", receipt["request_id"])["undo"]
    assert (undone["profiles_before"], undone["profiles_after"]) == (2, 0)


def test_a_mapping_fits_the_next_file_whatever_keys_it_has(shop, file, tmp_path):
    first = shop.json("ingest", str(file), "--source", "Visitors", "--auto")
    later = tmp_path / "ftp_dpm_478_1366545800.overwrite"
    later.write_text("C1\ttier=basic,new_key=1,28:0\nC9\tcity=Bonn\n", encoding="utf-8")
    receipt = shop.json("ingest", str(later), "--source", "Visitors")
    assert (receipt["stored"], receipt["mapping_version"]) == (2, first["mapping_version"])
    assert receipt["ignored_columns"] == ["traits", "removed_traits", "new_key"]
    shown = shop.json("profile", "show", "--by", "crmid=C1")["attributes"]
    assert (shown["tier"]["value"], shown["city"]["value"]) == ("basic", "Goa")


def test_ids_of_another_data_source_need_a_mapping_of_their_own(shop, file, tmp_path):
    shop.json("ingest", str(file), "--source", "Visitors", "--auto")
    devices = tmp_path / "ftp_dpm_20914_478_1366545900.sync"
    devices.write_text("e4fe9bde-caa0-47b6-908d-ffba3fa184f2\tcity=Rome\n", encoding="utf-8")
    assert shop.refuse("ingest", str(devices), "--source", "Visitors")["code"] == "no_mapping"


def test_a_signal_that_is_not_named_is_not_cleared_and_an_empty_one_is(shop, file, tmp_path):
    shop.json("ingest", str(file), "--source", "Visitors", "--auto")
    rules = {"columns": [
        {"column": "id_478", "attribute": "crmid"},
        {"column": "city", "attribute": "city", "blank": "clear"},
        {"column": "tier", "attribute": "tier", "blank": "clear"},
    ]}  # fmt: skip
    made, later = tmp_path / "mapping.json", tmp_path / "ftp_dpm_478_1366545999.sync"
    made.write_text(json.dumps(rules), encoding="utf-8")
    later.write_text("C1\ttier=\n", encoding="utf-8")
    assert shop.json("ingest", str(later), "--source", "Visitors", "--mapping", str(made))["updated"] == 1
    shown = shop.json("profile", "show", "--by", "crmid=C1")["attributes"]
    assert (shown["city"]["value"], "tier" in shown) == ("Goa", False)


def test_refused_rows_come_back_and_load_once_they_are_corrected(shop, file, tmp_path):
    receipt = shop.json("ingest", str(file), "--source", "Visitors", "--auto")
    out = tmp_path / "rejects.tsv"
    shop.json("rejects", receipt["request_id"], "--out", str(out))
    rows = out.read_text(encoding="utf-8").splitlines()
    assert rows[0].split("\t")[5:] == ["id_478", "traits", "removed_traits", "city", "tier", "age", "shoe"]
    assert rows[1].split("\t")[5:] == ["C3", "word"]
    assert rows[3].split("\t")[5:] == ["C4", "", "", "", "", "x", "43"]
    fixed = "\n".join([rows[0], rows[3].replace("\tx\t", "\t44\t")]) + "\n"
    (tmp_path / "fixed.tsv").write_text(fixed, encoding="utf-8")
    child = shop.json("fix", receipt["request_id"], str(tmp_path / "fixed.tsv"))
    assert (child["stored"], child["parent"]) == (1, receipt["request_id"])
    assert shop.json("profile", "show", "--by", "crmid=C4")["attributes"]["age"]["value"] == "44"


def test_it_can_be_explored(shop, file):
    found = shop.json("explore", str(file), "--sql", "SELECT id_478, city, line FROM file WHERE city IS NOT NULL")
    assert found["rows"] == [["C1", "Oslo", 1], ["C1", "Goa", 5]]


def test_a_data_source_can_load_the_signals_of_its_files_by_itself(shop, file, tmp_path):
    suggested = shop.json("mapping", "suggest", str(file), "--source", "Visitors")
    (tmp_path / "mapping.json").write_text(json.dumps(suggested), encoding="utf-8")
    shop.json("mapping", "set", "--source", "Visitors", str(tmp_path / "mapping.json"))
    shop.json("am", "trait", "add", "Buyers", "--dpid", "478", "--id", "24")
    assert shop.json("source", "set", "Visitors", "--load-signals", "on")["settings"]["load_signals"] is True
    report = shop.json("am", "ingest", str(file))
    (load,) = report["uploads"]
    assert (load["status"], load["stored"], load["rejected"]) == ("Completed", 2, 3)
    assert report["request_id"] != load["request_id"]
    assert shop.json("upload", "show", load["request_id"])["batch"] == report["request_id"]
    assert f"undo {load['request_id']}" in shop.run("am", "undo", report["request_id"]).out
    assert f"am undo {report['request_id']}" in shop.run("undo", load["request_id"]).out
    again = shop.run("am", "ingest", str(file)).out
    assert f"Signals of {NAME} into Visitors: upload " in again
    assert shop.refuse("source", "set", "CRM", "--load-signals", "on")["code"] == "not_a_data_source"
