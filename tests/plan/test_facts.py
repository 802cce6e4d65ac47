"""Regression tests of what was measured about the engine, where the load depends on it (facts.md)."""

from __future__ import annotations

import pytest

from ingest_core.models import Options
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel, mapping_of

LINES = 400


def repeated(count):
    """Each person several times, far apart; the last line of each is known."""
    rows = [f"K{n % 50}\tperson{n % 50}@example.com\tcity {n}" for n in range(count)]
    return "crmid\temail\tcity\n" + "\n".join(rows) + "\n"


def test_the_last_line_of_a_person_wins_whatever_the_threads(home, tmp_path, monkeypatch):
    """ON CONFLICT DO UPDATE with a key twice in a batch gives another row each run (F2)."""
    monkeypatch.setenv("ONRAMP_THREADS", "4")
    monkeypatch.setenv("ONRAMP_SLICE_BYTES", "4096")
    digests = set()
    with Workspace.open(home) as workspace:
        kernel = Kernel(workspace, tmp_path)
        columns = {"crmid": "crmid", "email": "email", "city": "city"}
        for run in range(10):
            receipt = kernel.load(repeated(LINES), columns, replace="values", again=True)
            assert (receipt.stored, receipt.duplicates) == (50, LINES - 50), run
            digests.add(workspace.digest()["digest"])
        for n in (0, 7, 49):
            assert kernel.values("crmid", f"K{n}")["city"] == f"city {LINES - 50 + n}"
    assert len(digests) == 1


def test_which_rows_are_rejected_depends_only_on_what_is_mapped_to_a_type(kernel):
    """The engine's own reader rejects other rows when other columns are read (F3)."""
    data = "crmid\tcity\tlanguage\tslot\nK1\tPune\ten\tx\nK2\tGoa\nK3\tAgra\ten\t3\textra\nK4\tDelhi\ten\t4\n"
    kernel.workspace.attributes.add("slot", "integer")
    found = []
    for number, more in enumerate(({}, {"city": "city"}, {"language": "language", "city": "city"})):
        receipt = kernel.load(data, {"crmid": "crmid", **more}, f"S{number}")
        found.append([(r.line, r.code) for r in kernel.workspace.history.rejects(receipt.request_id)])
    assert found == [[(3, "missing_cell"), (4, "extra_cell")]] * 3
    receipt = kernel.load(data, {"crmid": "crmid", "slot": "slot"}, "S9")
    rejects = [(r.line, r.code) for r in kernel.workspace.history.rejects(receipt.request_id)]
    assert rejects == [(2, "not_an_integer"), (3, "missing_cell"), (4, "extra_cell")]


def test_an_open_quote_swallows_no_rows_of_a_tsv(kernel):
    """One open quote ate 49,999 lines (F4); in a TSV a quote is a character."""
    data = 'crmid\tcity\nK1\t"Pune\n' + "".join(f"K{n}\tGoa\n" for n in range(2, 500))
    receipt = kernel.load(data, {"crmid": "crmid", "city": "city"})
    assert (receipt.stored, receipt.rejected) == (499, 0)
    assert kernel.values("crmid", "K1")["city"] == '"Pune'


def marked(count):
    rows = [f"K{n}\tcanary-{n}@example.com\tCanaria{n} \t98765{n:05d}" for n in range(count)]
    rows += [f"\tcanary-rejected-{n}\tCanaria\t12" for n in range(20)]
    return "crmid\temail\tfirst_name\tphone\n" + "\n".join(rows) + "\n"


def on_disk(home):
    return {str(p.relative_to(home)): p.read_bytes() for p in home.rglob("*") if p.is_file() and p.name != "keys.json"}


@pytest.mark.parametrize("memory", ["512MB", "40MB"])
def test_pii_is_never_on_disk_in_the_clear(home, tmp_path, monkeypatch, memory):
    """Deleted values stay in the file (F9) and spill files are not encrypted (F10): so they never get there."""
    monkeypatch.setenv("ONRAMP_MEMORY_LIMIT", memory)
    columns = {"crmid": "crmid", "email": "email", "first_name": "first_name", "phone": "phone"}
    seen = []

    def look(phase, done, total):
        seen.append(on_disk(home))

    with Workspace.open(home) as workspace:
        source = workspace.sources.add("CRM", settings=None)
        kernel = Kernel(workspace, tmp_path)
        data = marked(400)
        landing_id = kernel.land(data.encode())
        plan = workspace.plan(
            workspace.landing.open(landing_id), source, mapping_of(columns), Options(), overrides={}
        )  # the phone numbers are national and the source has no country: they are rejected or kept as text of rejects
        receipt = workspace.loads.load(plan, look)
        again = kernel.load("crmid\tfirst_name\nK1\tCanaria-new\n", {"crmid": "crmid", "first_name": "first_name"})
        assert again.status == "Completed"
        seen.append(on_disk(home))
    seen.append(on_disk(home))
    assert receipt.rejected >= 20
    assert any("onramp.duckdb.wal" in files for files in seen)
    for files in seen:
        for name, content in files.items():
            assert b"anar" not in content, name


def test_pii_is_in_no_column_of_any_table(kernel):
    """Compressed storage hides values from a search of bytes, so every text and BLOB column is looked at, too."""
    columns = {"crmid": "crmid", "email": "email", "first_name": "first_name"}
    kernel.load(marked(50), columns)
    with kernel.workspace.engine.session() as session:
        places = session.rows(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE NOT internal AND data_type IN ('VARCHAR', 'BLOB')"
        )
        assert len(places) > 30
        for table, column in places:
            found = session.value(
                f'SELECT count(*) FROM {table} WHERE contains(CAST("{column}" AS VARCHAR), ?)', ["anar"]
            )
            assert found == 0, f"{table}.{column}"


def test_any_text_survives_the_load(kernel):
    """Values are bound or travel as Arrow; nothing of a cell becomes SQL (F14)."""
    texts = [
        "'; DROP TABLE profile; --",
        '"',
        "\\",
        "🦆",
        "名前",
        "=1+1",
        "e\u0301",
        "null",
        "NaN",
        "%s",
        "a  b",
        "\u202egnp",
    ]
    data = "crmid\tcity\tfirst_name\n" + "".join(f"K{n}\t{text}\t{text}\n" for n, text in enumerate(texts))
    receipt = kernel.load(data, {"crmid": "crmid", "city": "city", "first_name": "first_name"})
    assert receipt.stored == len(texts)
    for n, text in enumerate(texts):
        found = kernel.values("crmid", f"K{n}")
        assert (found["city"], found["first_name"]) in {(text, text), ("\u00e9", "\u00e9")}
