"""Connected components against a union-find that shares no line with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.ledger.components import components


def plainly(edges):
    """Node → smallest node of its component."""
    parent = {}

    def find(node):
        parent.setdefault(node, node)
        while parent[node] != node:
            node = parent[node]
        return node

    for a, b in edges:
        low, high = sorted((find(a), find(b)))
        parent[high] = low
    return {node: find(node) for node in parent}


def found(edges):
    left = np.array([a for a, _ in edges], dtype=np.int64)
    right = np.array([b for _, b in edges], dtype=np.int64)
    nodes, labels = components(left, right)
    return dict(zip(nodes.tolist(), labels.tolist(), strict=True))


NODES = st.integers(0, 30) | st.sampled_from([2**32 + 2, 2**40, 2**62])


@given(st.lists(st.tuples(NODES, NODES), max_size=60))
def test_labels_are_the_smallest_nodes(edges):
    assert found(edges) == plainly(edges)


@given(st.lists(st.tuples(NODES, NODES), max_size=40), st.randoms())
def test_order_and_direction_do_not_matter(edges, random):
    turned = [(b, a) for a, b in edges]
    random.shuffle(turned)
    assert found(turned) == found(edges)


@pytest.mark.parametrize("size", [1, 2, 1000, 20_000])
def test_long_chains(size):
    edges = [(n + 1, n) for n in range(size)]
    assert set(found(edges).values()) == {0}
    middle_out = edges[1::2] + edges[::2]
    assert set(found(middle_out).values()) == {0}


def test_stars_and_loops():
    assert found([(9, 9)]) == {9: 9}
    assert found([(5, n) for n in range(3, 8)]) == dict.fromkeys(range(3, 8), 3)
    assert found([]) == {}
