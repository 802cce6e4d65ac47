"""Inspections of small files: what they are, what is wrong with them, what they could be mapped to."""

import time
from pathlib import Path

import pytest

from ingest_core.errors import FileError
from ingest_core.files import receive
from ingest_core.mapping.inspect import inspect_file
from ingest_core.mapping.rules import check_mapping
from ingest_core.mapping.suggest import suggest_mapping
from ingest_core.models import ColumnMapping, FileLimits, Mapping, SourceSettings

LIMITS = FileLimits()
PEOPLE = "cust_id\temail\tcity\n" + "".join(f"C{n:03d}\tp{n}@example.com\tLeeds\n" for n in range(30))
CORPORA = Path(__file__).parents[3] / "shared" / "corpora"


@pytest.fixture
def inspected(file_of, attributes):
    def make(text, former=(), settings=None, **options):
        name = options.pop("name", "people.tsv")
        return inspect_file(file_of(text, name), attributes, former, settings, limits=LIMITS, **options)

    return make


def codes(inspection):
    return [problem.code for problem in inspection.problems]


def test_a_good_file_is_described_completely(inspected):
    found = inspected(PEOPLE)
    assert (found.file, found.size, len(found.sha256)) == ("people.tsv", len(PEOPLE), 64)
    assert (found.encoding, found.delimiter, found.quoting, found.line_end) == ("utf-8", "\t", False, "LF")
    assert (found.has_header, found.header_line, found.is_complete) == (True, 1, True)
    assert (found.lines, found.physical_lines, found.rows, found.blank, found.rejected) == (30, 31, 30, 0, 0)
    assert [column.suggestion.attribute for column in found.columns] == ["crmid", "email", "city"]
    assert [column.pii for column in found.columns] == [False, True, False]
    assert (found.problems, found.notices) == ((), ())


def test_every_line_is_accounted_for_and_bad_ones_are_told_by_reason(inspected):
    found = inspected(PEOPLE + "C100\n\nC101\ta@b.de\tYork\textra\textra\n")
    assert found.lines == found.rows + found.blank + found.rejected == 33
    assert found.rejects_by_reason == {"missing_cell": 1, "extra_cell": 1}
    assert codes(found) == ["missing_cell", "extra_cell"]
    assert found.problems[0].message.startswith("1 of 33 lines: too few cells")


def test_names_that_break_the_header_rules_are_problems_with_repairs(inspected):
    found = inspected("cust id\tE-Mail\temail\tEMAIL\t\n" + "1\ta@b.de\tc@d.de\te@f.de\tx\n")
    assert codes(found) == ["header_space", "header_hyphen", "header_duplicate", "header_empty"]
    assert [column.repaired for column in found.columns] == ["cust_id", "E_Mail", "email", "EMAIL_2", "column_5"]


def test_a_header_without_rows_is_a_problem(inspected):
    found = inspected("cust_id\temail\tcity\n", has_header=True)
    assert (found.rows, codes(found)) == (0, ["no_rows"])
    assert [column.suggestion.confidence < 0.9 for column in found.columns] == [True] * 3


@pytest.mark.parametrize("text", ["", "\n\n\n"])
def test_a_file_without_any_table_is_an_error(inspected, text):
    with pytest.raises(FileError) as caught:
        inspected(text)
    assert caught.value.code == "empty_file"


def test_csv_is_converted_with_a_notice(inspected):
    found = inspected(PEOPLE.replace("\t", ","), name="people.csv")
    assert (found.delimiter, found.quoting) == (",", True)
    assert found.notices == ("Converted: the file is comma separated, not by tabs.",)


def test_the_phone_country_of_the_source_settles_the_question(inspected):
    text = "phone\tcity\n" + "".join(f"98765444{n:02d}\tPune\n" for n in range(12))
    assert codes(inspected(text)) == ["phone_country_needed"]
    settled = inspected(text, settings=SourceSettings(phone_country="IN"))
    assert codes(settled) == []
    assert settled.columns[0].suggestion.confidence >= 0.9


def test_purchases_look_like_events(inspected):
    rows = "".join(f"C{n % 7:03d}\t{n}.50\n" for n in range(30))
    found = inspected("cust_id\ttotal\n" + rows)
    problem = found.problems[0]
    assert (problem.code, problem.column) == ("looks_like_events", "cust_id")
    assert "23 of 30 rows" in problem.message
    assert [option["value"] for option in problem.options] == ["sum", "count"]


def test_a_fifth_of_repeated_rows_is_not_yet_a_list_of_events(inspected):
    rows = "".join(f"C{n % 24:03d}\t{n}.50\n" for n in range(30))
    assert codes(inspected("cust_id\ttotal\n" + rows)) == []


def test_the_best_identifier_decides_about_events(inspected):
    rows = "".join(f"C{n:03d}\thome{n % 3}@example.com\n" for n in range(30))
    assert codes(inspected("cust_id\temail\n" + rows)) == []


def test_the_head_alone_says_the_same_about_a_short_file(inspected):
    whole, first = inspected(PEOPLE), inspected(PEOPLE, head_only=True)
    assert (first.is_complete, first.sha256, first.line_end) == (False, None, "unknown")
    assert first.columns == whole.columns
    assert (first.rows, first.lines, first.physical_lines) == (30, 30, 31)


def test_facts_that_are_known_are_not_taken_again(file_of, attributes):
    source = file_of(PEOPLE)
    phases = []
    facts = receive(source, LIMITS)
    for head_only in (False, True):
        found = inspect_file(
            source,
            attributes,
            limits=LIMITS,
            facts=facts,
            head_only=head_only,
            progress=lambda phase, done, total: phases.append(phase),
        )
        assert (found.sha256, found.line_end) == (facts.sha256, "LF")
    assert set(phases) == {"read"}


def test_the_head_of_a_long_file_takes_no_longer(file_of, attributes):
    header = "\t".join(f"column{n}" for n in range(11))
    row = "\t".join(["Anna", "a@b.de", "+442079460018", "2024-01-31", "1.50", "7", "yes", "Leeds", "GB", "x", "y"])
    source = file_of(f"{header}\n" + f"{row}\n" * 400_000)
    inspect_file(source, attributes, limits=LIMITS, head_only=True)
    start = time.perf_counter()
    found = inspect_file(source, attributes, limits=LIMITS, head_only=True)
    assert time.perf_counter() - start < 1
    assert not found.is_complete


def test_a_suggested_mapping_can_be_used_as_it_is(inspected, attributes):
    text = "cust id\tdob\tamount\n" + "C1\t31/01/1990\t5\nC2\t01/02/1991\t7\n"
    mapping = suggest_mapping(inspected(text), attributes)
    assert [(c.column, c.attribute, c.format, c.pii, c.identifier) for c in mapping.columns] == [
        ("cust_id", "crmid", None, False, "primary"),
        ("dob", "birth_date", "DD/MM/YYYY", True, None),
        ("amount", None, None, None, None),
    ]
    assert all(column.why for column in mapping.columns)
    resolved = check_mapping(mapping, ["cust id", "dob", "amount"], attributes)
    assert (len(resolved.columns), resolved.ignored) == (2, ("amount",))


def test_a_known_header_brings_back_its_mapping_with_all_rules(inspected, attributes):
    former = Mapping(
        version=4,
        columns=(
            ColumnMapping(column="cust_id", attribute="crmid"),
            ColumnMapping(column="amount", attribute="total", combine="sum", format=",", blank="clear"),
            ColumnMapping(column="amount", attribute="purchases", combine="count"),
            ColumnMapping(column="note"),
        ),
    )
    inspection = inspected("note\tamount\tcust_id\nx\t5,50\tC1\ny\t7,10\tC2\n", [former])
    mapping = suggest_mapping(inspection, attributes, [former])
    assert [(c.column, c.attribute, c.combine, c.format, c.blank, c.confidence) for c in mapping.columns] == [
        ("note", None, "last", None, "keep", 1.0),
        ("amount", "total", "sum", ",", "clear", 1.0),
        ("amount", "purchases", "count", None, "keep", 1.0),
        ("cust_id", "crmid", "last", None, "keep", 1.0),
    ]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the public corpora are not here")
def test_public_people_are_recognised(attributes):
    from ingest_core.files import PathSource

    paths = sorted(CORPORA.glob("**/febrl/**/dataset3.csv"))
    if not paths:
        pytest.skip("the public corpora are not unpacked")
    found = inspect_file(PathSource(paths[0]), attributes, limits=LIMITS)
    by_name = {column.repaired: column for column in found.columns}
    assert found.rows == 5_000
    assert by_name["date_of_birth"].formats["date"] == "YYYYMMDD"
    assert {name: column.suggestion.attribute for name, column in by_name.items() if column.suggestion.attribute} == {
        "given_name": "first_name",
        "surname": "last_name",
        "suburb": "city",
        "postcode": "postal_code",
        "state": "region",
        "date_of_birth": "birth_date",
    }
