"""Every connection is locked down: read back from live sessions, and tried out."""

from __future__ import annotations

import pytest

from ingest_core.engine import EngineError

WANTED = {
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
    "preserve_insertion_order": "true",
    "arrow_lossless_conversion": "true",
    "TimeZone": "Etc/UTC",
}


def settings_of(session):
    return dict(session.rows("SELECT name, value FROM duckdb_settings()"))


def test_every_session_has_the_settings_of_the_lock_down(workspace):
    with workspace.engine.session() as first, workspace.engine.session() as second:
        for session in (first, second):
            found = settings_of(session)
            assert {name: found[name] for name in WANTED} == WANTED
            assert found["temp_directory"] == str(workspace.home / "tmp")
            assert found["allowed_directories"] == f"[{workspace.home / 'tmp'}/]"
            assert found["threads"] == str(workspace.settings.threads)


@pytest.mark.parametrize(
    "sql",
    [
        "SET threads = 1",
        "SET GLOBAL memory_limit = '100GB'",
        "SET SESSION TimeZone = 'Asia/Kolkata'",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET allowed_directories = ['/']",
        "RESET memory_limit",
        "PRAGMA threads = 1",
        "ATTACH '{home}/other.db'",
        "COPY (SELECT 1) TO '{home}/out.csv'",
        "COPY source FROM '{home}/keys.json'",
        "EXPORT DATABASE '{home}/out'",
        "IMPORT DATABASE '{home}/out'",
        "SELECT * FROM read_csv('{home}/keys.json')",
        "SELECT * FROM read_csv('{home}/tmp/../keys.json')",
        "SELECT * FROM read_text('{home}/keys.json')",
        "SELECT * FROM read_blob('{home}/keys.json')",
        "SELECT * FROM read_json('{home}/keys.json')",
        "SELECT * FROM '{home}/keys.json'",
        "SELECT * FROM read_csv('{home}/[k]eys.json')",
        "SELECT * FROM glob('{home}/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
        "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "INSTALL h3 FROM community",
        "CREATE SECRET (TYPE s3)",
        "SELECT getenv('HOME')",
    ],
)
def test_no_session_can_leave_the_database(workspace, sql):
    with workspace.engine.session() as session, pytest.raises(EngineError) as caught:
        session.rows(sql.format(home=workspace.home))
    assert caught.value.code == "engine_error"
    assert {path.name for path in workspace.home.iterdir()} <= {
        "exports", "keys.json", "landing", "lock", "onramp.duckdb", "onramp.duckdb.wal", "outgoing", "tmp",
    }  # fmt: skip


def test_python_values_are_not_tables(workspace):
    import pyarrow as pa

    leaked = pa.table({"secret": [1]})
    assert leaked.num_rows == 1
    with workspace.engine.session() as session:
        for name in ("leaked", "parameters", "pa"):
            with pytest.raises(EngineError):
                session.rows(f"SELECT * FROM {name}")
            with pytest.raises(EngineError):
                session.arrow(f"SELECT * FROM {name}")
