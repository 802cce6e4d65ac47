"""What holds for every type and every text, however hostile."""

from __future__ import annotations

import duckdb
import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.mapping.types import TYPES, Unfit, data_type
from ingest_core.mapping.types.base import DataType
from ingest_core.models import TypeContext
from ingest_core.reasons import REASONS

CANONICAL_FORMAT = {"number": ".", "integer": ".", "date": "YYYY-MM-DD", "datetime": "YYYY-MM-DD HH:MM"}
DATABASE = duckdb.connect()
COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)


def near(alphabet: str, size: int = 24) -> st.SearchStrategy[str]:
    """Texts of the characters that matter to a type."""
    return st.text(st.sampled_from(alphabet), max_size=size)


NEAR = {
    "string": st.one_of(st.text(), near("Aa\u0301\u0344\u00e9 \t\n\r\x00\x1f\u2003\uac00\u11a8")),
    "number": st.one_of(
        near("0123456789.,+-eE", 16),
        near("01 5.,'\u00a0e-", 12),
        st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.integers().map("{:,}".format),
    ),
    "boolean": st.sampled_from(["True", "YES", "n", "oN", "ﬀ", "0", "10", "ye\u017f"]),
    "date": st.one_of(
        near("0123456789/.- ", 10),
        st.from_regex(r"\A[0-3]?[0-9]([/.-])[01]?[0-9]\1(1[89]|20)?[0-9]{2}\Z"),
        st.from_regex(r"\A(1[0-9]|20)[0-9]{2}([/.-]?)[01][0-9]\2[0-3][0-9]([ T]00:00)?\Z"),
        st.from_regex(r"\A[0-3]?[0-9][ -](Jan|FEB|sept|June|\u017fep)[ -](19)?[0-9]{2}\Z"),
    ),
    "datetime": st.one_of(
        st.datetimes().map(str),
        st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
        st.from_regex(
            r"\A(1000|2024|9999)-(01-01|02-29|12-31)[ T][0-2]?[0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?"
            r"( ?[AaPp][mM])?(Z|[+-][012][0-9]:?[0-6][0-9])?\Z"
        ),
    ),
    "email": st.one_of(
        st.emails(),
        near("aZ0.-_+@\"<>[]' ;,\u00fc\u212a\u0130x"),
        st.from_regex(r"\A[A-Za-z.!+\u00e9]{1,6}@([Xx]n--)?[a-zA-Z0-9-]{1,6}\.[a-zA-Z0-9\u00fc-]{1,4}(\.[a-z]{2})?\Z"),
        st.builds("{}@{}.com".format, near("ab.", 70), near("ab-", 70)),
    ),
    "phone": st.one_of(
        near("+0123456789 ()-./", 18),
        near("+0123456789", 16),
        st.from_regex(r"\A(\+|00|tel:\+?|)(1|7|39|44|49|52|54|55|61|81|86|91|353|358|)(\(0\)|0|1|)[0-9]{6,12}\Z"),
        near("+\uff0b0123456789\u0663\uff14 ()-x~#,;[]*e", 18),
    ),
    "url": st.one_of(
        st.builds(
            "{}://{}{}".format,
            st.sampled_from(["http", "HTTPS", "ftp"]),
            near("aB.-_:@[]1\u00fc\u0130", 14),
            near("/?#Aa \\%", 6),
        ),
        st.ip_addresses(v=6).map("http://[{}]/".format),
    ),
    "country": st.sampled_from(
        ["DE", "usa", "U.K.", "Cote d'Ivoire", "Trinidad & Tobago", "\u00c5land", "Kelvin\u212a", "ı"]
    ),
    "currency": near("EURusdıß", 4),
}
NEAR["integer"] = NEAR["number"]


def texts_for(name: str) -> st.SearchStrategy[list[str]]:
    """Trimmed, non-blank cells: some near the type, some anything at all."""
    cell = st.one_of(NEAR[name], NEAR[name], st.text(max_size=30)).map(str.strip).filter(bool)
    return st.lists(cell, min_size=1, max_size=12)


def settings_for(name: str) -> st.SearchStrategy[tuple[str | None, TypeContext]]:
    """A format of the type and a context."""
    formats = [None, *(known.value for known in data_type(name).formats)] if name != "phone" else [None]
    contexts = st.builds(
        TypeContext,
        phone_country=st.sampled_from([None, "IN", "US", "GB", "DE", *COUNTRIES]),
        lower_email_local=st.booleans(),
    )
    return st.tuples(st.sampled_from(formats), contexts)


def pairs(kind: DataType, values: list[str | None], fmt: str | None, context: TypeContext):
    result = kind.convert(pa.array(values, pa.string()), fmt, context)
    codes = [None] * len(values) if result.code is None else result.code.to_pylist()
    return list(zip(result.text.to_pylist(), codes, strict=True))


def one_by_one(kind: DataType, text: str, fmt: str | None, context: TypeContext):
    try:
        return kind.normalise(text, fmt, context), None
    except Unfit as unfit:
        return None, unfit.code


every_type = pytest.mark.parametrize("name", list(TYPES))


@every_type
@settings(max_examples=90, deadline=None)
@given(data=st.data())
def test_the_fast_way_decides_like_the_exact_one(name, data):
    kind = data_type(name)
    texts = data.draw(texts_for(name))
    fmt, context = data.draw(settings_for(name))
    converted = pairs(kind, texts, fmt, context)
    assert converted == [one_by_one(kind, text, fmt, context) for text in texts]
    assert all((text is None) != (code is None) for text, code in converted)
    assert {code for _, code in converted if code} <= set(REASONS)


@every_type
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_canonical_text_stays_as_it_is(name, data):
    kind = data_type(name)
    fmt, context = data.draw(settings_for(name))
    good = [text for text, _ in pairs(kind, data.draw(texts_for(name)), fmt, context) if text is not None]
    assert pairs(kind, good, CANONICAL_FORMAT.get(name), context) == [(text, None) for text in good]
    assert [kind.normalise(text, None, context) for text in good] == good


@every_type
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_slices_may_be_cut_anywhere(name, data):
    kind = data_type(name)
    texts: list[str | None] = [None, *data.draw(texts_for(name)), None] * data.draw(st.sampled_from([1, 12]))
    fmt, context = data.draw(settings_for(name))
    cut = data.draw(st.integers(0, len(texts)))
    whole = pairs(kind, texts, fmt, context)
    assert whole == pairs(kind, texts[:cut], fmt, context) + pairs(kind, texts[cut:], fmt, context)
    result = kind.convert(pa.array(texts, pa.string()).slice(cut), fmt, context)
    assert result.text.to_pylist() == [text for text, _ in whole[cut:]]


@every_type
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_candidates_add_up_over_slices(name, data):
    kind = data_type(name)
    values = pa.array([*data.draw(texts_for(name)), None])
    cut = data.draw(st.integers(0, len(values)))
    first, second = kind.candidates(values.slice(0, cut)), kind.candidates(values.slice(cut))
    assert kind.candidates(values) == {fmt: first[fmt] + second[fmt] for fmt in first}


@every_type
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_canonical_text_casts_to_the_type_of_its_column(name, data):
    kind = data_type(name)
    fmt, context = data.draw(settings_for(name))
    good = [text for text, _ in pairs(kind, data.draw(texts_for(name)), fmt, context) if text is not None]
    cast = DATABASE.execute(f"SELECT try_cast(v AS {kind.sql_type}) FROM (SELECT unnest(?::VARCHAR[]) AS v)", [good])
    assert [value is None for (value,) in cast.fetchall()] == [False] * len(good)


@every_type
@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(), max_size=40))
def test_no_text_is_too_hostile(name, text):
    """Lone surrogates included: a ValueError is the only way to say no, a mask always comes back."""
    kind = data_type(name)
    try:
        kind.normalise(text)
    except ValueError:
        pass
    assert isinstance(kind.mask(text), str)


@every_type
@pytest.mark.parametrize("values", [[], [None], [None] * 200])
def test_columns_without_values_are_fine(name, values):
    assert pairs(data_type(name), values, None, TypeContext()) == [(None, None)] * len(values)


def test_a_chunked_column_is_taken_too():
    values = pa.chunked_array([["1,000"], ["x", None]])
    assert data_type("number").convert(values, None).text.to_pylist() == ["1000", None, None]
    assert data_type("number").candidates(values) == {".": 1, ",": 1}


def test_columns_of_few_distinct_values_come_out_the_same():
    texts = ["31/03/2024", "x", None, "30/02/2024"] * 3000
    got = pairs(data_type("date"), texts, "DD/MM/YYYY", TypeContext())
    assert got == [("2024-03-31", None), (None, "not_a_date"), (None, None), (None, "not_a_date")] * 3000


@pytest.mark.parametrize(
    "country", ["IN", "US", "GB", "DE", "FR", "BR", "AU", "CA", "IT", "JP", "ZA", "AR", "MX", "KR"]
)
def test_example_numbers_of_big_countries_need_no_slow_way(country):
    """The fast way must really be taken, in national and international form, or a load takes minutes."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    forms = [
        phonenumbers.format_number(number, form)
        for form in (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        )
    ]
    decided = data_type("phone").fast(pa.array(forms), country, TypeContext())
    assert decided.text.to_pylist() == [forms[0]] * 3
