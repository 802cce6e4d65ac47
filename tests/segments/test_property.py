"""Generated rules over generated people: the product's count is that of plain Python (quality.md I9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.segments import counting, records
from ingest_core.segments.compiling import compile_rule
from ingest_core.segments.known import Known
from ingest_core.segments.rules import as_json, parse_rule, stored_rule
from ingest_core.segments.wording import in_words
from tests.segments.brute import Person, holds, traits_of
from tests.segments.generated import TODAY, holdings, judged, persons, rules, segments_of_segments
from tests.segments.stage import MOMENT, Stage, found


@judged(100)
@given(data=st.data())
def test_a_count_is_what_plain_python_counts_and_not_is_everybody_else(stage: Stage, data: st.DataObject) -> None:
    people = data.draw(persons(stage.uploads))
    segments = data.draw(segments_of_segments(stage.uploads))
    asked = [data.draw(rules(stage.uploads, list(segments))) for _ in range(4)]
    with stage.with_people(people, segments) as session:
        for rule in asked:
            expected = sum(holds(rule, person, segments, TODAY) for person in people)
            assert found(session, rule) == expected, rule
            assert found(session, {"not": rule}) == len(people) - expected, rule


@judged(60)
@given(data=st.data())
def test_a_trait_is_that_of_exactly_the_id_a_person_has(stage: Stage, data: st.DataObject) -> None:
    held = data.draw(holdings())
    drawn = data.draw(persons(stage.uploads))
    people = [replace(person, traits=traits_of(person, held, MOMENT)) for person in drawn]
    segments = data.draw(segments_of_segments(stage.uploads))
    rule = {"any": [{"trait": data.draw(st.sampled_from([1, 2, 3]))}, data.draw(rules(stage.uploads, list(segments)))]}
    with stage.with_people(people, segments, held) as session:
        for asked in (rule["any"][0], rule, {"not": rule}):
            expected = sum(holds(asked, person, segments, TODAY) for person in people)
            assert found(session, asked) == expected, asked


@judged(40)
@given(data=st.data())
def test_what_is_stored_and_what_is_shown_mean_the_same_and_have_words(stage: Stage, data: st.DataObject) -> None:
    segments = data.draw(segments_of_segments(stage.uploads))
    rule = data.draw(rules(stage.uploads, list(segments)))
    with stage.with_people([], segments) as session:
        known = Known.of(session)
        parsed = parse_rule(rule, known)
        assert parse_rule(as_json(parsed), known) == parsed
        assert in_words(parsed).strip()
        number = records.create(session, "KEPT", rule, "asha")
        assert as_json(stored_rule(number, Known.of(session))) == as_json(parsed)


@judged(15)
@given(data=st.data())
def test_segments_are_counted_together_and_compared_as_one_by_one(
    stage: Stage, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_core.segments.counting.now", lambda: MOMENT)
    people = data.draw(persons(stage.uploads))
    segments = data.draw(segments_of_segments(stage.uploads))
    inside = {
        name: {person.number for person in people if holds(rule, person, segments, TODAY)}
        for name, rule in segments.items()
    }
    with stage.with_people(people, segments) as session:
        assert counting.counts(session) == {name: len(numbers) for name, numbers in inside.items()}
        for person in people:
            expected = sorted(name for name, numbers in inside.items() if person.number in numbers)
            assert counting.segments_of(session, person.number) == expected
        known = Known.of(session)
        kept = {one.name: compile_rule(stored_rule(one.segment_id, known), MOMENT) for one in known.visible}
        if kept:
            expected = [[len(inside[a] & inside[b]) for b in kept] for a in kept]
            assert counting.overlap(session, list(kept.values())) == expected


@pytest.mark.parametrize("hour", [0, 23])
def test_the_last_days_end_today_in_utc(stage: Stage, hour: int) -> None:
    people = [Person(n, {"seen": datetime.fromisoformat(f"2027-03-0{n} 12:00")}) for n in range(1, 10)]
    with stage.with_people(people, {}) as session:
        rule = {"attribute": "seen", "operator": "in_the_last_days", "value": 3}
        assert found(session, rule, datetime.fromisoformat(f"2027-03-05 {hour:02}:59:59")) == 3
