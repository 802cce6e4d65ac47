"""Tokens: the fast way, the one-value way and the plain standard library agree."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.vault import CLEARED, token, tokens
from ingest_core.vault.keys import new_keyset

KEY = new_keyset().token_key(2)


def plainly(key: str, value: str) -> uuid.UUID:
    return uuid.UUID(bytes=hmac.new(key.encode(), value.encode(), hashlib.sha256).digest()[:16])


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]))))
def test_batch_single_and_standard_library_agree(values):
    made = tokens(KEY, pa.array(values, pa.string()))
    assert made.type == pa.uuid()
    assert made.to_pylist() == [None if value is None else plainly(KEY, value) for value in values]
    assert [None if value is None else token(KEY, value) for value in values] == made.to_pylist()


@pytest.mark.parametrize(
    "values",
    [[], [None], [None] * 1000, [""], ["a\0b"], ["x" * 1_000_000], ["🦆" * 250_000], ["é", "é"], ["a", None, "a"]],
    ids=["none", "null", "nulls", "empty", "NUL", "1 MB", "1 MB of ducks", "composed and not", "twice"],
)
def test_edges(values):
    expected = [None if value is None else plainly(KEY, value) for value in values]
    assert tokens(KEY, pa.array(values, pa.string())).to_pylist() == expected


def test_a_part_of_a_longer_array_is_only_that_part():
    values = pa.array(["a", None, "b", "c"], pa.string())
    assert tokens(KEY, values.slice(1, 2)).to_pylist() == [None, plainly(KEY, "b")]


def test_equal_values_of_two_attributes_have_different_tokens():
    keyset = new_keyset()
    assert token(keyset.token_key(2), "a") != token(keyset.token_key(3), "a")
    assert token(keyset.token_key(2), "a") != token(keyset.suppression_key(2), "a")


def test_cleared_is_the_nil_token():
    assert uuid.UUID("00000000-0000-0000-0000-000000000000") == CLEARED
