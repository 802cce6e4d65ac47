"""Column profiles against a plain computation."""

from collections import Counter

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.files.profile import CLIP, ColumnProfile
from ingest_core.files.sketch import TopCounter

cells = st.none() | st.text(st.sampled_from("ab7é \t"), max_size=4)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(cells), st.integers(1, 8), st.booleans())
def test_a_profile_equals_a_plain_computation_however_the_column_is_cut(values, cut, is_long):
    profile = ColumnProfile()
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
    profile.top = TopCounter(limit=2, kept=5)
    assert len(profile.add(pa.array(["a", "b", "a"])).values) == 0
    assert profile.add(pa.array(["c"])).values.to_pylist() == ["a", "b", "c"]
    assert profile.add(pa.array(["a"])).values.to_pylist() == ["a"]
    assert len(profile.finish().values) == 0


def test_long_texts_are_kept_short():
    profile = ColumnProfile()
    profile.add(pa.array(["x" * 500]))
    assert (profile.low, profile.examples) == ("x" * CLIP, ["x" * CLIP])
