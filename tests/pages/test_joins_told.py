"""Who becomes one with whom, in sentences: only what says something, and loudly what looks dangerous."""

from __future__ import annotations

import pytest

from ingest_core.models import (
    BlockedCells,
    Cluster,
    IdentityPreview,
    MergeGroup,
    MergingProfile,
    MetIdentifiers,
    Receipt,
)
from pages.ui import joins_told

NAMES = {"email": "E-mail", "phone": "Phone", "crmid": "Customer ID"}


def receipt(profiles_before=10_000, **account):
    identity = IdentityPreview(most_lines=Cluster(profile_id="2-2", count=1), shared_limit=20, **account)
    return Receipt(
        request_id=None, source="CRM", file="f.tsv", sha256="", uploaded_by="asha", status="Completed",
        profiles_before=profiles_before, identity=identity,
    )  # fmt: skip


def group(size):
    return MergeGroup(size=size, profiles=tuple(MergingProfile(profile_id=f"1-{n}") for n in range(size)))


def told(made, *, is_dry_run=True):
    return {
        figure.label: (figure.value, figure.said) for figure in joins_told.figures(made, NAMES, is_dry_run=is_dry_run)
    }


def test_a_calm_file_has_merges_and_clusters_only():
    made = receipt()
    assert joins_told.is_calm(made)
    assert list(told(made)) == ["Would merge", "Biggest cluster"]
    assert told(made)["Would merge"][0] == "0 profiles"
    assert joins_told.warnings(made, is_dry_run=True) == []


def test_merges_are_counted_as_in_the_sentence_of_the_dry_run():
    made = receipt(groups=2, profiles=5, largest=(group(3), group(2)))
    assert told(made)["Would merge"][0] == "3 profiles"
    assert "5 known profiles become 2 people" in told(made)["Would merge"][1]
    assert "Merged" in told(made, is_dry_run=False)
    assert not joins_told.is_calm(made)


def test_brakes_are_told_with_what_they_held():
    made = receipt(
        blocked=(
            BlockedCells(attribute="email", reason="an address such as none@… or test@…", cells=1_200),
            BlockedCells(attribute="phone", reason="only zeros or dashes", cells=4),
        ),
        met=(
            MetIdentifiers(attribute="crmid", case_only=3),
            MetIdentifiers(attribute="email", contested=2, moved=1),
            MetIdentifiers(attribute="phone", foreign=1, shared=2, newly_shared=1),
        ),
        shared_rows=412,
        shared_came_apart=2,
    )
    shown = told(made)
    assert shown["Blocked values"][0] == "1,204 cells"
    assert "1,200 in E\\-mail" in shown["Blocked values"][1]
    assert shown["Shared values"][0] == "2"
    assert "412 rows state one; 1 shared only since this file" in shown["Shared values"][1]
    assert "2 more profiles: people such a value had joined would come apart." in shown["Shared values"][1]
    assert shown["Conflicts"][0] == "3"
    assert (
        "2 in E\\-mail stated with several customers; 1 in Phone of somebody else than their row"
        in shown["Conflicts"][1]
    )
    assert "1 value changes hands" in shown["Conflicts"][1]
    assert shown["Differ only in case"][0] == "3"


def test_values_that_only_change_hands_are_no_conflicts():
    (value, said) = told(receipt(met=(MetIdentifiers(attribute="phone", moved=4),)))["Conflicts"]
    assert (value, said) == ("0", "4 values change hands: last stated with another customer.")


@pytest.mark.parametrize(
    ("size", "profiles", "before", "expected"),
    [
        (5, 5, 10_000, []),
        (6, 6, 10_000, ["6 profiles would become one person"]),
        (2, 100, 10_000, []),
        (2, 101, 10_000, ["1 % of all profiles would become one"]),
        (2, 8, 20, []),
        (12, 400, 1_000, ["12 profiles would become one person", "40 % of all profiles would become one"]),
    ],
)
def test_what_looks_dangerous_is_said_loudly(size, profiles, before, expected):
    made = receipt(before, groups=1, profiles=profiles, largest=(group(size),))
    said = joins_told.warnings(made, is_dry_run=True)
    assert len(said) == len(expected)
    assert all(one.startswith(start) for one, start in zip(said, expected, strict=True))


def test_a_receipt_without_an_account_says_nothing():
    made = receipt().model_copy(update={"identity": None})
    assert told(made) == {}
    assert joins_told.warnings(made, is_dry_run=True) == []
    assert not joins_told.is_calm(made)
