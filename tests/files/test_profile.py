"""Column profiles against a plain computation."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.files.profile import CLIP, ColumnProfile
from ingest_core.files.sketch import TopCounter

cells = st.none() | st.text(st.sampled_from("ab7é \t"), max_size=4)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(cells), st.integers(1, 8), st.booleans(), st.integers(1, 9))
def test_a_profile_equals_a_plain_computation_however_the_column_is_cut(values, cut, is_long, gathered):
    profile = ColumnProfile()
    profile.gathered = gathered
    if is_long:
        profile.top = TopCounter(limit=2, kept=100)
    handed: Counter[str] = Counter()

    def take(counted):
        handed.update(dict(zip(counted.values.to_pylist(), counted.counts.tolist(), strict=True)))

    for start in range(0, len(values), cut):
        take(profile.add(pa.array(values[start : start + cut], pa.string())))
    take(profile.finish())
    filled = [value.strip() for value in values if value and value.strip()]
    assert (len(values), len(filled)) == (profile.rows, profile.filled)
    assert Counter(filled) == handed
    assert len(set(filled)) == profile.distinct.count
    assert (min(filled, default=None), max(filled, default=None)) == (profile.low, profile.high)
    assert list(dict.fromkeys(filled))[:5] == profile.examples
    assert sorted(Counter(map(len, filled)).values()) == sorted(n for _, _, n in profile.lengths.result() if n)


def test_values_are_handed_out_once_while_few_and_as_they_come_when_many():
    profile = ColumnProfile()
    profile.top, profile.gathered = TopCounter(limit=2, kept=5), 2
    assert len(profile.add(pa.array(["a", "b", "a"])).values) == 0
    assert len(profile.add(pa.array(["c"])).values) == 0
    assert profile.add(pa.array(["a", "d"])).values.to_pylist() == ["a", "b", "c", "d"]
    assert profile.add(pa.array(["a", "e", "f", "g"])).values.to_pylist() == ["a", "e", "f", "g"]
    assert profile.add(pa.array(["a"])).values.to_pylist() == []
    assert profile.finish().values.to_pylist() == ["a"]


def test_the_columns_of_a_wide_table_share_their_space():
    """What 5,000 columns of different values hold together does not grow with their rows."""
    values = pa.array([f"value {number:06d}" for number in range(40_000)])
    wide, narrow = ColumnProfile(5_000), ColumnProfile(11)
    for start in range(0, len(values), 100):
        wide.add(values.slice(start, 100))
        narrow.add(values.slice(start, 100))
    wide.finish()
    narrow.finish()
    assert (narrow.distinct.is_exact, narrow.distinct.count) == (True, 40_000)
    assert (wide.distinct.is_exact, wide.distinct.count) == (False, pytest.approx(40_000, rel=0.1))
    assert wide.top.content.values.nbytes <= 1 << 16


def test_long_texts_are_kept_short():
    profile = ColumnProfile()
    profile.add(pa.array(["x" * 500]))
    profile.finish()
    assert (profile.low, profile.examples) == ("x" * CLIP, ["x" * CLIP])
