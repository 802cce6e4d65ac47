"""Exports: full and iterative, rows by template, parts, the control file last, and exact whatever fails."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.name_types import InfoName, OutboundName
from ingest_core.audience_manager.names import parse_outbound
from ingest_core.audience_manager.outbound.runs import DELIVERED, NOTHING, PREPARED
from ingest_core.errors import DeliveryError, InputError, OnrampError, StateError
from ingest_core.workspace import Workspace
from tests.audience_manager.outbound.conftest import COOKIES, CRM, DAY, SHOP, UUID, Out

DATA = "ftp_dpm_21_1700000000.sync"


def received(sets, rows):
    """Applies default rows of segments to what a receiver has."""
    for row in rows:
        identifier, added, removed = [*row.split(" "), "", ""][:3]
        held = sets.setdefault(identifier, set())
        held |= {int(one) for one in added.split(",") if one}
        held -= {int(one) for one in removed.split(",") if one}
    return {identifier: held for identifier, held in sets.items() if held}


class TestRows:
    def test_full_tells_everything_and_iter_only_what_changed(self, out):
        out.ingest(DATA, "b\td_sid=1,d_sid=2", "a\td_sid=3", "z\td_sid=9")
        out.order()
        first = out.run()
        assert out.lines(first) == ["a 102", "b 101,102"]
        assert out.run().status == NOTHING
        out.ingest("ftp_dpm_21_1700000001.sync", "a\td_unsid=3", "b\td_unsid=1", "c\td_sid=1", at=DAY)
        assert out.lines(out.run()) == ["a  102", "b  101,102", "c 102"]
        assert out.lines(out.run("full")) == ["c 102"]

    def test_traits_are_told_with_a_tab_and_removed_ones_behind(self, out):
        out.ingest(DATA, "a\td_sid=1,d_sid=2", "b\td_sid=3")
        out.order(what="traits")
        assert out.lines(out.run()) == ["a\t1,2", "b\t3"]
        out.ingest("ftp_dpm_21_1700000001.sync", "a\td_unsid=1,d_sid=3")
        assert out.lines(out.run()) == ["a\t3\t1"]

    def test_what_expired_is_told_as_removed(self, out):
        out.ingest(DATA, "a\td_sid=1")
        out.order()
        out.run()
        assert out.lines(out.run(at=DAY + timedelta(days=121))) == ["a  102"]

    def test_a_removed_segment_is_told_as_removed(self, out):
        out.ingest(DATA, "a\td_sid=1,d_sid=2")
        out.order()
        out.run()
        out.workspace.outbound.segments.remove(101)
        assert out.lines(out.run()) == ["a  101"]

    def test_cookie_ids_get_what_their_device_has(self, out):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1", f"{UUID}2\tcookie2")
        out.ingest("ftp_dpm_44_21_1700000001.sync", "cookie1\td_sid=1")
        out.order(master=COOKIES)
        assert out.lines(out.run()) == ["cookie1 102"]

    def test_cookie_ids_whose_mapping_ended_are_told_no_more(self, out):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1")
        later = DAY + timedelta(days=120)
        out.ingest("ftp_dpm_0_21_1700000001.sync", f"{UUID}1\td_sid=1", at=later)
        out.order(master=COOKIES)
        assert out.run(at=later).status == NOTHING
        out.order(order_id=8, name="Ids", master=0, content="<DP_UUID><TAB><DP_UUID_LIST>")
        assert out.lines(out.run(order=8, at=later)) == [f"{UUID}1\t"]

    def test_who_has_no_device_has_the_id_of_the_row(self, out):
        out.ingest(DATA, "a\td_sid=1")
        out.order(content="<DP_UUID>|<UUID>|<DP_UUID_LIST>|<DPUUIDS>")
        assert out.lines(out.run()) == ['a||a|[["21","a"]]']

    def test_ids_of_a_source_of_uuids_are_uuids(self, out):
        out.workspace.sources.add("Own", kind="data_source", dpid=55, id_type="cookie", inbound_id_type="aam_uuid")
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1")
        out.ingest("ftp_dpm_55_21_1700000001.sync", f"{UUID}1\td_sid=1")
        out.order(master=55, content="<DP_UUID>|<UUID>|<DP_UUID_LIST>")
        assert out.lines(out.run()) == [f"{UUID}1|{UUID}1|cookie1"]

    def test_a_segment_to_which_a_controlled_source_contributes_is_not_told(self, out):
        out.workspace.outbound.segments.add("Only", "1T AND NOT 9T", 103)
        out.workspace.outbound.segments.add("Either", "1T OR 9T", 104)
        out.ingest(DATA, "a\td_sid=1")
        out.ingest("ftp_dpm_21_33_1700000001.sync", "a\td_sid=9")
        out.order(labels=("advertising",))
        assert out.lines(out.run()) == ["a 102,104"]
        out.workspace.outbound.orders.set_controls(SHOP, ("advertising",))
        assert out.lines(out.run()) == ["a  104"]

    def test_cookie_ids_stand_for_the_device_that_is_still_known(self, out):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1")
        out.ingest("adobe_id_0_44_1700000001.sync", f"{UUID}2\tcookie1", at=DAY + timedelta(days=1))
        out.ingest("ftp_dpm_0_21_1700000002.sync", f"{UUID}1\td_sid=1", at=DAY + timedelta(days=100))
        out.order(master=COOKIES)
        assert out.lines(out.run("full", at=DAY + timedelta(days=120))) == []
        assert out.lines(out.run("full", at=DAY + timedelta(days=121))) == ["cookie1 102"]

    def test_cookie_ids_are_told_through_a_link_that_waited(self, out):
        out.workspace.sources.add("More cookies", kind="data_source", dpid=45, id_type="cookie")
        out.ingest("adobe_id_45_44_1700000000.sync", "known\tcookie1", "nobody\tcookie2")
        out.ingest("adobe_id_0_45_1700000001.sync", f"{UUID}1\tknown")
        out.ingest("ftp_dpm_44_21_1700000002.sync", "cookie1\td_sid=1")
        out.order(master=COOKIES)
        assert out.lines(out.run()) == ["cookie1 102"]

    def test_ids_are_told_with_their_uuid(self, out):
        out.ingest("adobe_id_0_44_1700000000.sync", f"{UUID}1\tcookie1")
        out.ingest("ftp_dpm_44_21_1700000001.sync", "cookie1\td_sid=1")
        out.order(master=COOKIES, what="ids")
        assert out.lines(out.run()) == [f"{UUID}1\tcookie1"]

    def test_ids_are_told_with_a_uuid_that_is_known_through_a_link(self, out):
        out.ingest("adobe_id_44_21_1700000000.sync", "cookie1\ta")
        out.ingest("adobe_id_0_44_1700000001.sync", f"{UUID}1\tcookie1")
        out.ingest(DATA, "a\td_sid=1", "b\td_sid=1")
        out.order(what="ids")
        assert out.lines(out.run()) == [f"{UUID}1\ta", "\tb"]

    def test_only_chosen_items_are_told(self, out):
        out.ingest(DATA, "a\td_sid=1,d_sid=2")
        out.order(items=(102,))
        assert out.lines(out.run()) == ["a 102"]

    def test_data_of_a_source_with_a_control_goes_to_no_order_with_its_label(self, out):
        out.ingest(DATA, "a\td_sid=1")
        out.ingest("ftp_dpm_33_1700000001.sync", "a\td_sid=9")
        out.workspace.outbound.orders.set_controls(CRM, ("advertising",))
        out.order(what="traits", labels=("advertising",))
        out.order(order_id=8, name="Other", what="traits", master=SHOP, labels=("advertising",))
        assert out.run().status == NOTHING
        assert out.lines(out.run(order=8)) == ["a\t9"]


class TestTemplates:
    @pytest.mark.parametrize(
        ("content", "row"),
        [
            ('<PID><TAB><DP_UUID><TAB><SET_ATTRIBUTES><TAB><TRAIT_LIST;separator="|">', "1131\ta\t1\t1|2|3"),
            ('<DP_UUID> <TRAIT_LIST;separator=" ">', "a 1 2 3"),
            ('<DP_UUID>:<TRAIT_LIST:{t|<t.type>,<t.traitId>}; separator=";">', "a:10,1;10,2;10,3"),
            ("<DP_UUID><if(TRAIT_LIST && REMOVED_TRAIT_LIST)>,<endif>!", "a!"),
            ('<OPEN_CURLY_BRACKET><DP_UUID><CLOSE_CURLY_BRACKET><COMMA><OPT_OUT>', "{a},0"),
            ("<MASTER_DPID>/<ORDER_ID>/<SYNC_MODE>/<SYNC_TYPE>/<MCID>'", "21/7/iter/ftp/'"),
            ('<TRAIT_LIST:{t|<t.lastRealized>}; separator=",">', "1772366400,1772366400,1772366400"),
        ],
    )  # fmt: skip
    def test_macros_of_rows(self, out, content, row):
        out.ingest(DATA, "a\td_sid=1,d_sid=2,d_sid=3")
        out.order(what="traits", pid="1131", content=content)
        assert out.lines(out.run()) == [row]

    def test_all_ids_of_a_user_newest_first(self, out):
        for name in ("1111", "2222"):
            out.workspace.sources.add(name, kind="data_source", dpid=int(name), id_type="cross_device")
        out.ingest("adobe_id_0_1111_1700000000.sync", f"{UUID}1\tAAAA")
        out.ingest("adobe_id_0_1111_2222_44_1700000001.sync", f"{UUID}1\tBBBB\tCCCC\tcookie")
        out.ingest("ftp_dpm_44_21_1700000002.sync", "cookie\td_sid=1")
        for number, (layout, told) in enumerate(
            [
                ("dpids=1111,2222|maxMappings=1|format=json", '[["1111","BBBB"],["2222","CCCC"]]'),
                ("dpids=1111,2222|maxMappings=0", '[["1111","BBBB"],["1111","AAAA"],["2222","CCCC"]]'),
            ],
            1,
        ):
            out.order(order_id=number, name=layout, master=COOKIES, content=f'<DPUUIDS; format="{layout}">')
            assert out.lines(out.run(order=number)) == [told]

    def test_segments_with_their_type(self, out):
        out.ingest(DATA, "a\td_sid=1,d_sid=2")
        out.order(content='<DP_UUID> <SEGMENT_LIST:{seg|<seg.type>,<seg.sid>}; separator=";">')
        assert out.lines(out.run()) == ["a 5,101;5,102"]


class TestFiles:
    def test_names_follow_the_scheme_and_read_back(self, out):
        out.ingest(DATA, "a\td_sid=1")
        out.order(pid_alias="acme")
        run = out.run("full")
        name = parse_outbound(run.files[0].name)
        assert isinstance(name, OutboundName)
        assert (name.root.order_id, name.root.master_dpid, name.root.pid_alias, name.root.sync_mode) == (
            7, CRM, "acme", "full",
        )  # fmt: skip
        control = parse_outbound(run.control)
        assert isinstance(control, InfoName)
        assert control.root == name.root

    def test_parts_are_cut_between_rows_and_each_has_the_header(self, out):
        out.ingest(DATA, *(f"user{n:04}\td_sid=1" for n in range(300)))
        out.order(split_bytes=1_000, header="id<TAB>segments<TAB><ORDER_ID>", gzip=True)
        run = out.run()
        names = [parse_outbound(file.name) for file in run.files]
        assert [name.split for name in names] == [None, *range(1, len(names))]
        assert len(names) > 3
        lines = out.lines(run)
        assert lines.count("id\tsegments\t7") == len(names)
        assert sorted(line for line in lines if line.startswith("user")) == [f"user{n:04} 102" for n in range(300)]

    def test_the_control_file_counts_what_was_delivered(self, out):
        out.ingest(DATA, "a\td_sid=1", "b\td_sid=1")
        out.order(gzip=True)
        run = out.run()
        (file,), told = run.files, out.control(run)
        data = (out.folder / file.name).read_bytes()
        assert told["Files"] == [
            {"FileByteSize": len(data), "FileLineCount": 2, "FileName": file.name, "FileSequenceNumber": 1,
             "md5": hashlib.md5(data).hexdigest()}
        ]  # fmt: skip
        assert told["Totals"]["FileName"] == run.control.removesuffix(".info") + ".sync"

    def test_nothing_new_leaves_nothing(self, out):
        out.order()
        assert out.run().status == NOTHING
        assert list(out.folder.iterdir()) == []

    def test_files_go_after_their_days(self, out, monkeypatch):
        out.ingest(DATA, "a\td_sid=1")
        out.order(keep_days=8)
        first = out.run()
        assert (out.folder / first.files[0].name).exists()
        with out.workspace.engine.session() as session:
            session.run("UPDATE am_run SET delivered_at = delivered_at - INTERVAL 9 DAY")
        out.run()
        assert list(out.folder.iterdir()) == []
        assert out.workspace.outbound.runs.get(first.run_no).purged_at is not None

    def test_a_preview_shows_the_rows_and_keeps_nothing(self, out):
        out.ingest(DATA, "a\td_sid=1")
        out.order()
        seen = out.exports.preview(7, "iter", DAY)
        assert (seen.rows, seen.counts) == (("a 102",), {"rows": 1, "added": 1, "removed": 0})
        assert len(seen.files) == 1
        assert list(out.folder.iterdir()) == []
        assert out.workspace.outbound.runs.list() == []
        assert list((out.workspace.home / "exports").iterdir()) == []


class TestFaults:
    @pytest.fixture
    def gone(self, out):
        """An order whose place is not there."""
        out.ingest(DATA, "a\td_sid=1")
        out.order()
        out.folder.rmdir()
        return out

    def test_a_place_that_is_down_leaves_a_prepared_run_which_is_sent_first_the_next_time(self, gone):
        with pytest.raises(DeliveryError):
            gone.run()
        (prepared,) = gone.workspace.outbound.runs.list()
        assert (prepared.status, prepared.error is not None) == (PREPARED, True)
        gone.folder.mkdir()
        gone.ingest("ftp_dpm_21_1700000001.sync", "a\td_unsid=1", "b\td_sid=1")
        second = gone.run()
        first = gone.workspace.outbound.runs.get(prepared.run_no)
        assert first.status == DELIVERED
        assert received({}, [*gone.lines(first), *gone.lines(second)]) == {"b": {102}}

    def test_after_a_run_was_given_up_everything_has_to_be_told(self, gone):
        with pytest.raises(DeliveryError):
            gone.run()
        gone.workspace.outbound.runs.give_up(gone.workspace.outbound.runs.list()[0], "asha")
        gone.folder.mkdir()
        with pytest.raises(StateError) as caught:
            gone.run("iter")
        assert caught.value.code == "needs_full"
        assert gone.lines(gone.run("full")) == ["a 102"]
        assert gone.run("iter").status == NOTHING

    @pytest.mark.parametrize(
        "point", ["am deliver:before", "am deliver:after", "am confirm:before", "am confirm:after"]
    )
    def test_wherever_it_fails_the_receiver_ends_with_the_state_of_the_sender(self, out, monkeypatch, point):
        out.ingest(DATA, "a\td_sid=1")
        out.order()
        monkeypatch.setenv("ONRAMP_FAULT", f"{point}:error")
        with pytest.raises(OnrampError):
            out.run()
        monkeypatch.delenv("ONRAMP_FAULT")
        out.ingest("ftp_dpm_21_1700000001.sync", "a\td_unsid=1", "b\td_sid=1")
        out.run()
        rows = [line for run in reversed(out.workspace.outbound.runs.list()) for line in out.lines(run)]
        assert received({}, rows) == {"b": {102}}

    def test_bytes_that_a_restored_backup_does_not_have_are_told_with_the_way_out(self, gone):
        with pytest.raises(DeliveryError):
            gone.run()
        (prepared,) = gone.workspace.outbound.runs.list()
        for file in prepared.files:
            gone.workspace.outbound.runs.zone.delete(file.landing)
        gone.folder.mkdir()
        with pytest.raises(StateError) as caught:
            gone.run()
        assert caught.value.code == "bytes_gone"
        assert prepared.run_id in caught.value.hint
        gone.workspace.outbound.runs.give_up(prepared, "asha")
        assert gone.lines(gone.run("full")) == ["a 102"]

    def test_an_order_that_is_not_there_is_told(self, out):
        with pytest.raises(InputError) as caught:
            out.run(order="nothing")
        assert caught.value.code == "no_such_order"

    def test_opening_removes_what_was_never_kept(self, out):
        zone = out.workspace.home / "exports"
        out.ingest(DATA, "a\td_sid=1")
        out.order()
        out.folder.rmdir()
        with pytest.raises(DeliveryError):
            out.run()
        kept = sorted(zone.iterdir())
        (zone / ("a" * 32 + ".land")).write_bytes(b"x")
        home = out.workspace.home
        out.workspace.close()
        with Workspace.open(home) as again:
            assert sorted(zone.iterdir()) == kept
            out.folder.mkdir()
            assert again.outbound.exports.run(7, "iter", at=DAY, user="asha").status == NOTHING
            assert [run.status for run in again.outbound.runs.list()] == [NOTHING, DELIVERED]


ODD_IDS = st.text(st.sampled_from("aZ9 ,=\"';é漢-_"), min_size=1, max_size=6).filter(lambda text: text == text.strip())


@settings(deadline=None, max_examples=12)
@given(st.dictionaries(ODD_IDS, st.sets(st.sampled_from([1, 2, 3]), min_size=1), min_size=1, max_size=6))
def test_an_export_that_is_taken_in_elsewhere_gives_the_same_sets(tmp_path_factory, people):
    root = tmp_path_factory.mktemp("reimport")
    held = {}
    for side in ("sender", "receiver"):
        with Workspace.open(root / side / "home", user="tests") as workspace:
            workspace.sources.add("CRM", kind="data_source", dpid=CRM, id_type="cross_device")
            for trait in (1, 2, 3):
                workspace.audience.traits.add(f"Trait {trait}", CRM, trait_id=trait)
            out = Out(workspace, root / side / "place")
            out.folder.mkdir()
            if side == "sender":
                lines = [f"{one}\t{','.join(f'd_sid={trait}' for trait in sorted(has))}" for one, has in people.items()]
            out.ingest(DATA, *lines)
            held[side] = {one: set(has) for one, has in workspace.audience.members(DAY).items()}
            out.order(what="traits")
            lines = out.lines(out.run("full"))  # bare numbers: what the receiver takes in
    assert held["receiver"] == held["sender"] == {(CRM, one): has for one, has in people.items()}


USERS, TRAITS = ["u1", "u2", "u3"], [1, 2, 3]
CHANGES = st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(TRAITS), st.booleans()), min_size=1, max_size=4)


@settings(deadline=None, max_examples=15)
@given(
    days=st.lists(st.tuples(CHANGES, st.sampled_from(["iter", "iter", "full"]), st.booleans()), min_size=1, max_size=5)
)
def test_a_receiver_of_runs_of_which_some_fail_knows_what_the_sender_knows(tmp_path_factory, days):
    root = tmp_path_factory.mktemp("exports")
    with Workspace.open(root / "home", user="tests") as workspace:
        workspace.sources.add("CRM", kind="data_source", dpid=CRM, id_type="cross_device")
        for trait in TRAITS:
            workspace.audience.traits.add(f"Trait {trait}", CRM, trait_id=trait)
        for number, rule in ((101, "1T AND 2T"), (102, "1T OR 3T")):
            workspace.outbound.segments.add(f"S{number}", rule, number)
        out = Out(workspace, root / "place")
        out.folder.mkdir()
        out.order()
        for number, (changes, mode, is_down) in enumerate(days):
            lines = [f"{user}\t{'d_sid' if is_add else 'd_unsid'}={trait}" for user, trait, is_add in changes]
            out.ingest(f"ftp_dpm_21_{1_700_000_000 + number}.sync", *lines, at=DAY + timedelta(hours=number))
            if is_down:
                out.folder.rename(root / "away")
                try:
                    out.run(mode, at=DAY + timedelta(hours=number, minutes=1))
                except DeliveryError:
                    pass
                (root / "away").rename(out.folder)
        out.run(at=DAY + timedelta(days=1))
        known: dict[str, set[int]] = {}
        for run in reversed(workspace.outbound.runs.list()):
            rows = out.lines(run)
            known = received({} if run.mode == "full" and rows else known, rows)
        held = {
            identifier: set(traits)
            for (_, identifier), traits in workspace.audience.members(DAY + timedelta(days=1)).items()
        }
        expected = {
            user: {s for s, is_in in ((101, {1, 2} <= traits), (102, bool(traits & {1, 3}))) if is_in}
            for user, traits in held.items()
        }
        assert known == {user: segments for user, segments in expected.items() if segments}


class TestChange:
    def change(self, out, **fields):
        orders = out.workspace.outbound.orders
        return orders.change(7, orders.get(7).model_copy(update=fields))

    def test_other_items_are_told_as_a_difference(self, out):
        out.ingest(DATA, "a\td_sid=1,d_sid=2", "b\td_sid=3")
        out.order()
        assert out.lines(out.run()) == ["a 101,102", "b 102"]
        self.change(out, items=(101,), gzip=True, header="id", name="Other name")
        assert out.lines(out.run()) == ["id", "a  102", "b  102"]

    @pytest.mark.parametrize("fields", [{"what": "traits"}, {"master": SHOP}, {"folder": "elsewhere"}])
    def test_where_ids_content_or_place_are_others_everything_is_told_anew(self, out, tmp_path, fields):
        out.ingest(DATA, "a\td_sid=1")
        out.ingest("ftp_dpm_33_1700000001.sync", "a\td_sid=9")
        out.order()
        out.run()
        if "folder" in fields:
            (tmp_path / "elsewhere").mkdir()
            fields = {"folder": str(tmp_path / "elsewhere")}
        self.change(out, **fields)
        run = out.run()
        with out.workspace.engine.session() as session:
            assert session.value("SELECT count(*) FROM am_known WHERE run_no <> ?", [run.run_no]) == 0
        assert run.counts["removed"] == 0

    def test_the_id_of_an_order_never_changes(self, out):
        out.order()
        assert self.change(out, order_id=99).order_id == 7

    def test_a_name_that_another_has_is_refused_and_its_own_is_not(self, out):
        out.order()
        out.order(order_id=8, name="Other")
        with pytest.raises(StateError) as caught:
            self.change(out, name="other")
        assert caught.value.code == "order_exists"
        assert self.change(out, name="PARTNER").name == "PARTNER"

    def test_nothing_is_changed_or_removed_while_a_run_is_made(self, out):
        out.order()
        with out.workspace.outbound.runs.alone():
            for work in (lambda: self.change(out, name="Other"), lambda: out.workspace.outbound.orders.remove(7)):
                with pytest.raises(StateError) as caught:
                    work()
                assert caught.value.code == "export_runs"
