"""Looking at one person: masked, with the upload and line of each value; revealed only on the record."""

from __future__ import annotations

import json

import pytest

from ingest_core.errors import InputError
from ingest_core.ledger.audit import verify_audit
from ingest_core.people.people import profile_id

COLUMNS = {"crmid": "crmid", "email": "email", "first_name": "first_name", "city": "city"}
FIRST = "crmid\temail\tfirst_name\tcity\nK1\tPriya@Example.in\tPriya\tPune\nK2\tbina@example.in\tBina\tGoa\n"
SECOND = "crmid\temail\tfirst_name\tcity\nK1\t\t\tAgra\n\tbina@example.in\t\tDelhi\n"


def refused(kernel, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        kernel.workspace.profiles.show(*args, **kwargs)
    assert caught.value.hint
    return caught.value


def test_a_person_is_found_by_any_identifier_in_any_writing(kernel):
    kernel.load(FIRST, COLUMNS)
    shown = kernel.workspace.profiles.show("crmid", "K1")
    assert shown == kernel.workspace.profiles.show("email", " PRIYA@example.IN ")
    assert kernel.workspace.profiles.count() == 2


def test_pii_is_masked_and_the_rest_is_not(kernel):
    kernel.load(FIRST, COLUMNS)
    shown = {n: entry["value"] for n, entry in kernel.workspace.profiles.show("crmid", "K1")["attributes"].items()}
    assert (shown["crmid"], shown["city"]) == ("K1", "Pune")
    assert "priya" not in json.dumps(shown).lower()


def test_each_value_names_its_upload_and_line(kernel):
    first, second = kernel.load(FIRST, COLUMNS), kernel.load(SECOND, COLUMNS)
    shown = kernel.workspace.profiles.show("crmid", "K2")
    assert {n: (entry["request_id"], entry["line"]) for n, entry in shown["attributes"].items()} == {
        "crmid": (first.request_id, 3), "email": (second.request_id, 3), "first_name": (first.request_id, 3),
        "city": (second.request_id, 3),
    }  # fmt: skip
    assert shown["profile_id"] == profile_id((1 << 32) | 3) == "1-3"
    assert (shown["sources"], shown["segments"], shown["traits"]) == (["CRM"], [], [])


@pytest.mark.parametrize(
    ("rules", "cells", "line"),
    [
        ({"combine": "last"}, ("a", "b"), 3),
        ({"combine": "first"}, ("a", "b"), 2),
        ({"combine": "first", "blank": "NULL"}, ("a", "NULL"), 2),
        ({"blank": "NULL"}, ("NULL", "b"), 3),
        ({"combine": "first", "blank": "NULL"}, ("NULL", "b"), None),
        ({}, ("a", ""), 2),
    ],
)
def test_lineage_follows_the_combine_rule(kernel, rules, cells, line):
    data = "crmid\tcity\n" + "".join(f"K1\t{cell}\n" for cell in cells)
    receipt = kernel.load(data, {"crmid": "crmid", "city": {"attribute": "city", **rules}})
    entry = kernel.workspace.profiles.show("crmid", "K1")["attributes"].get("city")
    assert (entry and (entry["request_id"], entry["line"])) == (line and (receipt.request_id, line))


@pytest.mark.parametrize(("conflict", "expected"), [("newest", (1, "Goa")), ("keep", (0, "Pune"))])
def test_lineage_follows_the_conflict_rule(kernel, conflict, expected):
    columns = {"crmid": "crmid", "city": {"attribute": "city", "conflict": conflict}}
    uploads = [kernel.load(f"crmid\tcity\nK1\t{city}\n", columns) for city in ("Pune", "Goa")]
    entry = kernel.workspace.profiles.show("crmid", "K1")["attributes"]["city"]
    assert (entry["request_id"], entry["value"]) == (uploads[expected[0]].request_id, expected[1])


def test_sources_and_segments_of_a_person(kernel):
    kernel.load(FIRST, COLUMNS, segment="create:FIRST")
    kernel.load(SECOND, COLUMNS, "Shop", segment="create:SECOND")
    kernel.workspace.segments.add("NOBODY", {"any": []})
    shown = kernel.workspace.profiles.show("crmid", "K2")
    assert (shown["sources"], shown["segments"]) == (["CRM", "Shop"], ["FIRST", "SECOND"])


class TestRevealing:
    def test_shows_the_value_and_is_on_the_record(self, kernel):
        kernel.load(FIRST, COLUMNS)
        shown = kernel.workspace.profiles.show("email", "priya@example.in", reveal=True)
        assert shown["attributes"]["email"]["value"] == "priya@example.in"
        assert shown["attributes"]["first_name"]["value"] == "Priya"
        with kernel.workspace.engine.session() as session:
            ((actor, action, what, detail),) = session.rows(
                "SELECT actor, action, object, detail FROM audit WHERE action = 'reveal'"
            )
            assert (actor, action, what) == ("asha", "reveal", shown["profile_id"])
            assert json.loads(detail) == {"by": "email"}
            assert verify_audit(session) is None

    def test_looking_without_revealing_writes_nothing(self, kernel):
        kernel.load(FIRST, COLUMNS)
        kernel.workspace.profiles.show("crmid", "K1")
        with kernel.workspace.engine.session() as session:
            assert session.value("SELECT count(*) FROM audit WHERE action = 'reveal'") == 0

    def test_a_failed_look_reveals_and_records_nothing(self, kernel):
        refused(kernel, "crmid", "K1", reveal=True)
        with kernel.workspace.engine.session() as session:
            assert session.value("SELECT count(*) FROM audit WHERE action = 'reveal'") == 0


@pytest.mark.parametrize(
    ("by", "value", "code"),
    [
        ("city", "Pune", "not_an_identifier"), ("shoe_size", "42", "unknown_attribute"),
        ("email", "no mail", "bad_value"),
        ("crmid", "", "bad_value"), ("crmid", "K9", "no_such_profile"), ("crmid", "k1", "no_such_profile"),
        ("crmid", "' OR true --", "no_such_profile"), ("email", "nobody@example.in", "no_such_profile"),
    ],
)  # fmt: skip
def test_who_is_not_there_is_not_found_and_the_value_not_repeated(kernel, by, value, code):
    kernel.load(FIRST, COLUMNS)
    error = refused(kernel, by, value)
    assert error.code == code
    if len(value) > 3:
        assert value not in str(error.as_dict())


def test_a_value_that_belongs_to_nobody_finds_nobody(kernel):
    kernel.load("crmid\temail\nK1\tshared@example.in\nK2\tshared@example.in\n", {"crmid": "crmid", "email": "email"})
    assert refused(kernel, "email", "shared@example.in").code == "no_such_profile"
