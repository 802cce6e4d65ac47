"""Undo = never loaded, redo = never undone, at any place in a history (quality.md I6)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest_core.models import UndoReceipt
from tests.property.files import judged, uploads
from tests.property.product import FIELDS, Product, Templates
from tests.property.reference import Reference, State, Upload

LIMIT = 2


@judged(40)
@given(history=uploads(most=6), choices=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=6))
def test_undo_and_redo_agree_with_the_reference_and_a_rebuild(
    templates: Templates, history: list[Upload], choices: list[tuple[int, bool]]
) -> None:
    """Uploads, with one taken back or brought back after each of them."""
    with templates.workspace(shared_limit=LIMIT, threads=2) as product:
        reference = Reference(list(FIELDS.values()), LIMIT)
        for step in range(max(len(history), len(choices))):
            if step < len(history):
                reference.load(history[step])
                product.load(history[step])
                assert product.state() == reference.state
            if step < len(choices):
                toggle(product, reference, *choices[step])
        before = product.ws.digest()
        rebuilt = product.ws.rebuild()
        assert product.state() == reference.state
        assert {name: rebuilt[name] for name in before} == before


def toggle(product: Product, reference: Reference, choice: int, is_undo: bool) -> None:
    """Takes one of the uploads back, or brings one back, where there is one; the preview must have said so."""
    undone = reference.undone
    open_to = [u.number for u in reference.loaded if (u.number in undone) != is_undo]
    if not open_to:
        return
    number = open_to[choice % len(open_to)]
    request_id = product.request_ids[number]
    before = reference.state
    untouched = product.tables()
    service = product.ws.undo
    said = service.preview(request_id) if is_undo else service.preview_redo(request_id, again=True)
    assert product.tables() == untouched
    done = service.undo(request_id) if is_undo else service.redo(request_id, again=True)
    (reference.undo if is_undo else reference.redo)(number)
    assert product.state() == reference.state
    assert done.model_dump(exclude={"steps", "user"}) == said.model_dump(exclude={"steps", "user"})
    check_counts(done, before, reference.state)


def check_counts(done: UndoReceipt, before: State, after: State) -> None:
    """The figures a person is shown, against the two states."""
    assert (done.profiles_before, done.profiles_after) == (len(before), len(after))
    owner = {key: pid for pid, person in before.items() for key in person.records}
    edges = {(owner[key], pid) for pid, person in after.items() for key in person.records if key in owner}
    olds, news = {old for old, _ in edges}, {new for _, new in edges}
    assert done.removed == len(before) - len(olds)
    assert done.returned == len(after) - len(news)
    assert (done.merged, done.came_apart) == (len(edges) - len(news), len(edges) - len(olds))
    single = [(old, new) for old, new in edges if sum(other == new for _, other in edges) == 1]
    assert done.changed == sum(before[old].values != after[new].values for old, new in single)
    assert done.memberships_before == sum(len(person.sources) for person in before.values())
    assert done.memberships_after == sum(len(person.sources) for person in after.values())
