"""OpenPGP on both ways: with ourselves, with GnuPG, and against hostile messages."""

from __future__ import annotations

import os
import random
import shutil
import subprocess

import pysequoia
import pytest

from ingest_core.errors import OnrampError
from ingest_core.models import FileLimits
from ingest_core.transport.openpgp import PrivateKey, PublicKey, decrypt, encrypted, plain_name, read_key
from tests.transport.bytes_of import Bytes

DATA = random.Random(5).randbytes(2_000_003)


def made(profile=pysequoia.Profile.RFC4880, suite=pysequoia.CipherSuite.Cv25519):
    key = pysequoia.Tsk.generate(user_id="Onramp <onramp@example.com>", profile=profile, cipher_suite=suite)
    cert = key.extract_certificate()
    return PrivateKey("ours", cert.fingerprint, str(key)), PublicKey("ours", cert.fingerprint, str(cert))


@pytest.fixture(scope="module")
def keys():
    return made()


@pytest.fixture(scope="module")
def others():
    return made()


def opened(data: bytes, *keys: PrivateKey, limits: FileLimits = FileLimits()) -> bytes:
    parts: list[bytes] = []
    assert decrypt(Bytes(data), keys, parts.append, limits) == sum(map(len, parts))
    return b"".join(parts)


def sealed(data: bytes, folder, *recipients: PublicKey) -> bytes:
    with encrypted(Bytes(data, "out.tsv"), recipients, folder) as made, made.open() as stream:
        assert made.name == "out.tsv.pgp"
        return stream.read()


def code_of(call, *args, **kwargs) -> str:
    with pytest.raises(OnrampError) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("data", [b"", b"\x00", b"a line\n", DATA], ids=["empty", "nul", "line", "large"])
def test_what_was_encrypted_opens_to_the_same_bytes(keys, tmp_path, data):
    message = sealed(data, tmp_path, keys[1])
    assert opened(message, keys[0]) == data
    assert data[:64] not in message or len(data) < 2


@pytest.mark.parametrize("profile", [pysequoia.Profile.RFC4880, pysequoia.Profile.RFC9580])
@pytest.mark.parametrize(
    "suite", [pysequoia.CipherSuite.Cv25519, pysequoia.CipherSuite.RSA2k, pysequoia.CipherSuite.P256,
              pysequoia.CipherSuite.P384, pysequoia.CipherSuite.P521],
    ids=["cv25519", "rsa", "p256", "p384", "p521"],
)  # fmt: skip
def test_every_kind_of_key_works_on_both_ways(tmp_path, profile, suite):
    private, public = made(profile, suite)
    assert opened(sealed(b"a line\n", tmp_path, public), private) == b"a line\n"


def test_each_of_several_recipients_opens_it_and_nobody_else(keys, others, tmp_path):
    third, _ = made()
    message = sealed(b"a line\n", tmp_path, keys[1], others[1])
    assert opened(message, keys[0]) == opened(message, others[0]) == b"a line\n"
    assert opened(message, third, keys[0]) == b"a line\n"
    assert code_of(opened, message, third) == "decrypt_failed"
    assert code_of(opened, message) == "decrypt_failed"


def test_nothing_is_left_in_the_folder_and_what_lies_there_meanwhile_is_encrypted(keys, tmp_path):
    with encrypted(Bytes(b"the line of Asha\n"), [keys[1]], tmp_path):
        [file] = tmp_path.iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert b"Asha" not in file.read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_nobody_to_encrypt_for_is_refused(tmp_path):
    assert code_of(sealed, b"x", tmp_path) == "no_recipient"


def test_a_key_that_cannot_encrypt_is_refused(tmp_path):
    broken = PublicKey("x", "x", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n")
    assert code_of(sealed, b"x", tmp_path, broken) == "bad_pgp_key"
    assert list(tmp_path.iterdir()) == []


def test_any_changed_byte_is_one_error(keys, tmp_path):
    message = sealed(b"a line of a customer\n" * 40, tmp_path, keys[1])
    for at in random.Random(1).sample(range(len(message)), 12):
        changed = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
        assert code_of(opened, changed, keys[0]) in ("decrypt_failed", "cipher_not_aes")


def test_a_message_that_is_cut_is_refused(keys, tmp_path):
    message = sealed(DATA, tmp_path, keys[1])
    for size in (0, 1, 50, 1000, len(message) - 1):
        assert code_of(opened, message[:size], keys[0]) == "decrypt_failed"


@pytest.mark.parametrize(
    "data", [b"", b"crmid\temail\n", b"\xff" * 100, b"-----BEGIN PGP MESSAGE-----\n\n%%%%\n", bytes(64)]
)
def test_what_is_no_message_is_refused(keys, data):
    assert code_of(opened, data, keys[0]) == "decrypt_failed"


def test_a_message_may_be_no_larger_than_allowed(keys, tmp_path):
    message = sealed(DATA, tmp_path, keys[1])
    assert code_of(opened, message, keys[0], limits=FileLimits(unpacked=1_000_000)) == "file_too_large"


def test_who_is_asked_to_stop_ends_the_process_that_reads(keys, tmp_path):
    class StopError(Exception):
        pass

    def write(block: bytes) -> None:
        raise StopError

    with pytest.raises(StopError):
        decrypt(Bytes(sealed(DATA, tmp_path, keys[1])), [keys[0]], write)


def test_a_passphrase_that_is_not_needed_does_no_harm(keys, tmp_path):
    facts = read_key(keys[0].armored, "words of Asha")
    assert facts.is_private
    assert "PRIVATE" not in facts.public


def test_a_private_key_is_not_shown(keys):
    assert "PRIVATE" not in repr(keys[0])


@pytest.mark.parametrize(
    ("name", "inside"),
    [("a.tsv.pgp", "a.tsv"), ("a.tsv.GPG", "a.tsv"), ("a.asc", "a"), ("a.tsv", "a.tsv"), (".pgp", ".pgp")],
)
def test_the_name_of_the_file_inside(name, inside):
    assert plain_name(name) == inside


# ── with GnuPG ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def gpg(tmp_path_factory, keys):
    """Runs GnuPG with the key of ours in its ring."""
    if shutil.which("gpg") is None:
        pytest.skip("no GnuPG on this machine: install gnupg")
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)

    def run(*arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run(
            ["gpg", "--homedir", str(home), "--batch", "--yes", "--trust-model", "always", "--pinentry-mode",
             "loopback", "--passphrase", "words of Asha", *arguments],
            input=data, capture_output=True, timeout=60, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-300:]
        return done.stdout

    run("--import", data=keys[1].armored.encode())
    yield run
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True)


@pytest.mark.parametrize("cipher", ["AES", "AES192", "AES256"])
@pytest.mark.parametrize("form", [["--armor"], []], ids=["armored", "binary"])
@pytest.mark.parametrize("packing", ["none", "zip", "zlib"])
def test_what_gnupg_made_opens(gpg, keys, cipher, form, packing):
    data = DATA[:70_000] + b"line\n" * 2000
    message = gpg(
        "-r", keys[1].fingerprint, "--cipher-algo", cipher, "--compress-algo", packing, *form, "-e", data=data
    )
    assert opened(message, keys[0]) == data


@pytest.mark.parametrize("cipher", ["3DES", "CAST5", "BLOWFISH", "TWOFISH", "CAMELLIA128", "CAMELLIA256", "IDEA"])
def test_another_cipher_than_aes_is_refused(gpg, keys, cipher):
    message = gpg("-r", keys[1].fingerprint, "--cipher-algo", cipher, "-e", data=b"a line\n")
    assert code_of(opened, message, keys[0]) == "cipher_not_aes"


@pytest.mark.parametrize("kind", ["rsa2048", "cv25519", "nistp256"])
def test_a_key_that_gnupg_made_and_protects_by_a_passphrase_opens(gpg, kind, tmp_path):
    name = f"{kind}@example.com"
    sign = {"rsa2048": "rsa2048", "cv25519": "ed25519", "nistp256": "nistp256"}[kind]
    gpg("--quick-generate-key", name, sign, "cert,sign", "0")
    [fingerprint] = [
        line.split(":")[9] for line in gpg("--with-colons", "--list-keys", name).decode().splitlines()
        if line.startswith("fpr")
    ]  # fmt: skip
    gpg("--quick-add-key", fingerprint, kind, "encr", "0")
    text = gpg("--armor", "--export-secret-keys", name).decode()
    facts = read_key(text, "words of Asha")
    assert (facts.is_private, facts.fingerprint.upper()) == (True, fingerprint)
    assert code_of(read_key, text, "other words") == code_of(read_key, text) == "bad_passphrase"
    key = PrivateKey("theirs", fingerprint, text, "words of Asha")
    message = gpg("-r", name, "--cipher-algo", "AES", "-e", data=b"a line\n")
    assert opened(message, key) == b"a line\n"
    other = gpg("-r", name, "--cipher-algo", "TWOFISH", "-e", data=b"a line\n")
    assert code_of(opened, other, key) == "cipher_not_aes"
    ours = sealed(b"for them\n", tmp_path, PublicKey("theirs", fingerprint, facts.public))
    (tmp_path / "message").write_bytes(ours)
    assert gpg("-d", str(tmp_path / "message")) == b"for them\n"


def test_bzip2_is_not_read(gpg, keys):
    message = gpg("-r", keys[1].fingerprint, "--compress-algo", "bzip2", "-e", data=b"a line\n" * 1000)
    assert code_of(opened, message, keys[0]) == "decrypt_failed"


def test_a_signed_message_opens_without_the_key_that_signed_it(gpg, keys):
    gpg("--quick-generate-key", "signer@example.com", "ed25519", "sign", "0")
    message = gpg("-u", "signer@example.com", "-s", "-r", keys[1].fingerprint, "-e", data=b"a line\n")
    assert opened(message, keys[0]) == b"a line\n"


def test_a_message_without_recipients_names_still_opens(gpg, keys):
    message = gpg("-R", keys[1].fingerprint, "--cipher-algo", "AES256", "-e", data=b"a line\n")
    assert opened(message, keys[0]) == b"a line\n"


def test_a_message_by_passphrase_alone_is_not_ours(gpg, keys):
    message = gpg("--symmetric", "--cipher-algo", "AES256", data=b"a line\n")
    assert code_of(opened, message, keys[0]) == "decrypt_failed"


def test_a_bomb_is_stopped_by_its_ratio(gpg, keys):
    message = gpg("-r", keys[1].fingerprint, "--compress-algo", "zlib", "-e", data=bytes(30_000_000))
    assert len(message) < 100_000
    assert code_of(opened, message, keys[0], limits=FileLimits(ratio=100)) == "ratio_too_large"
    assert opened(message, keys[0]) == bytes(30_000_000)  # within the usual ratio
