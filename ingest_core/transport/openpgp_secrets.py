"""The secret parts of an OpenPGP key (version 4), opened with its passphrase; see openpgp_packets for what for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

_RSA, _ECDH, _X25519 = (1, 2), 18, 25
_AES = {7: 16, 8: 24, 9: 32}
_HASHES = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224"}
_PLAIN, _CHECKSUM, _SHA1 = 0, 255, 254


@dataclass(frozen=True, slots=True)
class SecretPart:
    """One key that messages may be for. Numbers as their algorithm lists them."""

    key_id: bytes
    fingerprint: bytes
    algorithm: int
    public_numbers: tuple[int, ...] = ()
    secret_numbers: tuple[int, ...] = field(default=(), repr=False)
    curve: bytes = b""
    kdf: tuple[int, int] = (0, 0)  # hash, cipher


def secret_parts(text: str, passphrase: str | None) -> Iterator[SecretPart]:
    """Those of a key that are of a kind we know. ValueError where the passphrase does not open it."""
    from pysequoia.packet import PacketPile, Tag

    for packet in PacketPile.from_bytes(text.encode()):
        if packet.tag in (Tag.SecretKey, Tag.SecretSubkey) and packet.body[0] == 4:
            made = _part(packet.body, bytes.fromhex(packet.fingerprint or ""), passphrase)
            if made is not None:
                yield made


def _part(body: bytes, fingerprint: bytes, passphrase: str | None) -> SecretPart | None:
    algorithm, at = body[5], 6
    public: tuple[int, ...] = ()
    curve, kdf = b"", (0, 0)
    if algorithm in _RSA:
        public, at = _numbers(body, at, 2)
        count = 4
    elif algorithm == _ECDH:
        curve, at = body[at + 1 : at + 1 + body[at]], at + 1 + body[at]
        _, at = _numbers(body, at, 1)
        kdf, at = (body[at + 2], body[at + 3]), at + 1 + body[at]
        count = 1
    elif algorithm == _X25519:
        return SecretPart(fingerprint[-8:], fingerprint, algorithm)  # its messages tell their cipher openly
    else:
        return None
    secret, _ = _numbers(_opened(body[at:], passphrase), 0, count)
    return SecretPart(fingerprint[-8:], fingerprint, algorithm, public, secret, curve, kdf)


def _numbers(data: bytes, at: int, count: int) -> tuple[tuple[int, ...], int]:
    found = []
    for _ in range(count):
        length = (int.from_bytes(data[at : at + 2]) + 7) // 8
        found.append(int.from_bytes(data[at + 2 : at + 2 + length]))
        at += 2 + length
    return tuple(found), at


def _opened(data: bytes, passphrase: str | None) -> bytes:
    """The secret numbers in the clear, checked."""
    usage = data[0]
    if usage == _PLAIN:
        return data[1:]
    if usage not in (_CHECKSUM, _SHA1) or passphrase is None:
        raise ValueError("a protection that is not known, or no passphrase")
    cipher, at = data[1], 2
    key, at = _from_passphrase(data, at, passphrase.encode(), _AES[cipher])
    nonce, sealed = data[at : at + 16], data[at + 16 :]
    decryptor = Cipher(algorithms.AES(key), CFB(nonce)).decryptor()
    plain = decryptor.update(sealed) + decryptor.finalize()
    if usage == _SHA1:
        numbers, check = plain[:-20], plain[-20:]
        fits = hashlib.sha1(numbers, usedforsecurity=False).digest() == check
    else:
        numbers, check = plain[:-2], plain[-2:]
        fits = sum(numbers) % 65536 == int.from_bytes(check)
    if not fits:
        raise ValueError("another passphrase")
    return numbers


def _from_passphrase(data: bytes, at: int, passphrase: bytes, size: int) -> tuple[bytes, int]:
    """The key that a passphrase makes (S2K: simple, salted, or salted and iterated), and where it ends."""
    kind, name = data[at], _HASHES[data[at + 1]]
    salt = data[at + 2 : at + 10] if kind in (1, 3) else b""
    at += 2 + len(salt)
    count = 0
    if kind == 3:
        count, at = (16 + (data[at] & 15)) << ((data[at] >> 4) + 6), at + 1
    elif kind not in (0, 1):
        raise ValueError("a way from passphrase to key that is not known")
    once = salt + passphrase
    count = max(count, len(once))
    key, zeros = b"", 0
    while len(key) < size:
        seen = hashlib.new(name, bytes(zeros), usedforsecurity=False)
        seen.update(once * (count // len(once)) + once[: count % len(once)])
        key, zeros = key + seen.digest(), zeros + 1
    return key[:size], at
