from __future__ import annotations

import pytest

from ingest_core.mapping.types import data_type


@pytest.mark.parametrize(
    ("fmt", "text", "expected"),
    [
        (None, "2024-03-31T10:11:12", "2024-03-31 10:11:12"),
        (None, "2024-03-31 10:11", "2024-03-31 10:11:00"),
        (None, "2024-03-31", "2024-03-31 00:00:00"),
        (None, "2024-03-31T10:11:12Z", "2024-03-31 10:11:12"),
        (None, "2024-03-31 10:11:12 UTC", "2024-03-31 10:11:12"),
        (None, "2024-03-31T10:11:12+05:30", "2024-03-31 04:41:12"),
        (None, "2024-03-31T10:11:12-0800", "2024-03-31 18:11:12"),
        (None, "2024-01-01T00:30:00+01", "2023-12-31 23:30:00"),
        (None, "2024-03-31 10:11:12.500", "2024-03-31 10:11:12.5"),
        (None, "2024-03-31 10:11:12.000", "2024-03-31 10:11:12"),
        (None, "2024-03-31 10:11:12.1234569", "2024-03-31 10:11:12.123456"),
        (None, "1960-03-31 10:11:12.25", "1960-03-31 10:11:12.25"),
        (None, "2024-03-31 12:00 AM", "2024-03-31 00:00:00"),
        (None, "2024-03-31 12:00 PM", "2024-03-31 12:00:00"),
        ("DD/MM/YYYY HH:MM", "31/03/2024 1:05 pm", "2024-03-31 13:05:00"),
        ("MM/DD/YYYY HH:MM", "3/31/2024, 23:59:59", "2024-03-31 23:59:59"),
        ("DD Mon YYYY HH:MM", "31-Mar-2024 08:00", "2024-03-31 08:00:00"),
    ],
)
def test_moments_become_utc_when_their_offset_is_known(convert, fmt, text, expected):
    assert convert("datetime", [text], fmt) == [(expected, None)]


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-31 10:00",
        "2024-03-31 24:00",
        "2024-03-31 10:60",
        "2024-03-31 23:59:60",
        "2024-03-31 13:00 PM",
        "10:00",
        "2024-03-31 0:00 AM",
        "9999-12-31T23:59:59-01:00",
        "1000-01-01T00:00:00+01:00",
        "2024-03-31T10:11:12+19:00",
        "2024-03-31T10:11:12 CET",
        "31/03/2024 10:00",
        "2024-03-31  10:00",
        "١٠:٠٠",
    ],
)
def test_moments_that_do_not_exist_are_refused(convert, text):
    assert convert("datetime", [text]) == [(None, "not_a_datetime")]


def test_masks_show_the_year_only():
    assert data_type("datetime").mask("1990-05-17 08:30:00") == "•• ••• 1990 ••:••"
    assert data_type("datetime").mask("yesterday") == "•••"
