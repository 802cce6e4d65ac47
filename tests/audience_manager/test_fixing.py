"""A file is written again without what can be put right by itself; the original stays."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime

import pytest

from ingest_core.audience_manager.checking import check_file
from ingest_core.audience_manager.fixing import fix_file
from ingest_core.errors import InputError
from ingest_core.files import PathSource
from tests.audience_manager.memory import MemoryFile

NOW = datetime(2026, 11, 28, tzinfo=UTC).replace(tzinfo=None)
NAME = "ftp_dpm_478_1366545717.sync"
BAD = (
    "\ufeffu1\td_sid=24,,\u201cname\u201d=\u201cOld Town\u201d,\r\n"
    'u2\t-price!1=2,city=" Pune, East ",123="x"\r\n'
    "asha@example.com\tcolour=red\r\n"
).encode()


def test_the_new_file_checks_without_a_remark_and_says_what_was_changed(tmp_path):
    made = fix_file(MemoryFile(NAME, BAD), tmp_path / "out")
    written = (tmp_path / "out" / NAME).read_bytes()
    hashed = hashlib.sha256(b"asha@example.com").hexdigest()
    assert written.decode() == (
        f'u1\td_sid=24,"name"="Old Town"\nu2\tprice_1=2,city="Pune, East",k_123=x\n{hashed}\tcolour=red\n'
    )
    assert made.changes == {
        "bom": 1, "crlf": 3, "dash_stripped": 1, "empty_item": 1, "key_not_addressable": 1, "padded_quotes": 1,
        "pii_in_user_id": 1, "smart_quotes": 1,
    }  # fmt: skip
    report = check_file(PathSource(tmp_path / "out" / NAME), NOW)
    assert report.valid
    assert report.problems == []


def test_a_second_pass_changes_nothing(tmp_path):
    fix_file(MemoryFile(NAME, BAD), tmp_path / "one")
    again = fix_file(PathSource(tmp_path / "one" / NAME), tmp_path / "two")
    assert again.changes == {}
    assert (tmp_path / "two" / NAME).read_bytes() == (tmp_path / "one" / NAME).read_bytes()


def test_what_needs_a_decision_stays_as_it_is(tmp_path):
    lines = b'u1\tbad item\nu2\tk="open\n\xff\tx=1\nu3 no tab\n'
    assert fix_file(MemoryFile(NAME, lines), tmp_path).changes == {}
    assert (tmp_path / NAME).read_bytes() == lines


def test_gzip_stays_gzip(tmp_path):
    name = f"{NAME}.gz"
    fix_file(MemoryFile(name, gzip.compress(b"u\ta=1\r\n")), tmp_path)
    assert gzip.decompress((tmp_path / name).read_bytes()) == b"u\ta=1\n"


def test_a_file_that_is_there_is_never_replaced(tmp_path):
    (tmp_path / NAME).write_bytes(b"mine")
    with pytest.raises(InputError) as refused:
        fix_file(MemoryFile(NAME, b"u\ta=1\r\n"), tmp_path)
    assert refused.value.code == "exists_already"
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]
