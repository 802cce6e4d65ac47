"""Files and names that nobody should have sent: each ends in a clear message, and nothing is changed."""

from __future__ import annotations

import gzip
import random
import zlib
from pathlib import Path

import pytest

from tests.cli.onramp import Onramp, write_mapping

GOOD = b"crmid\temail\nC1\tanna@example.com\nC2\tben@example.com\n"


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "file.tsv"


def refused(onramp: Onramp, file: Path, *options: object, exit_code: int = 2) -> str:
    """The code of the refusal; ``Onramp.refuse`` has compared every table and the landing zone before and after."""
    error = onramp.refuse("ingest", file, "--source", "CRM", "--auto", *options, exit_code=exit_code)
    assert "anna@" not in str(error)
    assert list((onramp.home / "tmp").iterdir()) == []
    return str(error["code"])


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xef\xbb\xbf", b" \n\t"])
def test_a_file_without_anything(onramp, file, content):
    file.write_bytes(content)
    assert refused(onramp, file) in {"empty_file", "no_data_rows", "no_identifier_mapped"}


@pytest.mark.parametrize("content", [b"crmid\temail\n", b"crmid\temail", b"crmid,email\r\n"])
def test_a_header_without_rows(onramp, file, content):
    file.write_bytes(content)
    assert refused(onramp, file) == "no_data_rows"


def test_a_file_in_which_nothing_names_people(onramp, file, tmp_path):
    file.write_bytes(b"town\tcolour\nBonn\tred\nOslo\tblue\n")
    assert refused(onramp, file) == "no_identifier_mapped"
    mapping = write_mapping(tmp_path / "m.json", {"column": "town", "attribute": "city"})
    assert refused(onramp, file, "--mapping", mapping) == "no_identifier_mapped"


def test_a_mapping_for_another_file(onramp, file, tmp_path):
    file.write_bytes(GOOD)
    mapping = write_mapping(tmp_path / "m.json", {"column": "customer", "attribute": "crmid"})
    error = onramp.refuse("ingest", file, "--source", "CRM", "--mapping", mapping)
    assert error["code"] in {"no_identifier_mapped", "missing_column"}


def test_five_thousand_columns(onramp, file):
    file.write_bytes(b"\t".join(b"c%d" % n for n in range(5000)) + b"\n" + b"\t".join([b"x"] * 5000) + b"\n")
    assert refused(onramp, file) == "too_many_columns"


def test_a_gzip_that_is_cut_off(onramp, file):
    packed = gzip.compress(GOOD * 200)
    for size in (1, 5, 11, len(packed) // 2, len(packed) - 1):
        file.write_bytes(packed[:size])
        code = refused(onramp, file)
        assert code.startswith("gzip") or size < 11, code  # too short to be known as gzip


def test_a_gzip_with_one_wrong_bit(onramp, file, tmp_path):
    packed = bytearray(gzip.compress(b"crmid\n" + b"".join(b"C%d\n" % n for n in range(400)), mtime=0))
    mapping = write_mapping(tmp_path / "m.json", {"column": "crmid", "attribute": "crmid"})
    before = onramp.state()
    for place in random.Random(1).sample(range(10 * 8, len(packed) * 8), 25):
        packed[place // 8] ^= 1 << place % 8
        file.write_bytes(packed)
        done = onramp.run("--json", "ingest", file, "--source", "CRM", "--mapping", mapping)
        assert (done.code, done.json["error"]["code"][:4]) == (2, "gzip"), place
        packed[place // 8] ^= 1 << place % 8
    assert onramp.state() == before


@pytest.mark.parametrize(("piece", "code"), [(b"\0", "not_a_table"), (b"1", "compression_bomb")])
def test_a_gzip_bomb(onramp, file, processes, piece, code):
    """One gigabyte in one megabyte: zeros are no text, the others are stopped while they unpack."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = piece * (1 << 20)
    file.write_bytes(b"".join(squeeze.compress(block) for _ in range(1024)) + squeeze.flush())
    assert file.stat().st_size < 2_000_000
    before = onramp.state()
    died = processes.run(onramp.home, "ingest", file, "--source", "CRM", "--auto")
    assert (died.code, died.json["error"]["code"]) == (2, code)
    assert died.peak < 500_000_000
    assert onramp.state() == before


def test_a_line_of_100_megabytes_costs_one_row(onramp, file, processes):
    with file.open("wb") as stream:
        stream.write(b"crmid\tcity\nC10\tBonn\nC11\t")
        for _ in range(100):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\nC12\tOslo\n")
    died = processes.run(onramp.home, "ingest", file, "--source", "CRM", "--auto")
    assert died.code == 0, died.err
    receipt = died.json
    assert [receipt[name] for name in ("lines", "stored", "rejected")] == [3, 2, 1]
    assert receipt["rejects_by_reason"] == {"line_too_long": 1}
    assert died.peak < 700_000_000
    (row,) = onramp.json("rejects", receipt["request_id"])
    assert row["line"] == 3
    assert row["text"].startswith("C11\txxx")


def test_a_million_blank_lines(onramp, file):
    file.write_bytes(b"crmid\tcity\n" + b"\n" * 1_000_000 + b"C10\tBonn\n")
    receipt = onramp.load(file, "--auto")
    assert [receipt[name] for name in ("lines", "blank", "stored")] == [1_000_001, 1_000_000, 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "klingon", "ascii"])
def test_an_encoding_that_the_file_does_not_have(onramp, file, encoding):
    file.write_bytes("crmid\tcity\nC1\tKöln\nC2\tZürich\n".encode("windows-1252"))
    done = onramp.run("--json", "ingest", file, "--source", "CRM", "--auto", "--encoding", encoding)
    if done.code == 2:
        assert done.json["error"]["code"] in {"wrong_encoding", "unsupported_encoding", "no_identifier_mapped"}
    else:  # the lines that do not fit come back one by one
        assert (done.code, done.json["rejects_by_reason"]) == (1, {"bad_encoding": 2})
    assert onramp.json("profile", "count")["count"] == 4


def test_an_open_quote_does_not_swallow_rows(onramp, tmp_path):
    file = tmp_path / "file.csv"
    rows = [f"C{n},Town {n}" for n in range(100, 400)]
    rows[150] = 'C250,"Town 250'
    file.write_text("\n".join(["crmid,city", *rows]) + "\n")
    receipt = onramp.load(file, "--auto")
    assert (receipt["lines"], receipt["stored"], receipt["rejects_by_reason"]) == (300, 299, {"open_quote": 1})
    assert receipt["physical_lines"] == 300


def test_column_names_are_never_sql(onramp, file):
    file.write_bytes(b'crmid\t"; drop table profile; --\nC1\tx\n')
    assert refused(onramp, file) == "bad_header"
    suggested = onramp.run("--json", "mapping", "suggest", file, "--source", "CRM")
    mapping = file.with_name("m.json")
    mapping.write_text(suggested.out)
    assert onramp.load(file, "--mapping", mapping)["stored"] == 1
    assert onramp.json("profile", "count")["count"] == 4


def test_attribute_values_and_names_are_never_sql(onramp, file, tmp_path):
    evil = "'); DROP TABLE profile; --"
    onramp.json("source", "add", evil)
    onramp.json("attribute", "add", '");DROP/**/TABLE/**/profile;', "--type", "string", "--identifier", "secondary")
    file.write_text(f"crmid\tcity\nC77\t{evil}\n{evil}\tBonn\n")
    receipt = onramp.load(file, "--auto", source=evil)
    assert receipt["stored"] == 2
    assert onramp.json("profile", "show", "--by", f"crmid={evil}")["sources"] == [evil]
    assert onramp.json("rebuild")["profiles"] == 6


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, bytes(range(256)) * 40, b"\0" * 5000]
)
def test_bytes_that_are_no_table(onramp, file, content):
    file.write_bytes(content)
    before = onramp.counts()
    done = onramp.run("--json", "ingest", file, "--source", "CRM", "--auto")
    assert done.code == 2, done.out
    assert done.json["error"]["hint"]
    assert onramp.counts() == before


def test_broken_containers(onramp, tmp_path):
    for name in ("file.zip", "file.xlsx"):
        file = tmp_path / name
        for content in (b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18, b"PK"):
            file.write_bytes(content)
            assert refused(onramp, file)


def test_values_that_break_naive_readers_are_kept_or_rejected(onramp, file):
    file.write_text("crmid\tcity\n0001\tBonn\n1\tOslo\nC\u0000X\tRome\n1e5\t=1+1\n\u202eevil\tKiel\n", encoding="utf-8")
    receipt = onramp.load(file, "--auto")
    assert receipt["stored"] + receipt["rejected"] == 5
    assert onramp.json("profile", "show", "--by", "crmid=0001")["attributes"]["city"]["value"] == "Bonn"
    assert onramp.json("profile", "show", "--by", "crmid=1")["attributes"]["city"]["value"] == "Oslo"
    assert onramp.json("profile", "show", "--by", "crmid=1e5")["attributes"]["city"]["value"] == "=1+1"
