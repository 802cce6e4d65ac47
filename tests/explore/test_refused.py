"""What Explore does not run, by the first wall (the statement) and by the second (the database) on its own."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from ingest_core.engine import apart
from ingest_core.engine.apart import ApartDatabase
from ingest_core.engine.statement import Statement
from ingest_core.errors import InputError
from tests.explore.conftest import SECRET
from tests.explore.hostile import ALL, ENGINE, FILES, REFUSALS, WRITING

CRASHING = {"SELECT * FROM seq_scan()"}
"""Ends the whole process; the reason why there is another wall."""


def short(sql: str) -> str:
    return sql[:60].encode("unicode_escape").decode()


@pytest.mark.parametrize("sql", ALL, ids=short)
def test_it_is_refused_in_words_that_tell_nothing_of_the_data(asked, tmp_path, sql, monkeypatch):
    monkeypatch.setenv("ONRAMP_KEYS", SECRET)
    with pytest.raises(InputError) as caught:
        asked.run(sql.replace("{out}", str(tmp_path / "out")))
    assert caught.value.code in REFUSALS
    assert caught.value.message.endswith(".")
    assert caught.value.hint
    assert SECRET not in caught.value.message + caught.value.hint
    assert list(tmp_path.iterdir()) == []
    assert len(caught.value.message) < 1_000


def test_a_session_survives_all_of_it(asked):
    for sql in ALL:
        with pytest.raises(InputError):
            asked.run(sql)
    assert asked.is_loaded
    assert asked.run("SELECT count(*) FROM file").as_json()["rows"] == [[4]]
    assert [row[0] for row in asked.run("SHOW TABLES").as_json()["rows"]].count("file") == 1


@pytest.fixture
def unchecked(monkeypatch) -> ApartDatabase:
    """The database without the first wall."""
    monkeypatch.setattr(apart, "check_statement", lambda connection, sql, tables: Statement(sql))
    monkeypatch.setattr(ApartDatabase, "_plan", lambda self, statement: None)
    database = ApartDatabase(256 << 20, 1)
    database.create("rejects", [("line", "BIGINT"), ("reason", "VARCHAR"), ("title", "VARCHAR"), ("text", "VARCHAR")])
    database.view("file", 'SELECT "text" AS city FROM rejects')
    database.append("rejects", pa.table({"line": ["1"], "reason": ["r"], "title": ["t"], "text": [SECRET]}))
    yield database
    database.close()


@pytest.mark.parametrize("sql", [sql for sql in FILES + WRITING if sql not in CRASHING], ids=short)
def test_the_database_itself_reads_and_writes_nothing(unchecked, tmp_path, sql):
    """Without the first wall: nothing is written, nothing is changed, and no file's content comes out."""
    told = ""
    try:
        answer = unchecked.ask(sql.replace("{out}", str(tmp_path / "out")), 100, 1 << 20)
        told = str(answer.table.to_pylist())
    except (InputError, AttributeError) as error:  # AttributeError: a statement without a result
        told = str(error)
    assert "root:" not in told
    assert list(tmp_path.iterdir()) == []
    assert unchecked.ask("SELECT * FROM rejects", 10, 1 << 20).table.to_pylist() == [
        {"r0": 1, "r1": "r", "r2": "t", "r3": SECRET}
    ]
    assert unchecked.ask("FROM file", 10, 1 << 20).table.to_pylist() == [{"r0": SECRET}]


@pytest.mark.parametrize("sql", [sql for sql in ENGINE if sql not in CRASHING], ids=short)
def test_the_database_itself_changes_no_setting_and_knows_no_secret(unchecked, sql):
    before = settings_of(unchecked)
    told = ""
    try:
        told = str(unchecked.ask(sql, 1_000, 1 << 20).table)
    except (InputError, AttributeError) as error:
        told = str(error)
    assert settings_of(unchecked) == before
    for name in ("PATH", "ONRAMP_KEYS"):
        value = os.environ.get(name)
        assert not value or value not in told
    assert str(Path.cwd()) not in told


def settings_of(database: ApartDatabase) -> dict[str, str]:
    found = dict(database._full.execute("SELECT name, value FROM duckdb_settings()").fetchall())
    return {name: value for name, value in found.items() if name != "profiling_output"}


def test_settings_are_those_of_the_lock_down(workspace):
    """Read back from live connections: what the workspace's own sessions have, and no folder at all."""
    wanted = {
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "enable_external_access": "false",
        "lock_configuration": "true",
        "preserve_insertion_order": "true",
        "TimeZone": "UTC",
        "allowed_directories": "[]",
        "allowed_paths": "[]",
        "temp_directory": "",
        "max_temp_directory_size": "0 bytes",
    }
    database = ApartDatabase(256 << 20, 2)
    for connection in (database._full, database._twin):
        found = dict(connection.execute("SELECT name, value FROM duckdb_settings()").fetchall())
        assert {name: found[name] for name in wanted} == wanted
    assert dict(database._full.execute("SELECT name, value FROM duckdb_settings()").fetchall())["threads"] == "2"
    with workspace.engine.session() as session:
        theirs = dict(session.rows("SELECT name, value FROM duckdb_settings()"))
    own = settings_of(database)
    of_its_own = {"TimeZone", "allowed_directories", "allowed_paths", "temp_directory", "max_temp_directory_size"}
    assert {name for name in wanted if own[name] != theirs.get(name)} <= of_its_own
    database.close()


LOOKING = (
    "SELECT * FROM file",
    "select * from FILE;",
    "FROM file",
    "FROM main.file SELECT city",
    "TABLE file",
    "VALUES (1), (2)",
    "/* why */ SELECT 1 -- because",
    "SELECT city, count(*) FROM file GROUP BY city HAVING count(*) > 0 ORDER BY ALL LIMIT 50 PERCENT",
    "SELECT DISTINCT ON (city) * EXCLUDE (email) REPLACE (upper(city) AS city) FROM file",
    "SELECT COLUMNS('c.*') FROM file",
    "WITH a AS MATERIALIZED (SELECT 1 AS i), b AS (SELECT i + 1 AS i FROM A) FROM a UNION BY NAME FROM b",
    "WITH RECURSIVE a AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM a WHERE i < 9) SELECT * FROM a",
    "SELECT row_number() OVER (PARTITION BY city ORDER BY line) FROM file QUALIFY row_number() OVER () < 3",
    "SELECT sum(line) OVER w FROM file WINDOW w AS (ORDER BY line ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "PIVOT file ON city IN ('Pune', 'Goa') USING count(*)",
    "UNPIVOT (SELECT line, line * 2 AS b FROM file) ON line, b INTO NAME n VALUE v",
    "SELECT * FROM file a ASOF JOIN file b ON a.line >= b.line",
    "SELECT * FROM file JOIN typed USING (crmid), LATERAL (SELECT file.line + 1)",
    "SELECT * FROM file WHERE (crmid, city) IN (SELECT crmid, city FROM typed) AND EXISTS (SELECT 1)",
    "SELECT CASE WHEN amount > 1 THEN 'a' ELSE 'b' END, amount::INTEGER, try_cast(city AS DATE) FROM typed",
    "SELECT list_transform([1, 2], lambda x: x + 1), [x + 1 FOR x IN [1, 2] IF x > 1], {'a': 1}.a, map {'k': 1}",
    "SELECT date_trunc('month', signed_up), extract(year FROM signed_up), INTERVAL 1 DAY FROM typed",
    "SELECT city SIMILAR TO 'P.*', city ILIKE 'p%', city COLLATE NOCASE, regexp_replace(city, 'a', 'b') FROM file",
    "SELECT quantile_cont(amount, 0.5), arg_max(city, amount), list(city ORDER BY city) FILTER (line > 2) FROM typed",
    "SELECT GROUPING(city) FROM file GROUP BY CUBE (city)",
    "SELECT * FROM range(3) a(i), generate_series(1, 2) b(j), unnest([1, 2]) c(k)",
    "SELECT * FROM json_each('{\"a\": 1}')",
    "SELECT '{\"a\": 1}'::JSON ->> 'a'",
    "SELECT * FROM file TABLESAMPLE reservoir(2 ROWS)",
    'SELECT \'a\nb\' AS "say ""so"""',
    "SELECT current_date, now() AT TIME ZONE 'Asia/Kolkata', uuid() IS NULL, random() < 2",
    "SHOW TABLES",
    "SHOW file",
    "DESCRIBE file",
    "DESCRIBE SELECT 1 AS a",
    "SUMMARIZE typed",
    "SUMMARIZE SELECT city FROM file",
    "EXPLAIN SELECT * FROM file",
    "EXPLAIN ANALYZE SELECT * FROM file",
    "/* größer */ EXPLAIN -- plan\n SELECT 'ü'",
    "SELECT table_name FROM information_schema.tables",
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'file'",
    "SELECT 1 WHERE false",
)


@pytest.mark.parametrize("sql", LOOKING, ids=short)
def test_looking_is_answered(asked, sql):
    answer = asked.run(sql).as_json()
    assert answer["columns"]
    assert answer["row_count"] == len(answer["rows"])
    assert answer["row_count"] or "false" in sql


FAILING = (
    "SELECT email::INTEGER FROM file",
    "SELECT email::DATE FROM file",
    "SELECT strptime(email, '%Y') FROM file",
    "SELECT (SELECT email FROM file)",
    "SELECT email::JSON FROM file",
    "SELECT json_extract(email, '$.a') FROM file",
    "SELECT regexp_matches('a', email || '(') FROM file",
    "SELECT error(email) FROM file",
    "SELECT email::ENUM('a') FROM file",
    "SELECT email::UUID FROM file",
    "SELECT struct_extract({'a': 1}, email) FROM file",
    "SELECT printf(email || '%d') FROM file",
    "SELECT cast_to_type(email, 1) FROM file",
    "SELECT * FROM file WHERE email = 1",
    "SELECT email + 1 FROM file",
    "SELECT list_value(1)[email] FROM file",
    "SELECT strftime(now(), email || '%') FROM file",
    "SELECT * FROM file ORDER BY email::DECIMAL",
    "SELECT sum(email) FROM file",
    "SELECT emial FROM file",
    "SELECT email FROM file GROUP BY city",
    "SELECT nothing(email) FROM file",
    "SELECT 9223372036854775807 + line FROM file",
    "SELECT to_timestamp(1e300 * line) FROM file",
    "SELECT DATE '2027-01-01' + line::INTEGER * 1000000000 FROM file",
)


@pytest.mark.parametrize("sql", FAILING, ids=short)
def test_no_error_quotes_the_data(asked, sql):
    """Words of the engine come from the empty twin, those about the rows are ours."""
    with pytest.raises(InputError) as caught:
        asked.run(sql)
    told = caught.value.message + caught.value.hint + str(caught.value.facts)
    assert caught.value.code in {"sql_wrong", "sql_failed"}
    assert not [value for value in (SECRET, "zaunkoenig", "ben@", "cleo", "Pune", "Oslo") if value in told]


def test_a_mistake_is_explained_in_the_engines_words(asked):
    with pytest.raises(InputError) as caught:
        asked.run("SELECT emial FROM file")
    assert caught.value.code == "sql_wrong"
    assert 'Referenced column "emial" not found' in caught.value.message
    with pytest.raises(InputError) as caught:
        asked.run("SELECT * FROM people")
    assert caught.value.hint == "There are: file, rejects, typed."
