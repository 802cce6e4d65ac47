"""Pages: what goes in comes out, and nothing else opens them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.errors import StateError
from ingest_core.vault.pages import seal, unseal

KEY = b"k" * 32
PLACE = {"page_id": 7, "attribute_id": 2, "key_version": 1}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_values_come_back(values):
    sealed = seal(KEY, pa.array(values, pa.string()), **PLACE)
    assert unseal(KEY, sealed, **PLACE).to_pylist() == values


@pytest.mark.parametrize("values", [[""], ["", ""], ["x" * 1_000_000], ["a\0b", "🦆", "\ufeff"], ["v"] * 4096, []])
def test_edges_come_back(values):
    assert unseal(KEY, seal(KEY, pa.array(values, pa.string()), **PLACE), **PLACE).to_pylist() == values


def test_a_part_of_a_longer_array_is_only_that_part():
    whole = pa.array([f"value {n}" for n in range(100)])
    sealed = seal(KEY, whole.slice(10, 5), **PLACE)
    assert unseal(KEY, sealed, **PLACE).to_pylist() == [f"value {n}" for n in range(10, 15)]
    assert len(sealed) < 100


def test_two_pages_of_the_same_values_differ():
    values = pa.array(["a"])
    assert seal(KEY, values, **PLACE) != seal(KEY, values, **PLACE)


@pytest.mark.parametrize("change", [{"page_id": 8}, {"attribute_id": 3}, {"key_version": 2}])
def test_a_moved_page_does_not_open(change):
    sealed = seal(KEY, pa.array(["a"]), **PLACE)
    with pytest.raises(StateError) as caught:
        unseal(KEY, sealed, **{**PLACE, **change})
    assert caught.value.code == "vault_damaged"


def test_labels_are_unambiguous():
    sealed = seal(KEY, pa.array(["a"]), page_id=1, attribute_id=23, key_version=1)
    with pytest.raises(StateError):
        unseal(KEY, sealed, page_id=12, attribute_id=3, key_version=1)


def test_every_changed_bit_is_the_same_error():
    sealed = seal(KEY, pa.array(["priya"]), **PLACE)
    messages = set()
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StateError) as caught:
            unseal(KEY, bytes(changed), **PLACE)
        messages.add((caught.value.code, caught.value.message))
    assert len(messages) == 1


@pytest.mark.parametrize("size", [0, 5, 12, 27])
def test_a_page_cut_short_is_that_error_too(size):
    sealed = seal(KEY, pa.array(["priya"]), **PLACE)
    with pytest.raises(StateError) as caught:
        unseal(KEY, sealed[:size], **PLACE)
    assert caught.value.code == "vault_damaged"


def test_another_key_is_that_error_too():
    with pytest.raises(StateError) as caught:
        unseal(b"x" * 32, seal(KEY, pa.array(["priya"]), **PLACE), **PLACE)
    assert caught.value.code == "vault_damaged"
