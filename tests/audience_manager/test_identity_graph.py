"""Which device an id stands for: newest mapping, waiting links, limits; and HTTP addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.audience_manager.id_graph import GraphLimits, IdGraph
from ingest_core.audience_manager.id_http import Consent, HttpProblem, HttpSync, parse_http_sync
from ingest_core.audience_manager.id_sync import RowContext, parse_row
from ingest_core.audience_manager.names import parse_id_sync

GAID = "e4fe9bde-caa0-47b6-908d-ffba3fa184f2"


def uuid(number: int) -> str:
    return f"{number:038d}"


def apply(graph: IdGraph, name: str, *rows: str):
    return graph.apply_file(parse_id_sync(name), (row.encode() for row in rows))


def test_links_wait_through_at_most_five_hops():
    graph = IdGraph()
    for hop in range(1, 7):
        counts = apply(graph, f"adobe_id_{100 + hop - 1}_{100 + hop}_1476312152.sync", f"a{hop - 1}\ta{hop}")
        assert counts.no_matching_aam_id == 1
    apply(graph, "adobe_id_0_100_1476312152.sync", f"{uuid(1)}\ta0")
    assert [graph.resolve(100 + hop, f"a{hop}") is not None for hop in range(7)] == [True] * 6 + [False]


def test_hashes_are_looked_at_when_all_ids_of_the_row_are():
    context = RowContext(parse_id_sync("c2c_id_5_6_1476312152.sync"))
    for row, code in {b"a\tno hash\t\tb": "empty_id", b"a\tA\tx@y.zz": "pii_in_id", b"a\tA\tb": "bad_hash"}.items():
        assert parse_row(row, context).problem.code == code


def test_links_in_a_circle_end():
    graph = IdGraph()
    apply(graph, "adobe_id_5_6_1476312152.sync", "a\tb")
    apply(graph, "adobe_id_6_5_1476312152.sync", "b\ta")
    assert graph.resolve(5, "a") is None


def test_sending_a_mapping_again_makes_it_the_newest():
    graph = IdGraph()
    name = "adobe_id_0_5_1476312152.sync"
    apply(graph, name, f"{uuid(1)}\tx", f"{uuid(2)}\tx", f"{uuid(1)}\tx")
    assert graph.resolve(5, "x") == (0, uuid(1))
    assert graph.devices(5, "x") == [(0, uuid(1)), (0, uuid(2))]


def test_a_row_through_a_customer_maps_the_others_and_not_the_customer_again():
    graph = IdGraph()
    apply(graph, "adobe_id_0_5_1476312152.sync", f"{uuid(1)}\tx")
    counts = apply(graph, "adobe_id_5_6_20914_1476312153.sync", f"x\ty\t{GAID}")
    assert counts.stored_records == 1
    assert graph.resolve(6, "y") == graph.resolve(20914, GAID) == (0, uuid(1))
    assert graph.devices(5, "x") == [(0, uuid(1))]


def test_a_device_that_nobody_knows_stands_for_itself():
    graph = IdGraph()
    assert graph.resolve(20914, GAID) == (20914, GAID)
    assert graph.resolve(0, uuid(7)) == (0, uuid(7))
    assert graph.resolve(5, "x") is None


def test_the_limit_of_customers_counts_per_data_source():
    graph = IdGraph(limits=GraphLimits(customers_per_device=2))
    for number in range(3):
        apply(graph, "adobe_id_20914_5_6_1476312152.sync", f"{GAID}\tx{number}\ty{number}")
    assert [graph.resolve(5, f"x{number}") is not None for number in range(3)] == [False, True, True]
    assert [graph.resolve(6, f"y{number}") is not None for number in range(3)] == [False, True, True]


def test_cookie_ids_are_limited_on_both_sides():
    graph = IdGraph({5: "cookie"}, GraphLimits(cookies_per_cookie=2))
    name = "adobe_id_0_5_1476312152.sync"
    apply(graph, name, *(f"{uuid(number)}\tx" for number in range(3)))
    assert graph.devices(5, "x") == [(0, uuid(2)), (0, uuid(1))]
    apply(graph, name, *(f"{uuid(9)}\tc{number}" for number in range(3)))
    assert [graph.resolve(5, f"c{number}") is not None for number in range(3)] == [False, True, True]


def test_customers_of_other_kinds_have_no_limit_of_cookies():
    graph = IdGraph({5: "cross_device"}, GraphLimits(cookies_per_cookie=2))
    apply(graph, "adobe_id_0_5_1476312152.sync", *(f"{uuid(number)}\tx" for number in range(3)))
    assert len(graph.devices(5, "x")) == 3


def test_a_byte_order_mark_and_blank_lines_cost_nothing():
    graph = IdGraph()
    counts = apply(graph, "adobe_id_0_5_1476312152.sync", f"\ufeff{uuid(1)}\tx\r\n", "\n", "")
    assert (counts.records_received, counts.stored_records) == (1, 1)


def test_counts_add_up():
    graph = IdGraph()
    rows = [f"{uuid(1)}\ta", "oops", "12\tb", f"{uuid(2)}\t{'z' * 102_400}", ""]
    counts = apply(graph, "adobe_id_0_5_1476312152.sync", *rows)
    assert counts.records_received == 4
    assert (counts.stored_records, counts.format_errors, counts.invalid_aam_id, counts.lines_too_long) == (1, 1, 1, 1)


START = "https://dpm.example.net/ibs:"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dpid=21&dpuuid=a%20b", HttpSync(((21, "a b"),))),
        ("dpid=21&dpuuid=a+b%3A", HttpSync(((21, "a+b:"),))),
        ("d_cid=1%01a&d_cid=2%01b%C3%A9", HttpSync(((1, "a"), (2, "bé")))),
        ("d_cid_ic=shop%20x%01a%01", HttpSync((("shop x", "a"),))),
        ("dpid=5&dpuuid=p&d_cid=1%01a", HttpSync(((5, "p"), (1, "a")))),
        ("dpid=5&dpuuid=p&gdpr=1&gdpr_consent=BOx", HttpSync(((5, "p"),), None, Consent(True, "BOx"))),
        ("dpid=5&dpuuid=p&gdpr=1", "gdpr_pair"),
        ("dpid=5&dpuuid=p&gdpr_consent=BOx", "gdpr_pair"),
        ("dpid=5&dpuuid=p&gdpr=2&gdpr_consent=BOx", "gdpr_pair"),
        ("dpid=05&dpuuid=p", "bad_dpid"),
        ("dpuuid=p", "bad_dpid"),
        ("", "bad_dpid"),
        ("dpid=5", "blank_id"),
        ("dpid=5&dpuuid=%20", "blank_id"),
        ("d_cid=5%01", "blank_id"),
        ("dpid=5&dpuuid=a%2", "bad_encoding"),
        ("dpid=5&dpuuid=a%zz", "bad_encoding"),
        ("dpid=5&dpuuid=%C3", "bad_encoding"),
        ("dpid=5&dpuuid=a&redir=%", "bad_encoding"),
        ("dpid=5&dpuuid=a&%", "bad_encoding"),
        ("dpid=5&dpuuid=a&%zz=1", "bad_encoding"),
    ],
)
def test_an_address_is_read_or_void(query, expected):
    read = parse_http_sync(START + query)
    assert (read.code if isinstance(read, HttpProblem) else read) == expected


def test_the_redirect_gets_the_uuid():
    read = parse_http_sync(START + "dpid=21&dpuuid=abc&redir=https%3A%2F%2Fv.example%2Fs%3Fu%3D%24%7BDD_UUID%7D")
    assert read.redirect_for(uuid(3)) == f"https://v.example/s?u={uuid(3)}"
    assert parse_http_sync(START + "dpid=21&dpuuid=abc").redirect_for(uuid(3)) is None


@given(st.text(max_size=30), st.booleans())
def test_any_address_is_judged(text, is_ours):
    read = parse_http_sync(START + text if is_ours else text)
    assert isinstance(read, HttpSync | HttpProblem)
