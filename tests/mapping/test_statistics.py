"""Column statistics of small tables: types, extremes, bars, evidence; the same however the rows are cut."""

import random

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.files import repair_names
from ingest_core.mapping.evidence import percent
from ingest_core.mapping.statistics import TableCollector
from ingest_core.models import TypeContext

fake = Faker(["en_GB", "de_DE"])
fake.seed_instance(7)


def one(statistics_of, values, name="x", **options):
    return statistics_of({name: values}, **options).columns[0]


@pytest.mark.parametrize(
    ("values", "type_name"),
    [
        (["anna@example.com", "b.c@example.org", "d@example.net"], "email"),
        (["+442079460018", "+4915112345678", "+919876544412"], "phone"),
        (["2024-01-31", "2024-02-01", "1999-12-31"], "date"),
        (["20240131", "20240201", "19991231"], "date"),
        (["31/01/2024", "01/02/2024"], "date"),
        (["2024-01-31 08:00", "2024-02-01T09:30:00Z"], "datetime"),
        (["1", "22", "-3"], "integer"),
        (["1.5", "22", "-3.25"], "number"),
        (["12,50", "7,1"], "number"),
        (["yes", "no", "yes"], "boolean"),
        (["0", "1", "1"], "boolean"),
        (["1", "1", "1"], "integer"),
        (["https://example.com/a", "http://example.org"], "url"),
        (["EUR", "GBP", "USD"], "currency"),
        (["Germany", "France", "India"], "country"),
        (["01067", "80331", "20095"], "string"),
        (["", "", ""], "string"),
        (["Anna", "Boris"], "string"),
    ],
)
def test_the_type_is_what_the_values_look_like(statistics_of, values, type_name):
    assert type_name == one(statistics_of, values).type


def test_a_column_with_some_bad_values_keeps_its_type_and_says_how_many(statistics_of):
    values = [fake.unique.email() for _ in range(95)] + [f"not an address {n}" for n in range(5)]
    column = one(statistics_of, values)
    assert (column.type, column.evidence) == ("email", "95 % of 100 values are e-mail addresses")
    assert column.fits["email"] == 0.95


def test_evidence_never_rounds_up_to_all():
    assert [percent(share) for share in (0.99999, 1.0, 0.987, 0.0)] == ["99.9 %", "100 %", "98.7 %", "0 %"]


def test_numbers_have_extremes_by_value_and_text_by_letter(statistics_of):
    table = statistics_of({"n": ["9", "10", "-2", "2.50"], "t": ["b", "a10", "a9", "c"]})
    assert [(column.min, column.max) for column in table.columns] == [("-2", "10"), ("a10", "c")]


def test_dates_have_extremes_and_bars_by_calendar(statistics_of):
    column = one(statistics_of, ["31/12/2023", "01/02/2024", "15/02/2024", "28/02/2024"])
    assert (column.min, column.max) == ("2023-12-31", "2024-02-28")
    assert [(b.label, b.count) for b in column.histogram] == [("2023-12", 1), ("2024-01", 0), ("2024-02", 3)]


def test_few_texts_are_shown_one_by_one_and_many_by_length(statistics_of):
    few = one(statistics_of, ["gold", "basic", "gold"])
    many = one(statistics_of, [f"name {n}" for n in range(40)])
    assert [(b.label, b.count) for b in few.histogram] == [("gold", 2), ("basic", 1)]
    assert [(b.label, b.count) for b in many.histogram] == [("6", 10), ("7", 30)]


def test_shares_count_cells_of_white_space_as_empty(statistics_of):
    column = one(statistics_of, ["a", " ", "", None])
    assert (column.filled, column.distinct, column.examples) == (0.25, 1, ("a",))


def test_an_empty_table_has_statistics_too(statistics_of):
    column = one(statistics_of, [])
    assert (
        column.filled,
        column.distinct,
        column.min,
        column.histogram,
        column.evidence,
    ) == (0.0, 0, None, (), "No values")


@pytest.mark.parametrize("name", ["email", "Vorname", "customer_surname", "street", "dob", "iban"])
def test_a_header_can_say_that_a_column_is_personal(statistics_of, name):
    assert one(statistics_of, ["x", "y"], name=name).pii


@pytest.mark.parametrize("name", ["city", "amount", "x"])
def test_other_headers_do_not(statistics_of, name):
    assert not one(statistics_of, ["x", "y"], name=name).pii


def test_values_can_say_that_a_column_is_personal(statistics_of):
    assert one(statistics_of, ["+442079460018", "+4915112345678"]).pii


cell = st.sampled_from(["", "7", "007", "1.234", "1,234", "03/04/2024", "13/04/2024", "a@b.de", "+442079460018", "yes"])


@settings(deadline=None, max_examples=60)
@given(st.lists(cell, min_size=1, max_size=30), st.integers(1, 10))
def test_statistics_do_not_depend_on_how_the_rows_are_cut(values, cut):
    import pyarrow as pa

    results = []
    for size in (len(values), cut):
        collector = TableCollector(["x"], repair_names(["x"]), TypeContext())
        for start in range(0, len(values), size):
            collector.add(pa.table({"c0": pa.array(values[start : start + size], pa.string())}))
        results.append(collector.finish())
    assert results[0] == results[1]


def test_a_long_column_is_judged_by_all_of_its_values(statistics_of):
    """Past 20,000 different values formats that fit nothing are given up; the deciding value may come last."""
    random.seed(5)
    ambiguous = [
        f"{random.randint(1, 12):02d}/{random.randint(1, 12):02d}/{random.randint(1000, 2999)}" for _ in range(60_000)
    ]
    open_question = one(statistics_of, ambiguous, cut=20_000)
    decided = one(statistics_of, [*ambiguous, "13/01/2000"], cut=20_000)
    assert (open_question.questions, open_question.formats.get("date")) == (("ambiguous_date",), None)
    assert (decided.questions, decided.formats["date"]) == ((), "DD/MM/YYYY")
    assert decided.evidence == "All 60,001 values are dates"


def test_many_different_values_are_estimated_and_say_so(statistics_of):
    column = one(statistics_of, [f"C{n:07d}" for n in range(120_000)], cut=50_000)
    assert not column.is_distinct_exact
    assert column.distinct == pytest.approx(120_000, rel=0.02)
    assert column.top == ()
