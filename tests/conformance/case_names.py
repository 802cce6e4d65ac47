"""Cases about file names: transport, name, options → parts or a code."""

from __future__ import annotations

from typing import Any

from ingest_core.audience_manager.names import NameOptions, NameProblem, OutboundOptions, parse_name
from tests.conformance.verdict import Verdict


def judge_name(case: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    given = dict(case.get("options", {}))
    is_lenient = bool(given.pop("lenient_timestamp", False))
    outbound = OutboundOptions(**given)
    read = parse_name(case["name"], case["transport"], NameOptions(is_lenient, outbound))
    verdict.expect("valid", case["valid"], not isinstance(read, NameProblem))
    if isinstance(read, NameProblem):
        verdict.recommend("error", case.get("error"), read.code)
        verdict.expect("place", True, 0 <= read.start <= read.stop <= len(case["name"]))
    elif case["parsed"] is not None:
        verdict.expect("parsed", case["parsed"], read.fields())
    lenient = parse_name(case["name"], case["transport"], NameOptions(True, outbound))
    verdict.expect("lenient_valid", case.get("lenient_valid", case["valid"]), not isinstance(lenient, NameProblem))
    return verdict
