"""A name is built from what is chosen, of now, and says what the file's bytes are."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from ingest_core.audience_manager.name_types import DataName, Tail
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.naming import Wanted, guess, joining, suggested, tail_of
from ingest_core.audience_manager.registered import Registered
from ingest_core.errors import InputError
from ingest_core.models import Source
from tests.audience_manager.memory import MemoryFile

AT = datetime(2026, 11, 28, 10, tzinfo=UTC).replace(tzinfo=None)
STAMP = 1_795_860_000


def registered(*dpids):
    made = (Source(source_id=n, name=f"S{n}", kind="data_source", dpid=n, created_at=AT) for n in dpids)
    return Registered.of(made)


@pytest.mark.parametrize(
    ("wanted", "tail", "name"),
    [
        (Wanted(dpids=(478,)), Tail(), f"ftp_dpm_478_{STAMP}.sync"),
        (Wanted(dpids=(478,), target=478), Tail(), f"ftp_dpm_478_{STAMP}.sync"),
        (
            Wanted(dpids=(20915,), target=21, mode="overwrite"),
            Tail(2, "gz"),
            f"ftp_dpm_20915_21_{STAMP}.overwrite.2.gz",
        ),
        (Wanted(kind="adobe_id", dpids=(0, 21, 33)), Tail(), f"adobe_id_0_21_33_{STAMP}.sync"),
        (Wanted(kind="c2c_id", dpids=(21, 33)), Tail(None, None, "gpg"), f"c2c_id_21_33_{STAMP}.sync.gpg"),
        (Wanted(dpids=(20915,), target=21, is_odc=True), Tail(), f"ftp_dpm_odc_20915_21_{STAMP}.sync"),
    ],
)
def test_the_name_says_what_was_chosen(wanted, tail, name):
    assert suggested(wanted, tail, AT) == name
    assert str(parse_base(name)) == name


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted(), "missing_dpid"),
        (Wanted(dpids=(20915,)), "target_required"),
        (Wanted(dpids=(21,), target=20914), "target_is_global"),
        (Wanted(kind="adobe_id", dpids=(0,)), "missing_dpid"),
        (Wanted(kind="c2c_id", dpids=(21, 20914)), "c2c_global_dpid"),
    ],
)
def test_what_no_name_may_say_is_told_with_its_code(wanted, code):
    with pytest.raises(InputError) as refused:
        suggested(wanted, Tail(), AT)
    assert refused.value.code == code


def test_a_second_that_is_taken_is_passed_over():
    taken = {f"ftp_dpm_21_{STAMP}.sync", f"ftp_dpm_21_{STAMP + 1}.sync"}
    assert suggested(Wanted(dpids=(21,)), Tail(), AT, taken.__contains__) == f"ftp_dpm_21_{STAMP + 2}.sync"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ftp_dpm_478_21_1790000000.overwrite", Wanted(dpids=(478,), target=21, mode="overwrite")),
        ("adobe_id_0_21_1790000000.sync", Wanted(kind="adobe_id", dpids=(0, 21))),
        ("crm 21 full export.csv", Wanted(dpids=(21,), mode="overwrite")),
        ("ftp_dpm_20915_33_20261128.sync", Wanted(dpids=(20915,), target=33)),
        ("c2c_id_21_33.sync", Wanted(kind="c2c_id", dpids=(21, 33))),
        ("people.sync", Wanted()),
    ],
)
def test_a_name_right_or_wrong_hints_at_a_better_one(name, wanted):
    assert guess(name, registered(21, 33)) == wanted


def test_the_only_data_source_there_is_is_the_one():
    assert guess("people.sync", registered(21)).dpids == (21,)


def test_the_ending_is_that_of_the_bytes_and_the_part_stays():
    packed = gzip.compress(b"u\ta=1\n")
    assert str(tail_of(MemoryFile("ftp_dpm_21_1.sync.3", packed))) == ".3.gz"
    assert str(tail_of(MemoryFile("ftp_dpm_21_1.sync.gz", b"u\ta=1\n"))) == ""
    assert str(tail_of(MemoryFile("x.gpg", b"-----BEGIN PGP MESSAGE-----\n"))) == ".gpg"


def test_parts_of_one_file_share_their_timestamp():
    wanted = Wanted(dpids=(21,), mode="overwrite")
    others = ["ftp_dpm_21_1790000000.overwrite.1", "people.sync"]
    assert joining(wanted, Tail(2), others) == "ftp_dpm_21_1790000000.overwrite.2"
    assert joining(wanted, Tail(1), others) is None
    assert joining(wanted, Tail(), others) is None
    assert joining(Wanted(dpids=(33,), mode="overwrite"), Tail(2), others) is None


def test_a_name_of_now_is_read_back():
    read = parse_base(suggested(Wanted(dpids=(21,)), Tail(), AT))
    assert isinstance(read, DataName)
    assert (read.dpid, read.timestamp) == (21, STAMP)
