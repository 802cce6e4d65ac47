"""One site per kind of place: a server, how to get there, and a look at what is really there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_core.transport.connecting import connect
from ingest_core.transport.places import FolderPlace, FtpPlace, S3Place, Secrets, SftpPlace
from ingest_core.transport.port import Place
from tests.servers.ftp import PASSWORD, USER
from tests.servers.proxy import Fault, Proxy
from tests.servers.s3 import BUCKET

SECONDS = 2.0


@dataclass
class Site:
    """``files``: all that is there, by name, unfinished ones too; ``write``: as another program would."""

    kind: str
    at: Callable[[int | None], Any]  # port of a proxy, or None → what is known about the place
    secrets: Secrets
    files: Callable[[], dict[str, bytes]]
    write: Callable[[str, bytes], None]
    port: int | None = None
    server: Any = None

    def connect(self, proxy: Proxy | None = None) -> Place:
        return connect(self.at(proxy.port if proxy else None), self.secrets, seconds=SECONDS)

    def break_bytes(self, proxy: Proxy, *faults: Fault) -> None:
        """Faults on the connection on which the bytes of files go."""
        if self.kind in ("ftp", "ftps"):
            self.server.data_faults[:] = faults
        else:
            proxy.ask(*faults)

    def mend(self, proxy: Proxy) -> None:
        """All is well again."""
        proxy.ask()
        if self.kind in ("ftp", "ftps"):
            self.server.data_faults.clear()


def disk(root: Path) -> tuple[Callable[[], dict[str, bytes]], Callable[[str, bytes], None]]:
    """What is in a folder, and how to write into it."""

    def files() -> dict[str, bytes]:
        found = {}
        for path in root.rglob("*"):
            try:
                if path.is_file():
                    found[str(path.relative_to(root))] = path.read_bytes()
            except FileNotFoundError:
                pass  # a server takes away what broke off while we look
        return found

    def write(name: str, data: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)

    return files, write


def folder_site(root: Path) -> Site:
    root.mkdir()
    files, write = disk(root)
    return Site("folder", lambda _: FolderPlace(path=str(root)), Secrets(), files, write)


def s3_site(server: Any) -> Site:
    client = server.client()

    def files() -> dict[str, bytes]:
        found = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        return {
            one["Key"].removeprefix("onramp/"): client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read()
            for one in found
        }

    def write(name: str, data: bytes) -> None:
        client.put_object(Bucket=BUCKET, Key=f"onramp/{name}", Body=data)

    def at(port: int | None) -> S3Place:
        return S3Place(
            bucket=BUCKET, prefix="onramp", endpoint=f"http://127.0.0.1:{port or server.port}", access_key="test",
            addressing="path", plain=True,
        )  # fmt: skip

    return Site("s3", at, Secrets(secret_key="test"), files, write, server.port, server)


def sftp_site(server: Any) -> Site:
    files, write = disk(server.folder)

    def at(port: int | None) -> SftpPlace:
        return SftpPlace(
            host="127.0.0.1", port=port or server.port, user=server.user, folder=str(server.folder),
            host_key=server.host_key,
        )  # fmt: skip

    return Site("sftp", at, Secrets(private_key=server.key), files, write, server.port, server)


def ftp_site(server: Any) -> Site:
    files, write = disk(server.folder)
    kind = "ftps" if server.certificate else "ftp"

    def at(port: int | None) -> FtpPlace:
        return FtpPlace(
            kind=kind, host="127.0.0.1", port=port or server.port, user=USER, plain=kind == "ftp",
            certificate=server.certificate.pem if server.certificate else None,
        )  # fmt: skip

    return Site(kind, at, Secrets(password=PASSWORD), files, write, server.port, server)
