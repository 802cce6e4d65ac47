"""Looking at things changes nothing (quality.md I14)."""

from __future__ import annotations

import pytest
from hypothesis import given

from ingest_core.errors import InputError
from tests.property.files import judged, uploads
from tests.property.product import CANONICAL, Templates
from tests.property.reference import Upload


@judged(4)
@given(history=uploads(most=3))
def test_reading_changes_no_table(templates: Templates, history: list[Upload]) -> None:
    with templates.workspace(shared_limit=2) as product:
        ws = product.ws
        receipts = [product.load(upload) for upload in history]
        before = product.tables()
        for receipt, stored in zip(reversed(receipts), ws.history.list(), strict=True):
            assert stored.request_id == receipt.request_id
            ws.history.rejects(receipt.request_id)
            assert ws.history.get(receipt.request_id).status == receipt.status
        state = product.state()
        for name, texts in CANONICAL.items():
            for text in texts:
                _look_up(product, state, name, text)
        plan = product.plan(history[0])
        ws.suggest(ws.inspect(plan.file, plan.source), plan.source)
        ws.digest()
        ws.profiles.count()
        ws.sources.list()
        ws.attributes.list()
        ws.mappings.all(plan.source)
        ws.segments.list()
        assert product.tables() == before
        _reveal(product, state)
        assert product.tables(but=["audit"]) == {name: rows for name, rows in before.items() if name != "audit"}


def _look_up(product, state, name, text):
    """A profile is found by exactly the identifiers that the state gives it."""
    owners = [person for person in state.values() if (name, text) in person.identifiers]
    if not owners:
        with pytest.raises(InputError) as refused:
            product.ws.profiles.show(name, text)
        assert refused.value.code == "no_such_profile"
        return
    shown = product.ws.profiles.show(name, text)
    assert set(shown["attributes"]) == set(owners[0].values)
    assert set(shown["sources"]) == owners[0].sources


def _reveal(product, state):
    """Plain values are shown when asked for; only the audit log grows."""
    for person in state.values():
        for name, text in person.identifiers:
            shown = product.ws.profiles.show(name, text, reveal=True)["attributes"]
            texts = {key: str(entry["value"]) for key, entry in shown.items()}
            assert texts.keys() == person.values.keys()
            assert all(type(value)(texts[key]) == value for key, value in person.values.items())
