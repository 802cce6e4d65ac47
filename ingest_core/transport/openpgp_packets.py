"""Which cipher a message is encrypted with, before anybody opens it.

The library that opens messages accepts more ciphers than AES and does not tell which one it met. Newer messages (SEIPD
version 2) say it in the clear. In older ones it stands beside the session key, so that is opened here, and only that:
RSA, and ECDH over Curve25519 and the NIST curves, of version 4 keys. A message of which nobody can tell stays shut.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from ingest_core.models import ByteSource
from ingest_core.transport.openpgp_secrets import SecretPart, secret_parts

AES = {7: 16, 8: 24, 9: 32}
"""Numbers of the AES ciphers (RFC 9580) and how many bytes their keys have."""

_HEAD = 1 << 18
"""Within so many bytes the recipients end and the encrypted part begins; 500 recipients need less."""

_MOST_RECIPIENTS = 500
_PKESK, _SEIPD, _MARKER, _SKESK = 1, 18, 10, 3
_RSA, _ECDH, _X25519 = (1, 2), 18, 25
_ANYBODY = bytes(8)
_CURVES: dict[bytes, Any] = {
    bytes.fromhex("2a8648ce3d030107"): ec.SECP256R1,
    bytes.fromhex("2b81040022"): ec.SECP384R1,
    bytes.fromhex("2b81040023"): ec.SECP521R1,
}
_CURVE25519 = bytes.fromhex("2b060104019755010501")
_HASHES = {8: "sha256", 9: "sha384", 10: "sha512"}


@dataclass(frozen=True, slots=True)
class _Recipient:
    """A session key for one key: whose (all zeros: not told), how, and the encrypted fields."""

    key_id: bytes
    algorithm: int
    fields: bytes


def refuse_other_ciphers(file: ByteSource, keys: Sequence[tuple[str, str | None]]) -> None:
    """FileError ``cipher_not_aes``; ``decrypt_failed`` where it is no message of ours. ``keys``: (text, passphrase)."""
    from ingest_core.transport.openpgp import cipher_not_aes, decrypt_failed

    try:
        with file.open() as stream:
            found = _cipher(_head(stream), keys)
    except (ValueError, IndexError, KeyError, TypeError, InvalidUnwrap, InvalidTag, binascii.Error):
        raise decrypt_failed() from None
    if found is None:
        raise decrypt_failed()
    if found not in AES:
        raise cipher_not_aes()


def _head(stream: IO[bytes]) -> bytes:
    """The beginning of a message, out of its armor if it has one."""
    data = stream.read(_HEAD)
    if data[:1] and data[0] & 0x80:
        return data
    begin = data.index(b"-----BEGIN PGP MESSAGE-----")
    text = data[data.index(b"\n", begin) :].replace(b"\r", b"")
    body = text[text.index(b"\n\n") + 2 :] if b"\n\n" in text else text
    body = body.split(b"\n=")[0].split(b"\n-")[0]
    plain = b"".join(body.split())
    return base64.b64decode(plain[: len(plain) // 4 * 4], validate=True)


def _cipher(data: bytes, keys: Sequence[tuple[str, str | None]]) -> int | None:
    recipients: list[_Recipient] = []
    for tag, body in _packets(data):
        if tag == _PKESK:
            if len(recipients) == _MOST_RECIPIENTS:
                return None
            if body[0] == 3:
                recipients.append(_Recipient(body[1:9], body[9], body[10:]))
        elif tag == _SEIPD:
            return body[1] if body[0] == 2 else _of_session_keys(recipients, keys)
        elif tag not in (_MARKER, _SKESK):
            return None  # not encrypted, or without protection against changes
    return None


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, body) of each; a body that goes on beyond what was read is cut."""
    at = 0
    while at < len(data):
        first = data[at]
        if not first & 0x80:
            raise ValueError("no packet")
        if first & 0x40:
            tag, (length, at) = first & 0x3F, _new_length(data, at + 1)
        else:
            tag, kind = (first >> 2) & 0x0F, first & 3
            width = (1, 2, 4, 0)[kind]
            length = int.from_bytes(data[at + 1 : at + 1 + width]) if width else len(data)
            at += 1 + width
        yield tag, data[at : at + length]
        at += length


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """(length, where the body begins); of a body in pieces the first piece is enough."""
    first = data[at]
    if first < 192:
        return first, at + 1
    if first < 224:
        return ((first - 192) << 8) + data[at + 1] + 192, at + 2
    if first < 255:
        return 1 << (first & 0x1F), at + 1
    return int.from_bytes(data[at + 1 : at + 5]), at + 5


def _of_session_keys(recipients: list[_Recipient], keys: Sequence[tuple[str, str | None]]) -> int | None:
    parts = [part for text, passphrase in keys for part in secret_parts(text, passphrase)]
    for one in recipients:
        for part in parts:
            if one.key_id in (part.key_id, _ANYBODY) and (found := _session_cipher(one, part)) is not None:
                return found
    return None


def _session_cipher(one: _Recipient, part: SecretPart) -> int | None:
    """The cipher that a session key is for; None when this is not the key for it."""
    try:
        if one.algorithm == _X25519 and part.algorithm == _X25519:
            return one.fields[33]
        if one.algorithm in _RSA and part.algorithm in _RSA:
            return _checked(_by_rsa(one.fields, part))
        if one.algorithm == _ECDH and part.algorithm == _ECDH:
            return _checked(_by_ecdh(one.fields, part))
    except (ValueError, IndexError, InvalidUnwrap):
        return None
    return None


def _checked(plain: bytes) -> int | None:
    """Cipher, session key, checksum: whether they fit each other."""
    cipher, key, check = plain[0], plain[1:-2], plain[-2:]
    return cipher if key and sum(key) % 65536 == int.from_bytes(check) else None


def _by_rsa(fields: bytes, part: SecretPart) -> bytes:
    n, e = part.public_numbers
    d, p, q, _ = part.secret_numbers
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, n)
    )
    size = (n.bit_length() + 7) // 8
    length = (int.from_bytes(fields[:2]) + 7) // 8
    return numbers.private_key().decrypt(fields[2 : 2 + length].rjust(size, b"\0"), padding.PKCS1v15())


def _by_ecdh(fields: bytes, part: SecretPart) -> bytes:
    length = (int.from_bytes(fields[:2]) + 7) // 8
    point, rest = fields[2 : 2 + length], fields[2 + length :]
    wrapped = rest[1 : 1 + rest[0]]
    (scalar,) = part.secret_numbers
    shared = _shared(part.curve, scalar, point)
    hash_id, cipher = part.kdf
    about = bytes([len(part.curve)]) + part.curve + bytes([_ECDH, 3, 1, hash_id, cipher])
    about += b"Anonymous Sender    " + part.fingerprint
    key = hashlib.new(_HASHES[hash_id], b"\0\0\0\1" + shared + about).digest()[: AES[cipher]]
    padded = aes_key_unwrap(key, wrapped)
    return padded[: -padded[-1]]


def _shared(curve: bytes, scalar: int, point: bytes) -> bytes:
    if curve == _CURVE25519:
        secret = x25519.X25519PrivateKey.from_private_bytes(scalar.to_bytes(32, "little"))
        return secret.exchange(x25519.X25519PublicKey.from_public_bytes(point[1:]))
    kind = _CURVES[curve]()
    return ec.derive_private_key(scalar, kind).exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(kind, point)
    )
