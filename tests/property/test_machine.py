"""Everything that can happen to a workspace, in any order, beside a plain model of it (quality.md §1).

Uploads, the same file again, bad files, replacing, undo and redo, merges, a change of type, a crash at any abort point
with a restart, backup and restore, a rebuild; at the end a replay of it all in a fresh workspace. More of it:
``make soak``, or PROPERTY_FACTOR=20 PROPERTY_SEEDED=0 pytest tests/property/test_machine.py
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ingest_core import faults
from ingest_core.errors import OnrampError
from ingest_core.ledger.audit import verify_audit
from ingest_core.models import Receipt
from ingest_core.operations.restore import restore
from tests.property.files import SETS, judged, upload
from tests.property.product import FIELDS, Templates
from tests.property.reference import Field, Reference, Upload

LIMIT = 2
COLUMNS = (*SETS, ("crmid", "email", "level"), ("email", "level"))
PARTS = ("blank", "stored", "rejected", "duplicates", "suppressed", "withheld")


BAD = ("", "\n\n", "crmid\n", "town\tcolour\nRome\tred\n", "crmid\tcrmid\n1\t1\n", "\0\1\2\n")


class Crash(BaseException):
    """The process is gone; only its files are left."""


class Life(RuleBasedStateMachine):
    """One workspace and its model."""

    templates: ClassVar[Templates]

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.product = self.stack.enter_context(self.templates.workspace(shared_limit=LIMIT, threads=2))
        self.reference = Reference(list(FIELDS.values()), LIMIT)
        self.said: list[Callable[[Life], object]] = []  # what a replay has to do
        self.numbers = itertools.count(1)
        self.copies = itertools.count(1)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────

    @rule(data=st.data(), is_previewed=st.booleans())
    def load(self, data: st.DataObject, is_previewed: bool) -> None:
        self._load(self._draw(data), is_previewed=is_previewed)

    @precondition(lambda self: self.reference.loaded)
    @rule(choice=st.integers(0, 99))
    def load_the_same_file(self, choice: int) -> None:
        """Refused while the earlier one counts, and nothing is changed; loaded when it was undone or replaced."""
        earlier = self.reference.loaded[choice % len(self.reference.loaded)]
        if any(_same(earlier, other) for other in self.reference.live):
            self._refused(lambda: self.product.load(earlier, again=False), "already_loaded")
        elif _level(earlier) in (None, self._type()):
            self._load(replace(earlier, number=next(self.numbers)))

    @rule(
        text=st.sampled_from(["", "\n\n", "crmid\n", "town\tcolour\nRome\tred\n", "crmid\tcrmid\n1\t1\n", "\0\1\2\n"])
    )
    def load_a_bad_file(self, text: str) -> None:
        path = self.product.write("bad.tsv", text)
        self._refused(lambda: self.product.ingest(path, "CRM"))

    @precondition(lambda self: self.reference.loaded)
    @rule(choice=st.integers(0, 99))
    def undo_or_redo(self, choice: int) -> None:
        number = self.reference.loaded[choice % len(self.reference.loaded)].number
        self._toggle(number)
        self._replayed(lambda life: life._toggle(number))

    @rule(kind=st.sampled_from(["string", "integer", "number"]))
    def change_a_type(self, kind: str) -> None:
        self._change(kind)
        self._replayed(lambda life: life._change(kind))

    @rule(data=st.data(), point=st.integers(1, 60))
    def crash_while_loading(self, data: st.DataObject, point: int) -> None:
        """What the files say at that moment is what counts: all of the upload or nothing, and it ends Failed."""
        made = self._draw(data)
        if not self._crash(point, lambda: self.product.load(made)):
            self._known(made)
            return
        newest = self.product.ws.history.list(limit=1)[0]
        if newest.status == "Completed":
            self.product.remember(newest, made)
            self._known(made)
        else:
            assert (newest.status, (newest.error or {}).get("code")) == ("Failed", "interrupted")

    @precondition(lambda self: self.reference.loaded)
    @rule(choice=st.integers(0, 99), point=st.integers(1, 40))
    def crash_while_undoing(self, choice: int, point: int) -> None:
        number = self.reference.loaded[choice % len(self.reference.loaded)].number
        if self._crash(point, lambda: self._act(number)):
            is_undone = self.product.ws.history.get(self.product.request_ids[number]).undone_at is not None
            if is_undone == (number in self.reference.undone):
                return
        self._mark(number)
        self._replayed(lambda life: life._toggle(number))

    @rule()
    def rebuild(self) -> None:
        before = self.product.ws.digest()
        rebuilt = self.product.ws.rebuild()
        assert {name: rebuilt[name] for name in before} == before

    @rule()
    def restart(self) -> None:
        self.product.reopen()

    @rule()
    def back_up_and_restore(self) -> None:
        """Life goes on in the restored workspace."""
        number = next(self.copies)
        archive, home = self.product.folder / f"{number}.onramp", self.product.folder / f"restored{number}"
        before = self.product.ws.digest()
        self.product.ws.operations.backup(archive)
        restore(archive, home, "asha")
        self.product.reopen(home)
        assert self.product.ws.digest() == before

    # ── what holds after each step ───────────────────────────────────────────────────────────────────────

    @invariant()
    def the_state_is_that_of_the_model(self) -> None:
        if hasattr(self, "product"):
            assert self.product.state() == self.reference.state

    @invariant()
    def every_upload_has_one_end_and_its_counts_add_up(self) -> None:
        if hasattr(self, "product"):
            before = self.product.tables()
            for receipt in self.product.ws.history.list():
                _check(receipt)
            with self.product.ws.engine.session() as session:
                assert verify_audit(session) is None
            assert self.product.tables() == before  # looking changes nothing

    def teardown(self) -> None:
        """The same again in a fresh workspace: the same digest."""
        if not hasattr(self, "product"):
            return
        with self.stack, self.templates.workspace(shared_limit=LIMIT, threads=1) as fresh:
            replay = Life.__new__(Life)
            replay.product, replay.reference = fresh, Reference(list(FIELDS.values()), LIMIT)
            for act in self.said:
                act(replay)
            assert fresh.ws.digest() == self.product.ws.digest()

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────

    def _draw(self, data: st.DataObject) -> Upload:
        made = data.draw(upload(next(self.numbers), data.draw(st.sampled_from(COLUMNS)), 6))
        level = Field("level", self._type())
        columns = (replace(c, field=level) if c.field.name == "level" else c for c in made.columns)
        return replace(made, columns=tuple(columns))

    def _type(self) -> str:
        return self.reference.types.get("level", "string")

    def _load(self, made: Upload, *, is_previewed: bool = False) -> None:
        preview = self.product.ws.loads.preview(self.product.plan(made)) if is_previewed else None
        expected = self.reference.load(made)
        if expected["status"] == "Completed":
            self._replayed(lambda life: life._load(made))
        receipt = self.product.load(made)
        assert receipt.model_dump(include=set(expected)) == expected
        if preview is not None:
            assert preview.model_dump(include=set(expected)) == expected

    def _known(self, made: Upload) -> None:
        """The model of a load that happened without being looked at."""
        if self.reference.load(made)["status"] == "Completed":
            self._replayed(lambda life: life._load(made))

    def _toggle(self, number: int) -> None:
        self._act(number)
        self._mark(number)

    def _act(self, number: int) -> None:
        undo, request_id = self.product.ws.undo, self.product.request_ids[number]
        if number in self.reference.undone:
            undo.redo(request_id, again=True)
        else:
            undo.undo(request_id)

    def _mark(self, number: int) -> None:
        (self.reference.redo if number in self.reference.undone else self.reference.undo)(number)

    def _change(self, kind: str) -> None:
        self.product.ws.attributes.change("level", type=kind)
        self.reference.types["level"] = kind

    def _replayed(self, act: Callable[[Life], object]) -> None:
        if hasattr(self, "said"):
            self.said.append(act)

    def _refused(self, act: Callable[[], object], code: str | None = None) -> None:
        before = self.product.tables()
        with pytest.raises(OnrampError) as caught:
            act()
        assert code in (None, caught.value.code)
        assert self.product.tables() == before

    def _crash(self, point: int, act: Callable[[], object]) -> bool:
        """Does it and dies at the N-th abort point; False when it ended before that."""
        left = self.product.folder / f"left{next(self.copies)}"

        def die() -> None:
            shutil.copytree(self.product.home, left)
            raise Crash

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ONRAMP_FAULT", f"nth:{point}:kill")
            patch.setattr(faults, "_reached", itertools.count(1))
            patch.setattr(faults, "_kill", die)
            try:
                act()
            except Crash:
                pass
            else:
                return False
        self.product.reopen(left)
        return True


def _same(one: Upload, other: Upload) -> bool:
    return one.source == other.source and _bytes(one) == _bytes(other)


def _bytes(made: Upload) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(column.field.name for column in made.columns), made.lines


def _level(made: Upload) -> str | None:
    return next((column.field.type for column in made.columns if column.field.name == "level"), None)


def _check(receipt: Receipt) -> None:
    r = receipt
    assert r.status in ("Completed", "Failed")
    assert r.finished_at is not None
    assert r.lines == sum(getattr(r, part) for part in PARTS)
    assert r.stored == r.created + r.updated + r.unchanged
    assert r.rejected == sum(r.rejects_by_reason.values())
    assert r.profiles_after == r.profiles_before + r.created - r.merged + r.came_apart - r.removed
    assert r.status == "Completed" or r.stored == r.duplicates == 0


def test_whatever_happens_the_workspace_is_what_the_model_says(templates: Templates) -> None:
    Life.templates = templates
    steps = int(os.environ.get("PROPERTY_STEPS", "25"))
    run_state_machine_as_test(Life, settings=settings(judged(10), stateful_step_count=steps))
