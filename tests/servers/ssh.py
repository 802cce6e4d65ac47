"""OpenSSH's own server on loopback: internal-sftp, a host key and a user key of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication {password}
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin yes
Subsystem sftp internal-sftp
ForceCommand internal-sftp
LogLevel ERROR
"""


@dataclass
class SshServer:
    """``folder`` is where files go; ``key`` opens it."""

    port: int
    folder: Path
    user: str
    key: str
    host_key: str


def free_port() -> int:
    """A port of loopback that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519") -> str:
    """A key pair without a passphrase; returns ``type SHA256:fingerprint``."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    said = subprocess.run(["ssh-keygen", "-lf", f"{path}.pub"], check=True, capture_output=True, text=True).stdout
    return f"{path.with_suffix('.pub').read_text().split()[0]} {said.split()[1]}"


def start(folder: Path) -> tuple[SshServer, subprocess.Popen[bytes]]:
    """A running server; skips where there is none to run."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no OpenSSH server on this machine: install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "files"
    files.mkdir()
    host_key = make_key(folder / "host_key")
    make_key(folder / "user_key")
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    port = free_port()
    config = folder / "sshd_config"
    config.write_text(_CONFIG.format(port=port, folder=folder, password="no"))
    process = subprocess.Popen([sshd, "-D", "-f", str(config), "-E", str(folder / "log")])
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if process.poll() is not None:
                pytest.skip(f"sshd does not start here: {(folder / 'log').read_text()[:200]}")
            time.sleep(0.05)
    return SshServer(port, files, getpass.getuser(), (folder / "user_key").read_text(), host_key), process
