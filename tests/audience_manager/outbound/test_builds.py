"""Builds: from profiles to files that are taken without a word and mean exactly what was wanted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.checking import check_files
from ingest_core.audience_manager.names import DataName, IdSyncName, parse_base, parse_s3_key
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.build_text import parse_build
from ingest_core.audience_manager.outbound.runs import NOTHING
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.errors import DeliveryError, InputError, StateError
from ingest_core.files import PathSource
from ingest_core.workspace import Workspace
from tests.workspaces import Kernel

CRM, SHOP = 21, 33
COLUMNS = {"crmid": "crmid", "email": "email", "city": "city", "tier": "tier"}
HEAD = "crmid\temail\tcity\ttier\n"
PEOPLE = HEAD + "K1\tpriya@example.in\tPune\tGold\nK2\tbina@example.in\tNew Delhi, IN\tsilver\nK3\t\t\tother\n"
ITEMS = [{"trait": 7}, {"attribute": "tier", "traits": {"gold": 5, "silver": 6}}, {"attribute": "city", "key": "city"}]


@dataclass
class Building:
    """A workspace with people, and a place."""

    kernel: Kernel
    folder: Path

    @property
    def workspace(self):
        return self.kernel.workspace

    def keep(self, **fields):
        made = {"id": {"attribute": "crmid"}, "dpid": CRM, "items": ITEMS, "folder": str(self.folder), **fields}
        return self.workspace.outbound.builds.keep(Build.model_validate({"name": "Gold", **made}))

    def run(self, **how):
        return self.workspace.outbound.builds.run("Gold", user="asha", **how)

    def files(self, run):
        return [PathSource(self.folder / file.name, file.name.rpartition("/")[2]) for file in run.files]

    def lines(self, run):
        return [line for file in run.files for line in (self.folder / file.name).read_text("utf-8").splitlines()]

    def traits(self, at=None):
        return {identifier: set(held) for (_, identifier), held in self.workspace.audience.members(at).items()}

    def ingest(self, run, at=None):
        """Takes what was built as Audience Manager would; without a word of complaint."""
        files = self.files(run)
        report = check_files(files, now())
        assert [(file.valid, file.problems) for file in report.files] == [(True, [])] * len(files)
        taken = self.workspace.audience.ingest(files, BatchOptions(at or now()))
        assert not taken.rejected
        return taken


@pytest.fixture
def building(kernel, tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    made = Building(kernel, folder)
    prepare(made.workspace)
    kernel.load(PEOPLE, COLUMNS, "People")
    return made


def prepare(workspace):
    workspace.attributes.add("tier", "string")
    workspace.sources.add("CRM ids", kind="data_source", dpid=CRM, id_type="cross_device")
    workspace.sources.add("Shop ids", kind="data_source", dpid=SHOP, id_type="cross_device")
    for trait, dpid in ((5, CRM), (6, CRM), (7, CRM), (8, SHOP)):
        workspace.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait)
    workspace.audience.traits.add("Lives in Pune", CRM, trait_id=9, rule='city == "Pune"')


class TestLines:
    def test_traits_and_signals_of_everybody_are_written_and_taken(self, building):
        building.keep()
        run = building.run()
        assert building.lines(run) == [
            "K1\tcity=Pune,d_sid=5,d_sid=7", 'K2\tcity="New Delhi, IN",d_sid=6,d_sid=7', "K3\td_sid=7",
        ]  # fmt: skip
        name = parse_base(run.files[0].name)
        assert isinstance(name, DataName)
        assert (name.dpid, name.target, name.mode, name.tail.split) == (CRM, None, "sync", None)
        building.ingest(run)
        assert building.traits() == {"K1": {5, 7, 9}, "K2": {6, 7}, "K3": {7}}

    def test_only_the_people_of_a_segment_or_source(self, building):
        building.kernel.load(HEAD + "K9\t\tGoa\tgold\n", COLUMNS, "Other", segment="create:NEWEST")
        building.keep(segment="NEWEST")
        assert building.lines(building.run()) == ["K9\tcity=Goa,d_sid=5,d_sid=7"]
        building.keep(source="People", items=[{"trait": 7}])
        assert [line[:2] for line in building.lines(building.run())] == ["K1", "K2", "K3"]

    def test_hashed_addresses_as_ids(self, building):
        building.keep(id={"attribute": "email", "recipe": "am_email"}, dpid=SHOP, items=[{"trait": 8}])
        run = building.run()
        expected = sorted(hashlib.sha256(one.encode()).hexdigest() for one in ("priya@example.in", "bina@example.in"))
        assert building.lines(run) == [f"{one}\td_sid=8" for one in expected]
        assert run.counts["without_id"] == 1

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"id": {"attribute": "email"}}, "personal_data"),
            ({"items": [{"attribute": "email", "key": "mail"}]}, "personal_data"),
            ({"items": [{"attribute": "first_name", "key": "name"}]}, "personal_data"),
            ({"id": {"attribute": "crmid", "recipe": "am_email"}}, "bad_build"),
            ({"items": []}, "bad_build"),
            ({"gzip": True, "pgp": ["partner"]}, "bad_build"),
            ({"segment": "A", "source": "B"}, "bad_build"),
            ({"kind": "id_sync"}, "bad_build"),
            ({"dpid": 20914}, "target_required"),
            ({"dpid": 77}, "unknown_data_source"),
            ({"target": 78}, "unknown_data_source"),
            ({"items": [{"attribute": "shoe", "key": "size"}]}, "unknown_attribute"),
        ],
    )
    def test_what_must_not_leave_or_would_not_be_taken_is_refused(self, building, fields, code):
        with pytest.raises(InputError) as caught:
            building.keep(**fields)
        assert caught.value.code == code
        assert building.workspace.outbound.builds.list() == []

    @pytest.mark.parametrize(
        "item",
        [{}, {"trait": 1, "attribute": "city"}, {"attribute": "city"}, {"attribute": "city", "key": "a b"},
         {"attribute": "city", "key": "D_SID"}, {"trait": 0}, {"key": "city"}],
    )  # fmt: skip
    def test_an_item_is_a_trait_or_an_attribute_with_a_meaning(self, item):
        with pytest.raises(InputError) as caught:
            parse_build(f'{{"id": {{"attribute": "crmid"}}, "dpid": 21, "items": [{item}]}}'.replace("'", '"'), "X")
        assert caught.value.code == "bad_build"

    def test_values_that_cannot_be_written_are_left_out_and_counted(self, building):
        rows = (
            'A1\t\tsay "hi"\t\nA2\t\twrite to asha@example.in\t\nA3\t\t+91 98200 12345\t\n'
            "A:4\t\tGoa\t\nA5\t\t“Goa”\t\nA6\t\t=1\t\n"
        )
        building.kernel.load(HEAD + rows, COLUMNS, "Odd")
        building.keep(source="Odd", items=[{"attribute": "city", "key": "city"}])
        run = building.run()
        assert building.lines(run) == ['A6\tcity="=1"']
        assert run.counts["refused"] == 5
        assert {"email_in_value", "phone_in_value", "colon_in_user_id"} <= {*run.counts["refused_by_reason"]}
        building.ingest(run)


class TestFiles:
    def test_parts_are_numbered_from_one_and_share_their_timestamp(self, building):
        rows = "".join(f"P{n:04}\t\tPune\tgold\n" for n in range(200))
        building.kernel.load(HEAD + rows, COLUMNS, "Many")
        building.keep(source="Many", split_bytes=1_000, gzip=True)
        run = building.run()
        names = [parse_base(file.name) for file in run.files]
        assert [name.tail.split for name in names] == [*range(1, len(names) + 1)]
        assert len({name.timestamp for name in names}) == 1
        building.ingest(run)
        assert len(building.traits()) == 200

    @pytest.mark.parametrize("split", [1_000, 1_001, 1_500, 3_999, 100_000])
    def test_a_preview_names_every_file_that_a_run_makes(self, building, split):
        rows = "".join(f"P{n:04}\t\t{'Pune' * (n % 7)}\tgold\n" for n in range(200))
        building.kernel.load(HEAD + rows, COLUMNS, "Many")
        build = building.keep(source="Many", split_bytes=split, changed=True, mode="overwrite", partner="acme")
        for rows in ("P0000\t\tGoa\tgold\n", "P0001\t\tGoa\tgold\n"):
            seen, run = building.workspace.outbound.builds.preview(build), building.run()
            assert [tail_of(name) for name in seen.files] == [tail_of(file.name) for file in run.files]
            assert seen.bytes == sum(file.size for file in run.files)
            building.kernel.load(HEAD + rows, COLUMNS, "Many", replace="members")

    def test_a_run_is_not_made_over_the_head_of_a_newer_one(self, building):
        building.keep()
        first = building.run(after=0)
        with pytest.raises(StateError) as caught:
            building.run(after=0)
        assert (caught.value.code, caught.value.facts) == ("ran_meanwhile", {"run": first.run_id})
        assert building.run(after=first.run_no).status == "delivered"

    def test_a_run_tells_how_far_it_is(self, building):
        building.keep()
        told = []
        building.run(progress=lambda *what: told.append(what))
        assert told == [("people", 3, 3), ("rows", 0, 3), ("send", 0, 1)]

    def test_the_layout_of_the_bucket_and_no_name_twice(self, building):
        building.keep(partner="acme")
        first, second = building.run(), building.run()
        keys = [parse_s3_key(run.files[0].name) for run in (first, second)]
        assert [(key.partner, str(key.name)) for key in keys] == [
            ("acme", run.files[0].name.rpartition("/")[2]) for run in (first, second)
        ]  # fmt: skip
        assert first.files[0].name != second.files[0].name

    def test_openpgp_for_a_recipient(self, building):
        pgp = pytest.importorskip("pysequoia")
        key = pgp.Tsk.generate(user_id="Partner <partner@example.com>", profile=pgp.Profile.RFC4880)
        building.workspace.pgp_keys.add("partner", str(key.extract_certificate()))
        building.keep(pgp=["partner"])
        run = building.run()
        (file,) = run.files
        assert file.name.endswith(".sync.pgp")
        data = (building.folder / file.name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
        assert b"d_sid" not in data

    def test_id_syncs_of_customers_and_of_hashed_addresses(self, building):
        building.keep(kind="id_sync", items=[], others=[{"attribute": "email", "recipe": "am_email", "dpid": SHOP}])
        run = building.run()
        name = parse_base(run.files[0].name)
        assert isinstance(name, IdSyncName)
        assert (name.prefix, name.columns) == ("c2c_id", (CRM, SHOP))
        assert building.lines(run) == [
            f"{who}\t{hashlib.sha256(mail.encode()).hexdigest()}"
            for who, mail in (("K1", "priya@example.in"), ("K2", "bina@example.in"))
        ]
        assert building.ingest(run).id_sync[0].counts["stored_records"] == 2


class TestChanges:
    def change(self, building, rows):
        building.kernel.load(HEAD + rows, COLUMNS, "People")

    def test_only_what_changed_with_removals(self, building):
        building.keep(changed=True, source="People")
        building.ingest(building.run())
        assert building.run().status == NOTHING
        self.change(building, "K1\t\tPune\tsilver\nK4\t\tGoa\tgold\n")
        run = building.run()
        assert building.lines(run) == ["K1\td_sid=6,d_unsid=5", "K4\tcity=Goa,d_sid=5,d_sid=7"]
        building.ingest(run)
        assert building.traits() == {"K1": {6, 7, 9}, "K2": {6, 7}, "K3": {7}, "K4": {5, 7}}
        assert [line[:2] for line in building.lines(building.run(is_full=True))] == ["K1", "K2", "K3", "K4"]

    def test_an_overwrite_has_a_companion_that_empties_who_left(self, building):
        building.keep(changed=True, mode="overwrite", segment=None, source="People")
        building.ingest(building.run())
        building.kernel.load(HEAD + "K1\t\tPune\tsilver\n", COLUMNS, "People", replace="members")
        run = building.run()
        assert [parse_base(file.name).mode for file in run.files] == ["overwrite", "sync"]
        assert building.lines(run) == [
            "K1\tcity=Pune,d_sid=6,d_sid=7", "K2\td_unsid=6,d_unsid=7", "K3\td_unsid=7",
        ]  # fmt: skip
        assert run.counts["removals"] == 4
        building.ingest(run)
        assert building.traits() == {"K1": {6, 7, 9}}

    def test_what_beta_was_sent_production_does_not_have(self, building):
        building.keep(changed=True, environment="beta")
        assert len(building.lines(building.run())) == 3
        assert building.run().status == NOTHING
        building.keep(changed=True)
        assert len(building.lines(building.run())) == 3

    def test_another_id_forgets_what_was_sent(self, building):
        building.keep(changed=True)
        building.run()
        building.keep(changed=True, id={"attribute": "email", "recipe": "am_email"})
        assert len(building.lines(building.run())) == 2

    def test_a_preview_keeps_nothing(self, building):
        build = building.keep()
        seen = building.workspace.outbound.builds.preview(build)
        assert (len(seen.lines), seen.counts["rows"], len(seen.files)) == (3, 3, 1)
        assert list(building.folder.iterdir()) == []
        assert building.workspace.outbound.runs.list() == []

    def test_a_place_that_is_down_gets_the_same_bytes_later(self, building):
        building.keep(changed=True)
        building.folder.rmdir()
        with pytest.raises(DeliveryError):
            building.run()
        building.folder.mkdir()
        assert building.run().status == NOTHING
        (first,) = [run for run in building.workspace.outbound.runs.list() if run.files]
        assert len(building.lines(first)) == 3

    @pytest.fixture
    def waiting(self, building):
        """A run that did not arrive; its place is there again."""
        building.keep(changed=True)
        building.folder.rmdir()
        with pytest.raises(DeliveryError):
            building.run()
        building.folder.mkdir()
        return building.workspace.outbound.runs.list()[0]

    def test_a_run_is_sent_again_once_however_often_it_is_asked_for(self, building, waiting):
        runs = building.workspace.outbound.runs
        first, second = runs.send_again(waiting.run_id), runs.send_again(waiting.run_id)
        assert first == second == runs.get(waiting.run_no)
        assert (first.status, len(building.lines(first))) == ("delivered", 3)
        assert building.run().status == NOTHING

    def test_what_was_given_up_is_not_sent_again_and_what_arrived_not_given_up(self, building, waiting):
        runs = building.workspace.outbound.runs
        runs.give_up(waiting, "asha")
        for refused in (lambda: runs.send_again(waiting.run_id), lambda: runs.give_up(waiting, "asha")):
            with pytest.raises(StateError) as caught:
                refused()
            assert caught.value.code == "not_prepared"
        assert list(building.folder.iterdir()) == []

    def test_while_a_run_is_made_no_other_is_made_sent_or_given_up(self, building, waiting):
        runs = building.workspace.outbound.runs
        with runs.alone():
            for refused in (building.run, lambda: runs.send_again(waiting.run_no), lambda: runs.give_up(waiting, "a")):
                with pytest.raises(StateError) as caught:
                    refused()
                assert caught.value.code == "export_runs"
        assert runs.send_again(waiting.run_no).status == "delivered"

    def test_runs_are_listed_by_definition_a_page_at_a_time(self, building):
        building.keep()
        made = [building.run().run_no for _ in range(3)]
        building.keep(environment="beta")
        made.append(building.run().run_no)
        runs = building.workspace.outbound.runs
        both = ["Gold", "Gold (beta)"]
        assert (runs.count("build", both), runs.count("build", "Gold"), runs.count("export")) == (4, 3, 0)
        pages = [run.run_no for offset in (0, 3) for run in runs.list("build", both, 3, offset)]
        assert pages == made[::-1]
        assert {name: run.run_no for name, run in runs.latest("build").items()} == {
            "Gold": made[2], "Gold (beta)": made[3],
        }  # fmt: skip


def tail_of(name):
    """A name without its timestamp."""
    return re.sub(r"_[0-9]{10}\.", "_", name)


VALUES = st.one_of(
    st.sampled_from(["", "Pune", "a,b", ' x"y', "=", "“q”", "x=y", "12", "28:0", "asha@example.in", "é́ ß", "%3A", " "]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6),
)
PERSON = st.tuples(VALUES, st.sampled_from(["", "gold", "SILVER", "other"]))


@settings(deadline=None, max_examples=12)
@given(
    days=st.lists(
        st.dictionaries(st.sampled_from(["K1", "K2", "K3", "K4"]), PERSON, min_size=1), min_size=1, max_size=3
    ),
    mode=st.sampled_from(["sync", "overwrite"]),
    split=st.sampled_from([1_000, 1 << 20]),
)
def test_what_is_built_is_taken_without_a_warning_and_means_the_intended_sets(tmp_path_factory, days, mode, split):
    root = tmp_path_factory.mktemp("builds")
    (root / "files").mkdir()
    with Workspace.open(root / "home", user="tests") as workspace:
        building = Building(Kernel(workspace, root / "files"), root / "place")
        building.folder.mkdir()
        prepare(workspace)
        building.keep(changed=True, mode=mode, split_bytes=split)
        moment = now()
        for number, day in enumerate(days):
            clean = {who: (" ".join(city.split()), tier) for who, (city, tier) in day.items()}
            rows = "".join(f"{who}\t\t{city}\t{tier}\n" for who, (city, tier) in clean.items())
            mapping = {name: {"attribute": name, "blank": "clear"} for name in ("city", "tier")}
            building.kernel.load(HEAD + rows, {"crmid": "crmid", "email": "email", **mapping}, "People", again=True)
            run = building.run()
            if run.files:
                building.ingest(run, moment + timedelta(hours=number))
            writable = building.workspace.outbound.builds.preview(
                building.workspace.outbound.builds.get("Gold"), is_full=True
            )
            wanted = {}
            with workspace.engine.session() as session:
                city, tier = (workspace.attributes.get(name).column for name in ("city", "tier"))
                crmid = workspace.attributes.get("crmid").column
                people = session.rows(f"SELECT {crmid}, {city}, {tier} FROM profile")
            for who, lives, level in people:
                traits = {7} | {{"gold": 5, "silver": 6}.get(str(level).lower(), 7)}
                wanted[who] = traits | ({9} if lives is not None and lives.casefold() == "pune" else set())
            taken = building.traits(moment + timedelta(hours=number, minutes=1))
            if writable.counts["refused"] == 0:
                assert {who: held - {9} for who, held in taken.items()} == {
                    who: held - {9} for who, held in wanted.items()
                }
                if mode == "overwrite":
                    assert taken == wanted
