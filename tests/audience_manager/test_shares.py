"""A large file is folded in shares of its people, one after the other: all is as if it had been folded at once."""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import given, settings

from ingest_core.audience_manager import id_map, shares, trait_refold
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile
from tests.audience_manager.test_undo import STEPS, agree_with_the_rules
from tests.audience_manager.test_undo import prepared as with_rules

AT = now()  # samples are kept for thirty days
KINDS = {21: "cross_device", 33: "cookie"}
SHARES_PER_FILE = 7


@pytest.fixture(scope="module")
def in_many_shares():
    """Whatever the size of a file and of the log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shares, "SHARE_BYTES", 12)
        patch.setattr(trait_refold, "SHARE_ROWS", 2)
        patch.setattr(shares, "MOST_SHARES", SHARES_PER_FILE)
        patch.setattr(trait_refold, "MOST_SHARES", SHARES_PER_FILE)
        patch.setattr(id_map, "PART_LINES", 2)
        yield


@pytest.fixture(scope="module")
def workspace(in_many_shares, tmp_path_factory):
    with with_rules(tmp_path_factory.mktemp("shares") / "home") as opened:
        yield opened


@settings(deadline=None, max_examples=20)
@given(STEPS)
def test_files_undo_and_rebuild_in_shares_agree_with_the_rules(workspace, steps):
    agree_with_the_rules(workspace, steps)


# ── one batch, in one share and in many ─────────────────────────────────────────────────────────────────────────────


def prepared(home):
    opened = Workspace.open(home, user="tests")
    for dpid, kind in KINDS.items():
        opened.sources.add(f"Source {dpid}", kind="data_source", dpid=dpid, id_type=kind)
        opened.audience.reports.switch_sampling(f"Source {dpid}", is_on=True)
        for number in range(6):
            rule = f'colour == "{number}"' if number < 2 else None
            opened.audience.traits.add(f"Trait {dpid} {number}", dpid, trait_id=10 * dpid + number, rule=rule)
    opened.sources.add("Hashes", kind="data_source", dpid=60, id_type="cross_device")
    return opened


def lines(rng, dpid, count):
    """Of some people much, of most little; also lines that are refused, and such that lead to nothing."""
    for _ in range(count):
        person = rng.choice([f"often{rng.randrange(3)}", f"p{rng.randrange(400)}", f"p{rng.randrange(400)}"])
        items = [rng.choice([f"d_sid={10 * dpid + rng.randrange(6)}", f"{10 * dpid + rng.randrange(6)}:0",
                             f"colour={rng.randrange(4)}", "d_sid=9"]) for _ in range(rng.randrange(1, 4))]  # fmt: skip
        yield rng.choice([*[f"{person}\t{','.join(items)}"] * 20, "broken", f" {person}\t{items[0]}", ""])


def device(number):
    return f"{number:038}"


def batches():
    """ID syncs first: 150 people on 60 devices, so that several ids stand for one device."""
    rng = random.Random(11)
    known = "\n".join(f"{device(rng.randrange(60))}\tp{number}" for number in range(150))
    chained = "\n".join(f"p{rng.randrange(200)}\tp{rng.randrange(90)}" for _ in range(150))
    hashes = "\n".join(f"p{rng.randrange(5)}\t{rng.getrandbits(256):064x}" for _ in range(90))
    yield [
        MemoryFile("adobe_id_0_33_1700000000.sync", known.encode()),
        MemoryFile("adobe_id_33_21_1700000000.sync", chained.encode()),
        MemoryFile("c2c_id_21_60_1700000000.sync", hashes.encode()),
    ]
    for mode, moment in (("sync", 1_700_000_001), ("overwrite", 1_700_000_002), ("sync", 1_700_000_003)):
        files = []
        for dpid in KINDS:
            for part in (1, 2):
                text = "\n".join(lines(rng, dpid, 400)).encode()
                files.append(MemoryFile(f"ftp_dpm_{dpid}_{moment}.{mode}.{part}.gz", gzip.compress(text, mtime=0)))
        damaged = gzip.compress(b"p1\td_sid=212\n" * 300, mtime=0)[:-9]
        files.append(MemoryFile(f"ftp_dpm_21_{moment}.{mode}.3.gz", damaged))
        devices = "".join(f"{device(rng.randrange(80))}\td_sid={330 + rng.randrange(6)}\n" for _ in range(90))
        files.append(MemoryFile(f"ftp_dpm_0_33_{moment}.{mode}", devices.encode()))
        yield files


# Without the order of mappings across ids: a part counts on from where the last one ended.
GRAPH = (
    "SELECT dpid, id, list((device_dpid, device_id) ORDER BY seq) FROM am_map GROUP BY dpid, id",
    "SELECT dpid, id, list((known_dpid, known_id) ORDER BY seq) FROM am_link GROUP BY dpid, id",
    "SELECT dpid, id, list(hash ORDER BY seq) FROM am_hash GROUP BY dpid, id",
    "SELECT file_no, line, ids FROM am_row",
)


def run(home):
    """Everything that can be seen of the batches afterwards."""
    with prepared(home) as workspace:
        reports = [workspace.audience.ingest(files, BatchOptions(AT, user_cap=60)) for files in batches()]
        seen = [report.model_dump(exclude={"request_id", "steps"}) for report in reports]
        states = [workspace.audience.digest()]
        with workspace.engine.session() as session:
            log = sorted(session.rows("SELECT file_no, line, dpid, user_id, trait_id, is_add FROM am_op"))
            spaced = sorted(session.rows("SELECT file_no, line, dpid, user_id FROM am_spaced"))
            graph = [sorted(session.rows(query)) for query in GRAPH]
            numbers = [number for (number,) in session.rows("SELECT file_no FROM am_file ORDER BY ALL")]
        samples = [found.model_dump() for found in workspace.audience.reports.samples(numbers)]
        status = workspace.audience.reports.status(AT.date(), AT.date())
        rows = sorted(file.model_dump_json(exclude={"request_id", "file_no"}) for file in status.files)
        workspace.audience.undo(str(reports[2].request_id))
        states.append(workspace.audience.digest())
        workspace.audience.redo(str(reports[2].request_id))
        states.append(workspace.audience.digest())
        return {
            "reports": seen,
            "states": states,
            "log": log,
            "graph": graph,
            "spaced": spaced,
            "samples": samples,
            "status": rows,
        }


def test_a_batch_in_many_shares_gives_what_it_gives_at_once(tmp_path, in_many_shares, monkeypatch):
    in_many = run(tmp_path / "many")
    monkeypatch.setattr(shares, "MOST_SHARES", 1)
    monkeypatch.setattr(trait_refold, "MOST_SHARES", 1)
    monkeypatch.setattr(id_map, "PART_LINES", 4_000_000)
    at_once = run(tmp_path / "one")
    for what, found in at_once.items():
        assert in_many[what] == found, what
    # It means something: capped, unmatched, sampled, realised, removed lines, and a part that was refused.
    receipts = [receipt for report in at_once["reports"] for receipt in report["receipts"]]
    for counter in ("lines_over_user_cap", "no_matching_aam_id", "no_trait_realized", "total_removed_traits"):
        assert any(receipt[counter] for receipt in receipts), counter
    assert all([one["error"] for one in report["rejected"]] == ["corrupt_gzip"] for report in at_once["reports"][1:])
    assert all(at_once["graph"])
    assert any(len(hashes) == 10 for _, _, hashes in at_once["graph"][2])
    assert at_once["samples"]
    assert at_once["spaced"]
    assert at_once["states"][0] == at_once["states"][2] != at_once["states"][1]


def test_a_refused_part_leaves_no_rows_behind(tmp_path, in_many_shares):
    good, damaged = b"p1\td_sid=212\n", gzip.compress(b" p2\td_sid=213\n" * 90_000, mtime=0)[:-9]
    with prepared(tmp_path / "home") as workspace:
        report = workspace.audience.ingest(
            [MemoryFile("ftp_dpm_21_1700000000.sync.1", good), MemoryFile("ftp_dpm_21_1700000000.sync.2.gz", damaged)],
            BatchOptions(AT),
        )
        assert [rejected.error for rejected in report.rejected] == ["corrupt_gzip"]
        with workspace.engine.session() as session:
            assert session.rows("SELECT user_id, line FROM am_op") == [("p1", 1)]
            assert session.value("SELECT count(*) FROM am_spaced") == 0
        assert not list((tmp_path / "home").rglob("*.parquet"))
