"""Orders while they are written: every problem at its field, how files would look, and first rows with masked ids."""

from __future__ import annotations

import pytest

from ingest_core.audience_manager.name_types import OutboundName
from ingest_core.audience_manager.names import parse_outbound
from ingest_core.audience_manager.outbound.order_fields import read_order, remarks
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.errors import OnrampError
from tests.audience_manager.outbound.conftest import COOKIES, CRM, DAY, UUID

GOOD = {"order_id": 7, "name": "Partner", "master": CRM, "folder": "/srv/exchange"}


class TestFields:
    def test_a_good_order_has_no_problem_and_can_be_kept(self, out):
        order, problems = read_order(GOOD)
        assert problems == {}
        assert out.workspace.outbound.orders.add(order) == order

    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({"order_id": None}, "order_id"),
            ({"order_id": 10**18}, "order_id"),
            ({"master": None}, "master"),
            ({"name": ""}, "name"),
            ({"pid": "12a"}, "pid"),
            ({"pid_alias": "a__b"}, "pid_alias"),
            ({"split_bytes": 10}, "split_bytes"),
            ({"folder": None}, "place"),
            ({"folder": "exchange"}, "place"),
            ({"folder": None, "destination": "Gone"}, "place"),
            ({"content": "<WHAT>"}, "content"),
            ({"content": '<TRAIT_LIST:{t|<t.colour>}; separator=",">'}, "content"),
            ({"content": "a\nb"}, "content"),
            ({"header": "<DP_UUID>"}, "header"),
            ({"file_name": "x.sync"}, "file_name"),
            ({"file_name": "<TIMESTAMP>/SPLITNUM"}, "file_name"),
        ],
    )
    def test_a_problem_stands_at_its_field_and_keeps_the_order_from_being_added(self, out, fields, where):
        _, problems = read_order({**GOOD, **fields}, destinations=("Agency",))
        assert list(problems) == [where]
        assert problems[where].endswith(".")
        assert "Nothing was" not in problems[where]

    def test_what_is_refused_by_the_core_is_a_problem_of_a_field(self, out):
        for fields in ({"content": "<WHAT>"}, {"header": "<DP_UUID>"}, {"file_name": "x"}, {"name": "\x00"}):
            order, problems = read_order({**GOOD, **fields})
            with pytest.raises(OnrampError):
                out.workspace.outbound.orders.add(order)
            assert problems

    def test_several_problems_are_told_at_once(self):
        _, problems = read_order({**GOOD, "header": "<", "content": "<", "name": " "})
        assert set(problems) == {"header", "content", "name"}
        _, problems = read_order({"order_id": 7, "name": " ", "master": None})
        assert set(problems) == {"master", "name", "place"}

    def test_ids_and_names_of_others_are_taken(self):
        other = Order(**{**GOOD, "name": "PARTNER"})
        assert set(read_order(GOOD, [other])[1]) == {"order_id", "name"}
        assert read_order({**GOOD, "order_id": 8, "name": "Other"}, [other])[1] == {}

    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({}, []),
            ({"file_name": "my_<TIMESTAMP>SPLITNUM.csv"}, ["file_name"]),
            ({"content": "<SEGMENT_LIST><REMOVED_SEGMENT_LIST>"}, ["content"]),
            ({"content": "<DP_UUID> <SEGMENT_LIST>"}, ["content"]),
            ({"content": "<DP_UUID> <SEGMENT_LIST> <REMOVED_SEGMENT_LIST>"}, []),
            ({"what": "ids", "content": "<UUID>"}, []),
        ],
    )
    def test_what_can_be_kept_and_is_odd_is_remarked(self, fields, where):
        assert list(remarks(Order(**{**GOOD, **fields}))) == where


class TestSample:
    def test_the_default_form_of_segments(self, out):
        seen = out.exports.sample(Order(**GOOD))
        assert seen.rows == ("C-1042 101,102", "C-2077 101 102")
        name = parse_outbound(seen.file)
        assert isinstance(name, OutboundName)
        assert seen.control == f"{seen.file.removesuffix('.sync')}.info"

    @pytest.mark.parametrize(
        ("fields", "row"),
        [
            ({"what": "traits", "items": (2,)}, "C-1042\t2"),
            ({"what": "ids"}, "07955261652886032950143702505894272138\tC-1042"),
            ({"master": 20915, "content": "<DP_UUID>"}, "AEBE52E7-03EE-455A-B3C4-E57283966239"),
            ({"master": 0, "content": "<DP_UUID>"}, "07955261652886032950143702505894272138"),
            ({"content": '<DPUUIDS; format="dpids=21">'}, '[["21","C-1042"]]'),
            ({"content": '<DP_UUID_LIST; separator="|">!'}, "C-1042!"),
            ({"what": "traits", "content": '<TRAIT_LIST:{t|<t.type>,<t.traitId>}; separator=";">'}, "10,1;10,2"),
        ],
    )
    def test_templates_are_shown_with_invented_people(self, out, fields, row):
        assert out.exports.sample(Order(**{**GOOD, **fields})).rows[0] == row

    def test_headers_and_packing_are_shown(self, out):
        seen = out.exports.sample(Order(**GOOD, header="id<TAB><SYNC_MODE>", gzip=True), "full")
        assert (seen.header, seen.file.endswith(".sync.gz")) == ("id\tfull", True)

    def test_nothing_is_kept_and_no_person_is_looked_at(self, out):
        out.ingest("ftp_dpm_21_1700000000.sync", "secret-person\td_sid=1")
        assert "secret" not in str(out.exports.sample(Order(**GOOD)))
        assert out.workspace.outbound.orders.list() == []


class TestMasked:
    def test_first_rows_have_masked_ids_of_every_kind(self, out):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie-of-asha", f"{UUID}2\tab")
        out.ingest("ftp_dpm_44_21_1700000001.sync", "cookie-of-asha\td_sid=1", "ab\td_sid=1")
        out.order(master=COOKIES, content="<DP_UUID>|<UUID>|<DP_UUID_LIST>|<SEGMENT_LIST>")
        plain = out.exports.preview(7, "iter", DAY)
        masked = out.exports.preview(7, "iter", DAY, is_masked=True)
        assert plain.rows[1] == f"cookie-of-asha|{UUID}1|cookie-of-asha|102"
        assert masked.rows == ("a•••|07•••|a•••|102", "co•••|07•••|co•••|102")
        assert (masked.counts, masked.files[0][:8]) == (plain.counts, plain.files[0][:8])


def test_what_export_controls_keep_back_is_told_with_their_labels(out):
    orders = out.workspace.outbound.orders
    orders.set_controls(CRM, ("ads", "mail"))
    orders.set_controls(COOKIES, ("other",))
    assert orders.left_out(Order(**GOOD)) == []
    assert orders.left_out(Order(**GOOD, labels=("ads", "mail", "x"))) == [
        {"dpid": CRM, "labels": ["ads", "mail"], "traits": 3}
    ]
