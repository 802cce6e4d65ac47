"""Blocks of lines give what the exact parser gives, line by line, over arbitrary bytes; and nothing ever raises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.data_sources import CUSTOMER, UUID, id_rule
from ingest_core.audience_manager.id_sync import RowContext, parse_row
from ingest_core.audience_manager.item_reader import NO_TRAIT
from ingest_core.audience_manager.items import OP_KINDS
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import CATEGORIES, WARNINGS, LineContext, parse_line
from ingest_core.audience_manager.names import IdSyncName
from ingest_core.audience_manager.row_blocks import parse_rows

PIECES = [
    b"\t", b",", b"=", b'"', b" ", b"a", b"1", b"-", b":", b"\r", b"\n", b"\r\n", b"\x00", b"\x7f", b"\xff",
    b"\xc3\xa9", b"\xe2\x80\x9c", b"\xe2\x80\x9d", b"\xef\xbb\xbf", b"@", b"b.com", b"%3A", b"28:0", b"28:-1",
    b"d_sid=", b"D_UNSID=7", b"9" * 20 + b":0", b"\nu1\t", b"k=v", b'"k"="v, w"', b"-k=", b"ic==5", b"\n", b",24",
    b"\n00088008579683653741516297509717335000\t24", b"\ngaid\te4fe9bde-caa0-47b6-908d-ffba3fa184f2\t1",
    b"\nIDFA\tAEBE52E7-03EE-455A-B3C4-E57283966239\t1", b"\ne4fe9bde-caa0-47b6-908d-ffba3fa184f2\td_sid=1, d_sid=2",
]  # fmt: skip
BYTES = st.one_of(st.binary(max_size=40), st.lists(st.sampled_from(PIECES), max_size=24).map(b"".join))
CONTEXTS = st.sampled_from([
    LineContext(),
    LineContext(mode="overwrite"),
    LineContext(UUID),
    LineContext(id_rule(20914)),
    LineContext(id_rule(389146, strict_alnum=True)),
    LineContext(variant="odc"),
    LineContext(variant="odc", odc_dpid=20915),
    LineContext(max_line_bytes=12),
])  # fmt: skip


def lines_of(data: bytes) -> list[bytes]:
    """As a file is cut: at every LF, the last line with or without one."""
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


@settings(max_examples=600)
@given(BYTES, CONTEXTS, st.booleans())
@example(b"u1\td_sid=1\r\r\n", LineContext(), False)
@example(b"\xef\xbb\xbf\nu1\t1", LineContext(), True)
@example(b'u1\tk="a,b",d_sid=9\nu2\t' + b"9" * 20 + b":0,1", LineContext(), False)
def test_a_block_is_its_lines(data: bytes, context: LineContext, is_begin: bool) -> None:
    block = BlockParser(context).parse(data, 1 if is_begin else 7)
    lines = lines_of(data)
    assert len(block) == len(lines)
    expected_ops = []
    for index, raw in enumerate(lines):
        line = parse_line(raw + b"\n", context, is_first=is_begin and index == 0)
        if context.variant == "odc" and context.odc_dpid is None and line.category == "ok":
            context = replace(context, odc_dpid=line.id_dpid)
        assert block.line(index) == line
        assert CATEGORIES[block.category[index]] == line.category
        assert block.user_id[index].as_py() == line.user_id
        named = tuple(name for place, name in enumerate(WARNINGS) if int(block.warnings[index]) >> place & 1)
        assert named == line.warnings
        expected_ops += [(index, op.kind, op.trait, op.key, op.value) for op in line.ops]
    ops = block.ops
    columns = zip(ops.line.tolist(), ops.kind.tolist(), ops.trait.tolist(), ops.key, ops.value, strict=True)
    found = [(line, OP_KINDS[kind], trait, key.as_py(), value.as_py()) for line, kind, trait, key, value in columns]
    assert found == [
        (line, kind, NO_TRAIT if trait is None or trait >= 1 << 63 else trait, key, value)
        for line, kind, trait, key, value in expected_ops
    ]


@settings(max_examples=300)
@given(st.lists(BYTES, min_size=2, max_size=4), CONTEXTS)
def test_cutting_a_file_elsewhere_changes_nothing(pieces: list[bytes], context: LineContext) -> None:
    whole = b"\n".join(pieces) + b"\n"
    one = BlockParser(context).parse(whole)
    parser, first, found = BlockParser(context), 1, []
    for piece in pieces:
        block = parser.parse(piece + b"\n", first)
        found += [block.line(index) for index in range(len(block))]
        first += len(block)
    assert found == [one.line(index) for index in range(len(one))]


PAYLOADS = st.lists(
    st.sampled_from([b"24", b"word", b"28:7", b"a==b", b'k="v,w"', b'k="v', b"d_sid=x", b"", b" ", "é=ü".encode()]),
    max_size=3,
).map(b",".join)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(["u", "user-1", "é", "ü2"]), PAYLOADS), min_size=2, max_size=8), CONTEXTS)
def test_a_payload_that_comes_again_means_the_same(lines: list[tuple[str, bytes]], context: LineContext) -> None:
    raws = [user.encode() + b"\t" + payload for user, payload in lines]
    parser, one_by_one = BlockParser(context), BlockParser(context)
    block = parser.parse(b"\n".join(raws))
    assert len(block) == len(raws)
    for index, raw in enumerate(raws):
        assert block.line(index) == one_by_one.parse(raw, index + 1).line(0)
        if context.variant != "odc":
            assert block.line(index) == parse_line(raw, context)


@settings(max_examples=300)
@given(BYTES, st.sampled_from(["adobe_id", "c2c_id"]))
def test_a_row_of_any_bytes_is_judged(data: bytes, prefix: str) -> None:
    name = IdSyncName(prefix, 0 if prefix == "adobe_id" else 5, (7,), 1)
    row = parse_row(data, RowContext(name), is_first=True)
    assert (row.category in ("ok", "blank")) == (row.problem is None)
    assert bool(row.ids) == (row.category == "ok")


ROWS = st.lists(
    st.sampled_from([*PIECES, b"\t", b"\t", b"\n" + b"7" * 38 + b"\t", b"\n" + b"c" * 64, b"crm1", b"\tcrm2"]),
    max_size=20,
).map(b"".join)
NAMES = st.sampled_from([
    IdSyncName("adobe_id", 0, (5,), 1),
    IdSyncName("adobe_id", 5, (20914, 7), 1),
    IdSyncName("c2c_id", 5, (7,), 1),
])  # fmt: skip


@settings(max_examples=600)
@given(ROWS, NAMES, st.booleans(), st.sampled_from([9, 102_400]))
@example(b"\xef\xbb\xbf" + b"7" * 38 + b"\tcrm\r\n\ncrm\n", IdSyncName("adobe_id", 0, (5,), 1), True, 102_400)
def test_a_block_of_rows_is_its_rows(data: bytes, name: IdSyncName, is_begin: bool, most: int) -> None:
    context = RowContext(name, max_line_bytes=most)
    block = parse_rows(data, context, 1 if is_begin else 7)
    lines = lines_of(data)
    assert len(block) == len(lines)
    for index, raw in enumerate(lines):
        row = parse_row(raw + b"\n", context, is_first=is_begin and index == 0)
        assert block.row(index) == row
        assert CATEGORIES[block.category[index]] == row.category


@given(BYTES, CONTEXTS)
def test_a_refused_line_says_where(data: bytes, context: LineContext) -> None:
    body = data.replace(b"\n", b"").replace(b"\r", b"")
    line = parse_line(body, context)
    assert (line.category in ("ok", "blank")) == (line.problem is None)
    if line.problem is not None:
        assert 1 <= line.problem.column <= len(body) + 1
        assert line.problem.why.endswith(".")


@pytest.mark.parametrize(
    ("raw", "code", "column"),
    [
        (b"u1\td_sid=1,word", "bad_item", 12),
        ("é1\té=ü,28:7".encode(), "bad_removal_suffix", 13),
        (b"u1\ta=1,b=x\"y\"", "stray_quote", 11),
        (b"u:1\t24", "colon_in_user_id", 2),
        (b"me@site.org\t24", "pii_in_user_id", 3),
        (b"u1\tx\t24", "extra_tab", 5),
        (b'u1\tk="a\\"b",x="1"', "junk_after_quote", 10),
        (b'u1\ta=1,k="v', "unbalanced_quote", 10),
        (b'u1\tword,k="v', "bad_item", 4),
        (b"u1\ta=caf\xe9", "bad_utf8", 9),
        (b"u1\t24 ", "trailing_whitespace", 6),
    ],
)  # fmt: skip
def test_the_column_is_that_of_the_byte(raw: bytes, code: str, column: int) -> None:
    problem = parse_line(raw, LineContext(CUSTOMER)).problem
    assert problem is not None
    assert (problem.code, problem.column) == (code, column)


def test_a_line_that_is_hard_for_expressions_takes_no_time() -> None:
    for raw in (
        b"a" * 102_300 + b"\t1",
        b"@" * 100_000 + b"\t1",
        b"u\t" + b"1" * 102_000 + b":0",
        b"u\t" + b'"' * 90_000,
    ):
        assert parse_line(raw, LineContext()).category in ("ok", "format_error")
