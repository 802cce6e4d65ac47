"""Presets and rules lead to each other."""

from __future__ import annotations

from datetime import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.arrivals.presets import Preset, Times, times_of
from ingest_core.arrivals.schedule import Rules


@given(
    st.sampled_from(get_args(Preset)), st.times().map(lambda at: time(at.hour, at.minute)), st.integers(0, 6),
    st.integers(1, 44_640),
)  # fmt: skip
def test_a_choice_that_is_kept_is_the_choice_that_is_shown_again(preset, at, weekday, minutes):
    chosen = Times(preset, at, weekday, minutes, cron="*/7 1-3 * 2 *")
    rules = Rules(place="x", **chosen.fields())
    assert times_of(rules).fields() == chosen.fields()


@pytest.mark.parametrize("cron", ["0 6 1 * *", "*/5 * * * *", "0 6 * * 1,3", "0 6 * 3 *"])
def test_an_expression_without_a_preset_stays_one(cron):
    assert times_of(Rules(place="x", cron=cron)) == Times("cron", cron=cron)
