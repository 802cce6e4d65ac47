"""The two connections of FTP, the data one to the host that was judged, by TLS in the session of the other."""

from __future__ import annotations

import ftplib
import socket
import ssl

from ingest_core.transport.places import FtpPlace


class NotSecureError(Exception):
    """The server does not offer TLS."""


class Plain(ftplib.FTP):
    """Over a socket that was judged; data go to the same host, whatever the server says."""

    def join(self, sock: socket.socket, host: str, seconds: float) -> None:
        """Takes over a connected socket and reads the greeting."""
        self.host, self.timeout, self.encoding = host, seconds, "utf-8"
        self.sock, self.af = sock, sock.family
        self.file = sock.makefile("r", encoding=self.encoding, errors="replace")
        self.welcome = self.getresp()

    def secure(self) -> None:
        """Nothing: it is plain."""

    def makepasv(self) -> tuple[str, int]:
        """Only the port is the server's word."""
        assert self.sock is not None
        peer = self.sock.getpeername()
        if self.af == socket.AF_INET6:
            return peer[0], ftplib.parse229(self.sendcmd("EPSV"), peer)[1]  # noqa: S321  plain only where allowed
        return peer[0], ftplib.parse227(self.sendcmd("PASV"))[1]  # noqa: S321  as above


class Tls(ftplib.FTP_TLS, Plain):
    """The same, with TLS on both connections. The password is only said after the certificate was checked."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context=context)

    def auth(self) -> str:
        """Explicit TLS; a server without it never hears the password."""
        try:
            return super().auth()
        except ftplib.error_perm:
            raise NotSecureError from None

    def secure(self) -> None:
        """Data are encrypted, too."""
        try:
            self.prot_p()
        except ftplib.error_perm:
            raise NotSecureError from None

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """A data connection in the TLS session of the control connection."""
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  TLS begins below
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            return self.context.wrap_socket(data, server_hostname=self.host, session=self.sock.session), size
        except BaseException:
            data.close()
            raise


def context_of(place: FtpPlace) -> ssl.SSLContext:
    """Checks certificate and name; the place's own certificate stands instead of the system's authorities."""
    context = ssl.create_default_context(cadata=place.certificate)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def end(data: socket.socket) -> None:
    """Says that the bytes are over: TLS wants that said, or a server may take the file for cut off."""
    try:
        if isinstance(data, ssl.SSLSocket):
            data.settimeout(5)
            data.unwrap()
    except OSError:
        pass  # a server that just hangs up; the size is compared anyway
    finally:
        data.close()
