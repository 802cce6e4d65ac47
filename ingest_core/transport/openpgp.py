"""OpenPGP on both ways: files encrypted for others, and messages of others opened. AES only; hostile messages bounded.

Messages are read and written by a process of its own that is handed bytes and gives bytes: plain text is never on disk
here, and what a hostile message does to its reader ends with that process. Who opens a message keeps it where plain
text may lie, such as the landing zone.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ingest_core.errors import FileError, InputError
from ingest_core.models import ByteSource, FileLimits
from ingest_core.transport.openpgp_packets import refuse_other_ciphers
from ingest_core.transport.port import BLOCK_BYTES, Write

ENDINGS = ("pgp", "gpg", "asc")
_CHILD = Path(__file__).with_name("openpgp_child.py")
_FAILED, _OTHER_CIPHER, _BAD_KEY = 3, 4, 5
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_SMALL = 10 << 20
"""No ratio is asked of fewer plain bytes than this: ten lines of zeros are no attack."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Of somebody who gets files. ``armored``: the certificate as text."""

    name: str
    fingerprint: str
    armored: str


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One of ours. ``armored`` and ``passphrase`` are secrets."""

    name: str
    fingerprint: str
    armored: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


@contextmanager
def encrypted(file: ByteSource, recipients: Sequence[PublicKey], folder: Path) -> Iterator[ByteSource]:
    """The file encrypted for all of these recipients (binary, AES-256), named as the file with ``.pgp`` behind it.

    It lies in ``folder`` (0600, encrypted) and goes with the end of the block. InputError ``no_recipient``,
    ``bad_pgp_key`` (one that cannot encrypt or has run out).
    """
    if not recipients:
        raise InputError(
            "Nobody is named who could open the file. Nothing was encrypted.",
            code="no_recipient",
            hint="Name at least one OpenPGP key.",
        )
    number, name = tempfile.mkstemp(prefix="pgp-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(number, "wb") as out:
            work = {"do": "encrypt", "keys": [key.armored for key in recipients]}
            if _run(work, file, out.write, FileLimits()):
                raise _bad_key()
            out.flush()
            os.fsync(out.fileno())
        yield _OnDisk(path, f"{file.name}.pgp", path.stat().st_size)
    finally:
        path.unlink(missing_ok=True)


def decrypt(file: ByteSource, keys: Sequence[PrivateKey], write: Write, limits: FileLimits = FileLimits()) -> int:
    """Gives the plain bytes of a message to ``write``, block by block; returns how many there were.

    Binary or armored. What was written before an error is worth nothing: a message is only known to be whole at its
    end. FileError ``decrypt_failed`` (no key of ours, damaged, or no message at all), ``cipher_not_aes``,
    ``file_too_large`` (``limits.unpacked``), ``ratio_too_large`` (``limits.ratio``), ``took_too_long``.
    """
    refuse_other_ciphers(file, [(key.armored, key.passphrase) for key in keys])
    for key in keys:
        counter = _Counter(write, file.size, limits)
        work = {"do": "decrypt", "key": key.armored, "passphrase": key.passphrase}
        code = _run(work, file, counter, limits)
        if code == 0:
            return counter.done
        if code == _OTHER_CIPHER:
            raise cipher_not_aes()
        if counter.done:
            break  # it was for this key, and is damaged
    raise decrypt_failed()


def plain_name(name: str) -> str:
    """The name of the file inside, as the name of the message says it: without ``.pgp``, ``.gpg`` or ``.asc``."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and stem and ending.lower() in ENDINGS else name


def decrypt_failed() -> FileError:
    """Not for a key of ours, damaged, or no message: which of them, nobody is told."""
    return FileError(
        "The file cannot be decrypted: it is for another key, damaged, or no OpenPGP message. Nothing was taken.",
        code="decrypt_failed",
        hint="Ask its sender to encrypt it again with your public key.",
    )


def cipher_not_aes() -> FileError:
    """It could be opened, but should not have been made so."""
    return FileError(
        "The file is encrypted with another cipher than AES. Nothing was taken.",
        code="cipher_not_aes",
        hint="Ask its sender to use AES (128, 192 or 256).",
    )


class _OnDisk:
    """The bytes of a file that goes soon."""

    def __init__(self, path: Path, name: str, size: int) -> None:
        self._path = path
        self.name = name
        self.size = size

    def open(self) -> IO[bytes]:
        return self._path.open("rb")


class _Counter:
    """Passes plain bytes on until there are too many of them."""

    def __init__(self, write: Write, packed: int, limits: FileLimits) -> None:
        self._write = write
        self._packed = max(packed, 1)
        self._limits = limits
        self.done = 0

    def __call__(self, block: bytes) -> None:
        self.done += len(block)
        if self.done > self._limits.unpacked:
            raise FileError(
                f"The message holds more than {self._limits.unpacked:,} bytes. Nothing was taken.",
                code="file_too_large",
                hint="Ask for it in parts, or raise the limit.",
            )
        if self.done > _SMALL and self.done > self._packed * self._limits.ratio:
            raise FileError(
                f"The message grows to more than {self._limits.ratio:,} times its size. Nothing was taken.",
                code="ratio_too_large",
                hint="This is how bombs are made. If it is honest, ask for it uncompressed.",
            )
        self._write(block)


def _run(work: dict[str, Any], file: ByteSource, write: Write, limits: FileLimits) -> int:
    """One run of the child: its exit code. Whatever ``write`` raises ends it, and so does the time limit."""
    child, sink = _started()
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        child.kill()

    timer = threading.Timer(limits.seconds or threading.TIMEOUT_MAX, give_up)
    timer.daemon = True
    timer.start()
    failure: list[BaseException] = []
    feeder = threading.Thread(target=_feed, args=(child.stdin, file, failure), daemon=True)
    try:
        with os.fdopen(sink, "wb") as stream, suppress(BrokenPipeError):
            stream.write(json.dumps({**work, "memory": limits.memory}).encode())
        feeder.start()
        assert child.stdout is not None
        while block := child.stdout.read(BLOCK_BYTES):
            write(block)
        code = child.wait()
        feeder.join()
    finally:
        timer.cancel()
        child.kill()
        child.wait()
        _close(child)
    if is_late.is_set():
        raise _too_slow(limits.seconds)
    if failure:
        raise failure[0]
    return code


def _started() -> tuple[subprocess.Popen[bytes], int]:
    """The child, and where it is told its work."""
    about, sink = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603  our own file, our own interpreter
            [sys.executable, "-I", str(_CHILD), str(about)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(about,),
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
        )
    except BaseException:
        os.close(sink)
        raise
    finally:
        os.close(about)
    return child, sink


def _feed(stdin: IO[bytes] | None, file: ByteSource, failure: list[BaseException]) -> None:
    assert stdin is not None
    try:
        with file.open() as stream:
            while block := stream.read(BLOCK_BYTES):
                try:
                    stdin.write(block)
                except (OSError, ValueError):
                    return  # the child ended first, and its exit code says why
    except BaseException as error:  # noqa: BLE001  raised again by who waits
        failure.append(error)
    finally:
        with suppress(OSError, ValueError):
            stdin.close()


def _close(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()


def _too_slow(seconds: float) -> FileError:
    return FileError(
        f"The message was not opened within {seconds:g} seconds. Nothing was taken.",
        code="took_too_long",
        hint="Ask for it in parts, or uncompressed.",
    )


def _bad_key() -> InputError:
    return InputError(
        "One of the keys cannot be encrypted for: it has run out, was revoked, or is for signing only. "
        "Nothing was encrypted.",
        code="bad_pgp_key",
        hint="Ask its owner for a current public key, and add that.",
    )


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key says about itself. ``public``: its public part as text."""

    is_private: bool
    fingerprint: str
    expires_at: datetime | None
    public: str


def read_key(text: str, passphrase: str | None = None) -> KeyFacts:
    """Looks at a key, and for a private one whether we can open with it what was encrypted for it.

    InputError ``bad_pgp_key``, ``bad_passphrase``.
    """
    import pysequoia

    try:
        is_private = "PRIVATE KEY BLOCK" in text
        data = text.encode()
        cert = pysequoia.Tsk.from_bytes(data).extract_certificate() if is_private else pysequoia.Cert.from_bytes(data)
        facts = KeyFacts(is_private, cert.fingerprint, cert.expiration, str(cert))
        probe = pysequoia.encrypt(b"probe", recipients=[cert], armor=False)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise _bad_key() from None  # a panic of the library, too
    if facts.is_private:
        key = PrivateKey("", facts.fingerprint, text, passphrase)
        try:
            decrypt(_InMemory(probe), [key], lambda _: None)
        except FileError:
            raise InputError(
                "Nothing can be opened with this private key. Nothing was kept.",
                code="bad_passphrase",
                hint="Check its passphrase. It has to be an RSA, Curve25519 or NIST key that can encrypt.",
            ) from None
    return facts


class _InMemory:
    """A ByteSource of a few bytes."""

    def __init__(self, data: bytes) -> None:
        self.name = "probe"
        self.size = len(data)
        self._data = data

    def open(self) -> IO[bytes]:
        return io.BytesIO(self._data)
