"""Segments of many profiles by SQL are those that the rules say of each, however many traits and segments there are."""

from __future__ import annotations

import random

import pytest

from ingest_core.audience_manager.outbound import sets
from ingest_core.audience_manager.outbound.holding import Wanted, holding
from ingest_core.audience_manager.qualified import segments_of
from ingest_core.audience_manager.rules import parse_segment_rule
from tests.audience_manager.outbound.conftest import CRM, DAY, SHOP

TRAITS, SEGMENTS, PEOPLE = range(1_001, 1_131), 130, 200


def rule(rng):
    """A rule that needs at least one trait."""
    first, *others = rng.sample(TRAITS, 4)
    return rng.choice(
        [
            f"{first}T",
            f"{first}T AND NOT {others[0]}T",
            f"{first}T OR ({others[0]}T AND {others[1]}T)",
            f"({first}T OR {others[0]}T) AND (NOT {others[1]}T OR {others[2]}T)",
            f"FREQUENCY([{first}T,{others[0]}T,{others[1]}T]) >= 1",
        ]
    )


@pytest.fixture
def people(out):
    """Everybody has some of 130 traits, of two data sources."""
    rng = random.Random(11)
    for trait in TRAITS:
        out.workspace.audience.traits.add(f"Trait {trait}", CRM if trait % 2 else SHOP, trait_id=trait)
    for number, dpid in enumerate((CRM, SHOP)):
        named = [
            (f"u{n}", [trait for trait in rng.sample(TRAITS, 12) if (trait % 2 == 1) == (dpid == CRM)])
            for n in range(PEOPLE)
        ]
        lines = [f"{user}\t{','.join(f'd_sid={trait}' for trait in traits)}" for user, traits in named if traits]
        out.ingest(f"ftp_dpm_{CRM}_{dpid}_170000000{number}.sync", *lines)
    return out


@pytest.mark.parametrize("most_words", [sets.MOST_WORDS, 0], ids=["as bits", "as lists"])
@pytest.mark.parametrize("scope", ["profile_only", "device_plus_last_authenticated"])
@pytest.mark.parametrize("without", [(), (SHOP,)], ids=["all", "controlled"])
def test_segments_in_sql_are_those_of_the_rules(people, monkeypatch, most_words, scope, without):
    monkeypatch.setattr(sets, "MOST_WORDS", most_words)
    rng = random.Random(5)
    onboarded = list(TRAITS)
    rules = {101 + 7 * n: parse_segment_rule(rule(rng), onboarded) for n in range(SEGMENTS)}
    registered = people.workspace.audience.registered()
    with people.workspace.engine.session() as session:
        wanted = Wanted(CRM, DAY, sets.named_traits(rules), without, scope)
        found = sets.segments_by_profile(holding(session, registered, wanted), rules, DAY.date())
        sets.by_master(session, registered, CRM, found)
        rows = dict(session.rows("SELECT id, items FROM am_now"))
    kept = {trait for trait in TRAITS if trait % 2 or SHOP not in without}
    expected = {}
    for (_, identifier), traits in people.workspace.audience.members(DAY).items():
        held = {trait: at for trait, at in traits.items() if trait in kept}
        if segments := segments_of(held, rules, DAY.date()):
            expected[identifier] = list(segments)
    assert len(expected) > PEOPLE // 2
    assert rows == expected


def test_no_segment_is_told_of_nobody(people):
    registered = people.workspace.audience.registered()
    with people.workspace.engine.session() as session:
        found = sets.segments_by_profile(holding(session, registered, Wanted(CRM, DAY, [])), {}, DAY.date())
        sets.by_master(session, registered, CRM, found)
        assert session.rows("FROM am_now") == []
