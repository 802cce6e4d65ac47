"""The places that all adapters are held to the same contract at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.fixtures import _s3, certificate, ftp_server, ftps_server, s3_server, ssh_server, vsftpd_server
from tests.servers.proxy import Proxy
from tests.transport.sites import Site, folder_site, ftp_site, s3_site, sftp_site
from tests.workspaces import home, kernel, template, workspace

__all__ = [
    "_s3", "certificate", "ftp_server", "ftps_server", "home", "kernel", "s3_server",
    "ssh_server", "template", "vsftpd_server", "workspace",
]  # fmt: skip

REMOTE = ["s3", "sftp", "ftps", "ftp"]


@pytest.fixture
def site_of(request, tmp_path):
    """Makes the site of a kind; its server ends with the test."""

    def make(kind: str) -> Site:
        if kind == "folder":
            return folder_site(tmp_path / "folder")
        if kind == "s3":
            return s3_site(request.getfixturevalue("s3_server"))
        if kind == "sftp":
            return sftp_site(request.getfixturevalue("ssh_server"))
        return ftp_site(request.getfixturevalue(f"{kind}_server"))

    return make


@pytest.fixture(params=["folder", *REMOTE])
def site(request, site_of) -> Site:
    """A place of every kind."""
    return site_of(request.param)


@pytest.fixture(params=REMOTE)
def remote(request, site_of) -> Site:
    """A place of every kind that has a network in between."""
    return site_of(request.param)


@pytest.fixture
def proxy(remote: Site) -> Iterator[Proxy]:
    """Between us and that place."""
    assert remote.port is not None
    with Proxy(remote.port) as made:
        yield made
