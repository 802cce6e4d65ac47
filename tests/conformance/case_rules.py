"""Cases about rules: of traits over signals, of segments over traits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from ingest_core.audience_manager.rules import (
    Qualification,
    RuleTextError,
    SegmentRule,
    TraitRule,
    parse_segment_rule,
    parse_trait_rule,
)
from tests.conformance.verdict import Verdict


def judge_trait(case: dict[str, Any]) -> Verdict:
    def holds(rule: TraitRule | SegmentRule) -> bool:
        assert isinstance(rule, TraitRule)
        return rule.holds((key, value) for key, value in case["signals"])

    return _judged(case, lambda: parse_trait_rule(case["rule"]), holds)


def judge_segment(case: dict[str, Any]) -> Verdict:
    def holds(rule: TraitRule | SegmentRule) -> bool:
        assert isinstance(rule, SegmentRule)
        traits = {int(trait): Qualification(n, date.fromisoformat(day)) for trait, (n, day) in case["traits"].items()}
        return rule.holds(traits, date.fromisoformat(case["now"]))

    return _judged(case, lambda: parse_segment_rule(case["rule"], case.get("onboarded", ())), holds)


def _judged(
    case: dict[str, Any],
    parse: Callable[[], TraitRule | SegmentRule],
    holds: Callable[[TraitRule | SegmentRule], bool],
) -> Verdict:
    verdict = Verdict()
    expect = case["expect"]
    try:
        rule = parse()
    except RuleTextError as error:
        verdict.expect("valid", expect["valid"], False)
        verdict.recommend("error", expect.get("error"), error.code)
        return verdict
    verdict.expect("valid", expect["valid"], True)
    if "result" in expect:
        verdict.expect("result", expect["result"], holds(rule))
    return verdict
