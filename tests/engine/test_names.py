"""Names become SQL through one door."""

from __future__ import annotations

import pytest

from ingest_core.engine import quote

HOSTILE = [
    'a"b', '"', '""', "a'b", "a; DROP TABLE profile", "a--b", "/* a */", "select", "ünïcödé", "名前", "a\nb", " ",
    "a.b", "a\\b", "%s", "{name}", "$1", "?", "A" * 500, "🦆", "\u202egnp",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_quoted_name_is_that_name(workspace, name):
    with workspace.engine.session() as session:
        session.run(f"CREATE TEMP TABLE named AS SELECT 1 AS {quote(name)}")
        assert session.records("SELECT * FROM named") == [{name: 1}]
        assert session.value("SELECT count(*) FROM profile") == 0
