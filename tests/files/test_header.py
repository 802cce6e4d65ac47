from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core import files


def codes(*columns: str) -> list[str]:
    return [problem.code for problem in files.header_problems(columns)]


@pytest.mark.parametrize(
    ("columns", "repaired"),
    [
        (("id", "name"), ("id", "name")),
        (("slot num", "e-mail"), ("slot_num", "e_mail")),
        ((" id ", "a - b"), ("id", "a_b")),
        (("id", "", " "), ("id", "column_2", "column_3")),
        (("id", "ID", "id"), ("id", "ID_2", "id_3")),
        (("a b", "a_b"), ("a_b_2", "a_b")),
        (("", "column_1"), ("column_1_2", "column_1")),
        (("a\x00b", "\x01"), ("ab", "column_2")),
        (("x\ny", "Straße", "STRASSE"), ("x_y", "Straße", "STRASSE_2")),
        (("-", "--"), ("_", "__2")),
    ],
)
def test_names_are_repaired(columns, repaired):
    assert files.repair_names(columns) == repaired


def test_fine_names_have_no_problems():
    assert files.header_problems(("id", "Name", "größe", "名前", "a_b", "x.y")) == ()


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("slot num",), ["header_space"]),
        (("e-mail",), ["header_hyphen"]),
        (("a b-c",), ["header_space", "header_hyphen"]),
        (("", "  "), ["header_empty", "header_empty"]),
        (("id", "ID"), ["header_duplicate"]),
        (("a\x00",), ["header_control"]),
    ],
)
def test_each_fault_has_its_code(columns, expected):
    assert codes(*columns) == expected


def test_the_fix_shows_the_repaired_name():
    (problem,) = files.header_problems(("slot num",))
    assert (problem.fix, problem.column) == ("slot num → slot_num", "slot num")
    assert files.header_problems(("",))[0].fix == "→ column_1"


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.text(st.sampled_from(["a", "A", "_", "2", " ", "-", "\t", "\x00", "é", "ß", "S"]), max_size=4), max_size=8
    )
)
def test_repaired_names_have_no_problems_and_stay_as_they_are(columns):
    repaired = files.repair_names(columns)
    assert len(repaired) == len(columns)
    assert files.header_problems(repaired) == ()
    assert files.repair_names(repaired) == repaired


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.text(max_size=6), max_size=8))
def test_a_name_without_problems_is_not_changed(columns):
    problems = {problem.column for problem in files.header_problems(columns)}
    for name, repaired in zip(columns, files.repair_names(columns), strict=True):
        if name not in problems:
            assert repaired == name
