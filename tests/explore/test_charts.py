"""Which chart a result asks for, and the values it is drawn from."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from ingest_core.errors import InputError
from ingest_core.explore.charts import chart_values, suggest_chart
from ingest_core.explore.notebooks import Chart
from ingest_core.explore.result import Result, told_apart
from ingest_core.explore.sandbox import Raw


def suggested(asked, sql: str) -> dict[str, str]:
    return suggest_chart(asked.run(sql)).model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("sql", "chart"),
    [
        ("SELECT city, count(*) AS n FROM file GROUP BY city", {"kind": "bar", "x": "city", "y": "n"}),
        ("SELECT count(*) AS n, city FROM file GROUP BY city", {"kind": "bar", "x": "city", "y": "n"}),
        ("SELECT city, crmid, line FROM file", {"kind": "bar", "x": "city", "y": "line", "colour": "crmid"}),
        ("SELECT signed_up, sum(amount) AS a FROM typed GROUP BY 1", {"kind": "line", "x": "signed_up", "y": "a"}),
        (
            "SELECT city, signed_up, amount FROM typed",
            {"kind": "line", "x": "signed_up", "y": "amount", "colour": "city"},
        ),
        ("SELECT amount FROM typed", {"kind": "histogram", "x": "amount"}),
        ("SELECT city FROM typed", {"kind": "histogram", "x": "city"}),
        ("SELECT i % 7 AS a, i AS b FROM range(50) r(i)", {"kind": "scatter", "x": "a", "y": "b"}),
        ("SELECT i AS a, i * i AS b FROM range(50) r(i)", {"kind": "line", "x": "a", "y": "b"}),
        ("SELECT i > 2 AS late, i FROM range(5) r(i)", {"kind": "bar", "x": "late", "y": "i"}),
        ("SELECT count(*) FROM file", {"kind": "none"}),
        ("SELECT city, email FROM file", {"kind": "none"}),
        ("SELECT * FROM file WHERE false", {"kind": "none"}),
        ("SELECT 1, 2, 3, 4, 5, 6, i FROM range(9) r(i)", {"kind": "none"}),
        ("SELECT [i] AS list FROM range(9) r(i)", {"kind": "none"}),
        ("SELECT NULL AS a, NULL AS b FROM range(9)", {"kind": "none"}),
    ],
)
def test_a_chart_is_suggested_by_the_kinds_of_the_columns(asked, sql, chart):
    assert suggested(asked, sql) == chart


def test_values_are_plain(asked):
    result = asked.run("SELECT city, signed_up, amount, sum(amount) OVER () AS s FROM typed ORDER BY line")
    found = chart_values(result, Chart(kind="line", x="signed_up", y="amount", colour="city"))
    assert found == {
        "x": ["2027-01-05", "2027-01-16", "2027-02-17", "2027-02-18"],
        "y": [10.5, 7.0, None, 0.25],
        "colour": ["Pune", "Goa", "Pune", "Oslo"],
    }
    assert all(isinstance(value, float | None) for value in found["y"])
    assert chart_values(result, Chart()) == {}
    with pytest.raises(InputError) as caught:
        chart_values(result, Chart(kind="bar", x="gone"))
    assert caught.value.code == "no_such_column"


def test_values_of_every_type_become_json(asked):
    answer = asked.run(
        "SELECT 'infinity'::DATE, DATE '12000-01-31', TIMESTAMP '2027-01-31 06:00:00.5', now() IS NULL, 'nan'::DOUBLE, "
        "1.10::DECIMAL(9, 2), 170141183460469231731687303715884105727::HUGEINT, "
        "12345678901234567890.123::DECIMAL(38, 3), "
        "[1, 2], ['a', NULL], {'a': 1}, map {'k': 1}, uuid() IS NULL, INTERVAL 1 DAY, '\\x00'::BLOB, TIME '06:00', "
        "'101'::BIT, NULL, true, 'a'::ENUM ('a'), [[1]], 18446744073709551615::UBIGINT"
    ).as_json()
    assert answer["rows"] == [
        [
            "<value out of range: 2147483647>", "12000-01-31", "2027-01-31T06:00:00.500000", False, "nan", 1.1,
            "170141183460469231731687303715884105727", "12345678901234567890.123", [1, 2], ["a", None], "{'a': 1}",
            "{k=1}", False, "1 day", "\\x00", "06:00:00", "101", None, True, "a", "[[1]]", 18446744073709551615,
        ]
    ]  # fmt: skip


def test_whole_sums_are_whole_numbers(asked):
    result = asked.run("SELECT sum(line) AS s, sum(line) * 1000000000000000000000 AS t FROM file")
    assert [str(kind) for kind in result.table.schema.types] == ["int64", "decimal128(38, 0)"]
    assert result.as_json()["rows"] == [[15, 15 * 10**21]]


def test_equal_names_are_told_apart(asked):
    answer = asked.run("SELECT 1 AS a, 2 AS A, 3 AS a, 4 AS a_2")
    assert [column.name for column in answer.columns] == ["a", "A_2", "a_3", "a_2_2"]
    assert answer.is_renamed
    assert told_apart(["a", "b", "a"]) == ["a", "b", "a_2"]
    assert not asked.run("SELECT 1 AS a").is_renamed


def test_infinite_numbers_are_words():
    raw = Raw(pa.table({"r0": [math.inf, -math.inf, 1.0]}), ("x",), ("DOUBLE",), False, 0.0)
    assert Result.of(raw).as_json()["rows"] == [["inf"], ["-inf"], [1.0]]
