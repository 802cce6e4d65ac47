"""Pre-flight: everything that would go wrong is said before a file is sent, and the receipt is the one that follows."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from ingest_core.audience_manager.preflight_page import page
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.receipts import Counts
from ingest_core.clock import now
from tests.audience_manager.memory import MemoryFile
from tests.workspaces import home, template, workspace

__all__ = ["home", "template", "workspace"]

CRM, SHOP = 21, 33


@pytest.fixture
def desk(workspace):
    for dpid, name in ((CRM, "CRM"), (SHOP, "Shop")):
        workspace.sources.add(name, kind="data_source", dpid=dpid, id_type="cross_device")
    workspace.audience.traits.add("Gold", CRM, trait_id=5)
    workspace.audience.traits.add("Visited", SHOP, trait_id=8)
    workspace.audience.traits.add("Seen", CRM, trait_id=6, type="rule_based")
    return workspace


def file(name, *lines, end="\n"):
    return MemoryFile(name, "".join(f"{line}{end}" for line in lines).encode())


def stamp(hours=0):
    return int((now() + timedelta(hours=hours)).timestamp())


def codes(found):
    return {one.code: one.count for one in (*found.check.problems, *found.remarks)}


def test_a_file_that_is_fine_is_fine_and_nothing_is_kept(desk):
    before = desk.audience.digest()
    found = desk.outbound.preflight([file(f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5", "u2\td_sid=5")])
    assert (found.verdict, codes(found.files[0])) == ("fine", {})
    assert (found.files[0].bad_ids, found.files[0].without_trait, found.files[0].parts) == (0.0, 0.0, 1)
    assert found.receipt.receipts[0].stored_records == 2
    assert desk.audience.digest() == before
    assert desk.audience.receipts() == []


def test_the_receipt_is_the_one_that_follows(desk):
    sent = file(f"ftp_dpm_21_{stamp()}.sync", "u1\td_sid=5", "u2\td_sid=8", "no tab", "u3\td_sid=77,a=1")
    said = desk.outbound.preflight([sent]).receipt.receipts[0]
    done = desk.audience.ingest([sent], BatchOptions(now())).receipts[0]
    assert [getattr(said, name) for name in Counts.model_fields] == [
        getattr(done, name) for name in Counts.model_fields
    ]


def test_traits_that_would_do_nothing_are_named(desk):
    lines = ("u1\td_sid=5", "u2\td_sid=8", "u3\td_sid=6", "u4\td_sid=77", "u5\t78:0")
    (found,) = desk.outbound.preflight([file(f"ftp_dpm_21_{stamp()}.sync", *lines)]).files
    assert found.traits == {"unknown": [77, 78], "not_onboarded": [6], "of_another": [8]}
    assert codes(found) == {
        "traits_unknown": 2, "traits_not_onboarded": 1, "traits_of_another_source": 1, "lines_without_trait": 4,
    }  # fmt: skip
    assert found.verdict == "ask"
    assert found.without_trait == 0.8


def test_each_file_has_its_own_share_of_lines_that_realise_nothing(desk):
    names = [f"ftp_dpm_21_{stamp(hours)}.sync" for hours in (-2, -1)]
    found = desk.outbound.preflight([file(names[0], "u1\td_sid=5"), file(names[1], "u1\td_sid=5", "u2\ta=1")])
    assert [one.without_trait for one in found.files] == [0.0, 0.5]
    assert [codes(one) for one in found.files] == [{}, {"lines_without_trait": 1}]
    assert {name: counts.stored_records for name, counts in found.receipt.per_file.items()} == dict.fromkeys(names, 1)


def test_more_than_200_lines_of_a_user_block(desk):
    (found,) = desk.outbound.preflight([file(f"ftp_dpm_21_{stamp()}.sync", *["u\td_sid=5"] * 203)]).files
    assert (codes(found), found.verdict) == ({"lines_over_user_cap": 3}, "blocked")


def test_line_ends_and_padded_quotes_are_told(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    (found,) = desk.outbound.preflight([file(name, 'u1\td_sid=5,c=" red"', "u2\td_sid=5", end="\r\n")]).files
    assert codes(found) == {"crlf": 2, "padded_quotes": 1}
    assert [place.line for problem in found.check.problems for place in problem.places] == [1, 1]


def test_a_file_that_was_sent_before_is_told(desk):
    moment = stamp()
    sent = file(f"ftp_dpm_21_{moment}.sync", "u1\td_sid=5")
    desk.audience.ingest([sent], BatchOptions(now()))
    assert codes(desk.outbound.preflight([sent]).files[0]) == {"duplicate_file": 1}
    other = file(f"ftp_dpm_21_{moment}.overwrite", "u1\td_sid=5")
    assert codes(desk.outbound.preflight([other]).files[0]) == {"timestamp_used_before": 1}
    part = file(f"ftp_dpm_21_{moment}.sync.2", "u1\td_sid=5")
    assert codes(desk.outbound.preflight([part]).files[0]) == {}


def test_an_overwrite_that_shrank_is_told(desk):
    full = file(f"ftp_dpm_21_{stamp(-24)}.overwrite", *(f"u{n}\td_sid=5" for n in range(10)))
    desk.audience.ingest([full], BatchOptions(now()))
    small = file(f"ftp_dpm_21_{stamp()}.overwrite", *(f"u{n}\td_sid=5" for n in range(4)))
    assert codes(desk.outbound.preflight([small]).files[0]) == {"overwrite_shrinks": 1}
    half = file(f"ftp_dpm_21_{stamp()}.overwrite", *(f"u{n}\td_sid=5" for n in range(5)))
    assert codes(desk.outbound.preflight([half]).files[0]) == {}


def test_the_place_in_the_bucket_is_judged(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    sent = file(name, "u1\td_sid=5")
    today = f"acme/date={now():%Y-%m-%d}/{name}"
    assert desk.outbound.preflight([sent], keys={name: today}).verdict == "fine"
    found = desk.outbound.preflight([sent], keys={name: f"acme/date=2020-01-01/{name}"})
    assert codes(found.files[0]) == {"date_folder_not_today": 1}


def test_a_name_nobody_can_read_and_an_unknown_source_block(desk):
    found = desk.outbound.preflight([file("people.sync", "u\td_sid=5"), file(f"ftp_dpm_99_{stamp()}.sync", "u\ta=1")])
    assert [one.verdict for one in found.files] == ["blocked", "blocked"]
    assert codes(found.files[1]) == {"unknown_data_source": 1}


def test_the_page_holds_no_content_and_escapes_names(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    found = desk.outbound.preflight([file(name, "asha@example.com\td_sid=5"), file("<b>.sync", "u\td_sid=5")])
    text = page(found, "today")
    assert "asha@example.com" not in text
    assert "&lt;b&gt;.sync" in text
    assert "<b>" not in text
    assert "http" not in text
    assert "Not to be sent" in text


def test_a_folder_is_looked_at_whole_by_the_command(tmp_path):
    import json

    from tests.cli.onramp import Onramp

    onramp = Onramp(tmp_path / "home")
    onramp.json("source", "add", "CRM", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    folder = tmp_path / "out"
    folder.mkdir()
    for n in range(2):
        (folder / f"ftp_dpm_21_{stamp(n - 3)}.sync").write_text("u\td_sid=5\n")
    found = onramp.json("am", "preflight", folder, "--html", tmp_path / "report.html")
    assert (found["verdict"], len(found["files"])) == ("fine", 2)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    (folder / "wrong.sync").write_text("x\n")
    done = onramp.run("--json", "am", "preflight", folder)
    assert (done.code, json.loads(done.out)["verdict"]) == (1, "blocked")


def test_files_are_named_and_sent_by_commands(tmp_path):
    import json

    from tests.cli.onramp import Onramp

    onramp = Onramp(tmp_path / "home")
    onramp.json("source", "add", "CRM", "--kind", "data_source", "--dpid", "21", "--id-type", "cross_device")
    onramp.json("am", "trait", "add", "Gold", "--dpid", "21", "--id", "5")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    onramp.json("destination", "add", "Bucket", "--kind", "folder", "--path", bucket)
    file = tmp_path / "crm full.csv"
    file.write_bytes(b"u1\td_sid=5\r\n")
    named = onramp.json("am", "name", file)
    assert (named["dpids"], named["mode"]) == ([21], "overwrite")
    assert onramp.json("am", "name", file, "--mode", "sync", "--dpid", "21")["name"].endswith(".sync")
    file = file.rename(tmp_path / named["name"])
    assert onramp.json("am", "preflight", file, "--place", "acme")["files"][0]["fixes"] == {"crlf": 1}
    refused = onramp.run("--json", "am", "send", file, "--to", "Bucket")
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (3, "unseen_warnings")
    sent = onramp.json("am", "send", file, "--to", "Bucket", "--place", "acme", "--yes")
    assert [one["status"] for one in sent["deliveries"]] == ["delivered"]
    assert (bucket / "acme" / f"date={now():%Y-%m-%d}" / file.name).read_bytes() == b"u1\td_sid=5\r\n"
    file.write_bytes(b"no tab\n")
    refused = onramp.run("--json", "am", "send", file, "--to", "Bucket")
    assert json.loads(refused.out)["error"]["code"] == "blocked"


def test_a_name_that_was_taken_is_not_for_other_content(desk):
    name = f"ftp_dpm_21_{stamp()}.sync"
    desk.audience.ingest([file(name, "u1\td_sid=5")], BatchOptions(now()))
    assert codes(desk.outbound.preflight([file(name, "u2\td_sid=5")]).files[0]) == {"timestamp_used_before": 1}
    packed = MemoryFile(f"{name}.gz", gzip.compress(b"u2\td_sid=5\n"))
    assert codes(desk.outbound.preflight([packed]).files[0]) == {"timestamp_used_before": 1}
    assert codes(desk.outbound.preflight([file(f"{name}.2", "u2\td_sid=5")]).files[0]) == {}


def test_the_parts_of_overwrite_files_are_compared_together(desk):
    lines = [f"u{n}\td_sid=5" for n in range(10)]
    stem, new = f"ftp_dpm_21_{stamp(-24)}.overwrite", f"ftp_dpm_21_{stamp()}.overwrite"
    other = file(f"ftp_dpm_21_33_{stamp(-1)}.overwrite", *lines * 5)
    desk.audience.ingest([file(f"{stem}.1", *lines), file(f"{stem}.2", *lines), other], BatchOptions(now()))
    assert codes(desk.outbound.preflight([file(new, *lines[:9])]).files[0]) == {"overwrite_shrinks": 1}
    parts = [file(f"{new}.{part}", *lines[:4]) for part in (1, 2, 3)]
    assert [codes(one) for one in desk.outbound.preflight(parts).files] == [{}, {}, {}]


def test_a_telephone_number_as_a_value_asks(desk):
    lines = (
        "u1\td_sid=5,tel=+91 98200-12345",
        "u2\td_sid=5,x=+1,y=2026-11-28,z=1+12345678",
        'u3\td_sid=5,"t"="+4917012345"',
    )
    found = desk.outbound.preflight([file(f"ftp_dpm_21_{stamp()}.sync", *lines)])
    assert (found.verdict, codes(found.files[0])) == ("ask", {"phone_in_value": 2})
