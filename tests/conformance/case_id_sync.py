"""Cases about id synchronisation: rows, whole files one after another, HTTP addresses."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ingest_core.audience_manager.id_graph import IdGraph
from ingest_core.audience_manager.id_http import HttpProblem, parse_http_sync
from ingest_core.audience_manager.id_sync import RowContext, parse_row
from ingest_core.audience_manager.names import IdSyncName, parse_id_sync
from tests.conformance.case_lines import raw_bytes
from tests.conformance.verdict import Verdict


def judge_row(case: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    expect = case["expect"]
    found = parse_row(raw_bytes(case), RowContext(read_name(case["name"])), is_first=bool(case.get("first", False)))
    verdict.expect("category", expect["category"], found.category)
    if "ids" in expect:
        verdict.expect("ids", expect["ids"], [list(one) for one in found.ids])
    if "code" in expect:
        verdict.recommend("code", expect["code"], found.problem.code if found.problem else None)
    if "warnings" in expect:
        verdict.recommend("warnings", sorted(expect["warnings"]), sorted(found.warnings))
    return verdict


def judge_sequence(case: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    graph = IdGraph({source["dpid"]: source["id_type"] for source in case.get("data_sources", [])})
    for number, file in enumerate(case["files"]):
        counts = asdict(graph.apply_file(read_name(file["name"]), (row.encode() for row in file["rows"])))
        wanted = case["counts"][number]
        verdict.expect(f"counts of {file['name']}", wanted, {name: counts.get(name) for name in wanted})
    for query in case.get("queries", []):
        found = graph.resolve(query["dpid"], query["id"])
        verdict.expect(f"device of {query['id']}", query["device"], list(found) if found else None)
    for query in case.get("device_sets", []):
        devices = [list(device) for device in graph.devices(query["dpid"], query["id"])]
        verdict.expect("count of devices", query.get("count", len(devices)), len(devices))
        verdict.expect("absent device", False, query.get("absent") in devices)
        verdict.expect("present device", True, query.get("present") in [None, *devices])
    for query in case.get("hashes", []):
        verdict.expect("hashes", query["values"], graph.hashes(query["dpid"], query["id"]))
    return verdict


def judge_http(case: dict[str, Any]) -> Verdict:
    verdict = Verdict()
    expect = case["expect"]
    found = parse_http_sync(case["url"])
    verdict.expect("valid", expect["valid"], not isinstance(found, HttpProblem))
    if isinstance(found, HttpProblem):
        verdict.recommend("error", expect.get("error"), found.code)
        return verdict
    verdict.expect("ids", expect.get("ids"), [list(one) for one in found.ids])
    verdict.expect("redir", expect.get("redir"), found.redirect)
    consent = None if found.consent is None else sorted((str(int(found.consent.applies)), found.consent.text))
    verdict.expect("gdpr", _gdpr(expect), consent)
    return verdict


def _gdpr(expect: dict[str, Any]) -> list[str] | None:
    """The two values; how a vector writes them down is not said."""
    expected = expect.get("gdpr")
    if expected is None:
        return None
    values = list(expected.values()) if isinstance(expected, dict) else expected
    values = values if isinstance(values, list) else [values, expect.get("gdpr_consent")]
    return sorted(str(int(value)) if isinstance(value, bool) else str(value) for value in values)


def read_name(text: str) -> IdSyncName:
    name = parse_id_sync(text)
    assert isinstance(name, IdSyncName), name
    return name
