"""The process in which OpenPGP messages are made and opened; it knows nothing of the product and is run by its path.

The work comes as JSON on file descriptor ``sys.argv[1]``, bytes on stdin, bytes go to stdout. It ends with 0, 3 (cannot
be opened), 4 (a cipher that is not accepted), 5 (a key that cannot be used) or, killed, with a signal.
"""

from __future__ import annotations

import json
import os
import resource
import sys

import pysequoia

_CIPHER = "symmetric encryption algorithm"


def main() -> int:
    """Does what it was sent."""
    with os.fdopen(int(sys.argv[1]), "rb") as stream:
        work = json.load(stream)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (work["memory"], work["memory"]))
    try:
        if work["do"] == "encrypt":
            keys = [pysequoia.Cert.from_bytes(key.encode()) for key in work["keys"]]
        else:
            opener = opener_of(pysequoia.Tsk.from_bytes(work["key"].encode()), work["passphrase"])
    except BaseException:  # noqa: BLE001  a panic of the library, too
        return 5
    try:
        if work["do"] == "encrypt":
            pysequoia.encrypt_file("/dev/stdin", "/dev/stdout", recipients=keys, armor=False)
        else:
            pysequoia.decrypt_file("/dev/stdin", "/dev/stdout", decryptor=opener)
    except BaseException as error:  # noqa: BLE001  its text may quote the message: only a number leaves
        return 4 if _CIPHER in str(error) else 5 if work["do"] == "encrypt" else 3
    return 0


def opener_of(key: pysequoia.Tsk, passphrase: str | None) -> pysequoia.PyDecryptor:
    """With the passphrase, or without one where the key needs none."""
    if passphrase is not None:
        try:
            return key.decryptor(passphrase)
        except Exception:  # noqa: BLE001, S110  the second try says what is wrong
            pass
    return key.decryptor(None)


if __name__ == "__main__":
    code = main()
    os._exit(code)  # nothing is flushed twice, whatever a broken pipe left behind
