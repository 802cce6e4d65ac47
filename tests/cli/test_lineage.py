"""Lineage and attribute changes by command: the services' answers as JSON and as text."""

from __future__ import annotations

import pytest

from tests.cli.onramp import write_table


@pytest.fixture
def two_uploads(onramp, tmp_path):
    """C1 moves from Bonn to Kiel, C2 stays; the receipts."""
    first = write_table(tmp_path / "march.tsv", "crmid|email|city", "C1|anna@example.com|Bonn", "C2||Oslo")
    second = write_table(tmp_path / "april.tsv", "crmid|city", "C2|Oslo", "C1|Kiel")
    return onramp.load(first, "--auto"), onramp.load(second, "--auto")


def test_a_profile_names_upload_file_line_and_time_of_each_value(onramp, two_uploads):
    first, second = two_uploads
    shown = onramp.json("profile", "show", "--by", "crmid=C1")["attributes"]
    assert shown["city"] == {
        "value": "Kiel", "request_id": second["request_id"], "file": "april.tsv", "line": 3, "lines": 1,
        "at": second["finished_at"],
    }  # fmt: skip
    assert (shown["email"]["request_id"], shown["email"]["line"]) == (first["request_id"], 2)
    assert "anna@example.com" not in str(shown)


class TestHistory:
    def test_it_lists_what_each_upload_said_newest_first(self, onramp, two_uploads):
        found = onramp.json("profile", "history", "--by", "crmid=C1", "--attribute", "city")
        assert [(e["value"], e["request_id"], e["effect"], e["is_current"]) for e in found] == [
            ("Kiel", two_uploads[1]["request_id"], "set", True),
            ("Bonn", two_uploads[0]["request_id"], "set", False),
        ]
        assert found[0]["at"] == two_uploads[1]["finished_at"]
        assert {e["attribute"] for e in onramp.json("profile", "history", "--by", "crmid=C1")} == {
            "crmid", "email", "city",
        }  # fmt: skip

    def test_it_is_a_table_for_people(self, onramp, two_uploads):
        done = onramp.run("profile", "history", "--by", "crmid=C1", "--attribute", "city")
        head, newest, _ = done.out.splitlines()
        assert head.split() == ["time", "attribute", "value", "effect", "now", "request", "id", "file", "line"]
        assert newest.split()[2:] == ["city", "Kiel", "set", "*", two_uploads[1]["request_id"], "april.tsv", "3"]

    def test_pii_is_plain_only_when_revealed(self, onramp, two_uploads):
        ask = ("profile", "history", "--by", "crmid=C1", "--attribute", "email")
        assert "anna@" not in onramp.run("--json", *ask).out
        assert onramp.json(*ask, "--reveal")[0]["value"] == "anna@example.com"

    @pytest.mark.parametrize(
        ("by", "code"), [("crmid", "usage"), ("crmid=C9", "no_such_profile"), ("city=Kiel", "not_an_identifier")]
    )
    def test_who_is_not_there_is_refused(self, onramp, two_uploads, by, code):
        assert onramp.refuse("profile", "history", "--by", by)["code"] == code


class TestChanges:
    def test_people_and_values_before_and_after(self, onramp, two_uploads):
        found = onramp.json("upload", "changes", two_uploads[1]["request_id"])
        assert [(p["profile_id"], p["kind"], p["attributes"]) for p in found] == [
            ("1-3", "unchanged", {}),
            ("1-2", "updated", {"city": {"before": "Bonn", "after": "Kiel"}}),
        ]
        assert onramp.json("upload", "changes", two_uploads[1]["request_id"], "--limit", "1") == found[:1]

    def test_it_is_a_table_for_people(self, onramp, two_uploads):
        done = onramp.run("upload", "changes", two_uploads[1]["request_id"])
        assert [line.split() for line in done.out.splitlines()] == [
            ["profile", "kind", "attribute", "before", "after"],
            ["1-3", "unchanged"],
            ["1-2", "updated", "city", "Bonn", "Kiel"],
        ]

    def test_an_upload_that_is_undone_or_not_there_is_refused(self, onramp, two_uploads):
        assert onramp.refuse("upload", "changes", "20270131-ABCDEFGH")["code"] == "no_such_upload"
        onramp.json("undo", two_uploads[1]["request_id"])
        assert onramp.refuse("upload", "changes", two_uploads[1]["request_id"], exit_code=3)["code"] == "undone"
        assert len(onramp.json("profile", "history", "--by", "crmid=C1", "--attribute", "city")) == 1


class TestAttributeChange:
    @pytest.fixture
    def preferences(self, onramp, tmp_path):
        file = write_table(tmp_path / "p.tsv", "crmid|preferences", "C1|007", "C2|tea")
        mapping = {"columns": [{"column": name, "attribute": name} for name in ("crmid", "preferences")]}
        path = tmp_path / "m.json"
        path.write_text(str(mapping).replace("'", '"'))
        onramp.load(file, "--mapping", path)

    def value(self, onramp, who):
        return onramp.json("profile", "show", "--by", f"crmid={who}")["attributes"].get("preferences", {}).get("value")

    def test_a_dry_run_says_what_it_would_do_and_changes_nothing(self, onramp, preferences):
        before = onramp.state()
        said = onramp.json("attribute", "change", "preferences", "--type", "integer", "--dry-run")
        assert said == {
            "attribute": "preferences", "type_before": "string", "type_after": "integer", "profiles": 2, "same": 0,
            "rewritten": 1, "lost": 1, "regained": 0, "texts_lost": 1, "samples": ["tea"],
            "rewritten_samples": [["007", "7"]],
        }  # fmt: skip
        assert onramp.state() == before

    def test_the_type_changes_and_changes_back(self, onramp, preferences):
        digest = onramp.json("digest")
        made = onramp.json("attribute", "change", "preferences", "--type", "integer", "--display-name", "Choice")
        assert (made["type"], made["display_name"]) == ("integer", "Choice")
        assert (self.value(onramp, "C1"), self.value(onramp, "C2")) == ("7", None)
        changed = onramp.json("digest")
        rebuilt = onramp.json("rebuild")
        assert {name: rebuilt[name] for name in changed} == changed
        onramp.json("attribute", "change", "preferences", "--type", "string")
        assert onramp.json("digest") == digest

    def test_names_are_given_and_taken_away(self, onramp, preferences):
        made = onramp.json("attribute", "change", "preferences", "--segment", "TASTE", "--macro", "TASTE")
        assert (made["segment"], made["macro"]) == ("TASTE", "TASTE")
        assert onramp.json("attribute", "change", "preferences", "--segment", "none")["segment"] is None

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "code"),
        [
            (["preferences"], 2, "usage"),
            (["preferences", "--dry-run"], 2, "usage"),
            (["preferences", "--dry-run", "--type", "integer", "--segment", "TASTE"], 2, "usage"),
            (["preferences", "--type", "email"], 2, "type_not_changeable"),
            (["email", "--type", "string"], 2, "type_not_changeable"),
            (["preferences", "--segment", "lower"], 2, "bad_upper_snake"),
            (["preferences", "--macro", "EMAIL"], 3, "attribute_exists"),
        ],
    )
    def test_what_cannot_be_is_refused(self, onramp, preferences, arguments, exit_code, code):
        assert onramp.refuse("attribute", "change", *arguments, exit_code=exit_code)["code"] == code
