"""What happened to a person, upload by upload, and who was joined by it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from ingest_core.errors import InputError
from ingest_core.ledger.audit import verify_audit
from tests.property.conftest import templates
from tests.property.files import judged, uploads
from tests.property.product import Templates
from tests.property.reference import Upload

__all__ = ["templates"]  # a fixture

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}


def timeline(kernel, by="K1", **options):
    return kernel.workspace.profiles.timeline("crmid", by, **options)


def said(entry, attribute="city"):
    """(value, before, effect, is_change) of one attribute; None when the upload did not state it."""
    for one in entry["said"]:
        if one["attribute"] == attribute:
            return one["value"], one["before"], one["effect"], one["is_change"]
    return None


class TestEntries:
    def test_each_upload_says_where_it_named_the_person(self, kernel):
        first = kernel.load("crmid\tcity\nK9\tGoa\nK1\tPune\n", {"crmid": "crmid", "city": "city"}, name="march.tsv")
        kernel.load("crmid\nK1\nK1\n", {"crmid": "crmid"}, "Shop", name="april.tsv")
        newest, oldest = timeline(kernel)
        assert (newest["source"], newest["file"], newest["line"], newest["lines"]) == ("Shop", "april.tsv", 2, 2)
        assert (oldest["request_id"], oldest["line"], oldest["lines"]) == (first.request_id, 3, 1)
        assert oldest["at"] == first.finished_at
        assert (newest["user"], newest["state"]) == ("asha", "counts")
        assert (newest["is_first"], oldest["is_first"]) == (False, True)
        assert (newest["is_new_member"], oldest["is_new_member"]) == (True, True)

    def test_each_value_says_what_stood_before(self, kernel):
        for cell, rules in (
            ("Pune", {}), ("Pune", {}), ("Goa", {}), ("Agra", {"conflict": "keep"}), ("", {"blank": "clear"}),
        ):  # fmt: skip
            columns = {"crmid": "crmid", "city": {"attribute": "city", **rules}}
            kernel.load(f"crmid\tcity\nK1\t{cell}\n", columns, again=True)
        assert [said(entry) for entry in reversed(timeline(kernel))] == [
            ("Pune", None, "set", True),
            ("Pune", "Pune", "set", False),
            ("Goa", "Pune", "set", True),
            ("Agra", "Goa", "kept out", False),
            (None, "Goa", "cleared", True),
        ]

    def test_somebody_who_left_and_came_back_is_a_member_by_the_last_file(self, kernel):
        for person, replace in (("K1", None), ("K2", "members"), ("K1", None)):
            kernel.load(
                f"crmid\tcity\n{person}\tPune\n", {"crmid": "crmid", "city": "city"}, replace=replace, again=True
            )
        assert [entry["is_new_member"] for entry in timeline(kernel)] == [True, False]


class TestUploadsThatDoNotCount:
    def test_one_that_was_undone_is_there_and_marked(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        second = kernel.load("crmid\tcity\nK1\tGoa\n", {"crmid": "crmid", "city": "city"})
        kernel.workspace.undo.undo(second.request_id)
        newest, oldest = timeline(kernel)
        assert (newest["state"], newest["undone_by"], said(newest)) == (
            "undone",
            "asha",
            ("Goa", None, "not counted", False),
        )
        assert newest["undone_at"] is not None
        assert (oldest["state"], said(oldest)) == ("counts", ("Pune", None, "set", True))
        assert said(oldest)[0] == kernel.values("crmid", "K1")["city"]

    def test_one_that_a_later_file_replaced_is_marked_so(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        kernel.load("crmid\tcity\nK1\tGoa\n", {"crmid": "crmid", "city": "city"}, replace="values")
        assert [entry["state"] for entry in timeline(kernel)] == ["counts", "replaced"]

    def test_only_rows_that_would_be_this_persons_are_looked_at(self, kernel):
        kernel.load("crmid\temail\tcity\nK1\ta@x.example\tPune\nK2\tb@x.example\tGoa\n", COLUMNS)
        second = kernel.load("crmid\temail\tcity\nK2\ta@x.example\tAgra\n\ta@x.example\tDelhi\n", COLUMNS)
        kernel.workspace.undo.undo(second.request_id)
        assert said(timeline(kernel)[0])[0] == "Delhi"  # names K1 by the address; the other row says K2
        assert said(timeline(kernel, "K2")[0])[0] == "Agra"

    def test_a_taken_back_undo_leaves_no_mark(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        second = kernel.load("crmid\tcity\nK1\tGoa\n", {"crmid": "crmid", "city": "city"})
        before = timeline(kernel)
        kernel.workspace.undo.undo(second.request_id)
        kernel.workspace.undo.redo(second.request_id)
        assert timeline(kernel) == before


class TestJoining:
    def test_the_upload_that_made_one_of_two_names_both_and_why(self, kernel):
        kernel.load("crmid\temail\tcity\nK1\t\tPune\n", COLUMNS)
        kernel.load("crmid\temail\tcity\n\ta@x.example\tGoa\n", COLUMNS)
        kernel.load("crmid\temail\tcity\nK9\t\t\nK1\ta@x.example\t\n", COLUMNS)
        newest, *others = timeline(kernel)
        assert newest["joined"] == [
            {
                "line": 3,
                "profiles": ["1-2", "2-2"],
                "by": [{"attribute": "crmid", "value": "K1"}, {"attribute": "email", "value": "a•••@x.example"}],
            }
        ]
        assert [entry["joined"] for entry in others] == [[], []]

    def test_two_lines_of_one_file_may_join_together(self, kernel):
        kernel.load("email\tphone\na@x.example\t\n\t+919876543210\n", {"email": "email", "phone": "phone"})
        kernel.load(
            "crmid\temail\tphone\nK1\ta@x.example\t\nK1\t\t+919876543210\n",
            {"crmid": "crmid", "email": "email", "phone": "phone"},
        )
        (joined,) = timeline(kernel)[0]["joined"]
        assert (joined["profiles"], joined["line"]) == (["1-2", "1-3"], 2)

    def test_nobody_is_joined_by_a_value_that_many_share(self, kernel):
        many = "".join(f"K{i}\tdesk@x.example\tPune\n" for i in range(30))
        kernel.load(f"crmid\temail\tcity\n{many}", COLUMNS)
        kernel.load("crmid\temail\tcity\nK1\tdesk@x.example\tGoa\n", COLUMNS)
        assert [entry["joined"] for entry in timeline(kernel)] == [[], []]

    def test_people_who_come_apart_were_never_joined(self, kernel):
        kernel.load("crmid\temail\tcity\nK1\t\tPune\n", COLUMNS)
        kernel.load("crmid\temail\tcity\n\ta@x.example\tGoa\n", COLUMNS)
        third = kernel.load("crmid\temail\tcity\nK1\ta@x.example\t\n", COLUMNS)
        kernel.workspace.undo.undo(third.request_id)
        assert [entry["joined"] for entry in timeline(kernel)] == [[], []]


class TestPersonalData:
    def test_it_is_masked_everywhere_until_it_is_revealed(self, kernel):
        kernel.load("email\npriya@x.example\n", {"email": "email"})
        kernel.load("crmid\nK1\n", {"crmid": "crmid"})
        kernel.load("crmid\temail\nK1\tpriya@x.example\n", {"crmid": "crmid", "email": "email"})
        undone = kernel.load("crmid\temail\nK1\tpriya.old@x.example\n", {"crmid": "crmid", "email": "email"})
        kernel.workspace.undo.undo(undone.request_id)
        assert "priya" not in json.dumps(timeline(kernel), default=str)
        plain = json.dumps(timeline(kernel, reveal=True, reason="ticket 4711"), default=str)
        assert plain.count("priya@x.example") == 4  # said twice, stood before once, joined by it once
        assert "priya.old@x.example" in plain
        with kernel.workspace.engine.session() as session:
            ((what, detail),) = session.rows("SELECT object, detail FROM audit WHERE action = 'reveal'")
            assert verify_audit(session) is None
        assert (what, json.loads(detail)) == ("1-2", {"by": "crmid", "timeline": "all", "reason": "ticket 4711"})

    def test_by_the_profiles_id_it_is_the_same(self, kernel):
        kernel.load("crmid\tcity\nK1\tPune\n", {"crmid": "crmid", "city": "city"})
        assert kernel.workspace.profiles.timeline_of("1-2") == timeline(kernel)
        with pytest.raises(InputError):
            kernel.workspace.profiles.timeline_of("7-7")


@judged(4)
@given(made=uploads())
def test_it_tells_what_the_history_of_values_tells(templates: Templates, made: list[Upload]) -> None:
    """For whatever files: the same statements upload by upload, and the last change of each value is what stands."""
    with templates.workspace(shared_limit=2, threads=2) as product:
        for upload in made:
            product.load(upload)
        people = product.ws.profiles
        for one in people.list(limit=5)["profiles"]:
            told = [entry for entry in people.timeline_of(one["profile_id"]) if entry["state"] == "counts"]
            assert [entry["is_first"] for entry in told] == [False] * (len(told) - 1) + [True]
            flat = [
                (e["request_id"], s["attribute"], s["value"], s["effect"], s["is_current"])
                for e in told
                for s in e["said"]
            ]
            history = people.history_of(one["profile_id"])
            names = ("request_id", "attribute", "value", "effect", "is_current")
            assert sorted(flat, key=str) == sorted((tuple(e[n] for n in names) for e in history), key=str)
            values = {s["attribute"]: s["value"] for e in told for s in e["said"] if s["is_current"]}
            assert values == one["attributes"]
            for entry in told:
                for joined in entry["joined"]:
                    assert joined["profiles"][0] == min(joined["profiles"], key=lambda i: [*map(int, i.split("-"))])
                    assert {people.person(former)["profile_id"] for former in joined["profiles"]} == {one["profile_id"]}
