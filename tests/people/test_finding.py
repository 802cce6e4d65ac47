"""One box for every identifier: a value finds whom it names, as whatever it may be."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError
from ingest_core.models import SourceSettings

ALL = {"crmid": "crmid", "email": "email", "phone": "phone", "city": "city"}


def found(kernel, value):
    """[(profile id, by)] of the matches."""
    return [(one["profile_id"], one["by"]) for one in kernel.workspace.profiles.find(value)["matches"]]


@pytest.fixture
def people(kernel):
    return kernel.load(
        "crmid\temail\tphone\tcity\nK1\tpriya@example.in\t+919876543210\tPune\n919876543210\tlena@example.in\t\tKiel\n",
        ALL,
    )


@pytest.mark.parametrize(
    ("value", "by"),
    [("K1", "crmid"), (" PRIYA@example.IN ", "email"), ("+91 98765 43210", "phone"), ("1-2", "profile_id")],
)
def test_a_value_of_any_identifier_finds_its_person(kernel, people, value, by):
    assert found(kernel, value) == [("1-2", [by])]


def test_a_number_may_be_a_customers_id_and_anothers_telephone(kernel, people):
    kernel.workspace.sources.update(1, settings=SourceSettings(phone_country="IN"))
    assert found(kernel, "919876543210") == [("1-3", ["crmid"]), ("1-2", ["phone"])]


def test_a_number_without_country_is_looked_for_in_the_country_of_each_source(kernel, people):
    assert found(kernel, "98765 43210") == []
    kernel.workspace.sources.update(1, settings=SourceSettings(phone_country="IN"))
    assert found(kernel, "98765 43210") == [("1-2", ["phone"])]


def test_who_is_found_twice_is_one_match_with_both_identifiers(kernel):
    kernel.workspace.attributes.add("loyalty", "string", identifier="secondary")
    kernel.load("crmid\tloyalty\nK777\tK777\n", {"crmid": "crmid", "loyalty": "loyalty"})
    assert found(kernel, "K777") == [("1-2", ["crmid", "loyalty"])]


def test_matches_are_masked_and_nothing_is_audited(kernel, people):
    told = kernel.workspace.profiles.find("priya@example.in")
    assert told["matches"][0]["attributes"]["email"] == "p•••@example.in"
    assert told["matches"][0]["attributes"]["city"] == "Pune"
    assert "priya@" not in str(told)
    with kernel.workspace.engine.session() as session:
        assert session.value("SELECT count(*) FROM audit WHERE action = 'reveal'") == 0


def test_nobody_says_as_what_it_was_looked_for(kernel, people):
    assert kernel.workspace.profiles.find("K9") == {"matches": [], "nobody": [], "tried": ["crmid"]}
    assert kernel.workspace.profiles.find("nobody@example.in")["tried"] == ["crmid", "email"]
    assert found(kernel, "9-9") == []


def test_a_value_that_is_known_and_names_nobody_says_why(kernel):
    kernel.load("crmid\temail\nK1\tboth@example.in\nK2\tboth@example.in\n", {"crmid": "crmid", "email": "email"})
    assert kernel.workspace.profiles.find("both@example.in")["nobody"] == [{"attribute": "email", "why": "contested"}]
    many = "".join(f"K{i}\tdesk@example.in\n" for i in range(30))
    kernel.load(f"crmid\temail\n{many}", {"crmid": "crmid", "email": "email"})
    assert kernel.workspace.profiles.find("desk@example.in")["nobody"] == [{"attribute": "email", "why": "shared"}]


def test_nothing_is_no_value(kernel, people):
    with pytest.raises(InputError) as refused:
        kernel.workspace.profiles.find("  ")
    assert refused.value.code == "bad_value"


@pytest.mark.parametrize("value", ["' OR true --", "K1'; DROP TABLE profile", "\x00", "💡", "K" * 5000])
def test_what_is_typed_is_a_value_and_nothing_else(kernel, people, value):
    assert found(kernel, value) == []
    assert kernel.workspace.profiles.count() == 2
