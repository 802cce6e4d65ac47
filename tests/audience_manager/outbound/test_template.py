"""Templates of exported files: the examples of the specification, and what cannot be read."""

from __future__ import annotations

from datetime import datetime

import pytest

from ingest_core.audience_manager.outbound import macros
from ingest_core.audience_manager.outbound.orders import Order, checked
from ingest_core.audience_manager.outbound.template import If, Macro, parse
from ingest_core.errors import InputError

AT = datetime.fromisoformat("2026-03-04 05:06:07.890")


def order(**fields):
    return Order(**{"order_id": 45, "name": "Partner", "master": 20914, "folder": "/srv/out", **fields})


def test_a_template_is_read_into_its_parts():
    assert parse('<PID><TAB>x<SEGMENT_LIST:{seg|<seg.type>,<seg.sid>}; separator=",">') == (
        Macro("PID"), Macro("TAB"), "x",
        Macro("SEGMENT_LIST", {"separator": ","}, ("seg", (Macro("seg.type"), ",", Macro("seg.sid")))),
    )  # fmt: skip
    assert parse("<if(SEGMENT_LIST && REMOVED_SEGMENT_LIST)>,<endif>!") == (
        If(("SEGMENT_LIST", "REMOVED_SEGMENT_LIST"), (",",)), "!",
    )  # fmt: skip
    assert parse("{plain} > text") == ("{plain} > text",)


@pytest.mark.parametrize(
    "text",
    [
        "<PID", "<>", "<a b>", "x<endif>", "<if(A)>x", '<PID; separator=",">'[:-3], "<PID; separator>",
        "<SEGMENT_LIST:seg>", "<SEGMENT_LIST:{seg}>", "<SEGMENT_LIST:{seg|<seg.sid}>", "<PID>" * 5_000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(text):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert caught.value.code == "bad_template"


@pytest.mark.parametrize(
    ("java", "digits", "text"),
    [
        (None, 13, "1772600767890"),
        (None, 10, "1772600767"),
        ("YYYYMMDDhhmmss", 13, "20260304050607"),
        ("yyMMdd", 13, "260304"),
        ("yyyy-MM-dd", 13, "2026-03-04"),
    ],
)
def test_a_timestamp_is_milliseconds_seconds_or_a_date_pattern(java, digits, text):
    assert macros.stamp(AT, java, digits) == text


@pytest.mark.parametrize("java", ["yyyy/MM", "'week'", "%x\x00"])
def test_a_pattern_that_is_no_part_of_a_name_is_refused(java):
    with pytest.raises(InputError):
        macros.stamp(AT, java, 13)


@pytest.mark.parametrize(
    "fields",
    [
        {"content": "<NEW_LINE>"}, {"content": "<WHATEVER>"}, {"content": "a\nb"}, {"header": "<DP_UUID>"},
        {"content": "<SEGMENT_LIST:{seg|<seg.owner>}>"}, {"content": "<if(PID)>x<endif>"},
        {"content": '<DPUUIDS; format="maxMappings=x">'}, {"file_name": "<ORDER_ID>.sync"},
        {"file_name": "<ORDER_ID>_<TIMESTAMP>.sync"}, {"destination": "Also"}, {"folder": None},
        {"file_name": "<TAB><TIMESTAMP>SPLITNUM"},
    ],
)  # fmt: skip
def test_an_order_that_could_not_be_filled_is_refused(fields):
    with pytest.raises(InputError) as caught:
        checked(order(**fields))
    assert caught.value.code in ("bad_template", "bad_order")


def test_an_order_as_it_is_usual_is_fine():
    assert checked(order()).name_template == (
        "<SYNC_TYPE>_<ORDER_ID>_<MASTER_DPID>_<SYNC_MODE>_<TIMESTAMP>SPLITNUM.sync"
    )
    assert "<PID_ALIAS>" in checked(order(pid_alias="acme_1")).name_template


def test_a_date_pattern_has_milliseconds():
    assert macros.stamp(AT.replace(microsecond=89_999), "yyyyMMddHHmmssSSS", 13) == "20260304050607089"
