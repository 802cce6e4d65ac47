"""Segments: made by hand or by an upload, counted when asked, never a copied list."""

from __future__ import annotations

import pytest

from ingest_core.errors import OnrampError

COLUMNS = {"crmid": "crmid"}


def people(*names):
    return "crmid\n" + "".join(f"{name}\n" for name in names)


def code_of(call, *args, **kwargs):
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    return caught.value.code


@pytest.fixture
def two_sources(kernel):
    kernel.load(people("K1", "K2", "K3"), COLUMNS, "CRM")
    kernel.load(people("K3", "K4"), COLUMNS, "Shop")
    return kernel.workspace.segments


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ({"source": "CRM"}, 3),
        ({"source": "Shop"}, 2),
        ({"source": "crm"}, 3),
        ({"all": [{"source": "CRM"}, {"source": "Shop"}]}, 1),
        ({"any": [{"source": "CRM"}, {"source": "Shop"}]}, 4),
        ({"not": {"source": "CRM"}}, 1),
        ({"all": []}, 4),
        ({"any": []}, 0),
        ({"all": [{"source": "CRM"}, {"not": {"source": "Shop"}}]}, 2),
    ],
)
def test_a_rule_counts_profiles_and_its_opposite_the_others(two_sources, rule, count):
    assert two_sources.add("A", rule)["count"] == two_sources.count("A") == count
    assert two_sources.add("B", {"not": rule})["count"] == 4 - count


def test_segments_are_listed_with_their_counts(two_sources):
    two_sources.add("SHOPPERS", {"source": "Shop"}, "Who shops")
    two_sources.add("ALL_OF_THEM", {"all": []})
    assert [(s["name"], s["count"], s["description"]) for s in two_sources.list()] == [
        ("ALL_OF_THEM", 4, ""),
        ("SHOPPERS", 2, "Who shops"),
    ]
    assert two_sources.list()[1]["rule"] == {"source": "Shop"}


def test_bad_names_bad_rules_and_names_twice_are_refused(two_sources):
    two_sources.add("A", {"all": []})
    assert code_of(two_sources.add, "A", {"all": []}) == "segment_exists"
    assert code_of(two_sources.add, "a b", {"all": []}) == "bad_upper_snake"
    assert code_of(two_sources.add, "B", {"sql": "true"}) == "bad_rule"
    assert code_of(two_sources.count, "B") == "no_such_segment"
    assert [segment["name"] for segment in two_sources.list()] == ["A"]


class TestAtUpload:
    def test_create_is_the_rule_in_this_upload(self, kernel):
        receipt = kernel.load(people("K1", "K2"), COLUMNS, segment="create:FIRST")
        assert receipt.segment == "FIRST"
        (segment,) = kernel.workspace.segments.list()
        assert (segment["rule"], segment["count"]) == ({"any": [{"upload": receipt.request_id}]}, 2)

    def test_add_widens_it_and_people_count_once(self, kernel):
        kernel.load(people("K1", "K2"), COLUMNS, segment="create:FIRST")
        kernel.load(people("K2", "K3"), COLUMNS, segment="add:FIRST")
        kernel.load(people("K9"), COLUMNS)
        assert kernel.workspace.segments.count("FIRST") == 3

    def test_add_to_a_rule_of_another_kind_keeps_it(self, kernel):
        kernel.source("Shop")
        kernel.load(people("K1"), COLUMNS, "Shop")
        kernel.workspace.segments.add("A", {"all": [{"source": "Shop"}]})
        receipt = kernel.load(people("K2"), COLUMNS, segment="add:A")
        (segment,) = kernel.workspace.segments.list()
        assert segment["rule"] == {"any": [{"all": [{"source": "Shop"}]}, {"upload": receipt.request_id}]}
        assert segment["count"] == 2

    def test_create_twice_is_refused_before_anything_is_read(self, kernel):
        kernel.load(people("K1"), COLUMNS, segment="create:FIRST")
        assert code_of(kernel.load, people("K2"), COLUMNS, segment="create:FIRST") == "segment_exists"
        assert kernel.workspace.profiles.count() == 1

    def test_people_of_a_replaced_upload_leave_its_segment(self, kernel):
        kernel.load(people("K1", "K2"), COLUMNS, segment="create:FIRST")
        kernel.load(people("K2"), COLUMNS, replace="values")
        assert kernel.workspace.segments.count("FIRST") == 0

    def test_renaming_a_source_changes_no_segment(self, kernel):
        kernel.load(people("K1", "K2"), COLUMNS)
        kernel.workspace.segments.add("CUSTOMERS", {"source": "CRM"})
        kernel.workspace.sources.update(kernel.source().source_id, name="Customers of 2026")
        assert kernel.workspace.segments.count("CUSTOMERS") == 2
