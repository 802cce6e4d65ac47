"""Segments over traits: counted by profiles, tried before they count, changed, and who hears of their end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.audience_manager.outbound.segment_counts import Hearing
from ingest_core.errors import InputError, OnrampError, StateError
from tests.audience_manager.outbound.conftest import COOKIES, CRM, DAY, SHOP, UUID

DATA = "ftp_dpm_21_1700000000.sync"


@pytest.fixture
def counts(out):
    return out.workspace.outbound.segment_counts


class TestCounts:
    def test_every_segment_has_its_profiles(self, out, counts):
        out.ingest(DATA, "a\td_sid=1,d_sid=2", "b\td_sid=3", "c\td_sid=2")
        out.workspace.outbound.segments.add("Nobody", "99T", 103)
        assert counts.all(DAY) == {101: 1, 102: 2, 103: 0}

    def test_what_has_expired_counts_no_more(self, out, counts):
        out.ingest(DATA, "a\td_sid=1")
        assert counts.all(DAY + timedelta(days=121)) == {101: 0, 102: 0}

    def test_one_says_whose_ids_its_profiles_are(self, out, counts):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1")
        out.ingest("ftp_dpm_44_21_1700000001.sync", "cookie1\td_sid=1")
        out.ingest(DATA, "a\td_sid=1", "b\td_sid=1")
        found = counts.of(102, DAY)
        assert (found.profiles, found.sources) == (3, {0: 1, CRM: 2})

    def test_it_counts_whom_an_export_tells(self, out, counts):
        out.ingest(DATA, *(f"u{n}\td_sid={1 + n % 3}" for n in range(50)))
        out.order(items=(102,))
        assert counts.of(102, DAY).profiles == len(out.lines(out.run("full")))

    def test_none_without_any(self, out, counts):
        for segment in (101, 102):
            out.workspace.outbound.segments.remove(segment)
        assert counts.all(DAY) == {}


class TestTrial:
    def test_a_rule_is_written_canonically_and_counted_and_not_kept(self, out, counts):
        out.ingest(DATA, "a\td_sid=1", "b\td_sid=3")
        tried = counts.try_rule("(3t) or 77t", DAY)
        assert (tried.rule, tried.profiles, tried.unknown) == ("3T OR 77T", 1, (77,))
        assert len(out.workspace.outbound.segments.list()) == 2

    @pytest.mark.parametrize("rule", ["", "1T AND", "NOT 1T", "FREQUENCY([1T] <= 5D) >= 1"])
    def test_one_that_cannot_be_used_is_refused(self, counts, rule):
        with pytest.raises(OnrampError):
            counts.try_rule(rule, DAY)


class TestChange:
    def test_who_enters_and_leaves_by_another_rule_is_told(self, out):
        out.ingest(DATA, "a\td_sid=1", "b\td_sid=2")
        out.order(items=(102,))
        assert out.lines(out.run()) == ["a 102"]
        assert out.workspace.outbound.segments.change(102, rule="2t").rule == "2T"
        assert out.lines(out.run()) == ["a  102", "b 102"]

    def test_another_name_changes_nothing_else(self, out):
        segments = out.workspace.outbound.segments
        assert segments.change(101, name="BOTH").model_dump() == {
            "segment_id": 101, "name": "BOTH", "rule": "1T AND 2T",
        }  # fmt: skip
        with pytest.raises(StateError) as caught:
            segments.change(101, name="any")
        assert caught.value.code == "segment_exists"
        assert segments.get(101).name == "BOTH"

    def test_one_that_is_not_there_is_told(self, out):
        for work in (lambda: out.workspace.outbound.segments.change(9, name="x"),
                     lambda: out.workspace.outbound.segments.get(9)):  # fmt: skip
            with pytest.raises(InputError) as caught:
                work()
            assert caught.value.code == "no_such_segment"


class TestHearing:
    def test_orders_that_export_it_with_how_many_their_receivers_know(self, out, counts):
        out.ingest(DATA, "a\td_sid=1,d_sid=2", "b\td_sid=3")
        out.order()
        out.order(order_id=8, name="Only the other", items=(101,))
        out.order(order_id=9, name="Traits", what="traits")
        out.order(order_id=10, name="Nothing yet", master=COOKIES)
        out.run()
        assert counts.hearing(102) == [
            Hearing(order_id=7, name="Partner", told=2), Hearing(order_id=10, name="Nothing yet", told=0),
        ]  # fmt: skip
        assert SHOP not in {one.order_id for one in counts.hearing(101)}
