"""Segments as people work with them: made, changed, renamed, built on each other, compared, looked into."""

from __future__ import annotations

import io
import json

import pytest

from ingest_core.errors import OnrampError
from ingest_core.ledger.audit import verify_audit
from ingest_core.segments import masked

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city", "amount": "amount"}
PEOPLE = (
    "crmid\temail\tcity\tamount\n"
    "K1\tanna@example.com\tRome\t10\n"
    "K2\tben@example.com\trome\t200\n"
    "K3\t\tOslo\t\n"
    "K4\t\t\t300\n"
)
ROME = {"attribute": "CITY", "operator": "equals", "value": "Rome"}
RICH = {"attribute": "AMOUNT", "operator": "greater", "value": 100}


def refused(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    return caught.value


@pytest.fixture
def shop(kernel):
    """Four people: two of Rome, two with an amount over 100."""
    attributes = kernel.workspace.attributes
    attributes.add("amount", "number", segment="AMOUNT", macro="AMOUNT")
    attributes.change("city", segment="CITY")
    attributes.change("email", segment="EMAIL")
    kernel.load(PEOPLE, COLUMNS)
    return kernel


@pytest.fixture
def segments(shop):
    return shop.workspace.segments


def table(kernel, sql):
    with kernel.workspace.engine.session() as session:
        return session.rows(sql)


class TestMaking:
    def test_a_segment_is_told_whole(self, shop, segments):
        made = segments.add("ROMANS", {"all": [ROME]}, " In Rome ", tags=["b", "A", "a"], priority=7)
        assert made == {"name": "ROMANS", "count": 2}
        shown = segments.show("ROMANS")
        assert len(shown["version"]) == 16
        assert {name: shown[name] for name in shown if not name.endswith("_at") and name != "version"} == {
            "segment_id": 1, "name": "ROMANS", "description": "In Rome", "tags": ["A", "b"], "priority": 7,
            "created_by": "asha", "updated_by": None, "count": 2, "change": None, "recent": [2],
            "words": "City is Rome", "rule": {"all": [{"attribute": "city", "operator": "equals", "value": "Rome"}]},
            "used_by": [], "problem": None,
        }  # fmt: skip
        assert segments.list() == [shown]
        assert segments.names() == ["ROMANS"]

    @pytest.mark.parametrize(
        ("said", "code"),
        [
            ({"tags": ["x" * 51]}, "bad_tags"), ({"tags": [str(n) for n in range(21)]}, "bad_tags"),
            ({"tags": [" "]}, "bad_name"), ({"priority": -1}, "bad_priority"), ({"priority": 1001}, "bad_priority"),
            ({"description": "x" * 2001}, "bad_description"), ({"description": "\ud800"}, "bad_description"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_said_of_a_segment_is_refused_and_nothing_kept(self, segments, said, code):
        assert refused(segments.add, "ROMANS", ROME, **said).code == code
        assert segments.names() == []

    def test_a_preview_counts_and_shows_masked_people_and_keeps_nothing(self, shop, segments):
        seen = segments.preview({"any": [ROME]}, sample=1)
        assert (seen["count"], seen["profiles"], seen["words"]) == (2, 4, "City is Rome")
        (person,) = seen["sample"]
        assert person["profile_id"] == "1-2"
        assert person["attributes"] == {"crmid": "K1", "email": "a•••@example.com", "city": "Rome", "amount": "10"}
        assert segments.names() == []
        assert table(shop, "SELECT count(*) FROM segment_count") == [(0,)]

    def test_members_are_masked_and_come_in_pages(self, segments):
        segments.add("ALL_OF_THEM", {"all": []})
        everybody = segments.members("ALL_OF_THEM")
        assert [person["attributes"]["crmid"] for person in everybody] == ["K1", "K2", "K3", "K4"]
        assert segments.members("ALL_OF_THEM", limit=2, offset=1) == everybody[1:3]
        assert "anna@" not in json.dumps(everybody)
        assert "email" not in everybody[2]["attributes"]

    def test_personal_data_can_be_asked_for_presence(self, segments):
        assert segments.preview({"attribute": "EMAIL", "operator": "is present"})["count"] == 2
        assert segments.preview({"not": {"attribute": "EMAIL", "operator": "is present"}})["count"] == 2

    def test_what_a_rule_may_ask_is_listed_with_its_operators(self, segments):
        fields = {field["attribute"]: field for field in segments.fields()}
        assert sorted(fields) == ["amount", "city", "email"]
        assert fields["email"]["operators"] == [
            {"name": "is_present", "words": "is present", "takes": "nothing"},
            {"name": "is_absent", "words": "is absent", "takes": "nothing"},
        ]
        assert "between" in [operator["name"] for operator in fields["amount"]["operators"]]

    def test_everything_that_changes_a_segment_is_on_the_audit_log(self, shop, segments):
        segments.add("A", ROME)
        segments.edit("A", new_name="B", rule=RICH)
        segments.delete("B")
        rows = table(shop, "SELECT actor, action, object, detail FROM audit WHERE action LIKE '% segment' ORDER BY seq")
        assert [row[:3] for row in rows] == [
            ("asha", "add segment", "A"), ("asha", "change segment", "A"), ("asha", "delete segment", "B"),
        ]  # fmt: skip
        assert json.loads(rows[1][3]) == {"name": "B", "changed": ["name", "rule"]}
        with shop.workspace.engine.session() as session:
            assert verify_audit(session) is None


class TestWriting:
    """What helps while a rule is written."""

    def test_every_problem_of_a_rule_is_said_at_its_place(self, segments):
        rule = {
            "all": [
                {"attribute": "AMOUNT", "operator": "greater", "value": "much"},
                {"any": [ROME, {"source": "Nobody"}, {"not": {"segment": "NONE"}}]},
                {"attribute": "EMAIL", "operator": "equals", "value": "x"},
                {"what": 1},
            ]
        }
        assert [(one["path"], one["code"]) for one in segments.check(rule)] == [
            ("rule.all[0].value", "bad_value"), ("rule.all[1].any[1].source", "no_such_source"),
            ("rule.all[1].any[2].not.segment", "no_such_segment"), ("rule.all[2].operator", "bad_operator"),
            ("rule.all[3]", "bad_rule"),
        ]  # fmt: skip
        assert segments.check(ROME) == []
        assert [one["path"] for one in segments.check("no rule")] == ["rule"]
        assert [one["code"] for one in segments.check({"all": [ROME] * 1001})] == ["rule_too_large"]

    def test_an_unfinished_rule_is_spelled_as_far_as_it_is_known(self, segments):
        segments.add("ROMANS", ROME)
        rule = {
            "all": [
                {"attribute": "AMOUNT", "operator": ">", "value": "much"}, {"source": "crm"}, {"source": "Nobody"},
                {"not": {"any": [{"segment": "romans"}, {"attribute": "CITTY", "operator": "="}]}}, {"what": 1}, "x",
            ]
        }  # fmt: skip
        assert segments.spelled(rule) == {
            "all": [
                {"attribute": "amount", "operator": "greater", "value": "much"}, {"source": "CRM"},
                {"source": "Nobody"},
                {"not": {"any": [{"segment": "ROMANS"}, {"attribute": "CITTY", "operator": "="}]}}, {"what": 1}, "x",
            ]
        }  # fmt: skip

    def test_a_circle_is_noticed_before_the_segment_is_saved(self, segments):
        segments.add("ROMANS", ROME)
        segments.add("OTHERS", {"not": {"segment": "ROMANS"}})
        rule = {"any": [ROME, {"segment": "OTHERS"}]}
        assert segments.check(rule) == []
        assert [(one["path"], one["code"]) for one in segments.check(rule, "ROMANS")] == [
            ("rule.any[1].segment", "segment_cycle")
        ]
        assert refused(segments.preview, rule, segment="ROMANS").code == "segment_cycle"

    def test_values_are_offered_the_most_frequent_first_and_none_of_personal_data(self, segments):
        assert segments.values("AMOUNT") == [
            {"value": "10", "count": 1}, {"value": "200", "count": 1}, {"value": "300", "count": 1},
        ]  # fmt: skip
        assert segments.values("city", 1) == [{"value": "Oslo", "count": 1}]
        assert refused(segments.values, "EMAIL").code == "personal_data"
        assert refused(segments.values, "CITTY").hint == "Did you mean city?"
        assert refused(segments.values, "first_name").code == "unknown_attribute"

    def test_a_change_over_a_change_of_somebody_else_is_refused(self, segments):
        segments.add("ROMANS", ROME)
        seen = segments.show("ROMANS")["version"]
        assert segments.edit("ROMANS", description="In Rome", version=seen)["count"] == 2
        error = refused(segments.edit, "ROMANS", rule=RICH, version=seen)
        assert (error.code, error.facts["version"]) == ("segment_changed", segments.show("ROMANS")["version"])
        assert segments.show("ROMANS")["words"] == "City is Rome"
        assert segments.edit("ROMANS", rule=RICH, version=error.facts["version"])["count"] == 2

    @pytest.mark.parametrize("change", [{"tags": ["a"]}, {"priority": 1}, {"new_name": "X"}, {"rule": RICH}])
    def test_the_version_is_another_after_every_change(self, segments, change):
        segments.add("ROMANS", ROME)
        before = segments.show("ROMANS")["version"]
        segments.edit("ROMANS", rule=ROME)
        assert segments.show("ROMANS")["version"] == before
        name = segments.edit("ROMANS", **change)["name"]
        assert segments.show(name)["version"] != before

    def test_a_segment_is_found_by_its_id_whatever_its_name(self, segments):
        segments.add("ROMANS", ROME)
        number = segments.show("ROMANS")["segment_id"]
        segments.edit("ROMANS", new_name="IN_ROME")
        assert segments.name_of(number) == "IN_ROME"
        segments.delete("IN_ROME")
        assert segments.name_of(number) is None

    def test_a_rule_that_no_longer_fits_can_still_be_read_to_correct_it(self, shop, segments):
        rule = {"all": [RICH, {"not": {"source": "CRM"}}]}
        segments.add("RICH_PEOPLE", rule)
        shop.workspace.attributes.change("amount", type="string")
        assert segments.show("RICH_PEOPLE")["rule"] is None
        assert segments.to_correct("RICH_PEOPLE") == {
            "all": [{"attribute": "amount", "operator": "greater", "value": 100}, {"not": {"source": "CRM"}}]
        }


class TestFiles:
    def test_members_are_written_masked_with_the_columns_that_somebody_has(self, segments, tmp_path):
        segments.add("ALL_OF_THEM", {"all": []})
        assert segments.write_members("ALL_OF_THEM", tmp_path / "members.csv") == 4
        assert (tmp_path / "members.csv").read_text("utf-8") == (
            "profile_id,crmid,email,city,amount\n1-2,K1,a•••@example.com,Rome,10\n1-3,K2,b•••@example.com,rome,200\n"
            "1-4,K3,,Oslo,\n1-5,K4,,,300\n"
        )
        assert (tmp_path / "members.csv").stat().st_mode & 0o077 == 0

    def test_every_member_is_written_once_whatever_the_size_of_the_batches(self, segments, monkeypatch):
        segments.add("ALL_OF_THEM", {"all": []})
        whole, cut = io.StringIO(), io.StringIO()
        segments.write_members("ALL_OF_THEM", whole)
        monkeypatch.setattr(masked, "BATCH", 1)
        assert segments.write_members("ALL_OF_THEM", cut) == 4
        assert cut.getvalue() == whole.getvalue()

    def test_for_a_spreadsheet_formulas_are_made_harmless_and_exactly_they_are_kept(self, shop, segments):
        shop.load("crmid\temail\tcity\tamount\nK9\t\t=1+1\t\n", COLUMNS)
        segments.add("ODD", {"attribute": "CITY", "operator": "starts with", "value": "="})
        exact, safe = io.StringIO(), io.StringIO()
        segments.write_members("ODD", exact)
        segments.write_members("ODD", safe, is_spreadsheet=True)
        assert exact.getvalue() == "profile_id,crmid,city\n2-2,K9,=1+1\n"
        assert safe.getvalue() == "\ufeffprofile_id,crmid,city\r\n2-2,K9,'=1+1\r\n"

    def test_of_a_segment_without_people_the_head_is_written(self, segments):
        segments.add("NOBODY", {"any": []})
        out = io.StringIO()
        assert segments.write_members("NOBODY", out) == 0
        assert out.getvalue() == "profile_id\n"


class TestChanging:
    def test_what_is_given_changes_and_the_rest_stays(self, segments):
        segments.add("A", ROME, "Rome", tags=["x"], priority=3)
        assert segments.edit("A", rule=RICH) == {"name": "A", "count": 2}
        assert segments.edit("A", new_name="B", tags=[], priority=0) == {"name": "B", "count": 2}
        shown = segments.show("B")
        assert (shown["words"], shown["description"], shown["tags"]) == ("Amount is greater than 100", "Rome", [])
        assert (shown["updated_by"], shown["priority"]) == ("asha", 0)
        assert shown["updated_at"] > shown["created_at"]
        assert segments.names() == ["B"]

    def test_names_twice_and_bad_rules_are_refused_and_nothing_changes(self, segments):
        segments.add("A", ROME)
        segments.add("B", RICH)
        before = segments.list()
        assert refused(segments.edit, "A", new_name="B").code == "segment_exists"
        assert refused(segments.edit, "A", new_name="b").code == "bad_upper_snake"
        assert refused(segments.edit, "A", description="new", rule={"source": "Nowhere"}).code == "no_such_source"
        assert refused(segments.edit, "A", rule=None).code == "bad_rule"
        assert refused(segments.edit, "C", description="x").code == "no_such_segment"
        assert segments.list() == before
        assert segments.edit("A", new_name="A")["name"] == "A"

    def test_a_rule_follows_names_that_change(self, shop, segments):
        segments.add("FIRST", {"all": [ROME, {"source": "crm"}]})
        segments.add("SECOND", {"not": {"segment": "first"}})
        shop.workspace.sources.update(shop.source().source_id, name="Customers of 2027")
        shop.workspace.attributes.change("city", segment="TOWN", display_name="Town")
        segments.edit("FIRST", new_name="ROMANS")
        assert segments.show("ROMANS")["words"] == "Town is Rome and in the source Customers of 2027"
        assert segments.show("SECOND")["rule"] == {"not": {"segment": "ROMANS"}}
        assert (segments.count("ROMANS"), segments.count("SECOND")) == (2, 2)

    def test_an_attribute_taken_out_of_segments_stays_in_the_rules_that_have_it(self, shop, segments):
        segments.add("ROMANS", ROME)
        shop.workspace.attributes.change("city", segment=None)
        assert segments.count("ROMANS") == 2
        assert refused(segments.add, "OTHERS", {"not": segments.show("ROMANS")["rule"]}).code == "not_for_segments"

    def test_who_uses_what_is_known(self, segments):
        segments.add("A", {"any": [ROME, {"source": "CRM"}, {"not": RICH}]})
        segments.add("B", {"all": [ROME, {"segment": "A"}]})
        assert segments.uses() == {"attribute": {"city": ["A", "B"], "amount": ["A"]}, "source": {"CRM": ["A"]}}
        assert segments.show("A")["used_by"] == ["B"]


class TestBuiltOnEachOther:
    def test_a_change_goes_through_to_those_built_on_it(self, segments):
        segments.add("A", ROME)
        segments.add("B", {"segment": "A"})
        segments.add("C", {"not": {"segment": "B"}})
        segments.edit("A", rule={"all": []})
        assert {segment["name"]: (segment["count"], segment["change"]) for segment in segments.list()} == {
            "A": (4, 2), "B": (4, 2), "C": (0, -2),
        }  # fmt: skip
        assert [(one["cause"], one["count"]) for one in segments.history("C")] == [("added", 2), ("changed", 0)]

    @pytest.mark.parametrize(("edited", "circle"), [("A", "A → C → B → A"), ("B", "B → C → B"), ("C", "C → C")])
    def test_a_circle_is_refused_and_named(self, segments, edited, circle):
        segments.add("A", ROME)
        segments.add("B", {"segment": "A"})
        segments.add("C", {"any": [{"segment": "B"}]})
        before = segments.list()
        error = refused(segments.edit, edited, rule={"all": [ROME, {"not": {"segment": "C"}}]})
        assert error.code == "segment_cycle"
        assert circle in error.message
        assert error.facts == {"path": "rule.all[1].not.segment"}
        assert segments.list() == before

    def test_a_segment_that_others_are_built_on_is_not_deleted(self, shop, segments):
        segments.add("A", ROME)
        segments.add("B", {"segment": "A"})
        error = refused(segments.delete, "A")
        assert (error.code, error.exit_code, error.facts) == ("segment_in_use", 3, {"segments": ["B"]})
        segments.delete("B")
        segments.delete("A")
        assert segments.list() == []
        assert table(shop, "SELECT count(*) FROM segment_count") == [(0,)]

    def test_a_change_that_makes_another_segment_too_large_is_refused_with_its_name(self, segments):
        segments.add("BASE", ROME)
        segments.add("WIDE", {"any": [{"segment": "BASE"}] * 400})
        error = refused(segments.edit, "BASE", rule={"any": [ROME, RICH, {"not": ROME}]})
        assert error.code == "rule_too_large"
        assert "WIDE" in error.message
        assert segments.show("BASE")["words"] == "City is Rome"


class TestComparing:
    def test_an_overlap_is_a_matrix_with_the_counts_on_its_diagonal(self, segments):
        for name, rule in {"ROMANS": ROME, "RICH": RICH, "NOBODY": {"any": []}}.items():
            segments.add(name, rule)
        assert segments.overlap(["RICH", "ROMANS", "NOBODY"]) == {
            "names": ["RICH", "ROMANS", "NOBODY"],
            "counts": [[2, 1, 0], [1, 2, 0], [0, 0, 0]],
        }

    def test_ten_can_be_compared_and_not_eleven(self, segments):
        names = [f"S{number}" for number in range(11)]
        for name in names:
            segments.add(name, {"all": []})
        assert segments.overlap(names[:10])["counts"] == [[4] * 10] * 10
        assert refused(segments.overlap, names).code == "too_many_segments"
        assert refused(segments.overlap, []).code == "too_many_segments"
        assert refused(segments.overlap, ["S1", "S99"]).code == "no_such_segment"


class TestWhatDoesNotFitAnyMore:
    @pytest.fixture
    def broken(self, shop, segments):
        segments.add("RICH", RICH)
        segments.add("POOR", {"not": {"segment": "RICH"}})
        segments.add("ROMANS", ROME)
        shop.workspace.attributes.change("amount", type="string")
        return segments

    def test_a_segment_says_why_it_has_no_count_and_so_does_one_built_on_it(self, broken):
        told = {segment["name"]: (segment["count"], segment["words"], segment["problem"]) for segment in broken.list()}
        problem = "amount (string) has no such operator"
        assert told == {
            "POOR": (None, None, problem), "RICH": (None, None, problem), "ROMANS": (2, "City is Rome", None),
        }  # fmt: skip
        for name in ("RICH", "POOR"):
            error = refused(broken.count, name)
            assert (error.code, error.exit_code) == ("segment_unusable", 3)
            assert problem in error.message

    def test_it_stops_no_upload_and_nobody_is_in_it(self, shop, broken):
        shop.load("crmid\tcity\nK4\tRome\n", {"crmid": "crmid", "city": "city"})
        assert shop.workspace.profiles.show("crmid", "K4")["segments"] == ["ROMANS"]
        assert [one["count"] for one in broken.history("RICH")] == [2]
        assert [one["count"] for one in broken.history("ROMANS")] == [2, 3]

    def test_it_comes_back_with_the_type_and_with_another_rule(self, shop, broken):
        broken.edit("RICH", rule={"attribute": "AMOUNT", "operator": "is one of", "value": ["200", "300"]})
        assert (broken.count("RICH"), broken.count("POOR")) == (2, 2)
        broken.edit("RICH", rule={"attribute": "AMOUNT", "operator": "contains", "value": "00"})
        shop.workspace.attributes.change("amount", type="number")
        assert refused(broken.count, "RICH").code == "segment_unusable"
        broken.edit("RICH", rule=RICH)
        assert broken.count("RICH") == 2


def test_a_rule_of_the_first_version_which_held_names_is_still_understood(shop, segments):
    segments.add("OLD", ROME)
    with shop.workspace.engine.session() as session:
        session.run("UPDATE segment SET rule = ?, tags = NULL, priority = NULL", ['{"any": [{"source": "crm"}]}'])
    shown = segments.show("OLD")
    assert (shown["rule"], shown["count"]) == ({"any": [{"source": "CRM"}]}, 4)
    assert (shown["tags"], shown["priority"]) == ([], 0)
