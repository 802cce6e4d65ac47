"""Profiles as tables: masked, typed, a copy of one moment."""

from __future__ import annotations

import pytest

from ingest_core.explore import from_profiles
from ingest_core.settings import Settings

HEADER = "crmid\temail\tphone\tfirst_name\tbirth_date\tcity\tsince\tscore\tvip\n"
LINES = (
    "C1\tanna.wren@example.com\t+442079460001\tZaunkönig\t1990-05-06\tPune\t2027-01-05\t1.50\tyes\n"
    "C2\tben.finch@example.com\t+442079460002\tBuchfink\t1991-06-07\tGoa\t2027-01-06\t2\tno\n"
    "C3\t\t\t\t\tPune\t\t\t\n"
)
COLUMNS = {name: name for name in HEADER.split()}
PRIVATE = ("anna.wren", "ben.finch", "460001", "460002", "Zaunkönig", "Buchfink", "1990-05-06", "05-06", "06-07")


@pytest.fixture
def loaded(kernel):
    for name, kind in (("since", "date"), ("score", "number"), ("vip", "boolean")):
        kernel.workspace.attributes.add(name, kind)
    kernel.load(HEADER + LINES, COLUMNS)
    kernel.load("crmid\tcity\nC2\tGoa\n", {"crmid": "crmid", "city": "city"}, source="Shop")
    kernel.workspace.segments.add("ALL_OF_CRM", {"any": [{"source": "CRM"}]}, "Everybody")
    return kernel


@pytest.fixture
def session(loaded):
    return loaded.workspace.explore.open_profiles()


def rows(session, sql: str) -> list[list[object]]:
    return session.run(sql).as_json()["rows"]


def test_attributes_are_columns_with_their_types(session):
    types = dict(row[:2] for row in rows(session, "DESCRIBE profiles"))
    assert types["since"] == "DATE"
    assert types["score"] == "DECIMAL(38,10)"
    assert types["vip"] == "BOOLEAN"
    assert types["sources"] == "VARCHAR[]"
    assert types["birth_date"] == types["email"] == types["crmid"] == "VARCHAR"
    assert rows(session, "SELECT crmid, city, since, score, vip, sources FROM profiles ORDER BY crmid") == [
        ["C1", "Pune", "2027-01-05", 1.5, True, ["CRM"]],
        ["C2", "Goa", "2027-01-06", 2, False, ["CRM", "Shop"]],
        ["C3", "Pune", None, None, None, ["CRM"]],
    ]


def test_personal_data_is_masked_as_everywhere(session, loaded):
    shown = loaded.workspace.profiles.show("crmid", "C1")["attributes"]
    names = ["email", "phone", "first_name", "birth_date"]
    assert rows(session, f"SELECT {', '.join(names)} FROM profiles WHERE crmid = 'C1'") == [
        [shown[name]["value"] for name in names]
    ]
    assert rows(session, f"SELECT {', '.join(names)} FROM profiles WHERE crmid = 'C3'") == [[None] * 4]


def test_no_table_holds_a_plain_value(session):
    for table in session.tables():
        text = str([piece.to_pylist() for piece in session.whole(table.name)])
        assert [value for value in PRIVATE if value in text] == [], table.name


def test_profile_ids_are_those_of_the_command(session, loaded):
    shown = loaded.workspace.profiles.show("crmid", "C2")["profile_id"]
    assert rows(session, "SELECT profile_id FROM profiles WHERE crmid = 'C2'") == [[shown]]


def test_uploads_and_segments_have_their_counts(session):
    assert rows(session, "SELECT source, status, lines, stored, created, updated FROM uploads ORDER BY created_at") == [
        ["CRM", "Completed", 3, 3, 3, 0],
        ["Shop", "Completed", 1, 1, 0, 1],
    ]
    assert rows(session, "FROM segments") == [["ALL_OF_CRM", "Everybody", 3]]


def test_it_is_a_copy_of_one_moment(session, loaded):
    assert rows(session, "SELECT count(*) FROM profiles") == [[3]]
    loaded.load("crmid\tcity\nC9\tOslo\n", {"crmid": "crmid", "city": "city"})
    assert rows(session, "SELECT count(*) FROM profiles") == [[3]]
    session.close()
    assert rows(session, "SELECT count(*) FROM profiles") == [[4]]


def test_more_profiles_than_the_limit_are_drawn_evenly_and_the_same_each_time(kernel, monkeypatch):
    monkeypatch.setattr(from_profiles, "PIECE", 7)
    people = 200
    kernel.load(
        "crmid\temail\n" + "".join(f"C{n:03}\tu{n}@example.com\n" for n in range(people)),
        {"crmid": "crmid", "email": "email"},
    )
    session = kernel.workspace.explore.open_profiles(60)
    table = session.tables()[0]
    assert (table.rows, table.is_cut) == (60, True)
    assert "60 of 200 profiles, evenly drawn" in table.about
    drawn = [row[0] for row in rows(session, "SELECT crmid FROM profiles ORDER BY 1")]
    assert len(set(drawn)) == 60
    assert 10 < sum(name < "C100" for name in drawn) < 50
    again = kernel.workspace.explore.open_profiles(60)
    assert [row[0] for row in rows(again, "SELECT crmid FROM profiles ORDER BY 1")] == drawn
    assert rows(session, "SELECT count(*) FROM profiles WHERE email IS NULL OR email NOT LIKE '%@%'") == [[0]]


def test_own_columns_give_way_to_attributes_of_their_name(kernel):
    kernel.workspace.attributes.add("sources", "string")
    kernel.workspace.attributes.add("Profile_ID", "string")
    kernel.load("crmid\tsources\nC1\tmine\n", {"crmid": "crmid", "sources": "sources"})
    session = kernel.workspace.explore.open_profiles()
    names = [name for name, _ in session.tables()[0].columns]
    assert (names[0], names[-1]) == ("profile_id_2", "sources_2")
    assert rows(session, "SELECT sources, sources_2 FROM profiles") == [["mine", ["CRM"]]]


def test_an_empty_workspace_has_empty_tables(workspace):
    session = workspace.explore.open_profiles()
    assert [(table.name, table.rows) for table in session.tables()] == [
        ("profiles", 0),
        ("uploads", 0),
        ("segments", 0),
    ]
    assert rows(session, "SELECT count(*) FROM profiles") == [[0]]


def test_the_limit_of_the_settings_is_the_most():
    assert Settings().explore_profiles == 100_000
