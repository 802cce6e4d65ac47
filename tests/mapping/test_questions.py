"""What the values leave open is asked, never guessed."""

import json

import pytest


def problems_of(statistics_of, values, name="x", **options):
    table = statistics_of({name: values}, **options)
    return {problem.code: problem for problem in table.problems}, table.columns[0]


def test_dates_that_fit_both_ways_are_a_question(statistics_of):
    problems, column = problems_of(statistics_of, ["03/04/2024", "05/06/2024", "07/07/2024"], name="dob")
    question = problems["ambiguous_date"]
    assert [(option["value"], option["label"], option["fits"]) for option in question.options] == [
        ("DD/MM/YYYY", "Day/month/year: 03/04/2025 is 3 April 2025", 3),
        ("MM/DD/YYYY", "Month/day/year: 03/04/2025 is 4 March 2025", 3),
    ]
    assert (question.column, column.questions) == ("dob", ("ambiguous_date",))
    assert "date" not in column.formats


def test_one_value_is_enough_to_decide(statistics_of):
    problems, column = problems_of(statistics_of, ["03/04/2024", "05/06/2024", "25/06/2024"])
    assert (problems, column.formats["date"]) == ({}, "DD/MM/YYYY")


def test_values_for_both_sides_are_a_question_with_their_counts(statistics_of):
    values = ["03/04/2024", "25/06/2024", "26/06/2024", "06/27/2024"]
    problems, _ = problems_of(statistics_of, values * 3 + ["01/02/2024"] * 30)
    assert [option["fits"] for option in problems["ambiguous_date"].options] == [39, 36]


def test_a_lone_slip_does_not_make_a_question(statistics_of):
    values = [f"{day:02d}/06/2024" for day in range(1, 31)] + ["06/30/2024"]
    problems, column = problems_of(statistics_of, values)
    assert (problems, column.formats["date"]) == ({}, "DD/MM/YYYY")


def test_two_digit_years_offer_every_reading(statistics_of):
    problems, _ = problems_of(statistics_of, ["03-04-05", "01-02-03"])
    options = problems["ambiguous_date"].options
    assert {"DD-MM-YY", "MM-DD-YY", "YY-MM-DD"} == {option["value"] for option in options}
    assert all(option["label"].split(" is ")[1] for option in options)


def test_moments_that_fit_both_ways_are_a_question(statistics_of):
    problems, column = problems_of(statistics_of, ["03/04/2024 10:00", "05/06/2024 11:30"])
    labels = [option["label"] for option in problems["ambiguous_date"].options]
    assert column.type == "datetime"
    assert labels[0].endswith("03/04/2025 is 3 April 2025")


@pytest.mark.parametrize("values", [["1.234", "5.678"], ["1,234", "5,678"]])
def test_numbers_that_read_differently_are_a_question(statistics_of, values):
    problems, column = problems_of(statistics_of, values)
    assert {".", ","} == {option["value"] for option in problems["ambiguous_decimal"].options}
    assert (column.type, column.questions) == ("number", ("ambiguous_decimal",))
    assert not {"number", "integer"} & set(column.formats)


@pytest.mark.parametrize(
    ("values", "sign"),
    [
        (["1.234", "5.67"], "."),
        (["1.234,50", "7,10"], ","),
        (["1234", "5678"], "."),
        (["1,234", "5,678.90"], "."),
        (["1.234", "1.234.567"], ","),
    ],
)
def test_numbers_that_show_their_sign_are_none(statistics_of, values, sign):
    problems, column = problems_of(statistics_of, values)
    assert ({}, sign) == (problems, column.formats["number"])


def test_national_phone_numbers_need_a_country(statistics_of):
    values = ["9876544412", "9876544413", "9876544414"]
    problems, column = problems_of(statistics_of, values, name="mobile")
    assert "3 of 3" in problems["phone_country_needed"].message
    assert (column.type, column.questions, column.pii) == ("phone", ("phone_country_needed",), True)
    problems, column = problems_of(statistics_of, values, name="mobile", country="IN")
    assert (problems, column.type, column.fits["phone"]) == ({}, "phone", 1.0)


def test_plain_numbers_are_no_phones_without_a_header_that_says_so(statistics_of):
    problems, column = problems_of(statistics_of, ["9876544412", "9876544413"], name="order")
    assert (problems, column.type) == ({}, "integer")


def test_a_few_national_numbers_are_told_but_are_no_question(statistics_of):
    values = [f"+9198765444{n:02d}" for n in range(20)] + ["9876544499"]
    problems, column = problems_of(statistics_of, values, name="phone")
    assert "1 of 21" in problems["phone_country_needed"].message
    assert column.questions == ()


def test_phones_damaged_by_a_spreadsheet_are_counted(statistics_of):
    values = ["9.19877E+11"] * 3 + [f"+9198765444{n:02d}" for n in range(20)]
    problems, _ = problems_of(statistics_of, values, name="phone")
    assert "3 of 23" in problems["spreadsheet_damage"].message


def test_no_problem_quotes_a_cell(statistics_of):
    values = {
        "phone": ["9876544412", "9.19877E+11", "not a phone"],
        "dob": ["03/04/1984", "05/06/1991", "07/08/1979"],
        "amount": ["8.431", "7.917", "6.555"],
    }
    written = json.dumps([problem.model_dump() for problem in statistics_of(values).problems])
    assert len(json.loads(written)) == 4
    for cells in values.values():
        for value in cells:
            assert value not in written
