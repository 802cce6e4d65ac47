"""All profiles, a page at a time, under filters; every profile is on exactly one page."""

from __future__ import annotations

import pytest

from ingest_core.errors import InputError

BOTH = {"crmid": "crmid", "email": "email"}


@pytest.fixture
def shops(kernel):
    """K1…K5 in the CRM, K4…K7 in the shop; those of the second file have a segment."""
    kernel.load("crmid\temail\n" + "".join(f"K{i}\tk{i}@example.in\n" for i in range(1, 6)), BOTH)
    kernel.load("crmid\n" + "".join(f"K{i}\n" for i in range(4, 8)), {"crmid": "crmid"}, "Shop", segment="create:SHOP")
    return kernel.workspace.profiles


def ids(page):
    return [one["attributes"]["crmid"] for one in page["profiles"]]


def test_the_newest_come_first_with_sources_and_since_when(shops, kernel):
    page = shops.list()
    assert ids(page) == ["K7", "K6", "K5", "K4", "K3", "K2", "K1"]
    assert (page["total"], page["newer"], page["older"]) == (7, 0, 0)
    by_id = {one["attributes"]["crmid"]: one for one in page["profiles"]}
    assert (by_id["K4"]["sources"], by_id["K7"]["sources"], by_id["K1"]["sources"]) == (
        ["CRM", "Shop"],
        ["Shop"],
        ["CRM"],
    )
    newest, oldest = kernel.workspace.history.list()
    assert (by_id["K7"]["since"], by_id["K4"]["since"]) == (newest.finished_at, oldest.finished_at)


def test_personal_data_is_masked(shops):
    assert shops.list()["profiles"][-1]["attributes"]["email"] == "k•••@example.in"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"source": "shop"}, ["K7", "K6", "K5", "K4"]),
        ({"source": "CRM"}, ["K5", "K4", "K3", "K2", "K1"]),
        ({"segment": "SHOP"}, ["K7", "K6", "K5", "K4"]),
        ({"source": "CRM", "segment": "SHOP"}, ["K5", "K4"]),
    ],
)
def test_filters_leave_only_who_belongs(shops, options, expected):
    page = shops.list(**options)
    assert (ids(page), page["total"]) == (expected, len(expected))


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("options", [{}, {"source": "CRM"}])
def test_pages_forwards_and_backwards_are_the_whole_list(shops, limit, options):
    everybody = ids(shops.list(**options))
    seen, page = [], shops.list(limit=limit, **options)
    while True:
        assert page["newer"] == len(seen)
        seen += ids(page)
        assert page["older"] == len(everybody) - len(seen)
        if not page["older"]:
            break
        page = shops.list(limit=limit, older_than=page["profiles"][-1]["profile_id"], **options)
    assert seen == everybody
    back = ids(page)
    while page["newer"]:
        page = shops.list(limit=limit, newer_than=page["profiles"][0]["profile_id"], **options)
        back = ids(page) + back
    assert back == everybody


def test_the_last_page_needs_no_walk(shops):
    page = shops.list(limit=2, newer_than="0-0")
    assert (ids(page), page["newer"], page["older"]) == (["K2", "K1"], 5, 0)


def test_a_place_whose_profile_is_gone_still_is_a_place(shops, kernel):
    kernel.workspace.undo.undo(kernel.workspace.history.list()[0].request_id)
    assert ids(shops.list(limit=2, older_than="2-4")) == ["K5", "K4"]


def test_an_empty_workspace_and_an_empty_page(kernel):
    kernel.source()
    nothing = {"profiles": [], "total": 0, "newer": 0, "older": 0}
    assert kernel.workspace.profiles.list() == nothing
    assert kernel.workspace.profiles.list(source="CRM") == nothing


def test_the_filters_that_there_are(shops):
    assert shops.filters() == {"sources": ["CRM", "Shop"], "segments": ["SHOP"]}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"source": "Nowhere"}, "no_such_source"), ({"segment": "NONE"}, "no_such_segment"),
        ({"older_than": "x"}, "no_such_profile"), ({"newer_than": "1"}, "no_such_profile"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(shops, options, code):
    with pytest.raises(InputError) as refused:
        shops.list(**options)
    assert refused.value.code == code
