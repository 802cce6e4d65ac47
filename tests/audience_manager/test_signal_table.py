"""A data file as a table: its rows are what the parser says of its lines, over arbitrary bytes; nothing ever raises."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.data_tables import DataTables, data_name
from ingest_core.audience_manager.lines import LineContext, parse_line
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.signal_columns import MOST_KEYS, column_of
from ingest_core.audience_manager.signal_table import SignalTable, find_keys
from ingest_core.errors import FileError
from ingest_core.files import head, header_problems, read_slices, repair_names
from ingest_core.files.in_memory import InMemory
from ingest_core.models import FileLimits, LineReject, Source
from tests.audience_manager.test_line_blocks import BYTES, lines_of

NAME = "ftp_dpm_478_1366545717.sync"
LIMITS = FileLimits()
SIGNAL_BYTES = st.lists(
    st.sampled_from([
        b"\nu1\t", b"\nu2\t", b"u3\t", b"a=1", b"A=2", b",", b'"b c"="x, y"', b"b-c=z", b"p_q=1", b"24", b"28:0",
        b"d_sid=7", b"traits=t", b"id_478=i", b"a=", b"\r\n", b"\n", b"\xff", b"word", b"\xc3\x89=e", b"\xc3\xa9=f",
        b"ic=5", b"d_sid=" + b"9" * 18, b"9" * 20 + b":0",
    ]),
    max_size=30,
).map(b"".join)  # fmt: skip


@dataclass
class Expected:
    """The table as the exact parser of lines gives it, in plain Python."""

    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)
    blank: int = 0


def expected(data: bytes, mode: str, id_name: str) -> Expected:
    """Line by line."""
    made = Expected(columns=[id_name, "traits", "removed_traits"])
    context = LineContext(mode=mode)  # type: ignore[arg-type]
    for number, raw in enumerate(lines_of(data), 1):
        line = parse_line(raw + b"\n", context, is_first=number == 1)
        if line.category == "blank":
            made.blank += 1
        elif line.category != "ok":
            assert line.problem is not None
            made.rejects.append((number, line.problem.code))
        else:
            made.rows.append((number, row_of(line.user_id or "", line.ops, mode, id_name, made.columns)))
    return made


def row_of(user_id, ops, mode, id_name, columns) -> dict[str, str]:
    """One line's cells; columns grow in order of first use."""
    row = {id_name: user_id}
    for op in ops:
        if op.kind == "signal":
            name = column_of(op.key)
            if name is not None:
                row[name] = op.value
                if name not in columns:
                    columns.append(name)
        elif op.kind == "bare" or (op.trait < 1 << 63 and (op.kind == "add_trait" or mode == "sync")):
            name = "removed_traits" if op.kind == "remove_trait" else "traits"
            text = op.value if op.kind == "bare" else str(op.trait)
            row[name] = f"{row[name]}|{text}" if name in row else text
    return row


def table_of(name: str) -> SignalTable:
    data = parse_base(name)
    return SignalTable(data, Registered({}).id_rule(data.dpid))


@settings(max_examples=500)
@given(st.one_of(BYTES, SIGNAL_BYTES), st.sampled_from(["sync", "overwrite"]), st.integers(1, 60))
@example(b"\xef\xbb\xbfu1\ta=1\nu2\tA=2,a=3", "sync", 5)
@example(b"u1\t24,d_sid=7,028:0\n\nu1\tk=,k=v,k=\n", "sync", 7)
def test_rows_are_what_the_parser_says_of_the_lines(data: bytes, mode: str, size: int) -> None:
    wanted = expected(data, mode, "id_478")
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    table, finder = find_keys(table_of(f"ftp_dpm_478_1366545717.{mode}"), chunks, MOST_KEYS)
    columns = table.columns(finder)
    assert list(columns) == wanted.columns
    assert repair_names(columns) == columns
    assert header_problems(columns) == ()
    parts = list(table.read(chunks, columns, size))
    rows = [
        (line, {name: cell for name, cell in zip(columns, cells, strict=True) if cell is not None})
        for part in parts
        for line, cells in zip(
            part.lines.to_pylist(), zip(*(c.to_pylist() for c in part.table.columns), strict=True), strict=True
        )
    ]
    assert rows == wanted.rows
    assert [(reject.line, reject.code) for part in parts for reject in part.rejects] == wanted.rejects
    assert sum(part.blank for part in parts) == wanted.blank
    for part in parts:
        assert part.lines_seen == part.table.num_rows + part.blank + len(part.rejects) == part.physical_lines
    assert sum(part.lines_seen for part in parts) == len(lines_of(data))


@given(st.text(max_size=12))
@example("id_478")
@example("signal_traits")
@example("Straße - 1")
@example("\u0085")
def test_the_column_of_a_key_is_its_own_column_and_never_one_of_ours(key: str) -> None:
    name = column_of(key)
    if name is not None:
        assert repair_names([name]) == (name,)
        assert name not in {"traits", "removed_traits", "id_478"}
        assert column_of(name) in (name, f"signal_{name}")


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("City", "city"), ("c_tier-level", "c_tier_level"), ("tier level", "tier_level"), ("ID", "id"),
        ("traits", "signal_traits"), ("signal_traits", "signal_signal_traits"), ("id_478", "signal_id_478"),
        ("p_secret", None), ("P_Secret", None), ("k" * 201, None), ("price!", "price!"), ("123", "123"),
    ],
)  # fmt: skip
def test_columns_are_keys_as_header_rules_want_them(key, column):
    assert column_of(key) == column


def tables(*sources: Source) -> DataTables:
    return DataTables(lambda: Registered.of(sources))


def read(file: InMemory, found: DataTables, **options):
    facts = found.receive(file, LIMITS)
    dialect = found.sniff(file, facts, **options)
    return facts, dialect, list(read_slices(file, facts, dialect, LIMITS, slice_bytes=64))


def test_keys_over_the_most_are_left_out_and_told():
    lines = "".join(f"u{n}\tk{n}=1,p_x=2\n" for n in range(MOST_KEYS + 7))
    _, dialect, parts = read(InMemory(NAME, lines.encode()), tables())
    assert len(dialect.columns) == MOST_KEYS + 3
    assert dialect.notices == (
        f"7 signals were left out: the first {MOST_KEYS} keys of a file become columns.",
        f"{MOST_KEYS + 7} signals were left out: private keys (p_…) and very long ones become no column.",
    )
    assert sum(part.table.num_rows for part in parts) == MOST_KEYS + 7


@pytest.mark.parametrize("is_packed", [False, True])
def test_broken_bytes_refuse_their_line_only_whatever_encoding_they_look_like(is_packed):
    text = b"u1\tcity=K\xf6ln\nu2\tcity=Bonn\r\nu3\tcity=M\xfcnchen\r" + b"\n" * 2
    data = gzip.compress(text) if is_packed else text
    facts, _, parts = read(InMemory(NAME + (".gz" if is_packed else ""), data), tables())
    assert (facts.encoding, facts.container) == ("utf-8", "gzip" if is_packed else "plain")
    assert [reject for part in parts for reject in part.rejects] == [
        LineReject(1, "bad_utf8", None, "u1\tcity=K\\xf6ln"),
        LineReject(3, "bad_utf8", None, "u3\tcity=M\\xfcnchen"),
    ]
    assert [cell for part in parts for cell in part.table.column(3).to_pylist()] == ["Bonn"]


def test_a_line_that_is_too_long_is_refused_wherever_its_bytes_end():
    long = b"u1\tk=" + b"v" * 102_400 + b"\n"
    _, _, parts = read(InMemory(NAME, long + b"u2\tk=1\n" + long * 2), tables())
    assert [(r.line, r.code) for part in parts for r in part.rejects] == [
        (1, "line_too_long"), (3, "line_too_long"), (4, "line_too_long"),
    ]  # fmt: skip
    assert sum(part.lines_seen for part in parts) == 4


def test_ids_are_those_of_the_data_source_that_the_name_names():
    shop = Source(source_id=1, name="Shop", dpid=478, id_attribute="CRMID")
    uuids = Source(source_id=2, name="Web", dpid=7, inbound_id_type="aam_uuid")
    found = tables(shop, uuids)
    _, dialect, _ = read(InMemory("ftp_dpm_478_567_1366545717.sync", b"u1\ta=1\n"), found)
    assert (dialect.grammar.mapped_by, dialect.grammar.known["id_478"]) == ("id_478", "crmid")
    _, dialect, parts = read(InMemory("ftp_dpm_7_1366545717.sync", b"u1\ta=1\n"), found)
    assert (dialect.columns[0], [r.code for part in parts for r in part.rejects]) == ("id_7", ["invalid_aam_id"])
    idfa = b"\nIDFA\tAEBE52E7-03EE-455A-B3C4-E57283966239\ta=1"
    _, dialect, parts = read(InMemory("ftp_dpm_odc_478_1366545717.sync", b"x\n" + idfa), found)
    assert (dialect.columns, sum(part.table.num_rows for part in parts)) == (
        ("id_20915", "traits", "removed_traits", "a"), 1,
    )  # fmt: skip


def test_a_file_that_is_said_to_have_cells_is_a_table():
    file = InMemory(NAME, b"crmid\tcity\nC1\tOslo\n")
    assert read(file, tables(), has_header=True)[1].columns == ("crmid", "city")
    assert data_name("people.tsv") is None
    assert data_name("adobe_id_0_478_1366545717.sync") is None
    assert data_name("shop/date=2026-03-09/" + NAME) is not None


def test_what_is_no_text_for_a_data_file_is_refused():
    for data, code in (
        ("u1\ta=1\n".encode("utf-16"), "bad_encoding"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted"),
    ):
        with pytest.raises(FileError) as caught:
            read(InMemory(NAME, data), tables())
        assert caught.value.code == code


def test_a_file_that_changed_since_it_was_looked_at_is_refused():
    found = tables()
    before, after = InMemory(NAME, b"u1\ta=1\n"), InMemory(NAME, gzip.compress(b"u1\ta=1\n"))
    facts = found.receive(before, LIMITS)
    with pytest.raises(FileError) as caught:
        list(read_slices(after, facts, found.sniff(before, facts), LIMITS))
    assert caught.value.code == "changed_while_reading"


def test_the_first_rows_are_those_of_the_whole_file():
    lines = b"\n".join(b"u%d\tk=%d" % (n, n) if n % 5 else b"word" for n in range(40))
    found, file = tables(), InMemory(NAME, lines)
    _, _, parts = read(file, found)
    _, first = found.head(file, rows=10)
    assert first.table.column(0).to_pylist() == [c for p in parts for c in p.table.column(0).to_pylist()][:10]
    assert (first.lines_seen, len(first.rejects)) == (13, 3)
    assert (
        head(InMemory("t.tsv", b"a\tb\n1\t2\n"))[1].table.num_rows
        == found.head(InMemory("t.tsv", b"a\tb\n1\t2\n"))[1].table.num_rows
    )


def test_a_table_has_a_bounded_number_of_cells(monkeypatch):
    monkeypatch.setattr("ingest_core.audience_manager.signal_rows._MOST_CELLS", 12)
    lines = "".join(f"u{n}\ta={n},b=1,d_sid={n}\n" for n in range(20)).encode()
    _, _, parts = read(InMemory(NAME, lines), tables())
    assert max(part.table.num_rows for part in parts) == 2
    assert [c for p in parts for c in p.table.column(3).to_pylist()] == [str(n) for n in range(20)]
