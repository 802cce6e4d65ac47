"""Real servers on loopback as fixtures: import what a test package needs into its conftest.py.

Each lives for one test, with folders of its own. A server that needs a Debian package skips where that is missing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ftp, s3, ssh, vsftpd
from tests.servers.certificates import Certificate, make_certificate


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """For loopback; trusted by whoever is given its ``pem``."""
    return make_certificate(tmp_path / "certificate")


@pytest.fixture(scope="session")
def _s3() -> Iterator[s3.S3Server]:
    server, stop = s3.start()
    yield server
    stop()


@pytest.fixture
def s3_server(_s3: s3.S3Server) -> s3.S3Server:
    """An S3 server with the empty bucket ``audiences``; any key is accepted."""
    import urllib.request

    _s3.faults.clear()
    _s3.dress = lambda _, headers: headers
    urllib.request.urlopen(urllib.request.Request(f"{_s3.endpoint}/moto-api/reset", method="POST")).close()
    _s3.client().create_bucket(Bucket=s3.BUCKET)
    _s3.requests.clear()
    _s3.headers.clear()
    return _s3


@pytest.fixture
def ssh_server(tmp_path: Path) -> Iterator[ssh.SshServer]:
    """OpenSSH; files go into its ``folder``."""
    server, process = ssh.start(tmp_path / "ssh")
    yield server
    process.terminate()
    process.wait(10)


@pytest.fixture
def ftp_server(tmp_path: Path) -> Iterator[ftp.FtpServer]:
    """Plain FTP."""
    server, stop = ftp.start(tmp_path / "ftp", None)
    yield server
    stop()


@pytest.fixture
def ftps_server(tmp_path: Path, certificate: Certificate) -> Iterator[ftp.FtpServer]:
    """FTP with explicit TLS, which it demands."""
    server, stop = ftp.start(tmp_path / "ftps", certificate)
    yield server
    stop()


@pytest.fixture
def vsftpd_server(certificate: Certificate) -> Iterator[vsftpd.Vsftpd]:
    """A server of another make: TLS sessions have to be taken up again, and it knows no MLSD."""
    server, process, home = vsftpd.start(certificate)
    yield server
    process.terminate()
    process.wait(10)
    shutil.rmtree(home)
