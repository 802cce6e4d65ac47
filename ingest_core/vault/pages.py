"""Pages: up to a few thousand values of one attribute sealed by one AES-256-GCM call.

Layout of the plaintext: slots as uint32 little-endian, slots + 1 end offsets, then the UTF-8 bytes. The associated
data binds a page to its id, attribute and key version: a moved or relabelled page does not open.
"""

from __future__ import annotations

import secrets

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_core.errors import StateError

SLOTS = 512


def seal(key: bytes, values: pa.StringArray, *, page_id: int, attribute_id: int, key_version: int) -> bytes:
    """Values (no nulls) → nonce and ciphertext. Two calls with the same values differ."""
    count = len(values)
    _, offsets_buffer, data = values.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32, count=count + 1, offset=values.offset * 4)
    body = b"" if data is None else memoryview(data)[int(offsets[0]) : int(offsets[-1])]
    plain = b"".join((np.uint32(count).tobytes(), (offsets - offsets[0]).astype("<u4").tobytes(), body))
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plain, _label(page_id, attribute_id, key_version))


def unseal(key: bytes, sealed: bytes, *, page_id: int, attribute_id: int, key_version: int) -> pa.StringArray:
    """The values of a page; any changed bit, moved page or other key is one uniform error."""
    try:
        plain = AESGCM(key).decrypt(sealed[:12], sealed[12:], _label(page_id, attribute_id, key_version))
    except (InvalidTag, ValueError):
        raise StateError(
            "A protected value cannot be opened: the stored data or the key has changed.",
            code="vault_damaged",
            hint="Check the keys of this workspace, or restore it from a backup.",
            facts={"page": page_id},
        ) from None
    count = int.from_bytes(plain[:4], "little")
    offsets = np.frombuffer(plain, dtype="<u4", count=count + 1, offset=4).astype(np.int32)
    body = plain[4 + 4 * (count + 1) :]
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(body))


def _label(page_id: int, attribute_id: int, key_version: int) -> bytes:
    return f"{page_id}|{attribute_id}|{key_version}".encode()
