from __future__ import annotations

import pyarrow as pa
import pytest

from ingest_core.mapping.types import data_type


@pytest.mark.parametrize(
    ("fmt", "text", "expected"),
    [
        (None, "2024-02-29", "2024-02-29"),
        (None, "2024-3-1", "2024-03-01"),
        (None, "2024-03-01T00:00:00", "2024-03-01"),
        (None, "2024-03-01 00:00:00.000", "2024-03-01"),
        (None, "1000-01-01", "1000-01-01"),
        (None, "9999-12-31", "9999-12-31"),
        ("DD/MM/YYYY", "31/03/2024", "2024-03-31"),
        ("DD/MM/YYYY", "1/2/2024", "2024-02-01"),
        ("MM/DD/YYYY", "1/2/2024", "2024-01-02"),
        ("DD.MM.YYYY", "31.03.2024", "2024-03-31"),
        ("DD-MM-YYYY", "31-03-2024", "2024-03-31"),
        ("MM-DD-YYYY", "03-31-2024", "2024-03-31"),
        ("YYYYMMDD", "20240331", "2024-03-31"),
        ("YYYY/MM/DD", "2024/03/31", "2024-03-31"),
        ("YYYY.MM.DD", "2024.03.31", "2024-03-31"),
        ("DD Mon YYYY", "31 Mar 2024", "2024-03-31"),
        ("DD Mon YYYY", "31-MAR-2024", "2024-03-31"),
        ("DD Mon YYYY", "1 september 2024", "2024-09-01"),
        ("Mon DD, YYYY", "March 31, 2024", "2024-03-31"),
        ("Mon DD, YYYY", "Sept. 1 2024", "2024-09-01"),
        ("DD/MM/YY", "01/02/68", "2068-02-01"),
        ("DD/MM/YY", "01/02/69", "1969-02-01"),
        ("MM/DD/YY", "01/02/99", "1999-01-02"),
        ("DD.MM.YY", "31.12.00", "2000-12-31"),
        ("YY-MM-DD", "24-03-31", "2024-03-31"),
        ("DD Mon YY", "31-Mar-24", "2024-03-31"),
    ],
)
def test_days_become_iso(convert, fmt, text, expected):
    assert convert("date", [text], fmt) == [(expected, None)]


@pytest.mark.parametrize(
    ("fmt", "text"),
    [
        (None, "2024-02-31"),
        (None, "2023-02-29"),
        (None, "1900-02-29"),
        (None, "2024-13-01"),
        (None, "2024-00-10"),
        (None, "2024-01-00"),
        (None, "0999-12-31"),
        (None, "10000-01-01"),
        (None, "31/03/2024"),
        (None, "2024-03-01T00:00:01"),
        (None, "2024-03-01T08:00:00"),
        (None, "٢٠٢٤-٠٣-٠١"),
        (None, "2024-03-01\n2"),
        (None, "45000"),
        ("DD/MM/YYYY", "13/13/2024"),
        ("DD/MM/YYYY", "12/31/2024"),
        ("DD/MM/YYYY", "1/2/24"),
        ("DD/MM/YY", "1/2/2024"),
        ("DD Mon YYYY", "31 Foo 2024"),
        ("DD Mon YYYY", "1 \u017fep 2024"),
        ("YYYYMMDD", "2024033"),
    ],
)
def test_days_the_calendar_or_the_format_does_not_have_are_refused(convert, fmt, text):
    assert convert("date", [text], fmt) == [(None, "not_a_date")]


def test_candidates_leave_the_ambiguous_column_to_the_person():
    counts = data_type("date").candidates(pa.array(["01/02/2024", "03/04/2024", "03/04/2024", None]))
    assert (counts["DD/MM/YYYY"], counts["MM/DD/YYYY"], counts["YYYY-MM-DD"]) == (3, 3, 0)


def test_candidates_find_the_one_order_that_fits_all_values():
    counts = data_type("date").candidates(pa.array(["01/02/2024", "13/02/2024"]))
    assert (counts["DD/MM/YYYY"], counts["MM/DD/YYYY"]) == (2, 1)


def test_the_example_of_each_format_fits_it(convert):
    for name in ("date", "datetime"):
        for known in data_type(name).formats:
            [(text, code)] = convert(name, [known.example], known.value)
            assert code is None, known
            assert text.startswith("2024-03-31"), known


def test_masks_show_the_year_only():
    assert data_type("date").mask("1990-05-17") == "•• ••• 1990"
    assert data_type("date").mask("17.5.1990") == "•••"
