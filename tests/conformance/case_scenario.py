"""Cases that tell a story: data sources and traits, batches of files, and who has which traits and segments then."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest_core.audience_manager.outbound import sets
from ingest_core.audience_manager.outbound.exports import compile_rows
from ingest_core.audience_manager.outbound.holding import Wanted, holding
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.qualified import make_live, members, segments_of
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.rules import parse_segment_rule
from ingest_core.models import SourceSettings
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.conformance.verdict import Verdict


def judge_scenario(case: dict[str, Any]) -> Verdict:
    """In a workspace of its own."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory() as folder, Workspace.open(Path(folder) / "home", user="tests") as workspace:
        story = _Story(workspace, case["setup"], verdict)
        for number, step in enumerate(case["steps"], 1):
            story.take(number, step)
    return verdict


class _Story:
    def __init__(self, workspace: Workspace, setup: dict[str, Any], verdict: Verdict) -> None:
        self._workspace = workspace
        self._verdict = verdict
        self._told: dict[str, int] = {}  # destination → the run that told it last
        self._runs = 0
        self._options = {
            name: setup[key]
            for name, key in (("user_cap", "user_line_cap"), ("max_line_bytes", "max_line_bytes"))
            if key in setup
        }
        for source in setup["data_sources"]:
            self._add_source(source)
        for trait in setup["traits"]:
            self._add_trait(trait)
        onboarded = [trait["id"] for trait in setup["traits"] if trait.get("type", "onboarded") == "onboarded"]
        self._rules = {one["id"]: parse_segment_rule(one["rule"], onboarded) for one in setup.get("segments", [])}

    def _add_source(self, source: dict[str, Any]) -> None:
        settings = SourceSettings(
            access_mapping=source.get("access_mapping", False),
            **({"profile_days": source["profile_days"]} if "profile_days" in source else {}),
        )
        self._workspace.sources.add(
            f"Source {source['dpid']}", kind="data_source", dpid=source["dpid"], id_type=source.get("id_type"),
            inbound_id_type=source.get("inbound_id_type"), owner=source.get("owner"), settings=settings,
        )  # fmt: skip

    def _add_trait(self, trait: dict[str, Any]) -> None:
        self._workspace.audience.traits.add(
            f"Trait {trait['id']}", trait["dpid"], trait_id=trait["id"], type=trait.get("type", "onboarded"),
            rule=trait.get("rule"), ttl_days=trait.get("ttl_days", 120), integration_code=trait.get("ic"),
        )  # fmt: skip

    def take(self, number: int, step: dict[str, Any]) -> None:
        takes: dict[str, Callable[[str, dict[str, Any]], None]] = {
            "batch": self._batch, "members": self._members, "segments": self._segments, "export": self._export,
        }  # fmt: skip
        takes[step["type"]](f"step {number}", step)

    def _batch(self, place: str, step: dict[str, Any]) -> None:
        options = BatchOptions(_moment(step["at"]), is_beta=step.get("env") == "beta", **self._options)
        report = self._workspace.audience.ingest([_file(one) for one in step["files"]], options)
        expect = step["expect"]
        found = {one.key: one for one in report.receipts}
        self._verdict.expect(f"{place}: receipts", sorted(expect["receipts"]), sorted(found))
        for key, counts in expect["receipts"].items():
            if key in found:
                counted = {name: getattr(found[key], name, None) for name in counts}
                self._verdict.expect(f"{place}: receipt {key}", counts, counted)
                self._verdict.expect(f"{place}: identities of {key}", [], Counts.problems(found[key]))
        rejected = sorted((one.file, one.error) for one in report.rejected)
        self._verdict.expect(
            f"{place}: rejected", sorted((one["file"], one["error"]) for one in expect["rejected"]), rejected
        )
        syncs = [{"file": one.file, "counts": one.counts} for one in report.id_sync]
        self._verdict.expect(f"{place}: id syncs", expect["id_sync"], syncs)

    def _members(self, place: str, step: dict[str, Any]) -> None:
        found = self._workspace.audience.members(_moment(step["at"]))
        shown = {f"{dpid}:{identifier}": sorted(traits) for (dpid, identifier), traits in found.items()}
        self._verdict.expect(f"{place}: members", step["expect"], shown)

    def _segments(self, place: str, step: dict[str, Any]) -> None:
        at = _moment(step["at"])
        with self._workspace.engine.session() as session:
            make_live(session, self._workspace.audience.registered(), at, step.get("merge", "profile_only"))
            people = members(session)
        found = {
            f"{dpid}:{identifier}": list(segments_of(traits, self._rules, at.date()))
            for (dpid, identifier), traits in people.items()
        }
        shown = {key: found.get(key, []) for key in step["expect"]}
        self._verdict.expect(f"{place}: segments", step["expect"], shown)

    def _export(self, place: str, step: dict[str, Any]) -> None:
        rules = {segment: rule for segment, rule in self._rules.items() if segment in step["segments"]}
        registered = self._workspace.audience.registered()
        at, destination = _moment(step["at"]), step["destination"]
        with self._workspace.engine.session() as session:
            scope = step.get("merge", "profile_only")
            wanted = Wanted(step["master_dpid"], at, sets.named_traits(rules), scope=scope)
            people = sets.segments_by_profile(holding(session, registered, wanted), rules, at.date())
            sets.by_master(session, registered, step["master_dpid"], people)
            if step["mode"] == "full":
                sets.all_rows(session)
            else:
                sets.changed_rows(session, self._told.get(destination))
            order = Order(order_id=1, name="default", master=step["master_dpid"], folder="/")
            made = compile_rows(session, order, step["mode"], at)
            rows = [line for (line,) in session.rows(f"SELECT {made.sql} FROM am_out ORDER BY id", made.parameters)]
            self._told[destination] = self._runs = self._runs + 1
            sets.keep_told(session, self._runs)
        self._verdict.expect(f"{place}: rows", step["expect"]["rows"], rows)


def _file(given: dict[str, Any]) -> MemoryFile:
    if "raw" in given:
        return MemoryFile(given["name"], given["raw"].encode("latin-1"))
    lines = given["lines"]
    return MemoryFile(given["name"], "".join(f"{line}\n" for line in lines).encode())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
