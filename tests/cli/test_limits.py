"""Limits of one upload, as somebody meets them: a clear error, and nothing changed."""

from __future__ import annotations

import gzip
import io
import itertools
import zipfile

import pytest

from ingest_core.apart import caps
from tests.cli.onramp import write_mapping
from tests.files.test_spreadsheet import shared, workbook

TEXT = b"crmid\tcity\n" + b"".join(b"C%d\tBonn\n" % number for number in range(300))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "people.tsv"


@pytest.fixture
def mapping(tmp_path):
    return write_mapping(tmp_path / "m.json", {"column": "crmid", "attribute": "crmid"})


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.tsv", data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("setting", "value", "data", "code"),
    [
        ("FILE_LIMIT_BYTES", 2_000, TEXT, "too_large"),
        ("UNPACKED_LIMIT_BYTES", 2_000, gzip.compress(TEXT), "compression_bomb"),
        ("UNPACKED_LIMIT_BYTES", 2_000, zipped(TEXT), "compression_bomb"),
        ("UNPACKED_LIMIT_BYTES", 300, workbook({"A1": "crmid", "A2": "C1"}), "compression_bomb"),
        ("RATIO_LIMIT", 10, gzip.compress(TEXT * 6_000), "compression_bomb"),
        ("COLUMN_LIMIT", 1, TEXT, "too_many_columns"),
        ("LINE_LIMIT_BYTES", 8, TEXT, "not_a_table"),
    ],
)
def test_each_limit_of_size_can_be_set_and_is_kept(onramp, file, monkeypatch, setting, value, data, code):
    file.write_bytes(data)
    monkeypatch.setenv(f"ONRAMP_{setting}", str(value))
    assert onramp.refuse("ingest", file, "--source", "CRM", "--auto")["code"] == code


def test_a_file_that_takes_too_long_is_refused_before_it_is_an_upload(onramp, file, mapping, monkeypatch):
    """Each look at the clock finds it a minute later."""
    file.write_bytes(TEXT)
    clock = itertools.count(step=60)
    monkeypatch.setattr(caps.time, "monotonic", lambda: next(clock))
    monkeypatch.setenv("ONRAMP_UPLOAD_SECONDS", "30")
    error = onramp.refuse("ingest", file, "--source", "CRM", "--mapping", mapping)
    assert (error["code"], error["facts"]["seconds_limit"]) == ("too_slow", 30)


def test_an_upload_that_takes_too_long_is_failed_and_has_stored_nothing(onramp, file, mapping, monkeypatch):
    """Its time runs out while its rows are read, after the plan was made."""
    file.write_bytes(TEXT)
    before = onramp.counts()
    passes = itertools.count()
    made = caps.Watch.__init__

    def watch(self, seconds, name):
        made(self, -60 if next(passes) >= 2 else 600, name)  # the first look at all of it, the header, the rows

    monkeypatch.setattr(caps.Watch, "__init__", watch)
    done = onramp.run("--json", "ingest", file, "--source", "CRM", "--mapping", mapping)
    assert (done.code, done.json["error"]["code"]) == (2, "too_slow")
    monkeypatch.undo()
    (receipt,) = onramp.json("history")
    assert (receipt["status"], receipt["error"]["code"], receipt["stored"]) == ("Failed", "too_slow", 0)
    after = onramp.counts()
    assert {name: count for name, count in after.items() if name not in ("audit", "mapping")} == {
        name: count for name, count in before.items() if name not in ("audit", "mapping")
    }


def test_a_workbook_that_needs_too_much_memory_is_refused(onramp, tmp_path, monkeypatch):
    """Four hundred cells show one text of half a megabyte: 200 MB for a file of some kilobytes."""
    file = tmp_path / "people.xlsx"
    file.write_bytes(shared(400, "x" * 500_000))
    monkeypatch.setenv("ONRAMP_READER_MEMORY_BYTES", str(128 << 20))
    monkeypatch.setenv("ONRAMP_RATIO_LIMIT", "1000000")
    error = onramp.refuse("ingest", file, "--source", "CRM", "--auto")
    assert (error["code"], error["facts"]["memory_limit"]) == ("too_much_memory", 128 << 20)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("UPLOAD_SECONDS", "-1"), ("READER_MEMORY_BYTES", "1000"), ("RATIO_LIMIT", "0"), ("UNPACKED_LIMIT_BYTES", "0")],
)
def test_a_limit_that_would_refuse_everything_is_no_limit(onramp, monkeypatch, setting, value):
    monkeypatch.setenv(f"ONRAMP_{setting}", value)
    done = onramp.run("--json", "history")
    assert (done.code, done.json["error"]["code"]) == (2, "bad_settings")
    assert done.json["error"]["facts"]["settings"] == [setting.lower()]
