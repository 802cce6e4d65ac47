"""Erasing a person = the person's lines were never in any file, at any place in a history (quality.md I13)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.property.files import judged, uploads
from tests.property.product import FIELDS, Product, Templates
from tests.property.reference import Key, Reference, Upload

LIMIT = 2


@judged(20)
@given(history=uploads(most=5), undone=st.sets(st.integers(0, 4), max_size=2), whom=st.integers(0, 50))
def test_an_erasure_agrees_with_the_reference_a_rebuild_and_later_redos(
    templates: Templates, history: list[Upload], undone: set[int], whom: int
) -> None:
    with templates.workspace(shared_limit=LIMIT, threads=2) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for upload in history:
            reference.load(upload)
            product.load(upload)
        asleep = [upload.number for upload in reference.loaded if upload.number in undone]
        for number in asleep:
            product.ws.undo.undo(product.request_ids[number])
            reference.undo(number)
        people = sorted(reference.state)
        if not people:
            return
        person = reference.state[people[whom % len(people)]]
        erased = erase(product, people[whom % len(people)])
        assert {key for key in erased if key in owned(reference)} == set(person.records)
        without(reference, erased)
        assert product.state() == reference.state
        before = product.ws.digest()
        rebuilt = product.ws.rebuild()
        assert {name: rebuilt[name] for name in before} == before
        for number in asleep:
            product.ws.undo.redo(product.request_ids[number], again=True)
            reference.redo(number)
            assert product.state() == reference.state


def owned(reference: Reference) -> set[Key]:
    """The records that count for somebody."""
    return {key for person in reference.state.values() for key in person.records}


def erase(product: Product, key: Key) -> set[Key]:
    """Erases the person whom a record names; returns the records that left the log. The preview must have said so."""
    (number,) = product.rows("SELECT upload_no FROM upload WHERE request_id = ?", [product.request_ids[key[0]]])[0]
    before = {product._key(rid) for (rid,) in product.rows("SELECT rid FROM record")}
    untouched = product.tables()
    said = product.ws.erasure.preview_of(f"{number}-{key[1]}")
    assert product.tables() == untouched
    done = product.ws.erasure.erase_of(f"{number}-{key[1]}")
    assert {**done.as_dict(), "steps": []} == {**said.as_dict(), "steps": []}
    after = {product._key(rid) for (rid,) in product.rows("SELECT rid FROM record")}
    assert done.rows == len(before) - len(after)
    return before - after


def without(reference: Reference, erased: set[Key]) -> None:
    """The same uploads with these lines empty."""
    reference.loaded = [
        replace(
            upload,
            lines=tuple("" if (upload.number, n) in erased else line for n, line in enumerate(upload.lines, 2)),
        )
        for upload in reference.loaded
    ]
