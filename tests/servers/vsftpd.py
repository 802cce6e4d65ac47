"""vsftpd on loopback, with explicit TLS that demands that data go on in the session of the control connection."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.certificates import Certificate
from tests.servers.ssh import free_port

_CONFIG = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
write_enable=YES
anon_root={root}
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
allow_writeable_chroot=YES
seccomp_sandbox=NO
isolate_network=NO
isolate=NO
pasv_address=10.9.8.7
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file={certificate}
rsa_private_key_file={certificate}
secure_chroot_dir=/var/run/vsftpd/empty
xferlog_enable=NO
"""


@dataclass
class Vsftpd:
    """Files go into ``folder``; it lets anonymous users write. It names 10.9.8.7 for data connections."""

    port: int
    folder: Path
    certificate: Certificate


def start(certificate: Certificate) -> tuple[Vsftpd, subprocess.Popen[bytes], Path]:
    """A running server in a folder of its own; skips where there is none to run."""
    program = shutil.which("vsftpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no vsftpd on this machine: install it")
    if os.geteuid() != 0:
        pytest.skip("vsftpd has to be started by root")
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="vsftpd-"))  # not under pytest's folder, which its user may not enter
    home.chmod(0o755)
    root = home / "root"
    (root / "files").mkdir(parents=True)
    user = pwd.getpwnam("ftp")
    os.chown(root / "files", user.pw_uid, user.pw_gid)
    Path("/var/run/vsftpd/empty").mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = home / "vsftpd.conf"
    config.write_text(_CONFIG.format(port=port, root=root, certificate=certificate.file))
    process = subprocess.Popen([program, str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if process.poll() is not None:
                pytest.skip("vsftpd does not start here")
            time.sleep(0.05)
    return Vsftpd(port, root / "files", certificate), process, home
