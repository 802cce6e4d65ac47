"""File names: read, refused with a place, written again; the same as the published expressions say."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, is_device
from ingest_core.audience_manager.names import (
    DataName,
    IdSyncName,
    InfoName,
    NameOptions,
    NameProblem,
    OutboundName,
    OutboundOptions,
    Registry,
    Root,
    S3Key,
    Tail,
    check_registry,
    lint_name,
    parse_name,
)
from ingest_core.clock import to_utc

DPIDS = st.one_of(st.sampled_from([0, 4, *GLOBAL_SOURCES]), st.integers(1, 9_999_999_999))
OWN = DPIDS.filter(lambda dpid: not is_device(dpid))
STAMPS = st.integers(0, 9_999_999_999)
TAILS = st.builds(
    lambda split, packed: Tail(split, "gz" if packed == "gz" else None, packed if packed in ("pgp", "gpg") else None),
    st.none() | st.integers(0, 9_999_999_999),
    st.sampled_from([None, "gz", "pgp", "gpg"]),
)


@st.composite
def data_names(draw: st.DrawFn) -> DataName:
    dpid = draw(DPIDS)
    target = draw(OWN if is_device(dpid) else st.none() | OWN)
    mode = draw(st.sampled_from(["sync", "overwrite"]))
    return DataName(dpid, target, draw(STAMPS), mode, draw(st.sampled_from(["standard", "odc"])), draw(TAILS))


@st.composite
def id_sync_names(draw: st.DrawFn) -> IdSyncName:
    if draw(st.booleans()):
        master, other = draw(st.lists(OWN, min_size=2, max_size=2, unique=True))
        return IdSyncName("c2c_id", master, (other,), draw(STAMPS), draw(TAILS))
    master, *others = draw(st.lists(DPIDS, min_size=2, max_size=5, unique=True))
    warnings = () if is_device(master) else ("master_is_cross_device",)
    return IdSyncName("adobe_id", master, tuple(others), draw(STAMPS), draw(TAILS), warnings)


FOLDER = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def s3_keys(draw: st.DrawFn) -> S3Key:
    name = draw(data_names() | id_sync_names())
    scheme = draw(st.sampled_from([None, "s3n", "s3", "s3a"]))
    folders = "/".join(draw(st.lists(FOLDER, max_size=2)))
    partner = draw(FOLDER.filter(lambda text: not text.startswith("date=")))
    day = draw(st.dates(date(1970, 1, 1), date(2999, 12, 31)))
    return S3Key(partner, day, name, str(name), folders, scheme, draw(FOLDER) if scheme else None)


ALIAS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.-]{0,5}(_[A-Za-z0-9.-]{1,4}){0,2}", fullmatch=True)


@st.composite
def roots(draw: st.DrawFn, unit: str) -> Root:
    return Root(
        draw(st.sampled_from(["ftp", "s3", "http"])),
        draw(st.integers(1, 10**12)),
        draw(st.integers(0, 10**12)),
        draw(st.sampled_from(["full", "iter"])),
        draw(st.integers(0, 10**13 - 1 if unit == "ms" else 10**10 - 1)),
        unit,
        draw(st.none() | ALIAS),
    )


@st.composite
def outbound_names(draw: st.DrawFn) -> OutboundName | InfoName:
    unit = draw(st.sampled_from(["ms", "s"]))
    root = draw(roots(unit))
    if draw(st.booleans()):
        return InfoName(root)
    split = draw(st.none() | st.integers(1, 12_000)) if unit == "ms" else None
    style = None if split is None else draw(st.sampled_from(["digits", "dash"]))
    return OutboundName(root, split, style, draw(st.sampled_from(["sync", "csv"])), draw(st.sampled_from([None, "gz"])))


@given(data_names() | id_sync_names())
def test_a_written_name_is_read_as_it_was_meant(name):
    assert parse_name(str(name), "ftp") == name


@given(s3_keys())
def test_a_written_key_is_read_as_it_was_meant(key):
    assert parse_name(str(key), "s3") == key


@given(outbound_names())
def test_a_written_export_is_read_as_it_was_meant(name):
    assert parse_name(str(name), "outbound") == name


# The expressions as published with the rules, and nothing of ours.
DATA = re.compile(
    r"ftp_dpm_(?P<odc>odc_)?(?P<dpid>0|[1-9][0-9]{0,9})(?:_(?P<target>0|[1-9][0-9]{0,9}))?_(?P<ts>[0-9]{10})"
    r"\.(?P<mode>sync|overwrite)(?:\.(?P<split>[0-9]{1,10}))?(?:\.(?P<ext>gz|pgp|gpg))?"
)
ID_SYNC = re.compile(
    r"(?P<prefix>adobe_id|c2c_id)_(?P<ids>(?:0|[1-9][0-9]{0,9})(?:_(?:0|[1-9][0-9]{0,9}))+)_(?P<ts>[0-9]{10})\.sync"
    r"(?:\.(?P<split>[0-9]{1,10}))?(?:\.(?P<ext>gz|pgp|gpg))?"
)
STATIC = {"target_required", "target_is_global", "duplicate_dpid", "c2c_needs_two_dpids", "c2c_global_dpid"}
PIECES = [
    "ftp_dpm_", "odc_", "adobe_id_", "c2c_id_", "478", "0", "20914", "_", "_", "1366545717", "_1366545717.sync", ".",
    ".sync", ".overwrite", ".1", ".gz", ".pgp", ".gpg", "\n", " ", "x", "-", "/", "date=2016-05-09", "partner", "1",
    "٣", "s3n://", "b/", "007", ".info", "ftp_", "s3_1_2_", "iter", "full", "1486140843000", "001", "-1",
    ".csv", ".zip",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.text(max_size=20)


@settings(max_examples=500)
@given(TEXTS)
def test_what_the_published_expressions_take_is_taken_and_nothing_else(text):
    read = parse_name(text, "ftp")
    is_syntax = not isinstance(read, NameProblem) or read.code in STATIC
    assert is_syntax == bool(DATA.fullmatch(text) or ID_SYNC.fullmatch(text))


@settings(max_examples=500)
@given(TEXTS, st.sampled_from(["s3", "ftp", "id_sync", "outbound"]), st.booleans())
def test_any_text_is_read_or_refused_at_a_place(text, transport, lenient):
    read = parse_name(text, transport, NameOptions(lenient))
    if isinstance(read, NameProblem):
        assert 0 <= read.start <= read.stop <= len(text)
        assert read.why.endswith(".")
    elif transport != "outbound" and not lenient:
        assert parse_name(str(read), transport) == read


@pytest.mark.parametrize(
    ("name", "code", "place"),
    [
        ("ftp_dpm_478_136654571.sync", "bad_timestamp", "136654571"),
        ("ftp_dpm_0478_1366545717.sync", "bad_dpid", "0478"),
        ("ftp_dpm_1_2_3_1366545717.sync", "too_many_ids", "3"),
        ("ftp_dpm_478_20914_1366545717.sync", "target_is_global", "20914"),
        ("ftp_dpm_20914_1366545717.sync", "target_required", "20914"),
        ("ftp_dpm_478_1366545717.SYNC", "bad_mode", ".SYNC"),
        ("ftp_dpm_478_1366545717.sync.part1", "bad_suffix", "part1"),
        ("ftp_dpm_478_1366545717.sync.2.zip", "bad_compression", "zip"),
        ("ftp_dpm_478_1366545717.sync.gz.gpg", "gzip_and_pgp", "gz.gpg"),
        ("adobe_id_0_12_0_1476312152.sync", "duplicate_dpid", "0"),
        ("c2c_id_5_6_7_1476312152.sync", "c2c_needs_two_dpids", "5_6_7"),
        ("c2c_id_5_0_1476312152.sync", "c2c_global_dpid", "0"),
        ("report.csv", "bad_prefix", "report.csv"),
    ],
)
def test_a_refused_name_says_where(name, code, place):
    read = parse_name(name, "ftp")
    assert isinstance(read, NameProblem)
    assert (read.code, name[read.start : read.stop]) == (code, place)


def test_the_place_in_a_key_is_that_of_the_whole_key():
    key = "s3n://bkt/partner/date=2016-05-09/ftp_dpm_x_1366545717.sync"
    read = parse_name(key, "s3")
    assert (read.code, key[read.start : read.stop]) == ("bad_dpid", "x")
    key = "s3n://bkt/partner/date=2016-02-30/ftp_dpm_1_1366545717.sync"
    read = parse_name(key, "s3")
    assert (read.code, key[read.start : read.stop]) == ("bad_date", "2016-02-30")


def test_an_id_sync_lies_under_a_date_folder_like_data():
    key = parse_name("s3://b/in/acme/date=2016-05-09/adobe_id_0_12345_1476312152.sync.gz", "s3")
    assert key.fields()["kind"] == "id_sync"
    assert (key.prefix, key.partner, key.name.columns) == ("in", "acme", (0, 12345))


def test_with_seconds_configured_the_part_stands_behind_ten_digits():
    options = NameOptions(outbound=OutboundOptions(timestamp_digits=10))
    name = "s3_123456_9999_full_1566906141003.csv"
    assert (parse_name(name, "outbound", options).split, parse_name(name, "outbound").split) == (3, None)
    assert str(parse_name(name, "outbound", options)) == name
    assert isinstance(parse_name("s3_1_2_full_15669061410.csv", "outbound", options), NameProblem)


def test_a_number_of_any_length_is_refused_and_not_converted():
    for digits in (20, 5_000):
        read = parse_name(f"ftp_{'9' * digits}_2_full_1486140843000.sync", "outbound")
        assert isinstance(read, NameProblem) == (digits > 4_000)


REGISTRY = Registry({478: True, 567: False, 999: False}, granted=frozenset({999}))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ftp_dpm_478_1366545717.sync", None),
        ("ftp_dpm_20914_478_1366545717.sync", None),
        ("ftp_dpm_478_999_1366545717.sync", None),
        ("ftp_dpm_477_1366545717.sync", "unknown_data_source"),
        ("ftp_dpm_478_477_1366545717.sync", "unknown_data_source"),
        ("ftp_dpm_478_567_1366545717.sync", "target_not_owned"),
        ("ftp_dpm_567_1366545717.sync", "target_not_owned"),
        ("adobe_id_0_567_1366545717.sync", None),
        ("adobe_id_0_477_1366545717.sync", "unknown_data_source"),
    ],
)
def test_the_registry_knows_whose_traits_may_be_fed(name, code):
    problem = check_registry(parse_name(name, "ftp"), REGISTRY)
    assert (problem and problem.code) == code


def test_odd_names_are_warned_of_and_taken():
    now = to_utc(datetime(2026, 3, 9, 12, tzinfo=UTC))
    ahead = int(datetime(2026, 3, 12, tzinfo=UTC).timestamp())
    assert lint_name(parse_name(f"ftp_dpm_1_{ahead}.sync", "ftp"), now) == ("timestamp_in_future",)
    assert lint_name(parse_name("ftp_dpm_1_0000000001.sync", "ftp"), now) == ("timestamp_before_2005",)
    assert lint_name(parse_name("ftp_dpm_1_1366545717.sync", "ftp"), now, {1366545717}.__contains__) == (
        "timestamp_used_before",
    )
    assert lint_name(parse_name("p/date=2026-03-08/ftp_dpm_1_1366545717.sync", "s3"), now) == ("date_folder_not_today",)
    assert lint_name(parse_name("p/date=2026-03-09/ftp_dpm_1_1366545717.sync", "s3"), now) == ()
    lenient = parse_name("ftp_dpm_1_136654571.sync", "ftp", NameOptions(lenient_timestamp=True))
    assert "short_timestamp" in lint_name(lenient, now)
