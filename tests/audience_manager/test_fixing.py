"""A file is written again without what can be put right by itself; the original stays."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_core.audience_manager.checking import check_file
from ingest_core.audience_manager.fixing import FIXES, _fixed, fix, fix_file, fixable
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


ITEMS = st.lists(
    st.sampled_from(
        ("d_sid=24", "28:0", "24", "a=1", " a = 1 ", 'k=" x "', '"k"="v"', "-k=v", "1=2", "price!1=2", "", "k==v", "k=",
         "\u201ck\u201d=v", "k=\u20ac", "d_sid=x", "k=a b", "k=a@b.co", "é=1")
    ),
    min_size=1, max_size=4,
)  # fmt: skip
LINES = st.lists(
    st.tuples(st.sampled_from(("u1", "asha@example.com", " u", "", "u\u00e9")), ITEMS).map(
        lambda line: f"{line[0]}\t{','.join(line[1])}"
    )
    | st.sampled_from(("", "no tab", "u\tk=1\tx")),
    min_size=1, max_size=8,
)  # fmt: skip


@given(LINES)
def test_a_line_that_is_passed_over_is_one_in_which_nothing_was_to_be_done(lines):
    text = "".join(f"{line}\n" for line in lines).encode()
    changes = Counter()
    one_by_one = b"".join(_fixed(line, changes, is_customer=True) + b"\n" for line in text.split(b"\n")[:-1])
    out = bytearray()
    made = fix(MemoryFile(NAME, text), out.extend)
    assert bytes(out) == one_by_one
    assert made.changes == dict(changes)
    assert made.lines == len(lines)


def test_what_can_be_put_right_is_known_from_the_check(tmp_path):
    check = check_file(MemoryFile(NAME, BAD), NOW)
    offered = fixable(check)
    made = fix_file(MemoryFile(NAME, BAD), tmp_path)
    assert offered == made.changes
    assert next(iter(offered)) == "crlf"
    assert set(offered) <= set(FIXES)
    assert fixable(check_file(PathSource(tmp_path / NAME), NOW)) == {}


def test_only_the_line_ends_of_an_id_sync_are_put_right():
    name = "adobe_id_0_478_1366545717.sync"
    text = b"\xef\xbb\xbf" + b"1" * 38 + b"\tasha@example.com\r\n"
    assert fixable(check_file(MemoryFile(name, text), NOW)) == {"bom": 1, "crlf": 1}
    out = bytearray()
    assert fix(MemoryFile(name, text), out.extend).changes == {"bom": 1, "crlf": 1}
    assert bytes(out) == b"1" * 38 + b"\tasha@example.com\n"


def test_nothing_is_offered_for_a_name_that_cannot_be_read():
    assert fixable(check_file(MemoryFile("people.sync", b"u\ta=1\r\n"), NOW)) == {}
    with pytest.raises(InputError) as refused:
        fix(MemoryFile("people.sync", b"u\ta=1\r\n"), bytearray().extend)
    assert refused.value.code == "not_fixable"


@pytest.mark.parametrize(
    ("line", "fixed", "changes"),
    [
        ("u1\td_sid=1 ,", "u1\td_sid=1", {"empty_item": 1}),
        ("u1\tk=v , ,,", "u1\tk=v", {"empty_item": 1}),
        ("u1\td sid=24", "u1\tk_d_sid=24", {"key_not_addressable": 1}),
        ("u1\tD.UNSID=x", "u1\tk_D_UNSID=x", {"key_not_addressable": 1}),
        ('u1\t-d_sid=24,"--d_unsid"="7"', "u1\td_sid=24,d_unsid=7", {"dash_stripped": 1}),
        ("u1\t,", "u1\t,", {}),
    ],
    ids=["space", "spaces", "directive", "other-directive", "dashes", "nothing-left"],
)
def test_what_is_put_right_is_never_worse_than_before(line, fixed, changes):
    out = bytearray()
    made = fix(MemoryFile(NAME, f"{line}\n".encode()), out.extend)
    assert (out.decode(), made.changes) == (f"{fixed}\n", changes)


def test_too_long_lines_are_left_out_wherever_they_stand():
    longest = b"u2\tk=" + b"x" * (102_400 - 5)
    out = bytearray()
    made = fix(MemoryFile(NAME, b"u1\ta=1\n" + longest + b"\r\n" + longest + b"x\nu3\ta=1\n"), out.extend)
    assert bytes(out) == b"u1\ta=1\n" + longest + b"\nu3\ta=1\n"
    assert (made.changes, made.lines) == ({"crlf": 1, "line_too_long": 1}, 3)
