"""What people read: tables with the columns that matter, one phrase for a status, no surprises for the terminal."""

from __future__ import annotations

import json
import re

from tests.cli.onramp import write_table


def test_history_is_a_table_of_what_matters(onramp, people, tmp_path):
    first = onramp.load(people, "--auto")["request_id"]
    second = onramp.load(write_table(tmp_path / "b.tsv", "crmid|city", "C7|Graz"), "--auto")["request_id"]
    header, newest, oldest = onramp.run("history").out.splitlines()
    assert re.split(r" {2,}", header) == [
        "request id", "source", "file", "status", "lines", "stored", "rejected", "finished"
    ]  # fmt: skip
    assert newest.split()[:4] == [second, "CRM", "b.tsv", "Completed"]
    assert oldest.split()[:9] == [first, "CRM", "people.tsv", "Completed", "with", "rejects", "6", "3", "1"]


def test_a_receipt_says_its_status_once_and_adds_up(onramp, people):
    text = onramp.run("ingest", people, "--source", "CRM", "--auto").out
    assert "Completed, Completed" not in text
    assert ": Completed with rejects\n" in text
    assert "6 lines = 1 blank + 3 stored + 1 rejected + 1 duplicates\n" in text
    assert "  1 × not_an_email\n" in text


def test_a_preview_says_that_nothing_was_kept(onramp, people):
    assert onramp.run("ingest", people, "--source", "CRM", "--auto", "--dry-run").out.startswith(
        "Preview, nothing was kept: Completed with rejects\n"
    )


def test_a_failed_upload_says_why(onramp, tmp_path):
    file = write_table(tmp_path / "a.tsv", "crmid|email", "n/a|", "|")
    done = onramp.run("ingest", file, "--source", "CRM", "--auto")
    assert done.code == 1
    assert ": Failed\n" in done.out
    assert "Every row was rejected. Nothing was loaded." in done.out


def test_every_list_can_be_empty(onramp):
    for command in ("history", "segment list"):
        assert onramp.run(*command.split()).out == "Nothing to show.\n"


def test_inspect_and_mapping_are_tables_of_columns(onramp, people):
    made = onramp.run("inspect", people).out.splitlines()
    assert made[0].startswith("people.tsv: 6 lines (5 rows, 1 blank, 0 broken), 4 columns, separated by tab, utf-8")
    assert [line.split()[0] for line in made[1:6]] == ["name", "crmid", "email", "first_name", "city"]
    suggested = onramp.run("mapping", "suggest", people, "--source", "CRM").out.splitlines()
    assert suggested[0] == "Mapping of CRM, not saved"
    assert [line.split()[0] for line in suggested[2:]] == ["crmid", "email", "first_name", "city"]


def test_a_profile_is_a_table_of_values_with_their_origin(onramp, people):
    request_id = onramp.load(people, "--auto")["request_id"]
    lines = onramp.run("profile", "show", "--by", "crmid=C1").out.splitlines()
    assert lines[0].startswith("Profile ")
    assert ["city", "Kiel", request_id, "people.tsv", "6"] in [line.split() for line in lines]
    assert lines[-2:] == ["sources: CRM", "segments: none"]


def test_numbers_have_separators_and_ids_have_none(onramp, tmp_path):
    assert "dpid: 1234567\n" in onramp.run("source", "add", "Ids", "--dpid", "1234567").out
    file = write_table(tmp_path / "a.tsv", "crmid|city", *(f"C{n}|Bonn" for n in range(1500)))
    assert "1,500 lines = 1,500 stored" in onramp.run("ingest", file, "--source", "CRM", "--auto").out


def test_no_name_moves_the_cursor_of_the_terminal(onramp, people, tmp_path):
    file = tmp_path / "\x1b[2Jpeople\r.tsv"
    file.write_bytes(people.read_bytes())
    onramp.load(file, "--auto")
    for command in (["history"], ["inspect", file]):
        out = onramp.run(*command).out
        assert "\x1b" not in out
        assert "\r" not in out


def test_rejects_in_text_show_reasons_but_not_the_row(onramp, people):
    request_id = onramp.load(people, "--auto")["request_id"]
    out = onramp.run("rejects", request_id).out
    assert "not_an_email" in out
    assert "Cleo" not in out


def test_a_dry_run_tells_who_would_become_one_and_what_joined_nobody(onramp, tmp_path):
    header = "crmid|email|phone"
    columns = [{"column": name, "attribute": name} for name in header.split("|")]
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"columns": columns}), "utf-8")
    known = write_table(tmp_path / "a.tsv", header, "|anna@example.com|", "||+4930123456")
    onramp.load(known, "--mapping", mapping)
    rows = ["|anna@example.com|+4930123456", "C1|none@none.com|", "C2||0000000000", "c1||", "C1||"]
    file = write_table(tmp_path / "b.tsv", header, *rows)
    shown = onramp.run("ingest", file, "--source", "CRM", "--dry-run").out
    assert "Identity: 2 profiles would become 1, at most 2 one; most rows of one person 2 (2-3)" in shown
    assert (
        "  identify nobody: 1 × email: an address such as none@… or test@…; 1 × phone: only zeros or dashes\n" in shown
    )
    assert "  joined nobody, or somebody else: 2 × crmid differ only in case\n" in shown
    assert "anna" not in shown
    loaded = onramp.run("ingest", file, "--source", "CRM").out
    assert "Identity: 2 profiles became 1, at most 2 one; " in loaded
    request_id = onramp.json("history")[0]["request_id"]
    (group,) = onramp.json("upload", "show", request_id)["identity"]["largest"]
    assert [one["value"] for one in group["profiles"]] == ["a•••@example.com", "+49 •••• 3456"]
