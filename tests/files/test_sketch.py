"""Counting in bounded space against plain counting."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.files.sketch import Counted, DistinctCounter, Histogram, TopCounter, add_counts, count_values


def counted(values):
    return count_values(pa.array(values, pa.string()))


def slices(values, cut):
    return [values[start : start + cut] for start in range(0, len(values), cut)]


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(max_size=3)), st.integers(1, 7))
def test_values_are_counted_as_by_hand_and_in_order_of_first_appearance(values, cut):
    parts = [counted(part) for part in slices(values, cut)]
    total = add_counts(*parts) if parts else counted([])
    assert dict(Counter(values)) == dict(zip(total.values.to_pylist(), total.counts.tolist(), strict=True))
    assert list(dict.fromkeys(values)) == total.values.to_pylist()


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(max_size=2), min_size=1), st.integers(1, 9))
def test_few_different_values_are_counted_exactly(values, cut):
    counter = DistinctCounter(limit=10_000)
    for part in slices(values, cut):
        counter.add(pa.array(part, pa.string()))
    assert (len(set(values)), True) == (counter.count, counter.is_exact)


@pytest.mark.parametrize("size", [1_500, 20_000, 300_000])
def test_many_different_values_are_estimated_within_a_few_standard_errors(size):
    counter = DistinctCounter(limit=1_000)
    for part in slices([f"person {number}" for number in range(size)], 37_000):
        counter.add(pa.array(part, pa.string()))
        counter.add(pa.array(part[:100], pa.string()))
    assert not counter.is_exact
    assert counter.count == pytest.approx(size, rel=4 / 1_000**0.5)


def test_an_estimate_does_not_depend_on_how_values_are_cut():
    values = [str(number) for number in range(5_000)]
    results = set()
    for cut in (5_000, 700, 33):
        counter = DistinctCounter(limit=500)
        for part in slices(values, cut):
            counter.add(pa.array(part, pa.string()))
        results.add(counter.count)
    assert len(results) == 1


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1), st.integers(1, 9), st.integers(1, 8))
def test_the_most_frequent_values_are_exact_while_few(values, cut, size):
    counter = TopCounter(limit=100)
    for part in slices(values, cut):
        assert counter.add(counted(part)) is None
    counts = Counter(values)
    wanted = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:size]
    if max(counts.values()) == 1 and len(counts) > 1:
        wanted = []
    assert wanted == counter.top(size)


def test_past_the_limit_everything_counted_so_far_is_handed_out_once():
    counter = TopCounter(limit=3, kept=2)
    assert counter.add(counted(list("aab"))) is None
    everything = counter.add(counted(list("cda")))
    assert dict(zip(everything.values.to_pylist(), everything.counts.tolist(), strict=True)) == {
        "a": 3,
        "b": 1,
        "c": 1,
        "d": 1,
    }
    assert not counter.is_exact
    assert counter.add(counted(["e"])) is None


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.integers(0, 60), min_size=1, max_size=300), st.integers(1, 40))
def test_a_frequent_value_is_never_lost_among_many(values, cut):
    counter = TopCounter(limit=5, kept=4)
    for part in slices([str(value) for value in values], cut):
        counter.add(counted(part))
    found = dict(zip(counter.content.values.to_pylist(), counter.content.counts.tolist(), strict=True))
    for value, count in Counter(str(value) for value in values).items():
        assert found.get(value, 0) <= count
        if count > len(values) / 4:
            assert value in found


def test_long_texts_do_not_fill_the_memory():
    counter = TopCounter(limit=100, limit_bytes=10_000, clip=10)
    counter.add(counted(["x" * 9_000, "y" * 9_000, "y" * 9_000]))
    assert not counter.is_exact
    assert counter.top(5) == [("y" * 10, 2), ("x" * 10, 1)]


numbers = st.lists(st.integers(-(10**6), 10**6) | st.decimals(-1000, 1000, places=2).map(float), min_size=1)


@settings(deadline=None)  # the machine may be busy
@given(numbers, st.integers(1, 9))
def test_a_histogram_counts_every_number_in_its_bin_however_cut(values, cut):
    whole, cut_up = Histogram(), Histogram()
    whole.add(np.array(values, np.float64), np.ones(len(values), np.int64))
    for part in slices(values, cut):
        cut_up.add(np.array(part, np.float64), np.ones(len(part), np.int64))
    bars = whole.result()
    assert bars == cut_up.result()
    assert len(values) == sum(count for _, _, count in bars)
    assert len(bars) <= whole.bins
    for low, high, count in bars if len(bars) > 1 else ():
        inside = sum(low - 1e-9 <= value < high - 1e-9 for value in values)
        assert inside == count


def test_a_number_just_below_an_edge_stays_below_it():
    """Also when it comes after the bins have become wide: a cent below 100,000 is not 100,000."""
    histogram = Histogram()
    histogram.add(np.array([-1e6, 1e6]), np.array([1, 1]))
    histogram.add(np.array([99_999.99, 100_000.0]), np.array([1, 1]))
    assert [(0, 1), (100_000, 1)] == [(low, count) for low, _, count in histogram.result() if 0 <= low <= 100_000]


def test_whole_numbers_have_no_bins_between_them():
    histogram = Histogram()
    histogram.add(np.arange(5, dtype=np.float64), np.full(5, 2))
    assert [(n, n + 1, 2) for n in range(5)] == histogram.result()


def test_one_number_is_one_bin():
    histogram = Histogram()
    histogram.add(np.array([7.25]), np.array([3]))
    assert [count for _, _, count in histogram.result()] == [3]
    assert (histogram.low, histogram.high) == (7.25, 7.25)


def test_nothing_added_is_nothing_shown():
    assert Histogram().result() == []
    assert TopCounter().top(3) == []
    assert DistinctCounter().count == 0
    assert isinstance(TopCounter().content, Counted)
