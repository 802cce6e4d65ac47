"""The notebook that this tab has open: its cells, saved on every change, and what they answered."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from ingest_core.errors import StateError
from ingest_core.explore.bench import Bench
from ingest_core.explore.notebooks import Cell, Chart, ExploredFile, Notebook
from ingest_core.workspace import Workspace

_HELD = "sheet"
_AT_ONCE = "run_at_once"
_NUMBERS = itertools.count(1)


@dataclass
class Sheet:
    """``cells`` by a key that stays theirs while the tab is open. ``removed``: (place, cell) that can come back.

    ``is_outdated``: another window saved the notebook, so nothing of this one is saved any more.
    """

    workspace: Workspace
    notebook: Notebook
    bench: Bench | None
    problem: StateError | None = None
    cells: dict[str, Cell] = field(default_factory=dict)
    stamps: dict[str, int] = field(default_factory=dict)
    removed: tuple[int, Cell] | None = None
    is_outdated: bool = False

    @classmethod
    def opened(cls, workspace: Workspace, notebook_id: str) -> Sheet:
        """The notebook as this tab has it; opened and its data begun to be read at the first call.

        InputError ``no_such_notebook``; StateError ``notebook_damaged``.
        """
        stored = workspace.explore.notebooks.load(notebook_id)
        held: Sheet | None = st.session_state.get(_HELD)
        if held is None or held.notebook.notebook_id != notebook_id or held.workspace is not workspace:
            close_sheet()
            held = st.session_state[_HELD] = cls(workspace, stored, None)
            held.take(stored)
            if st.session_state.pop(_AT_ONCE, None) == notebook_id:
                held.run_all()
        elif held.notebook.updated_at != stored.updated_at:
            held.is_outdated = True
        return held

    def take(self, notebook: Notebook) -> None:
        """Shows a notebook as it is stored, with its data."""
        self.notebook, self.removed, self.is_outdated = notebook, None, False
        self.cells = {_new_key(): cell for cell in notebook.cells}
        self.stamps = dict.fromkeys(self.cells, 0)
        if self.bench is None:
            try:
                session = self.workspace.explore.open(notebook, self.workspace.planner.limits())
            except StateError as error:
                self.problem = error
                return
            self.bench, self.problem = Bench(session), None
            self.bench.read()

    def load_again(self) -> None:
        """As the other window saved it; what was changed here is lost."""
        self.take(self.workspace.explore.notebooks.load(self.notebook.notebook_id))

    def save_as(self, name: str) -> str:
        """The cells of this window as a notebook of their own; returns its id."""
        made = self.workspace.explore.notebooks.create(
            name, self.notebook.about, tuple(self.cells.values()), self.notebook.file
        )
        return made.notebook_id

    def give_file(self, name: str, size: int, landing_id: str) -> None:
        """A file in the place of one that is gone."""
        file = ExploredFile(name=name, size=size, landing_id=landing_id)
        self.take(self.workspace.explore.notebooks.give_file(self.notebook.notebook_id, file))

    def rename(self, name: str) -> None:
        """Another name for the notebook."""
        self.notebook = self.workspace.explore.notebooks.rename(self.notebook.notebook_id, name)

    # ── cells ────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, key: str, sql: str) -> None:
        """What a person typed."""
        if key in self.cells and self.cells[key].sql != sql:
            self._put({**self.cells, key: self.cells[key].model_copy(update={"sql": sql})})

    def draw_as(self, key: str, chart: Chart) -> None:
        """How the result of a cell is drawn."""
        if key in self.cells and self.cells[key].chart != chart:
            self._put({**self.cells, key: self.cells[key].model_copy(update={"chart": chart})})

    def add(self, cell: Cell | None = None, place: int | None = None) -> str:
        """A new cell at a place, else at the end, where it fills an empty one; returns its key."""
        last = next(reversed(self.cells), None)
        if place is None and last is not None and not self.cells[last].sql.strip():
            if cell is not None:
                self._put({**self.cells, last: cell})
                self.stamps[last] += 1
            return last
        key = _new_key()
        pairs = list(self.cells.items())
        pairs.insert(len(pairs) if place is None else place, (key, cell or Cell()))
        self._put(dict(pairs))
        return key

    def duplicate(self, key: str) -> None:
        """The same once more, right below."""
        if key in self.cells:
            self.add(self.cells[key], list(self.cells).index(key) + 1)

    def move(self, key: str, by: int) -> None:
        """Up (-1) or down (1); at the end it stays."""
        if key not in self.cells:
            return
        keys = list(self.cells)
        place = keys.index(key)
        keys.insert(max(0, min(len(keys) - 1, place + by)), keys.pop(place))
        self._put({other: self.cells[other] for other in keys})

    def remove(self, key: str) -> None:
        """Takes a cell out, until it is asked back."""
        if key not in self.cells:
            return
        place = list(self.cells).index(key)
        gone = self.cells[key]
        self._put({other: cell for other, cell in self.cells.items() if other != key})
        self.removed = (place, gone)
        if self.bench:
            self.bench.forget(key)

    def bring_back(self) -> None:
        """The cell that was taken out last."""
        if self.removed is not None:
            place, cell = self.removed
            self.add(cell, place)

    def _put(self, cells: dict[str, Cell]) -> None:
        """Other cells, saved; in an outdated window only shown. Raises as ``Notebooks.save``."""
        if not self.is_outdated:
            try:
                self.notebook = self.workspace.explore.notebooks.save(
                    self.notebook.notebook_id, tuple(cells.values()), seen=self.notebook.updated_at
                )
            except StateError as error:
                if error.code != "notebook_changed":
                    raise
                self.is_outdated = True
        if len(cells) != len(self.cells):
            self.removed = None
        self.cells = cells
        self.stamps = {key: self.stamps.get(key, 0) for key in cells}

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────

    def run(self, key: str) -> None:
        """Runs one cell as it stands."""
        self._ask([key])

    def run_all(self) -> None:
        """Runs every cell in order."""
        self._ask(list(self.cells))

    def _ask(self, keys: Sequence[str]) -> None:
        if self.bench is not None:
            self.bench.run(
                [(key, self.cells[key].sql) for key in keys if key in self.cells and self.cells[key].sql.strip()]
            )


def run_at_once(notebook_id: str) -> None:
    """For a notebook that was just begun: it shows its first rows without being asked to."""
    st.session_state[_AT_ONCE] = notebook_id


def close_sheet(notebook_id: str | None = None) -> None:
    """Frees the data of the notebook that this tab had open, or of this one if it had."""
    held: Sheet | None = st.session_state.get(_HELD)
    if held is None or notebook_id not in (None, held.notebook.notebook_id):
        return
    del st.session_state[_HELD]
    if held.bench is not None:
        held.bench.close()


def _new_key() -> str:
    return str(next(_NUMBERS))
