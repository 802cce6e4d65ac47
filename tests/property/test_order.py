"""Nothing depends on the order of lines, on slices, threads or the workspace (quality.md I4, I11)."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.property.files import column, judged, uploads
from tests.property.product import Product, Templates
from tests.property.reference import State, Upload

NOT_THE_WORK = {"request_id", "steps", "created_at", "started_at", "finished_at"}
OF_PEOPLE = {
    "stored",
    "created",
    "duplicates",
    "rejected",
    "blank",
    "merged",
    "came_apart",
    "conflicts",
    "shared",
    "members",
}


@st.composite
def orderless(draw: st.DrawFn) -> list[Upload]:
    """Uploads whose values do not depend on the order of lines, identifiers' own values apart."""
    return [
        replace(upload, columns=tuple(draw(column(c.field.name, orderless=True)) for c in upload.columns))
        for upload in draw(uploads(most=4))
    ]


def clusters(state: State, places: dict[int, list[int]]) -> set[tuple[object, ...]]:
    """People by their records (numbered as before the shuffle), identifiers, sources and values that have an order."""
    return {
        (
            frozenset((upload, places[upload][line - 2]) for upload, line in person.records),
            person.identifiers,
            person.sources,
            frozenset((name, value) for name, value in person.values.items() if name in ("total", "visits")),
        )
        for person in state.values()
    }


@judged(6)
@given(history=orderless(), seed=st.integers(0, 2**32))
def test_shuffled_lines_make_the_same_people(templates: Templates, history: list[Upload], seed: int) -> None:
    chance = random.Random(seed)
    straight, shuffled = [], []
    order = {upload.number: list(range(len(upload.lines))) for upload in history}
    for numbers in order.values():
        chance.shuffle(numbers)
    with templates.workspace(shared_limit=2) as product:
        receipts = [product.load(upload) for upload in history]
        straight = clusters(product.state(), {number: sorted(lines) for number, lines in order.items()})
    with templates.workspace(shared_limit=2) as product:
        for upload, receipt in zip(history, receipts, strict=True):
            mixed = replace(upload, lines=tuple(upload.lines[n] for n in order[upload.number]))
            assert product.load(mixed).model_dump(include=OF_PEOPLE) == receipt.model_dump(include=OF_PEOPLE)
        shuffled = clusters(product.state(), order)
    assert shuffled == straight


def load_all(product: Product, history: list[Upload]) -> tuple[object, ...]:
    """Receipts, state and digest after a history."""
    receipts = [product.load(upload).model_dump(exclude=NOT_THE_WORK) for upload in history]
    return receipts, product.state(), product.ws.digest()


@judged(4)
@given(history=uploads(most=4, lines=12))
def test_slices_threads_and_keys_change_nothing(
    templates: Templates, other_templates: Templates, history: list[Upload]
) -> None:
    with templates.workspace(shared_limit=2, threads=1) as product:
        expected = load_all(product, history)
    with templates.workspace(shared_limit=2, threads=4, slice_bytes=24) as product:
        assert load_all(product, history) == expected
    with other_templates.workspace(shared_limit=2, threads=2, slice_bytes=100) as product:
        assert load_all(product, history) == expected
