"""Suggestions: sure only where name and values agree, or a person chose before."""

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.mapping.suggest import SURE, suggest
from ingest_core.models import Attribute, ColumnMapping, ColumnStatistics, Mapping

fake = Faker("en_GB")
fake.seed_instance(11)
N = 60
EMAILS = [f"{n}{fake.ascii_safe_email()}" for n in range(N)]
PHONES = [f"+44207946{n:04d}" for n in range(N)]
IDS = [f"C{n:05d}" for n in range(N)]
FIRST = [fake.first_name() for _ in range(N)]
DATES = [fake.date_of_birth().isoformat() for _ in range(N)]
OPEN_DATES = [f"0{n % 9 + 1}/0{n % 7 + 1}/19{n + 10}" for n in range(N)]


@pytest.fixture
def suggested(statistics_of, attributes):
    def make(columns, former=(), **options):
        table = statistics_of(columns, **options)
        return dict(zip(columns, suggest(table.columns, attributes, former), strict=True))

    return make


@pytest.mark.parametrize(
    ("header", "values", "attribute", "least"),
    [
        ("email", EMAILS, "email", 0.95),
        ("E-Mail", EMAILS, "email", 0.95),
        ("crmid", IDS, "crmid", 0.95),
        ("Customer ID", IDS, "crmid", 0.95),
        ("cust_id", IDS, "crmid", SURE),
        ("hm", PHONES, "phone", SURE),
        ("mail", EMAILS, "email", SURE),
        ("fname", FIRST, "first_name", SURE),
        ("Vorname", FIRST, "first_name", SURE),
        ("dob", DATES, "birth_date", SURE),
        ("customer_mail", EMAILS, "email", SURE),
        ("tier", ["gold", "basic"], "tier", 0.95),
        ("Total spent", ["1.50", "2.75"], "total", 0.95),
        ("sex", ["f", "m", "f"], "gender", SURE),
        ("zip", ["SW1A 1AA", "LS1 4AP"], "postal_code", SURE),
        ("plz", ["01067", "80331"], "postal_code", SURE),
        ("land", ["DE", "FR"], "country", SURE),
    ],
)
def test_name_and_values_that_agree_are_sure(suggested, header, values, attribute, least):
    suggestion = suggested({header: values})[header]
    assert (suggestion.attribute, suggestion.confidence >= least) == (attribute, True)
    assert suggestion.confidence < 1


def test_the_reason_is_said_in_words(suggested):
    found = suggested({"hm": [*PHONES[:49], "none"], "email": EMAILS[:50]})
    assert found["hm"].why == "name matches phone; 98 % look like phone numbers"
    assert found["email"].why == "name is email; all values look like e-mail addresses"


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("email", [str(n) for n in range(N)]),
        ("mail", [str(n) for n in range(N)]),
        ("phone", FIRST),
        ("dob", FIRST),
        ("first_name", [str(n) for n in range(N)]),
        ("city", [str(n) for n in range(N)]),
        ("gender", IDS),
        ("unknown", IDS),
        ("store_id", IDS),
    ],
)
def test_values_that_contradict_the_name_are_not_offered(suggested, header, values):
    suggestion = suggested({header: values})[header]
    assert (suggestion.attribute, suggestion.confidence) == (None, 0.0)
    assert suggestion.why


def test_values_that_mostly_contradict_are_offered_with_little_confidence_and_the_reason(suggested):
    suggestion = suggested({"email": EMAILS[:10] + FIRST[:30]})["email"]
    assert suggestion.attribute == "email"
    assert suggestion.confidence < 0.5
    assert "only 25 % look like e-mail addresses" in suggestion.why


def test_a_dirty_column_of_the_very_name_is_still_sure(suggested):
    assert suggested({"email": EMAILS[:7] + FIRST[:3]})["email"].confidence >= SURE


@pytest.mark.parametrize(
    ("header", "values", "attribute"),
    [
        ("contact_point", EMAILS, "email"),
        ("first_name", EMAILS, "email"),
        ("billing_city", [fake.city() for _ in range(N)], "city"),
        ("emial_address", EMAILS, "email"),
        ("email", [""] * 3, "email"),
        ("dob", OPEN_DATES, "birth_date"),
        ("mobile", ["9876544412", "9876544413"], "phone"),
        ("total", ["1.234", "5.678"], "total"),
        ("purchases", ["1.234", "5.678"], "purchases"),
    ],
)
def test_half_an_agreement_or_an_open_question_is_offered_but_never_sure(suggested, header, values, attribute):
    suggestion = suggested({header: values})[header]
    assert suggestion.attribute == attribute
    assert 0.3 < suggestion.confidence < SURE


def test_a_question_stays_open_when_garbage_hides_the_type(suggested):
    suggestion = suggested({"dob": OPEN_DATES + FIRST[:20]})["dob"]
    assert (suggestion.attribute, suggestion.format) == ("birth_date", None)
    assert suggestion.confidence < SURE


def test_the_format_that_the_values_show_comes_with_the_suggestion(suggested):
    assert suggested({"dob": [*OPEN_DATES, "31/12/1999"]})["dob"].format == "DD/MM/YYYY"
    assert suggested({"total": ["1.234,50", "7,10"]})["total"].format == ","


def test_an_attribute_is_suggested_once_and_the_best_column_wins(suggested):
    found = suggested({"mail": EMAILS, "email": EMAILS, "backup_email": EMAILS})
    assert [s.attribute for s in found.values()] == [None, "email", None]


def test_a_former_mapping_of_the_same_header_is_taken_as_it_is(suggested):
    former = Mapping(
        version=3,
        columns=(
            ColumnMapping(column="kontakt", attribute="email"),
            ColumnMapping(column="dob", attribute="birth_date", format="MM/DD/YYYY"),
            ColumnMapping(column="city"),
        ),
    )
    found = suggested({"dob": OPEN_DATES, "Kontakt": EMAILS, "city": FIRST}, [former])
    assert [(s.attribute, s.confidence, s.format) for s in found.values()] == [
        ("birth_date", 1.0, "MM/DD/YYYY"),
        ("email", 1.0, None),
        (None, 1.0, None),
    ]


def test_single_columns_are_remembered_from_the_latest_version(suggested):
    versions = [
        Mapping(version=1, columns=(ColumnMapping(column="k1", attribute="city"),)),
        Mapping(version=2, columns=(ColumnMapping(column="k1", attribute="region"),)),
    ]
    for former in (versions, versions[::-1]):
        found = suggested({"k1": FIRST, "email": EMAILS}, former)
        assert (found["k1"].attribute, found["k1"].confidence) == ("region", 0.95)
        assert found["email"].attribute == "email"


def test_a_remembered_attribute_is_not_given_to_another_column(suggested):
    former = [Mapping(version=1, columns=(ColumnMapping(column="kontakt", attribute="email"),))]
    found = suggested({"email": EMAILS, "kontakt": EMAILS}, former)
    assert [s.attribute for s in found.values()] == [None, "email"]


def test_an_attribute_that_is_gone_is_forgotten(suggested):
    former = [Mapping(version=1, columns=(ColumnMapping(column="email", attribute="deleted"),))]
    assert suggested({"email": EMAILS}, former)["email"].attribute == "email"


names = st.sampled_from(["email", "mail", "hm", "phone", "dob", "city", "x", "cust_id", "crmid", "first name", "tier"])
shares = st.floats(0, 1)
columns = st.lists(
    st.builds(
        lambda name, kind, filled, fit, digits: ColumnStatistics(
            name=name,
            repaired=name,
            type=kind,
            filled=filled,
            distinct=10,
            fits={"email": fit, "phone": fit, "date": fit, "number": digits},
            shapes={"words": fit, "ids": fit, "codes": digits, "national": digits},
        ),
        names,
        st.sampled_from(["string", "email", "phone", "date", "integer"]),
        shares,
        shares,
        shares,
    ),
    max_size=8,
)


@settings(deadline=None)
@given(columns)
def test_suggestions_are_one_per_column_and_one_column_per_attribute(columns):
    attributes = [
        Attribute(attribute_id=n, name=name, display_name=name, type=kind, is_builtin=True)
        for n, (name, kind) in enumerate(
            {"email": "email", "phone": "phone", "birth_date": "date", "city": "string", "crmid": "string"}.items()
        )
    ]
    found = suggest(columns, attributes)
    given_away = [s.attribute for s in found if s.attribute]
    assert len(found) == len(columns)
    assert len(given_away) == len(set(given_away))
    assert all(0 <= s.confidence <= 1 and s.why for s in found)
    assert suggest(columns, attributes[::-1]) == found
