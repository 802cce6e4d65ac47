"""The same file twice counts once; a preview is the load without its effect (quality.md I5, I7)."""

from __future__ import annotations

import pytest
from hypothesis import given

from ingest_core.errors import StateError
from tests.property.files import judged, uploads
from tests.property.product import Templates
from tests.property.reference import Upload
from tests.property.test_order import NOT_THE_WORK


@judged(5)
@given(history=uploads(most=4))
def test_the_same_bytes_are_refused_and_when_insisted_upon_change_nothing(
    templates: Templates, history: list[Upload]
) -> None:
    with templates.workspace(shared_limit=2) as product:
        for upload in history:
            first = product.load(upload)
            if first.status == "Failed":
                continue
            before, state = product.tables(), product.state()
            with pytest.raises(StateError) as refused:
                product.load(upload, again=False)
            assert refused.value.code == "already_loaded"
            assert refused.value.facts["request_id"] == first.request_id
            assert product.tables() == before
            if upload.replace != "values":
                digest = product.ws.digest()
                again = product.load(Upload(upload.number + 100, *_rest(upload)))
                assert (again.created, again.unchanged, again.stored) == (0, first.stored, first.stored)
                assert (again.merged, again.came_apart, again.shared, again.memberships_ended) == (0, 0, 0, 0)
                assert again.conflicts == first.conflicts
                assert product.ws.digest() == digest
                assert _people(product.state()) == _people(state)


def _rest(upload: Upload) -> tuple:
    return upload.source, upload.columns, upload.lines, upload.replace


def _people(state: dict) -> dict:
    return {pid: (person.identifiers, person.values, person.sources) for pid, person in state.items()}


@judged(5)
@given(history=uploads(most=4))
def test_a_preview_counts_what_the_load_counts_and_leaves_nothing(templates: Templates, history: list[Upload]) -> None:
    with templates.workspace(shared_limit=2) as product:
        for upload in history:
            before = product.tables()
            preview = product.ws.loads.preview(product.plan(upload))
            assert preview.request_id is None
            assert product.tables() == before
            receipt = product.load(upload)
            leave = {*NOT_THE_WORK, "mapping_version"}  # the load gives the mapping its version
            assert preview.model_dump(exclude=leave) == receipt.model_dump(exclude=leave)
