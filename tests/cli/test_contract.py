"""The contract of the command line: one JSON document, one form of error, stable exit codes."""

from __future__ import annotations

import json

import pytest

from ingest_core.cli.main import main
from tests.cli.onramp import RECEIPT, Onramp, write_mapping


def test_a_missing_workspace_is_made(tmp_path):
    onramp = Onramp(tmp_path / "not" / "there")
    assert onramp.json("source", "list") == []
    assert (onramp.home / "onramp.duckdb").exists()
    assert onramp.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["before", "after", "last"])
def test_json_and_home_stand_before_or_after_the_command(onramp, capsys, place):
    home = ["--home", str(onramp.home)]
    arguments = {
        "before": ["--json", *home, "source", "list"],
        "after": ["source", "--json", *home, "list"],
        "last": ["source", "list", *home, "--json"],
    }[place]
    assert main(arguments) == 0
    assert [source["name"] for source in json.loads(capsys.readouterr().out)] == ["CRM", "Shop"]


def test_the_environment_names_the_workspace_and_the_option_wins(onramp, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ONRAMP_HOME", str(onramp.home))
    assert main(["--json", "source", "list"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    assert main(["--json", "--home", str(tmp_path / "other"), "source", "list"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_without_any_home_the_folder_is_called_workspace(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONRAMP_HOME", "")
    assert main(["--json", "digest"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["workspace"]
    assert json.loads(capsys.readouterr().out)["profiles"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["source"],
        ["source", "add"],
        ["source", "add", "New", "--kind", "other"],
        ["source", "add", "New", "--dpid", "many"],
        ["source", "add", "New", "--desc", "abbreviated"],
        ["attribute", "add", "x"],
        ["ingest", "file.tsv"],
        ["ingest", "file.tsv", "--source", "CRM", "--replace", "all"],
        ["history", "--limit", "-1"],
        ["profile", "show", "--by", "crmid"],
        ["rejects", "X", "--surprise"],
    ],
)
def test_a_command_that_cannot_be_understood_is_a_usage_error_in_json(onramp, arguments):
    assert onramp.refuse(*arguments)["code"] == "usage"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["ingest", "--help"], ["source", "add", "--help"]])
def test_help_and_version_go_to_stdout_and_succeed(onramp, arguments):
    done = onramp.run(*arguments)
    assert done.code == 0
    assert done.out.strip()
    assert done.err == ""


def test_an_error_in_text_goes_to_stderr_only(onramp):
    done = onramp.run("segment", "count", "NOBODY")
    assert done.code == 2
    assert done.out == ""
    assert done.err.splitlines() == ["There is no such segment. Nothing was changed.", "See: segment list"]


def test_source_add_keeps_every_option_and_source_list_tells_them(onramp):
    made = onramp.json(
        "source", "add", "Loyalty cards", "--kind", "data_source", "--description", "Shops in the north",
        "--dpid", "20914", "--id-type", "cross_device", "--inbound-id-type", "DPUUID", "--owner", "self",
        "--id-attribute", "crmid", "--id-placement", "first column", "--phone-country", "IN", "--threshold", "2.5",
    )  # fmt: skip
    expected = {
        "name": "Loyalty cards", "kind": "data_source", "description": "Shops in the north", "dpid": 20914,
        "id_type": "cross_device", "inbound_id_type": "DPUUID", "owner": "self", "id_attribute": "crmid",
        "id_placement": "first column",
    }  # fmt: skip
    assert expected.items() <= made.items()
    assert {"phone_country": "IN", "threshold_percent": 2.5}.items() <= made["settings"].items()
    assert made in onramp.json("source", "list")


def test_a_source_name_is_taken_once_whatever_its_case(onramp):
    assert onramp.refuse("source", "add", "crm", exit_code=3)["code"] == "source_exists"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["source", "add", "New", "--dpid", "-5"], "bad_dpid"),
        (["source", "add", "New", "--dpid", "12345678901"], "bad_dpid"),
        (["source", "add", " "], "bad_name"),
        (["source", "add", "two\nlines"], "bad_name"),
        (["source", "add", "New", "--threshold", "101"], "bad_threshold"),
        (["source", "add", "New", "--threshold", "nan"], "bad_threshold"),
        (["source", "add", "New", "--phone-country", "in"], "bad_country"),
        (["source", "add", "New", "--id-attribute", "nope"], "unknown_attribute"),
        (["attribute", "add", "two words", "--type", "string"], "bad_name"),
        (["attribute", "add", "new", "--type", "colour"], "unknown_type"),
        (["attribute", "add", "new", "--type", "string", "--segment", "lower"], "bad_upper_snake"),
        (["attribute", "add", "new", "--type", "string", "--macro", "A__B"], "bad_upper_snake"),
        (["segment", "count", "NOBODY"], "no_such_segment"),
        (["upload", "show", "NOTHING"], "no_such_upload"),
        (["rejects", "NOTHING"], "no_such_upload"),
        (["history", "--source", "Nowhere"], "no_such_source"),
        (["mapping", "show", "--source", "CRM"], "no_mapping"),
        (["profile", "show", "--by", "crmid=C99"], "no_such_profile"),
        (["profile", "show", "--by", "city=Bonn"], "not_an_identifier"),
        (["profile", "show", "--by", "email=nobody"], "bad_value"),
        (["inspect", "no-such-file.tsv"], "no_such_file"),
        (["ingest", ".", "--source", "CRM", "--auto"], "no_such_file"),
    ],
)
def test_what_a_person_can_correct_exits_with_2(onramp, arguments, code):
    assert onramp.refuse(*arguments)["code"] == code


def test_attribute_add_keeps_every_option_and_attribute_list_tells_them(onramp):
    made = onramp.json(
        "attribute", "add", "badge", "--type", "string", "--display-name", "Badge number", "--identifier", "secondary",
        "--pii", "--segment", "BADGE", "--macro", "BADGE_NO",
    )  # fmt: skip
    assert made == {
        "name": "badge", "display_name": "Badge number", "type": "string", "identifier": "secondary", "pii": True,
        "segment": "BADGE", "macro": "BADGE_NO", "is_builtin": False,
    }  # fmt: skip
    listed = onramp.json("attribute", "list")
    assert made in listed
    assert [one["name"] for one in listed if one["identifier"] == "primary"] == ["crmid"]
    assert {one["name"] for one in listed if one["pii"]} >= {"email", "phone", "first_name", "last_name", "birth_date"}
    assert onramp.refuse("attribute", "add", "BADGE", "--type", "string", exit_code=3)["code"] == "attribute_exists"


def test_inspect_has_the_fields_of_the_contract_and_stores_nothing(onramp, people):
    before = onramp.state()
    made = onramp.json("inspect", people, "--source", "CRM")
    assert {"encoding", "delimiter", "has_header", "lines", "columns", "problems"} <= set(made)
    assert (made["encoding"], made["delimiter"], made["has_header"], made["lines"]) == ("utf-8", "\t", True, 6)
    for column in made["columns"]:
        assert {"name", "type", "filled", "distinct", "suggestion"} <= set(column)
        assert {"attribute", "confidence", "why"} <= set(column["suggestion"])
    assert {problem["code"] for problem in made["problems"]} <= {"missing_cell"}
    assert onramp.state() == before


def test_read_writes_the_table_as_understood(onramp, people, tmp_path):
    out = tmp_path / "out.csv"
    assert onramp.json("read", people, "--out", out) == {"rows": 5, "columns": 4, "lines": 6, "rejected": 0}
    lines = out.read_bytes().split(b"\r\n")
    assert lines[0] == b"crmid,email,first_name,city"
    assert lines[3] == b"C3,not an address,Cleo,Rome"


def test_read_obeys_what_it_is_told_about_the_file(onramp, tmp_path):
    file, out = tmp_path / "strange.txt", tmp_path / "out.csv"
    file.write_bytes("C1;Köln\nC2;Zürich\n".encode("windows-1252"))
    made = onramp.json(
        "read", file, "--out", out, "--delimiter", "semicolon", "--encoding", "windows-1252", "--no-header"
    )
    assert made == {"rows": 2, "columns": 2, "lines": 2, "rejected": 0}
    assert out.read_text(encoding="utf-8").split() == ["C1,Köln", "C2,Zürich"]


def test_a_mapping_is_set_shown_and_versioned(onramp, tmp_path):
    file = write_mapping(tmp_path / "m.json", {"column": "id", "attribute": "crmid"}, {"column": "note"})
    made = onramp.json("mapping", "set", "--source", "CRM", file)
    assert (made["source"], made["version"]) == ("CRM", 1)
    assert made["columns"][1] == {
        "column": "note", "attribute": None, "pii": None, "identifier": None, "format": None, "blank": "keep",
        "conflict": "newest", "combine": "last", "bad_cell": "reject", "confidence": None, "why": None,
    }  # fmt: skip
    assert onramp.json("mapping", "set", "--source", "CRM", file)["version"] == 1
    write_mapping(file, {"column": "id", "attribute": "crmid", "blank": "NULL"})
    assert onramp.json("mapping", "set", "--source", "CRM", file)["version"] == 2
    assert onramp.json("mapping", "show", "--source", "CRM")["columns"][0]["blank"] == "NULL"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_mapping"),
        ("[" * 5000, "bad_mapping"),
        ('{"columns": 5}', "bad_mapping"),
        ('{"columns": [{"attribute": "crmid"}]}', "bad_mapping"),
        ('{"columns": []}', "no_identifier_mapped"),
        ('{"columns": [{"column": "a", "attribute": "city"}]}', "no_identifier_mapped"),
        ('{"columns": [{"column": "a", "attribute": "shoe_size"}]}', "unknown_attribute"),
        ('{"columns": [{"column": "a", "attribute": "crmid", "pii": true}]}', "mapping_conflict"),
        ('{"columns": [{"column": "a", "attribute": "crmid", "identifier": "secondary"}]}', "mapping_conflict"),
        ('{"columns": [{"column": "a", "attribute": "crmid", "combine": "sum"}]}', "combine_not_possible"),
        ('{"columns": [{"column": "a", "attribute": "crmid"}, {"column": "b", "attribute": "crmid"}]}',
         "attribute_mapped_twice"),
    ],
)  # fmt: skip
def test_a_mapping_file_that_cannot_be_used_is_refused(onramp, tmp_path, text, code):
    file = tmp_path / "m.json"
    file.write_text(text)
    assert onramp.refuse("mapping", "set", "--source", "CRM", file)["code"] == code


def test_a_mapping_file_that_is_not_text_is_refused(onramp, tmp_path):
    file = tmp_path / "m.json"
    file.write_bytes(b"\xff\xfe\x00")
    assert onramp.refuse("mapping", "set", "--source", "CRM", file)["code"] == "wrong_encoding"
    assert onramp.refuse("mapping", "set", "--source", "CRM", tmp_path / "none")["code"] == "no_such_file"


def test_a_receipt_is_the_same_wherever_it_is_shown(onramp, people):
    receipt = onramp.load(people, "--auto")
    assert set(receipt) >= RECEIPT
    assert (receipt["source"], receipt["file"], receipt["status"]) == ("CRM", "people.tsv", "Completed")
    assert receipt["badges"] == ["Completed with rejects"]
    assert [receipt[name] for name in ("lines", "blank", "stored", "rejected", "duplicates")] == [6, 1, 3, 1, 1]
    assert receipt["rejects_by_reason"] == {"not_an_email": 1}
    for step in receipt["steps"]:
        assert set(step) == {"name", "purpose", "sql", "seconds", "rows"}
        assert step["purpose"].endswith(".")
    shown = onramp.json("upload", "show", receipt["request_id"])
    assert onramp.json("history") == [shown]
    differing = {name for name in receipt if receipt[name] != shown[name]}
    assert differing <= {"created_at", "started_at", "finished_at"}  # clock readings of the load and of its row


def test_history_is_newest_first_and_can_be_narrowed(onramp, people, tmp_path):
    first = onramp.load(people, "--auto")["request_id"]
    second = onramp.load(people, "--auto", source="Shop")["request_id"]
    third = onramp.load(people, "--again")["request_id"]
    assert [one["request_id"] for one in onramp.json("history")] == [third, second, first]
    assert [one["request_id"] for one in onramp.json("history", "--source", "crm")] == [third, first]
    assert [one["request_id"] for one in onramp.json("history", "--limit", "2")] == [third, second]


def test_people_are_shown_masked_and_revealed_on_demand_with_an_audit_entry(onramp, people):
    request_id = onramp.load(people, "--auto")["request_id"]
    shown = onramp.json("profile", "show", "--by", "crmid=C1")
    assert {"profile_id", "attributes", "sources", "segments", "traits"} <= set(shown)
    city = shown["attributes"]["city"]
    assert {name: city[name] for name in ("value", "request_id", "line")} == {
        "value": "Kiel",
        "request_id": request_id,
        "line": 6,
    }
    assert (city["file"], city["lines"]) == ("people.tsv", 1)
    assert shown["attributes"]["email"]["value"] == "a•••@example.com"
    assert shown["sources"] == ["CRM"]
    before = onramp.counts()["audit"]
    revealed = onramp.json("profile", "show", "--by", "email= ANNA@example.com ", "--reveal")
    assert revealed["profile_id"] == shown["profile_id"]
    assert revealed["attributes"]["email"]["value"] == "anna@example.com"
    assert onramp.counts()["audit"] == before + 1
    assert onramp.json("profile", "count")["count"] == 3


def test_digest_is_equal_for_equal_people_and_rebuild_keeps_it(onramp, people, prepared_home, tmp_path):
    onramp.load(people, "--auto")
    told = onramp.json("digest")
    assert set(told) == {"digest", "profiles", "memberships"}
    assert (told["profiles"], told["memberships"]) == (3, 3)
    assert told.items() <= onramp.json("rebuild").items()
    other = Onramp(tmp_path / "other")
    other.json("source", "add", "CRM")
    other.load(people, "--auto")
    assert other.json("digest") == told


def test_segments_are_made_from_a_rule_listed_and_counted(onramp, people, tmp_path):
    onramp.load(people, "--auto")
    rule = tmp_path / "rule.json"
    rule.write_text('{"all": [{"source": "CRM"}, {"not": {"source": "Shop"}}]}')
    assert onramp.json("segment", "add", "ONLY_CRM", "--rule", rule) == {"name": "ONLY_CRM", "count": 3}
    assert onramp.json("segment", "count", "ONLY_CRM") == {"name": "ONLY_CRM", "count": 3}
    assert [(one["name"], one["count"]) for one in onramp.json("segment", "list")] == [("ONLY_CRM", 3)]
    assert onramp.refuse("segment", "add", "ONLY_CRM", "--rule", rule, exit_code=3)["code"] == "segment_exists"
    assert onramp.refuse("segment", "add", "only", "--rule", rule)["code"] == "bad_upper_snake"
    for text in ("", "[]", '{"sources": "CRM"}', '{"not": 5}', "[" * 5000, '{"not":' * 3000 + "{}" + "}" * 3000):
        rule.write_text(text)
        assert onramp.refuse("segment", "add", "BROKEN", "--rule", rule)["code"] == "bad_rule"


def test_settings_that_cannot_be_are_refused(onramp, monkeypatch):
    for name, value in (("THREADS", "0"), ("MEMORY_LIMIT", "much"), ("LINE_LIMIT_BYTES", "x")):
        with monkeypatch.context() as patched:
            patched.setenv(f"ONRAMP_{name}", value)
            done = onramp.run("--json", "digest")
        assert done.code == 2
        assert done.json["error"]["code"] == "bad_settings"
        assert done.json["error"]["facts"] == {"settings": [name.lower()]}


def test_damaged_keys_are_refused_and_nothing_new_is_encrypted(onramp, people):
    onramp.load(people, "--auto")
    kept = (onramp.home / "keys.json").read_bytes()
    (onramp.home / "keys.json").unlink()
    done = onramp.run("--json", "digest")
    assert (done.code, done.json["error"]["code"]) == (2, "keys_missing")
    assert not (onramp.home / "keys.json").exists()
    stranger = Onramp(onramp.home.parent / "stranger")
    stranger.json("digest")
    (onramp.home / "keys.json").write_bytes((stranger.home / "keys.json").read_bytes())
    done = onramp.run("--json", "digest")
    assert (done.code, done.json["error"]["code"]) == (2, "wrong_keys")
    (onramp.home / "keys.json").write_bytes(kept)
    assert onramp.json("profile", "count")["count"] == 3
