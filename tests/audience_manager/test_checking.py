"""Checking files before they are sent: by the command line, as a script would."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from ingest_core.audience_manager.check_report import PLACES_KEPT
from tests.cli.onramp import Onramp

FILES = Path(__file__).parent / "files"
CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "public-corpora.tar.gz"
DATA = "ftp_dpm_478_1366545717.sync"


@pytest.fixture
def onramp(tmp_path: Path) -> Onramp:
    return Onramp(tmp_path / "home")


@pytest.fixture
def check(onramp: Onramp, tmp_path: Path):
    """Writes a file, checks it, and returns (its part of the report, exit code)."""

    def run(name: str, data: bytes, *options: str):
        path = tmp_path / name
        path.write_bytes(data)
        done = onramp.run("am", "check", path, "--json", *options)
        (file,) = done.json["files"]
        assert done.code == (0 if file["valid"] else 1)
        assert not onramp.home.exists()
        return file

    return run


def codes(file) -> dict[str, int]:
    return {problem["code"]: problem["count"] for problem in file["problems"]}


def test_a_good_file_is_counted(check):
    file = check(DATA, b"u1\td_sid=24,28:0,52\nu2\tgender=f\n\nu3\t1")
    assert (file["kind"], file["valid"], file["error"], file["is_checked"]) == ("data", True, None, True)
    assert (file["name"]["dpid"], file["name"]["mode"], file["bytes"]) == (478, "sync", 37)
    assert (file["lines"], file["by_category"]) == (4, {"ok": 3, "blank": 1})
    assert file["operations"] == {"add_trait": 1, "remove_trait": 1, "bare": 2, "signal": 1}
    assert file["problems"] == []


def test_every_problem_says_where_and_what_to_do_and_shows_no_content(check):
    secret = "hunter2"
    rows = [f"u{n}\t{secret}" for n in range(25)] + [f"{secret}\ta=1,,b=", "u\td_sid=x", ""]
    file = check(DATA, "\r\n".join(rows).encode())
    assert file["by_category"] == {"ok": 1, "format_error": 26}
    assert codes(file) == {"bad_item": 25, "bad_trait_id": 1, "empty_item": 1, "empty_value": 1, "crlf": 27}
    worst = file["problems"][0]
    assert (worst["code"], worst["level"], worst["line"], worst["column"]) == ("bad_item", "error", 1, 4)
    assert [place["line"] for place in worst["places"]] == list(range(1, PLACES_KEPT + 1))
    assert all(problem["title"] and problem["message"] and problem["fix"] for problem in file["problems"])
    assert secret not in json.dumps(file)


def test_gzip_is_read_and_damage_refuses_the_file(check):
    packed = gzip.compress(b"u1\t1\n" * 1_000, mtime=0)
    assert check(DATA + ".gz", packed)["by_category"] == {"ok": 1_000}
    file = check(DATA + ".gz", packed[:-4])
    assert (file["valid"], file["error"], file["is_checked"]) == (False, "corrupt_gzip", False)
    assert check(DATA, packed)["error"] == "compression_mismatch"


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty_file"), (b"\n\r\n\n", "empty_file"), (b"\x00a", "bad_encoding")]
)
def test_a_file_without_lines_or_text_is_refused(check, data, code):
    assert check(DATA, data)["error"] == code


def test_ids_are_judged_by_the_name(check):
    uuid, gaid = b"0" * 38, b"e4fe9bde-caa0-47b6-908d-ffba3fa184f2"
    file = check("ftp_dpm_0_478_1366545717.sync", uuid + b"\t1\n12\t1\n")
    assert file["by_category"] == {"ok": 1, "invalid_aam_id": 1}
    assert codes(file) == {"invalid_aam_id": 1, "id_all_zeros": 1}
    file = check("ftp_dpm_20914_478_1366545717.sync", gaid + b"\t1\n" + gaid.upper() + b"\t1\n")
    assert file["by_category"] == {"ok": 1, "invalid_device_id": 1}
    assert check(DATA, b"12\t1\n", "--uuid-source", "478")["by_category"] == {"invalid_aam_id": 1}
    assert check("ftp_dpm_389146_478_1366545717.sync", b"a-b\t1\n", "--strict-alnum")["valid"] is False
    assert check("ftp_dpm_389146_478_1366545717.sync", b"a-b\t1\n")["valid"] is True


def test_personal_data_is_pointed_at(check):
    file = check(DATA, b"u1\tmail=jo@site.org\n+442079460018\t1\nab%20c\t1\n@jo\t1\njo@site.org\t1\n")
    assert codes(file) == {
        "email_in_value": 1, "pii_in_user_id": 1, "id_like_phone": 1, "id_has_escape": 1, "id_has_at_sign": 1,
    }  # fmt: skip
    levels = {problem["code"]: problem["level"] for problem in file["problems"]}
    assert (levels["email_in_value"], levels["id_like_phone"]) == ("error", "warning")
    lines = {problem["code"]: problem["line"] for problem in file["problems"]}
    assert lines == {
        "email_in_value": 1, "id_like_phone": 2, "id_has_escape": 3, "id_has_at_sign": 4, "pii_in_user_id": 5,
    }  # fmt: skip


def test_removals_in_an_overwrite_file_are_warned_of(check):
    file = check("ftp_dpm_478_1366545717.overwrite", b"u1\t1,28:0\nu2\t1\n")
    assert (file["valid"], codes(file)) == (True, {"removal_ignored": 1})


def test_long_lines_are_counted_wherever_they_end(check):
    inside, over = b"u\tk=" + b"x" * 102_397, b"u\tk=" + b"x" * (5 << 20)
    file = check(DATA, b"a\t1\n" + inside[:-1] + b"\n" + inside + b"\n" + over + b"\nb\t1\n" + over)
    assert (file["lines"], file["by_category"]) == (6, {"ok": 3, "excluded_too_long": 3})
    assert [place["line"] for place in file["problems"][0]["places"]] == [3, 4, 6]


def test_an_odc_file_holds_one_type(check):
    idfa, gaid = "AEBE52E7-03EE-455A-B3C4-E57283966239", "e4fe9bde-caa0-47b6-908d-ffba3fa184f2"
    rows = f"idfa\t{idfa}\t1\ngaid\t{gaid}\t1\nIDFA\t{idfa}\t2\nidfa\tx\t1\n"
    file = check("ftp_dpm_odc_12345_1556223815.sync", rows.encode())
    assert file["by_category"] == {"ok": 2, "format_error": 1, "invalid_device_id": 1}


def test_names_alone_are_checked_where_there_is_nothing_to_read(check):
    assert check("s3_1_2_full_1486140843000.sync", b"x")["kind"] == "outbound"
    assert check("s3_1_2_full_1486140843000.info", b"{}")["kind"] == "info"
    file = check(DATA + ".gpg", b"\x85\x01\x0c\x03" + b"\x99" * 60)
    assert (file["valid"], file["is_checked"], codes(file)) == (True, False, {"not_decrypted": 1})
    assert check(DATA + ".gpg", b"u1\t1\n")["error"] == "decrypt_failed"
    file = check("ftp_dpm_x_1366545717.sync", b"u1\t1\n")
    assert (file["kind"], file["name"], file["error"], file["lines"]) == (None, None, "bad_dpid", 0)
    assert (file["problems"][0]["line"], file["problems"][0]["column"]) == (None, 9)
    assert check("ftp_dpm_1_136654571.sync", b"u1\t1\n", "--lenient-timestamp")["valid"] is True


def test_id_syncs_of_ours(onramp):
    report = onramp.json("am", "check", *sorted(FILES.iterdir()))
    assert [file["by_category"] for file in report["files"]] == [
        {"ok": 4, "blank": 1},
        {"ok": 4, "blank": 2},
        {"ok": 3},
    ]
    assert [file["name"]["prefix"] for file in report["files"]] == ["adobe_id", "adobe_id", "c2c_id"]


def test_bad_rows_of_an_id_sync_are_named(check):
    file = check(
        "adobe_id_0_5_1476312152.sync", b"\xef\xbb\xbf" + b"1" * 38 + b"\ta\n12\tb\nx\n" + b"1" * 38 + b"\ta b@c.de\n"
    )
    assert file["by_category"] == {"ok": 1, "invalid_aam_id": 1, "format_error": 2}
    assert codes(file) == {"bom": 1, "invalid_aam_id": 1, "column_count": 1, "pii_in_id": 1}
    places = {problem["code"]: (problem["line"], problem["column"]) for problem in file["problems"]}
    assert places["pii_in_id"] == (4, 43)


def test_the_three_published_id_syncs_have_5_5_and_3_rows(onramp, tmp_path):
    if not CORPORA.is_file():
        pytest.skip("the public corpora are not here (../shared/corpora)")
    with tarfile.open(CORPORA) as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".sync")]
        for member in members:
            stream = archive.extractfile(member)
            assert stream is not None
            (tmp_path / Path(member.name).name).write_bytes(stream.read())
    report = onramp.json("am", "check", *sorted(tmp_path.glob("*.sync")))
    assert [(file["valid"], file["by_category"]["ok"]) for file in report["files"]] == [(True, 5), (True, 5), (True, 3)]


def test_people_read_what_is_wrong(onramp, tmp_path):
    (tmp_path / DATA).write_bytes(b"u1\tword\nu2\t1\n")
    (tmp_path / "x\x1b[31m.csv").write_bytes(b"1")
    done = onramp.run("am", "check", tmp_path / DATA, tmp_path / "x\x1b[31m.csv")
    assert done.code == 1
    assert f"{DATA}: not to be sent" in done.out
    assert "line 1, column 4: It is no number" in done.out
    assert "\x1b" not in done.out


def test_a_missing_file_is_an_error_of_the_command(onramp, tmp_path):
    error = onramp.refuse("am", "check", tmp_path / "nowhere.sync")
    assert error["code"] == "no_such_file"


def test_a_number_that_is_none_is_a_usage_error(onramp, tmp_path):
    assert onramp.refuse("am", "check", tmp_path / DATA, "--uuid-source", "x")["code"] == "usage"
