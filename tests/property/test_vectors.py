"""Project Wycheproof's vectors through our own wrappers, as far as these can be fed with them.

Keys of tokens are text, so the HMAC vectors whose key and message are UTF-8 apply. HKDF is only ever called with our
own prefix, and pages carry their own associated data: no foreign ciphertext, however valid, may open as a page.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest_core.errors import StateError
from ingest_core.vault import token, tokens
from ingest_core.vault.pages import unseal

ARCHIVE = Path(__file__).parents[3] / "shared" / "corpora" / "public-corpora.tar.gz"


def groups(name: str) -> list[dict[str, Any]]:
    if not ARCHIVE.is_file():
        pytest.skip("the public corpora are not there (../shared/corpora/public-corpora.tar.gz)")
    with tarfile.open(ARCHIVE) as archive:
        file = archive.extractfile(f"corpora/wycheproof/testvectors_v1/{name}.json")
        assert file is not None
        return json.load(file)["testGroups"]


def test_hmac_vectors_hold_for_tokens() -> None:
    applied = 0
    for group in groups("hmac_sha256_test"):
        for vector in group["tests"]:
            try:
                key, message = (bytes.fromhex(vector[part]).decode() for part in ("key", "msg"))
            except UnicodeDecodeError:
                continue
            expected = bytes.fromhex(vector["tag"])[:16]
            is_right = vector["result"] == "valid"
            cut = group["tagSize"] == 256 and not is_right  # the damage may lie in the half that is cut off
            for made in (token(key, message), tokens(key, pa.array([message], pa.string())).to_pylist()[0]):
                assert cut or (made.bytes == expected) == is_right, vector["tcId"]
            applied += 1
    assert applied > 50


def test_no_foreign_ciphertext_opens_as_a_page() -> None:
    applied = 0
    for group in groups("aes_gcm_test"):
        if group["keySize"] != 256:
            continue
        for vector in group["tests"]:
            sealed = bytes.fromhex(vector["iv"] + vector["ct"] + vector["tag"])
            with pytest.raises(StateError) as caught:
                unseal(bytes.fromhex(vector["key"]), sealed, page_id=1, attribute_id=1, key_version=1)
            assert caught.value.code == "vault_damaged"
            applied += 1
    assert applied > 50
