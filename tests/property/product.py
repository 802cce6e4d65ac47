"""Drives the real thing for the judge: a fresh workspace in milliseconds, loads, and a look at everything it holds.

Tables are read as the schema defines them and opened by token, not by the product's own queries.
"""

from __future__ import annotations

import hmac
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from ingest_core.files import PathSource
from ingest_core.models import ColumnMapping, Mapping, Options, Receipt
from ingest_core.plan.plan import Plan
from ingest_core.vault.reading import VaultReader
from ingest_core.workspace import Workspace
from tests.property.reference import Field, Key, Person, State, Upload

SOURCES = ("CRM", "Shop")

FIELDS = {
    f.name: f
    for f in (
        Field("crmid", "string", "primary", 1),
        Field("email", "email", "secondary", 2),
        Field("phone", "phone", "secondary", 3),
        Field("first_name", "string"),
        Field("city", "string"),
        Field("device", "string", "secondary", 13),
        Field("badge", "string", "secondary", 14),
        Field("total", "number"),
        Field("visits", "integer"),
        Field("level", "string"),
    )
}
"""What the tests write, with the priorities of domain.md: crmid, email, phone, then custom ones as they were added."""


class Templates:
    """Workspaces that are only copied: opening a copy is much faster than making one. One key file for all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with Workspace.open(folder / "template") as workspace:
            for name in ("device", "badge"):
                workspace.attributes.add(name, "string", identifier="secondary")
            workspace.attributes.add("total", "number")
            workspace.attributes.add("visits", "integer")
            workspace.attributes.add("level", "string")
            for name in SOURCES:
                workspace.sources.add(name)

    @contextmanager
    def workspace(self, **settings: object) -> Iterator[Product]:
        """A fresh workspace with these settings, gone afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        names = {f"ONRAMP_{name.upper()}": str(value) for name, value in settings.items()}
        try:
            shutil.copytree(self._folder / "template", folder / "home")
            os.environ.update(names)
            product = Product(Workspace.open(folder / "home"), folder)
            try:
                yield product
            finally:
                product.ws.close()
        finally:
            for name in names:
                os.environ.pop(name, None)
            shutil.rmtree(folder)


class Product:
    """One workspace and what the tests ask of it."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.ws = workspace
        self.folder = folder
        self._upload_of: dict[int, int] = {}  # number in the log → number in the test
        self.request_ids: dict[int, str] = {}  # number in the test → Request ID

    def plan(self, upload: Upload, *, again: bool = True, name: str = "people.tsv") -> Plan:
        """The upload as a TSV file and a frozen plan."""
        header = "\t".join(column.field.name for column in upload.columns)
        path = self.folder / f"{upload.number}-{name}"
        path.write_bytes(("\n".join([header, *upload.lines]) + "\n").encode())
        mapping = Mapping(
            columns=tuple(
                ColumnMapping(
                    column=column.field.name,
                    attribute=column.field.name,
                    blank=column.blank,
                    conflict=column.conflict,
                    combine=column.combine,
                    bad_cell=column.bad_cell,
                )
                for column in upload.columns
            )
        )
        options = Options(replace=upload.replace, again=again)
        layout = {"encoding": "utf-8", "delimiter": "\t", "has_header": True}
        return self.ws.plan(PathSource(path), self.ws.sources.get(upload.source), mapping, options, overrides=layout)

    @property
    def home(self) -> Path:
        return self.ws.home

    def reopen(self, home: Path | None = None) -> None:
        """Closes the workspace and opens it again, or another one in its place."""
        home = home or self.home
        self.ws.close()
        self.ws = Workspace.open(home)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def ingest(self, path: Path, source: str) -> Receipt:
        """A file as it is, columns as suggested."""
        return self.ws.loads.load(
            self.ws.plan(PathSource(path), self.ws.sources.get(source), None, Options(), is_auto=True)
        )

    def load(self, upload: Upload, *, again: bool = True) -> Receipt:
        """Plans and loads."""
        return self.remember(self.ws.loads.load(self.plan(upload, again=again)), upload)

    def remember(self, receipt: Receipt, upload: Upload) -> Receipt:
        """Which upload of the product is which of the test's."""
        number = self.rows("SELECT upload_no FROM upload WHERE request_id = ?", [receipt.request_id])[0][0]
        self._upload_of[number] = upload.number
        assert receipt.request_id is not None
        self.request_ids[upload.number] = receipt.request_id
        return receipt

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self.ws.engine.session() as session:
            return session.rows(sql, parameters)

    def state(self) -> State:
        """Everything known about everybody, in the words of the reference."""
        with self.ws.engine.session() as session:
            attributes = {a.attribute_id: a for a in self.ws.attributes.list()}
            records: dict[Key, set[Key]] = {}
            for rid, pid in session.rows("SELECT rid, pid FROM resolution"):
                records.setdefault(self._key(pid), set()).add(self._key(rid))
            identifiers: dict[Key, set[tuple[str, str]]] = {}
            known = self._known_tokens()
            for token, attribute_id, pid in session.rows(
                "SELECT token, attribute_id, pid FROM identity WHERE pid IS NOT NULL"
            ):
                name, text = known[token]
                assert name == attributes[attribute_id].name
                identifiers.setdefault(self._key(pid), set()).add((name, text))
            sources: dict[Key, list[str]] = {}
            for pid, name in session.rows("SELECT pid, name FROM membership JOIN source USING (source_id)"):
                sources.setdefault(self._key(pid), []).append(name)
            assert all(len(set(names)) == len(names) for names in sources.values()), "a membership stands twice"
            state: State = {}
            reader = VaultReader(session, self.ws._keyset)
            for row in session.records("SELECT * FROM profile"):
                pid = self._key(row.pop("pid"))
                assert pid not in state, "a profile stands twice"
                values = {
                    attribute.name: _plain(row[attribute.column], reader)
                    for attribute in attributes.values()
                    if row[attribute.column] is not None
                }
                state[pid] = Person(
                    records=frozenset(records.pop(pid)),
                    identifiers=frozenset(identifiers.pop(pid, ())),
                    values=values,
                    sources=frozenset(sources.pop(pid, ())),
                )
            assert (records, identifiers, sources) == ({}, {}, {}), "something belongs to a profile that is not there"
            return state

    def tables(self, *, but: Sequence[str] = ()) -> dict[str, list[str]]:
        """The whole content of every table, sorted."""
        with self.ws.engine.session() as session:
            names = [row[0] for row in session.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")]
            return {
                name: sorted(map(repr, session.rows(f'SELECT * FROM "{name}"'))) for name in names if name not in but
            }

    def _key(self, rid: int) -> Key:
        return self._upload_of[rid >> 32], rid & 0xFFFFFFFF

    def _known_tokens(self) -> dict[UUID, tuple[str, str]]:
        """Token → identifier, for all values that the tests ever write, worked out with the standard library."""
        found = {}
        for attribute in self.ws.attributes.list():
            key = self.ws._keyset.token_key(attribute.attribute_id).encode()
            for text in CANONICAL.get(attribute.name, ()):
                found[UUID(bytes=hmac.digest(key, text.encode(), "sha256")[:16])] = (attribute.name, text)
        return found


CANONICAL: dict[str, Sequence[str]] = {
    "crmid": [*(str(n) for n in range(1, 60)), "Ann", "ann"],
    "email": [f"{c}@x.com" for c in "abcdefgh"],
    "phone": [f"+1415555010{n}" for n in range(8)],
    "device": [*(f"dev{n}" for n in range(8)), "DEV1"],
    "badge": [f"badge{n}" for n in range(8)],
}


def _plain(stored: object, reader: VaultReader) -> Any:
    if isinstance(stored, UUID):
        return reader.values([stored])[stored]
    return stored if isinstance(stored, str | int) else Decimal(str(stored))
