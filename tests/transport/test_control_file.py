"""The .info file says what was delivered, in the shape of the Audience Manager spec §15.6."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ingest_core.files.source import PathSource
from ingest_core.transport.control_file import SentFile, checksums, control_file

SIZES = (293_029_329, 293_039_238, 293_050_833, 218_425_764)


def test_it_names_each_file_in_order_and_sums_them_as_the_sample_of_the_page_does():
    root = "ftp_12345_67890_full_1500727351632"
    names = [f"{root}.sync.gz", *(f"{root}00{split}.sync.gz" for split in (1, 2, 3))]
    files = [SentFile(name, size, 34_546_026, "0" * 32) for name, size in zip(names, SIZES, strict=True)]
    told = json.loads(control_file(f"{root}.sync", files))
    assert [(one["FileName"], one["FileSequenceNumber"]) for one in told["Files"]] == [
        *zip(names, range(1, 5), strict=True)
    ]
    assert told["Totals"] == {
        "FileName": f"{root}.sync",
        "TotalByteSize": 1_097_545_164,
        "TotalNumberFiles": 4,
        "TotalNumberLines": 138_184_104,
    }


def test_its_files_have_the_five_fields_of_the_page():
    (file,) = json.loads(control_file("a.sync", [SentFile("a.sync.gz", 5, 2, "d" * 32)]))["Files"]
    assert file == {
        "FileByteSize": 5, "FileLineCount": 2, "FileName": "a.sync.gz", "FileSequenceNumber": 1, "md5": "d" * 32,
    }  # fmt: skip


def test_the_same_files_give_the_same_bytes():
    files = [SentFile("ä.tsv", 1, 1, "0" * 32)]
    assert control_file("ä", files) == control_file("ä", list(files))


def test_checksums_are_of_the_bytes_as_they_are(tmp_path: Path):
    data = b"a\tb\n" * 700_000
    (tmp_path / "file.tsv").write_bytes(data)
    found = checksums(PathSource(tmp_path / "file.tsv"))
    assert (found.size, found.md5) == (len(data), hashlib.md5(data).hexdigest())
    assert found.sha256 == hashlib.sha256(data).hexdigest()
