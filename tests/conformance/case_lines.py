"""Cases about lines of data files: bytes and context → category, id, operations; by both ways of reading."""

from __future__ import annotations

from typing import Any

from ingest_core.audience_manager.data_sources import CUSTOMER, UUID, IdRule, id_rule
from ingest_core.audience_manager.items import Op
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import LineContext, ParsedLine, is_ignored, parse_line
from tests.conformance.verdict import Verdict


def judge_line(case: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    raw, given = raw_bytes(case), case["context"]
    context = line_context(given)
    is_first = bool(given.get("first", case.get("first", False)))
    found = parse_line(raw, context, is_first=is_first)
    compare(verdict, case["expect"], found, context.mode)
    if b"\n" not in raw[:-1] and raw:
        block = BlockParser(context).parse(raw, 1 if is_first else 2)
        verdict.expect("as a block", found, block.line(0))
    return verdict


def raw_bytes(case: dict[str, Any]) -> bytes:
    """Each character of ``raw`` stands for one byte; ``raw_parts`` are texts to repeat."""
    text = case["raw"] if "raw" in case else "".join(part * times for part, times in case["raw_parts"])
    return str(text).encode("latin-1")


def line_context(given: dict[str, Any]) -> LineContext:
    strict = bool(given.get("strict_alnum", False))
    return LineContext(
        _rule(str(given["id_type"]), strict),
        given["mode"],
        given["variant"],
        given.get("odc_file_type"),
        strict,
    )


def _rule(id_type: str, strict: bool) -> IdRule:
    named = {"dpuuid": CUSTOMER, "aam_uuid": UUID}
    return named[id_type] if id_type in named else id_rule(int(id_type), strict_alnum=strict)


def compare(verdict: Verdict, expect: dict[str, Any], found: ParsedLine, mode: str) -> None:
    verdict.expect("category", expect["category"], found.category)
    for name, value in (("user_id", found.user_id), ("id_dpid", found.id_dpid)):
        if name in expect:
            verdict.expect(name, expect[name], value)
    if "ops" in expect:
        verdict.expect("ops", expect["ops"], [op_fields(op, mode) for op in found.ops])
    if "ops_count" in expect:
        verdict.expect("ops_count", expect["ops_count"], len(found.ops))
    if "code" in expect:
        verdict.recommend("code", expect["code"], found.problem.code if found.problem else None)
    verdict.recommend("warnings", sorted(expect.get("warnings", [])), sorted(found.warnings))


def op_fields(op: Op, mode: str) -> dict[str, Any]:
    """An operation as the vectors write it."""
    parts = {"op": op.kind, "trait": op.trait, "key": op.key, "value": op.value}
    given = {name: value for name, value in parts.items() if value is not None}
    return {**given, "ignored": True} if is_ignored(op, mode) else given
