"""A data source that names an attribute joins its ids with customers: their traits, with file, line and end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.cli.main import main
from ingest_core.clock import now
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]


@pytest.fixture
def joined(kernel):
    kernel.load("crmid\nUser1\nUser2\n", {"crmid": "crmid"}, "CRM")
    opened = kernel.workspace
    opened.sources.add("Files", kind="data_source", dpid=21, id_type="cross_device", id_attribute="crmid")
    opened.sources.add("Others", kind="data_source", dpid=22, id_type="cross_device")
    for trait, dpid, days in ((1, 21, 30), (2, 21, 0), (3, 22, 30)):
        opened.audience.traits.add(f"Trait {trait}", dpid, trait_id=trait, ttl_days=days)
    return opened


def ingest(opened, name, text, at):
    return opened.audience.ingest([MemoryFile(name, text.encode())], BatchOptions(at))


def test_a_profile_shows_its_traits_with_file_line_and_end(joined):
    at = now().replace(microsecond=0)
    report = ingest(joined, "ftp_dpm_21_1700000000.sync", "x\td_sid=1\nUser1\td_sid=1,d_sid=2\n", at)
    ingest(joined, "ftp_dpm_22_1700000000.sync", "User1\td_sid=3\n", at)
    first, second = joined.profiles.show("crmid", "User1")["traits"]
    assert (first["trait_id"], first["name"], first["source"], first["dpid"], first["id"]) == (
        1, "Trait 1", "Files", 21, "User1",
    )  # fmt: skip
    assert (first["file"], first["line"], first["request_id"]) == ("ftp_dpm_21_1700000000.sync", 2, report.request_id)
    assert first["until"] - first["realised_at"] == timedelta(days=30)
    assert second["until"] - second["realised_at"] == timedelta(days=720)  # the profile's own end
    assert joined.profiles.show("crmid", "User2")["traits"] == []


def test_another_case_is_another_id_and_what_ended_is_gone(joined):
    at = now()
    ingest(joined, "ftp_dpm_21_1700000000.sync", "USER1\td_sid=1\n", at)
    ingest(joined, "ftp_dpm_21_1700000001.sync", "User2\td_sid=1\n", at - timedelta(days=31))
    assert joined.profiles.show("crmid", "User1")["traits"] == []
    assert joined.profiles.show("crmid", "User2")["traits"] == []


def test_segments_ask_for_traits(joined):
    ingest(joined, "ftp_dpm_21_1700000000.sync", "User1\td_sid=1\n", now())
    joined.segments.add("WITH_TRAIT", {"trait": 1})
    joined.segments.add("WITHOUT", {"not": {"trait": 1}})
    assert {one["name"]: one["count"] for one in joined.segments.list()} == {"WITH_TRAIT": 1, "WITHOUT": 1}
    assert joined.profiles.show("crmid", "User1")["segments"] == ["WITH_TRAIT"]
    (told,) = [one for one in joined.segments.list() if one["name"] == "WITH_TRAIT"]
    assert told["words"] == "with the trait Trait 1"


def test_personal_data_is_no_id(tmp_path, capsys):
    arguments = ["--home", str(tmp_path / "home"), "source", "add", "Ids", "--dpid", "21", "--id-attribute", "email"]
    assert main([*arguments, "--json"]) == 2
    assert "personal_id" in capsys.readouterr().out
