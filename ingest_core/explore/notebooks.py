"""Saved notebooks: cells of SQL with a chart each. They belong to one person and are kept encrypted."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field

from ingest_core.catalog.names import check_name
from ingest_core.clock import now
from ingest_core.engine import Engine, Session
from ingest_core.engine.statement import LONGEST
from ingest_core.errors import InputError, StateError
from ingest_core.models import Model
from ingest_core.vault import Keyset

ChartKind = Literal["none", "bar", "line", "histogram", "scatter"]
MOST_CELLS = 200


class Chart(Model):
    """How a result is drawn: columns by name. A histogram needs no ``y``; ``none`` draws nothing."""

    kind: ChartKind = "none"
    x: str | None = None
    y: str | None = None
    colour: str | None = None


class Cell(Model):
    """One query. ``chart`` None: as ``suggest_chart`` thinks."""

    sql: str = Field(default="", max_length=LONGEST)
    chart: Chart | None = None


class Notebook(Model):
    """A saved notebook. ``about``: what its queries are over, ``file`` or ``profiles``."""

    notebook_id: str
    name: str
    about: Literal["file", "profiles"] = "file"
    cells: tuple[Cell, ...] = Field(default=(), max_length=MOST_CELLS)
    updated_at: datetime | None = None


Listed = list[Notebook]
"""Inside the class, ``list`` is its method."""


class Notebooks:
    """The notebooks of one person; those of others are not there for them."""

    def __init__(self, engine: Engine, keyset: Keyset, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._user = user

    def list(self) -> Listed:
        """All of them, last changed first. One that was damaged on disk is left out."""
        with self._engine.session() as session:
            rows = session.rows(
                "SELECT notebook_id, updated_at, content FROM notebook WHERE owner = ? "
                "ORDER BY updated_at DESC, notebook_id",
                [self._user],
            )
        found = []
        for row in rows:
            try:
                found.append(self._opened(*row))
            except StateError:
                continue
        return found

    def load(self, notebook_id: str) -> Notebook:
        """InputError ``no_such_notebook``; StateError ``notebook_damaged``."""
        with self._engine.session() as session:
            return self._opened(*self._row(session, notebook_id))

    def create(
        self, name: str, about: Literal["file", "profiles"] = "file", cells: Sequence[Cell] = (Cell(),)
    ) -> Notebook:
        """A new notebook. InputError ``bad_name``, ``too_many_cells``."""
        made = _checked(secrets.token_hex(8), name, about, cells)
        with self._engine.queue, self._engine.session() as session:
            session.run(
                "INSERT INTO notebook VALUES (?, ?, ?, ?)",
                [made.notebook_id, self._user, made.updated_at, self._sealed(made)],
            )
        return made

    def save(self, notebook_id: str, cells: Sequence[Cell], *, seen: datetime | None = None) -> Notebook:
        """Replaces the cells. ``seen``: when it was last changed as the person knows it.

        Raises as ``load``; StateError ``notebook_changed`` when another window saved it since ``seen``.
        """
        return self._change(notebook_id, seen, lambda old: _checked(notebook_id, old.name, old.about, cells))

    def rename(self, notebook_id: str, name: str) -> Notebook:
        """Another name. Raises as ``load``; InputError ``bad_name``."""
        return self._change(notebook_id, None, lambda old: _checked(notebook_id, name, old.about, old.cells))

    def delete(self, notebook_id: str) -> None:
        """Removes it; nothing happens when it is gone already."""
        with self._engine.queue, self._engine.session() as session:
            session.run("DELETE FROM notebook WHERE notebook_id = ? AND owner = ?", [notebook_id, self._user])

    def _change(self, notebook_id: str, seen: datetime | None, change: Any) -> Notebook:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            old = self._opened(*self._row(session, notebook_id))
            if seen is not None and old.updated_at != seen:
                raise StateError(
                    "This notebook was changed in another window meanwhile. Nothing was saved.",
                    code="notebook_changed",
                    hint="Load it again, or save yours under another name.",
                )
            made: Notebook = change(old)
            session.run(
                "UPDATE notebook SET content = ?, updated_at = ? WHERE notebook_id = ?",
                [self._sealed(made), made.updated_at, notebook_id],
            )
        return made

    def _row(self, session: Session, notebook_id: str) -> tuple[Any, ...]:
        row = session.row(
            "SELECT notebook_id, updated_at, content FROM notebook WHERE notebook_id = ? AND owner = ?",
            [notebook_id, self._user],
        )
        if row is None:
            raise InputError(
                "There is no such notebook.", code="no_such_notebook", hint="It may have been deleted; see your list."
            )
        return row

    def _sealed(self, notebook: Notebook) -> bytes:
        content = notebook.model_dump(mode="json", include={"name", "about", "cells"})
        nonce = secrets.token_bytes(12)
        plain = json.dumps(content).encode()  # ASCII: half a surrogate pair can be typed, too
        return nonce + self._cipher(notebook.notebook_id).encrypt(nonce, plain, self._label)

    def _opened(self, notebook_id: str, updated_at: datetime, sealed: bytes) -> Notebook:
        sealed = bytes(sealed)
        try:
            plain = self._cipher(notebook_id).decrypt(sealed[:12], sealed[12:], self._label)
        except (InvalidTag, ValueError):
            raise StateError(
                "This notebook cannot be opened: it was changed on disk, or the key was.",
                code="notebook_damaged",
                hint="Delete it and start again.",
            ) from None
        return Notebook(notebook_id=notebook_id, updated_at=updated_at, **json.loads(plain))

    def _cipher(self, notebook_id: str) -> AESGCM:
        return AESGCM(self._keyset.file_key(notebook_id))

    @property
    def _label(self) -> bytes:
        """Bound to its owner: put under another name it does not open."""
        return f"notebook:{self._user}".encode()


def _checked(notebook_id: str, name: str, about: Any, cells: Sequence[Cell]) -> Notebook:
    if len(cells) > MOST_CELLS:
        raise InputError(
            f"A notebook has at most {MOST_CELLS} cells. Nothing was saved.",
            code="too_many_cells",
            hint="Begin another one.",
        )
    return Notebook(
        notebook_id=notebook_id,
        name=check_name(name, "a notebook"),
        about=about,
        cells=tuple(cells),
        updated_at=now(),
    )
