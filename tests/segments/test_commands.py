"""The commands segment and macro, as a script runs them."""

from __future__ import annotations

import json

import pytest

from tests.cli.onramp import Onramp

ROME = '{"attribute": "CITY", "operator": "equals", "value": "Rome"}'


@pytest.fixture
def onramp(home, tmp_path):
    onramp = Onramp(home)
    onramp.json("source", "add", "CRM")
    onramp.json("attribute", "change", "city", "--segment", "CITY")
    people = tmp_path / "people.tsv"
    people.write_text(
        "crmid\temail\tfirst_name\tcity\nK1\tanna@example.com\tAnna\tRome\nK2\tben@example.com\t\tOslo\n"
        "K3\tcleo@example.com\tCleo\tROME\n",
        encoding="utf-8",
    )
    onramp.load(people, "--auto")
    return onramp


@pytest.fixture
def rule(tmp_path):
    def written(text, name="rule.json"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return written


def test_a_segment_lives_by_commands_alone(onramp, rule):
    assert onramp.json("segment", "preview", "--rule", rule(ROME), "--sample", 1)["count"] == 2
    made = onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME), "--tag", "a b", "--tag", "c", "--priority", 3)
    assert made == {"name": "ROMANS", "count": 2}
    other = rule('{"not": {"segment": "ROMANS"}}', "other.json")
    assert onramp.json("segment", "add", "OTHERS", "--rule", other) == {"name": "OTHERS", "count": 1}
    shown = onramp.json("segment", "show", "ROMANS")
    assert (shown["tags"], shown["priority"], shown["used_by"]) == (["a b", "c"], 3, ["OTHERS"])
    assert onramp.json("segment", "edit", "ROMANS", "--name", "IN_ROME", "--tag", "none")["name"] == "IN_ROME"
    assert [(one["name"], one["count"], one["tags"]) for one in onramp.json("segment", "list")] == [
        ("IN_ROME", 2, []), ("OTHERS", 1, []),
    ]  # fmt: skip
    assert onramp.json("segment", "overlap", "IN_ROME", "OTHERS")["counts"] == [[2, 0], [0, 1]]
    assert [one["attributes"]["crmid"] for one in onramp.json("segment", "members", "IN_ROME", "--offset", 1)] == ["K3"]
    assert [one["count"] for one in onramp.json("segment", "history", "IN_ROME")] == [2]
    assert onramp.refuse("segment", "delete", "IN_ROME", exit_code=3)["code"] == "segment_in_use"
    assert onramp.json("segment", "delete", "OTHERS") == {"name": "OTHERS", "deleted": True}
    assert onramp.json("segment", "count", "IN_ROME") == {"name": "IN_ROME", "count": 2}


def test_the_rule_that_is_shown_can_be_given_back(onramp, rule):
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME))
    shown = onramp.json("segment", "show", "ROMANS")["rule"]
    assert onramp.json("segment", "edit", "ROMANS", "--rule", rule(json.dumps(shown)))["count"] == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_rule"), ("[]", "bad_rule"), ('{"all": [], "all": []}', "bad_rule"), ("[" * 5000, "bad_rule"),
        ('{"not":' * 3000 + "{}" + "}" * 3000, "bad_rule"), ('{"source": "CRN"}', "no_such_source"),
        ('{"attribute": "email", "operator": "equals", "value": "anna@example.com"}', "not_for_segments"),
        ('{"attribute": "CITY", "operator": "like", "value": "x"}', "bad_operator"), ("NaN", "bad_rule"),
        ('{"attribute": "CITY", "operator": "equals", "value": NaN}', None),
    ],
)  # fmt: skip
def test_a_rule_file_that_is_none_is_refused(onramp, rule, text, code):
    if code is None:
        assert onramp.json("segment", "preview", "--rule", rule(text))["count"] == 0
        return
    for command in (["add", "BROKEN"], ["preview"]):
        assert onramp.refuse("segment", *command, "--rule", rule(text))["code"] == code


def test_an_edit_of_nothing_and_a_negative_number_are_usage_errors(onramp, rule):
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME))
    assert onramp.refuse("segment", "edit", "ROMANS")["code"] == "usage"
    assert onramp.refuse("segment", "edit", "ROMANS", "--priority", "-1")["code"] == "usage"
    assert onramp.refuse("segment", "edit", "ROMANS", "--rule", rule("null"))["code"] == "bad_rule"


def test_people_read_tables_and_sentences(onramp, rule):
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME), "--description", "In Rome")
    lines = onramp.run("segment", "list").out.splitlines()
    assert lines[0].split() == ["name", "count", "change", "rule", "tags", "description"]
    assert "City is Rome" in lines[1]
    shown = onramp.run("segment", "show", "ROMANS").out
    assert "rule: City is Rome\n" in shown
    assert json.loads(shown.splitlines()[-1]) == {"attribute": "city", "operator": "equals", "value": "Rome"}
    assert onramp.run("segment", "overlap", "ROMANS", "ROMANS").out.splitlines()[1].split() == ["ROMANS", "2", "2"]
    preview = onramp.run("segment", "preview", "--rule", rule(ROME)).out
    assert preview.startswith("City is Rome\n2 of 3 profiles\n")
    assert "anna@" not in preview
    assert "added" in onramp.run("segment", "history", "ROMANS").out
    assert "K1, a•••@example.com, A•••, Rome" in onramp.run("segment", "members", "ROMANS").out


def test_a_message_is_previewed(onramp, rule):
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME))
    shown = onramp.run("macro", "preview", "Hi {{FIRST_NAME}}\x1b[31m {{CITTY}}", "--by", "crmid=K3").out
    assert shown.splitlines() == [
        "Hi C•••�[31m {{CITTY}}", "1 of 3 people have no FIRST_NAME", "{{CITTY}} is no macro. Did you mean CITY?",
    ]  # fmt: skip
    revealed = onramp.json("macro", "preview", "Hi {{FIRST_NAME}}", "--segment", "ROMANS", "--reveal")
    assert (revealed["text"], revealed["members"]) == ("Hi Anna", 2)
    assert onramp.json("audit", "verify")["entries"] > 0
    assert "FIRST_NAME" in onramp.run("macro", "list").out
    assert onramp.refuse("macro", "preview", "x", "--by", "crmid")["code"] == "usage"


def test_what_helps_on_screen_while_a_rule_is_written_helps_a_script_too(onramp, rule, tmp_path):
    assert onramp.json("segment", "check", "--rule", rule(ROME)) == []
    wrong = rule('{"all": [{"source": "CRN"}, {"attribute": "CITY"}]}', "wrong.json")
    assert [one["path"] for one in onramp.json("segment", "check", "--rule", wrong)] == [
        "rule.all[0].source", "rule.all[1].operator",
    ]  # fmt: skip
    assert "city" in [field["attribute"] for field in onramp.json("segment", "fields")]
    assert onramp.json("segment", "values", "CITY", "--limit", 1) == [{"value": "Oslo", "count": 1}]
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME))
    to = tmp_path / "members.csv"
    assert onramp.json("segment", "members", "ROMANS", "--to", to, "--spreadsheet")["people"] == 2
    assert to.read_text("utf-8-sig").splitlines()[1].endswith("K1,a•••@example.com,A•••,Rome")
    again = rule('{"segment": "ROMANS"}', "circle.json")
    refused = onramp.refuse("segment", "preview", "--rule", again, "--segment", "ROMANS")
    assert refused["code"] == "segment_cycle"


def test_a_change_can_depend_on_what_was_seen(onramp, rule):
    onramp.json("segment", "add", "ROMANS", "--rule", rule(ROME))
    seen = onramp.json("segment", "show", "ROMANS")["version"]
    onramp.json("segment", "edit", "ROMANS", "--priority", 2, "--version", seen)
    assert onramp.refuse("segment", "edit", "ROMANS", "--priority", 3, "--version", seen, exit_code=3)["code"] == (
        "segment_changed"
    )


def test_missing_values_are_counted_by_a_command(onramp):
    (everybody,) = onramp.json("macro", "missing", "Hi {{FIRST_NAME}}")
    assert everybody == {"segment": None, "members": 3, "without": 1, "macros": {"FIRST_NAME": 1}}
    assert onramp.json("macro", "preview", "Hi {{FIRST_NAME}}", "--nth", 3)["text"] == "Hi C•••"
