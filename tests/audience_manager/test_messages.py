"""OpenPGP files are opened with the keys of the workspace; what cannot be opened is refused and stops no other."""

from __future__ import annotations

import gzip

import pysequoia
import pytest

from ingest_core.models import ColumnMapping, Mapping
from ingest_core.transport.openpgp import PublicKey, encrypted
from ingest_core.workspace import Workspace
from tests.audience_manager.memory import MemoryFile

DATA = "ftp_dpm_21_1700000000.sync"
IDS = "adobe_id_0_21_1700000000.sync.2"
TEXT = b"u1\td_sid=1\nbad line\n"


def new_key():
    return pysequoia.Tsk.generate(user_id="Inbound <inbound@example.com>", profile=pysequoia.Profile.RFC4880)


@pytest.fixture(scope="module")
def key():
    return new_key()


@pytest.fixture
def workspace(tmp_path, key):
    with Workspace.open(tmp_path / "home", user="tests") as opened:
        opened.sources.add("Source", kind="data_source", dpid=21, id_type="cross_device")
        opened.audience.traits.add("Trait", 21, trait_id=1)
        opened.pgp_keys.add("inbound", str(key))
        yield opened


@pytest.fixture
def seal(tmp_path):
    def sealed(key, name, data):
        public = key.extract_certificate()
        to = PublicKey("inbound", public.fingerprint, str(public))
        with encrypted(MemoryFile("plain", data), [to], tmp_path) as file, file.open() as stream:
            return MemoryFile(name, stream.read())

    return sealed


@pytest.mark.parametrize("ending", ["pgp", "gpg"])
def test_a_message_is_read_like_its_text(workspace, seal, key, ending):
    ids = f"{1:038}\tu1\n".encode()
    files = [seal(key, f"{DATA}.{ending}", TEXT), seal(key, f"{IDS}.{ending}", ids)]
    report = workspace.audience.ingest(files)
    assert report.rejected == []
    receipt = report.receipts[0]
    assert (receipt.files, receipt.stored_records, receipt.format_errors) == ([f"{DATA}.{ending}"], 1, 1)
    assert report.id_sync[0].counts["stored_records"] == 1
    assert list(workspace.audience.members()) == [(21, "u1")]
    kept = workspace.audience.originals.of(report.request_id)
    assert len(workspace.landing.ids()) == len(kept)  # as they came; nothing of what was in them
    again = workspace.audience.ingest(files[:1])
    assert [one.error for one in again.rejected] == ["duplicate_file"]


def test_what_cannot_be_opened_is_refused_and_stops_no_other(workspace, seal, key):
    files = [
        seal(new_key(), "ftp_dpm_21_1700000001.sync.pgp", TEXT),
        seal(key, "ftp_dpm_21_1700000002.sync.pgp", gzip.compress(TEXT)),
        MemoryFile("ftp_dpm_21_1700000003.sync.gpg", TEXT),
        seal(key, "ftp_dpm_21_1700000004.sync.pgp", b"\n\n"),
        MemoryFile(DATA, TEXT),
    ]
    report = workspace.audience.ingest(files)
    refused = {one.file: one.error for one in report.rejected}
    codes = ["decrypt_failed", "gzip_and_pgp", "decrypt_failed", "empty_file"]
    assert refused == dict(zip([file.name for file in files[:4]], codes, strict=True))
    assert report.receipts[0].stored_records == 1
    kept = workspace.audience.originals.of(report.request_id)
    assert len(workspace.landing.ids()) == len(kept)  # as they came; nothing of what was in them


def test_signals_of_a_message_go_into_profiles_and_nothing_plain_is_left(workspace, seal, key):
    source = workspace.sources.get("Source")
    pairs = (("id_21", "crmid"), ("city", "city"))
    columns = tuple(ColumnMapping(column=name, attribute=attribute) for name, attribute in pairs)
    workspace.mappings.save(source, Mapping(columns=columns))
    workspace.audience.source_editing.change(source.source_id, settings={"load_signals": True})
    report = workspace.audience.ingest([seal(key, f"{DATA}.pgp", b"u1\tcity=Oslo\n")])
    (load,) = workspace.signal_uploads.load(report.request_id)
    assert (load.file, load.status, load.stored) == (f"{DATA}.pgp", "Completed", 1)
    assert len(workspace.landing.ids()) == len(workspace.audience.originals.of(report.request_id))


def test_faulty_lines_of_a_message_are_sampled_as_they_stand_in_it(workspace, seal, key):
    workspace.audience.reports.switch_sampling("Source", is_on=True)
    report = workspace.audience.ingest([seal(key, f"{DATA}.pgp", TEXT + b"u9\td_sid=99\n")])
    files = [file.file_no for file in workspace.audience.receipt(report.request_id).per_file]
    (sampled,) = workspace.audience.reports.samples(files)
    assert sampled.file == f"{DATA}.pgp"
    assert [(one.type, one.line, one.user_id, one.payload) for one in sampled.samples] == [
        ("format_errors", 2, "bad line", ""), ("no_trait_realized", 3, "u9", "d_sid=99"),
    ]  # fmt: skip
