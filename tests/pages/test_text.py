"""Numbers, sizes and times as people read them; foreign text is never interpreted."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.ui import text

NOW = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001  the core's times are UTC without a zone


@pytest.mark.parametrize(
    ("share", "shown"),
    [(None, "–"), (0.0, "0 %"), (0.00001, "< 0.01 %"), (0.0053, "0.53 %"), (0.046, "4.6 %"), (0.187, "19 %"),
     (0.9999, "> 99.9 %"), (1.0, "100 %")],
)  # fmt: skip
def test_percent_never_rounds_something_to_nothing_or_nearly_all_to_all(share, shown):
    assert text.percent(share) == shown


@pytest.mark.parametrize(("value", "shown"), [(1204, "+1,204"), (-3, "-3"), (0, "0")])
def test_a_change_has_its_sign(value, shown):
    assert text.change(value) == shown


@pytest.mark.parametrize(
    ("bytes_", "shown"), [(1, "1 byte"), (999, "999 bytes"), (38_200_000, "38.2 MB"), (40_000_000, "40 MB")]
)
def test_size(bytes_, shown):
    assert text.size(bytes_) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.31, "0.3 s"), (48, "48 s"), (131, "2 min 11 s"), (7265, "2 h 1 min")])
def test_seconds(value, shown):
    assert text.seconds(value) == shown


@pytest.mark.parametrize(
    ("passed", "shown"),
    [(timedelta(seconds=5), "just now"), (timedelta(minutes=1), "1 minute ago"), (timedelta(hours=5), "5 hours ago"),
     (timedelta(days=3), "3 days ago"), (timedelta(days=40), "13 Oct 2026")],
)  # fmt: skip
def test_relative_times(passed, shown):
    assert text.ago(NOW - passed, NOW) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [(None, "22 Nov 2026, 12:00 UTC"), ("Asia/Kolkata", "22 Nov 2026, 17:30"), ("No/Where", "22 Nov 2026, 12:00 UTC")],
)
def test_exact_times_follow_the_zone_of_the_browser(zone, shown):
    assert text.exact_time(NOW, zone) == shown


@pytest.mark.parametrize(
    "hostile",
    ["![x](http://evil/x.png)", "[click](http://evil)", ":red[x]", ":material/home:", ":tada:", "$x$", "<b>x</b>",
     "https://evil.example", "www.evil.example", "# title", "a\nb", "`code`", "**bold**", "a@b.example"],
)  # fmt: skip
def test_foreign_text_keeps_nothing_that_markdown_would_act_on(hostile):
    safe = text.escape(hostile)
    assert "\n" not in safe
    plain = safe.replace("\\", "").replace("\u2060", "")
    assert plain == " ".join(hostile.split())
    assert not re.search(r"(?<!\\)[`*\[\]()!:$<>#]", safe)


@given(st.text())
def test_escaped_text_says_the_same(words):
    shown = text.escape(words).replace("\u2060", "")
    unescaped = text._SPECIAL.sub(lambda found: found.group(0), shown)
    assert unescaped.replace("\\", "") == " ".join(words.split()).replace("\\", "").replace("\u2060", "")


def test_a_hostile_source_name_shows_as_it_is(tmp_path):
    def script():
        import streamlit as st

        from pages.ui.text import escape

        st.title(escape("![x](http://evil/x.png) *a*"))

    page = AppTest.from_function(script).run()
    assert page.title[0].value == "\\!\\[x\\]\\(http\\:\u2060//evil/x\\.png\\) \\*a\\*"
