"""Saved notebooks: cells of SQL with a chart each. They belong to one person and are kept encrypted.

A notebook over a file keeps the received file until it is deleted, or nobody touched it for long (``maintain``).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
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
from ingest_core.vault import Keyset, LandingZone

ChartKind = Literal["none", "bar", "line", "histogram", "scatter"]
MOST_CELLS = 200
_COLUMNS = "notebook_id, updated_at, content, landing"


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


class ExploredFile(Model):
    """The file that a notebook is over: received for it (``landing_id``), or of an unfinished ingest (``draft_id``).

    With neither, it was received for the notebook once and is gone.
    """

    name: str
    size: int
    landing_id: str | None = None
    draft_id: str | None = None


class Notebook(Model):
    """A saved notebook. ``about``: what its queries are over, ``file`` or ``profiles``."""

    notebook_id: str
    name: str
    about: Literal["file", "profiles"] = "file"
    file: ExploredFile | None = None
    cells: tuple[Cell, ...] = Field(default=(), max_length=MOST_CELLS)
    updated_at: datetime | None = None


Listed = list[Notebook]
"""Inside the class, ``list`` is its method."""


class Notebooks:
    """The notebooks of one person; those of others are not there for them."""

    def __init__(self, engine: Engine, keyset: Keyset, landing: LandingZone, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._landing = landing
        self._user = user

    def list(self) -> Listed:
        """All of them, last changed first. One that was damaged on disk is left out."""
        with self._engine.session() as session:
            rows = session.rows(
                f"SELECT {_COLUMNS} FROM notebook WHERE owner = ? ORDER BY updated_at DESC, notebook_id",
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
        self,
        name: str,
        about: Literal["file", "profiles"] = "file",
        cells: Sequence[Cell] = (Cell(),),
        file: ExploredFile | None = None,
    ) -> Notebook:
        """A new notebook, which from now on keeps the file. InputError ``bad_name``, ``too_many_cells``."""
        made = _checked(secrets.token_hex(8), name, about, cells, file)
        with self._engine.queue, self._engine.session() as session:
            session.run(
                "INSERT INTO notebook (notebook_id, owner, updated_at, content, landing) VALUES (?, ?, ?, ?, ?)",
                [made.notebook_id, self._user, made.updated_at, self._sealed(made), _landing(made)],
            )
        return made

    def over_draft(self, draft_id: str) -> Notebook | None:
        """The notebook over the file of an unfinished ingest that was changed last."""
        return next((found for found in self.list() if found.file and found.file.draft_id == draft_id), None)

    def save(self, notebook_id: str, cells: Sequence[Cell], *, seen: datetime | None = None) -> Notebook:
        """Replaces the cells. ``seen``: when it was last changed as the person knows it.

        Raises as ``load``; StateError ``notebook_changed`` when another window saved it since ``seen``.
        """
        return self._change(notebook_id, seen, lambda old: old.model_copy(update={"cells": tuple(cells)}))

    def rename(self, notebook_id: str, name: str) -> Notebook:
        """Another name. Raises as ``load``; InputError ``bad_name``."""
        return self._change(notebook_id, None, lambda old: old.model_copy(update={"name": name}))

    def give_file(self, notebook_id: str, file: ExploredFile) -> Notebook:
        """Another file for the same queries; the former one is not kept. Raises as ``load``."""
        former = self.load(notebook_id)
        made = self._change(notebook_id, None, lambda old: old.model_copy(update={"file": file}))
        self._let_go(_landing(former))
        return made

    def delete(self, notebook_id: str) -> None:
        """Removes it with its file; nothing happens when it is gone already."""
        with self._engine.queue, self._engine.session() as session:
            mine = [notebook_id, self._user]
            landing_id = session.value("SELECT landing FROM notebook WHERE notebook_id = ? AND owner = ?", mine)
            session.run("DELETE FROM notebook WHERE notebook_id = ? AND owner = ?", mine)
        self._let_go(landing_id)

    def _let_go(self, landing_id: str | None) -> None:
        """Deletes a received file that no notebook is over any more."""
        if landing_id is None:
            return
        with self._engine.session() as session:
            is_kept = session.value("SELECT count(*) FROM notebook WHERE landing = ?", [landing_id])
        if not is_kept:
            self._landing.delete(landing_id)

    def _change(self, notebook_id: str, seen: datetime | None, change: Callable[[Notebook], Notebook]) -> Notebook:
        with self._engine.queue, self._engine.session() as session, session.transaction():
            old = self._opened(*self._row(session, notebook_id))
            if seen is not None and old.updated_at != seen:
                raise StateError(
                    "This notebook was changed in another window meanwhile. Nothing was saved.",
                    code="notebook_changed",
                    hint="Load it again, or save yours under another name.",
                )
            new = change(old)
            made = _checked(notebook_id, new.name, new.about, new.cells, new.file)
            session.run(
                "UPDATE notebook SET content = ?, updated_at = ?, landing = ? WHERE notebook_id = ?",
                [self._sealed(made), made.updated_at, _landing(made), notebook_id],
            )
        return made

    def _row(self, session: Session, notebook_id: str) -> tuple[Any, ...]:
        row = session.row(
            f"SELECT {_COLUMNS} FROM notebook WHERE notebook_id = ? AND owner = ?",
            [notebook_id, self._user],
        )
        if row is None:
            raise InputError(
                "There is no such notebook.", code="no_such_notebook", hint="It may have been deleted; see your list."
            )
        return row

    def _sealed(self, notebook: Notebook) -> bytes:
        content = notebook.model_dump(mode="json", include={"name", "about", "cells", "file"})
        nonce = secrets.token_bytes(12)
        plain = json.dumps(content).encode()  # ASCII: half a surrogate pair can be typed, too
        return nonce + self._cipher(notebook.notebook_id).encrypt(nonce, plain, self._label)

    def _opened(self, notebook_id: str, updated_at: datetime, sealed: bytes, landing_id: str | None) -> Notebook:
        sealed = bytes(sealed)
        try:
            plain = self._cipher(notebook_id).decrypt(sealed[:12], sealed[12:], self._label)
        except (InvalidTag, ValueError):
            raise StateError(
                "This notebook cannot be opened: it was changed on disk, or the key was.",
                code="notebook_damaged",
                hint="Delete it and start again.",
            ) from None
        made = Notebook(notebook_id=notebook_id, updated_at=updated_at, **json.loads(plain))
        if made.file is None:
            return made
        return made.model_copy(update={"file": made.file.model_copy(update={"landing_id": landing_id})})

    def _cipher(self, notebook_id: str) -> AESGCM:
        return AESGCM(self._keyset.file_key(notebook_id))

    @property
    def _label(self) -> bytes:
        """Bound to its owner: put under another name it does not open."""
        return f"notebook:{self._user}".encode()


def _landing(notebook: Notebook) -> str | None:
    return notebook.file.landing_id if notebook.file else None


def _checked(
    notebook_id: str, name: str, about: Any, cells: Sequence[Cell], file: ExploredFile | None = None
) -> Notebook:
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
        file=file,
        updated_at=now(),
    )
