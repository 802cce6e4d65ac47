"""Fixtures of the kernel's tests: a fresh workspace in milliseconds, and files of a few lines loaded into it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest_core.files import PathSource
from ingest_core.models import ColumnMapping, Mapping, Options, Receipt, Source
from ingest_core.plan.plan import Plan
from ingest_core.workspace import Workspace

COUNTS = ("lines", "blank", "stored", "rejected", "duplicates", "suppressed", "withheld")


def mapping_of(columns: Dict[str, str | Dict[str, Any] | None]) -> Mapping:
    """{column: attribute, or the fields of a ColumnMapping} → Mapping."""
    made = [
        ColumnMapping(column=name, **rules) if isinstance(rules, dict) else ColumnMapping(column=name, attribute=rules)
        for name, rules in columns.items()
    ]
    return Mapping(columns=tuple(made))


def counts(receipt: Receipt) -> dict[str, int]:
    """The counts that are not zero, the account of the lines checked."""
    found = {name: getattr(receipt, name) for name in COUNTS}
    assert found["lines"] == sum(found.values()) - found["lines"], "the receipt does not add up"
    assert receipt.stored == receipt.created + receipt.updated + receipt.unchanged
    return {name: count for name, count in found.items() if count}


@dataclass
class Kernel:
    """A workspace and a folder for the files that go into it."""

    workspace: Workspace
    folder: Path

    def file(self, data: str | bytes, name: str = "people.tsv") -> PathSource:
        path = self.folder / f"file{len(list(self.folder.iterdir()))}"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return PathSource(path, name)

    def source(self, name: str = "CRM") -> Source:
        known = {source.name: source for source in self.workspace.sources.list(include_archived=True)}
        return known.get(name) or self.workspace.sources.add(name)

    def plan(
        self,
        data: str | bytes,
        columns: Dict[str, Any] | None,
        source: str = "CRM",
        *,
        name: str = "people.tsv",
        is_auto: bool = False,
        **options: Any,
    ) -> Plan:
        mapping = None if columns is None else mapping_of(columns)
        return self.workspace.plan(
            self.file(data, name), self.source(source), mapping, Options(**options), is_auto=is_auto
        )

    def load(self, data: str | bytes, columns: Dict[str, Any] | None, source: str = "CRM", **options: Any) -> Receipt:
        return self.workspace.loads.load(self.plan(data, columns, source, **options))

    def preview(
        self, data: str | bytes, columns: Dict[str, Any] | None, source: str = "CRM", **options: Any
    ) -> Receipt:
        return self.workspace.loads.preview(self.plan(data, columns, source, **options))

    def land(self, data: bytes, name: str = "people.tsv") -> str:
        writer = self.workspace.landing.create(name, len(data))
        writer.write(data)
        return writer.finish()

    def values(self, by: str, value: str) -> dict[str, str]:
        """The plain values of one profile."""
        shown = self.workspace.profiles.show(by, value, reveal=True)
        return {name: entry["value"] for name, entry in shown["attributes"].items()}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new workspace that is only copied."""
    home = tmp_path_factory.mktemp("template") / "home"
    Workspace.open(home).close()
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """The folder of a workspace that nobody has opened yet."""
    return Path(shutil.copytree(template, tmp_path / "home"))


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    """An open workspace of Asha's."""
    with Workspace.open(home, user="asha", worker="app") as opened:
        yield opened


@pytest.fixture
def kernel(workspace: Workspace, tmp_path: Path) -> Kernel:
    folder = tmp_path / "files"
    folder.mkdir()
    return Kernel(workspace, folder)
