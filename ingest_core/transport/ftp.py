"""FTPS (explicit TLS, certificate checked) and, where it is allowed, plain FTP. Always binary, always passive.

The address that a server names for its data connection is not trusted: data go to the host that was connected to. By
TLS they go on in the session of the control connection, which servers ask for so that nobody else can take the data.
"""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from ingest_core.errors import DeliveryError, InputError
from ingest_core.models import ByteSource
from ingest_core.transport import failures
from ingest_core.transport.endpoints import SECONDS, open_socket
from ingest_core.transport.ftp_connection import NotSecureError, Plain, Tls, context_of, end
from ingest_core.transport.leaving import Connected, is_listed, needed, sent_whole
from ingest_core.transport.places import FtpPlace, Secrets
from ingest_core.transport.port import (
    BLOCK_BYTES,
    UNFINISHED,
    Entry,
    Stored,
    Told,
    Write,
    broke_off,
    checked_name,
    file_changed,
    file_exists,
    file_gone,
)

_UNKNOWN = ("500", "501", "502", "504")
"""Replies to a command that the server does not know."""

_MOST_LINE = 8192


class Ftp(Connected):
    """See port.Place. A file is sent under another name, looked at, and renamed."""

    def __init__(self, place: FtpPlace, secrets: Secrets, seconds: float = SECONDS) -> None:
        self._place = place
        self._seconds = seconds
        self._root = place.folder
        self._has_mlsd = True
        with self._told():
            password = needed(secrets, place.kind, "password")
            self._ftp = Tls(context_of(place)) if place.kind == "ftps" else Plain()
            self._ftp.join(open_socket(place.host, place.port, seconds), place.host, seconds)
            try:
                self._log_in(password)
            except BaseException:
                self._ftp.close()
                raise

    def entries(self, folder: str = "") -> list[Entry]:
        path = self._path(checked_name(folder)) if folder else self._root
        with self._told():
            try:
                found = self._listed(path)
            except ftplib.error_perm as error:
                if _reply(error) == "550" and folder:
                    return []
                if _reply(error) == "550":
                    raise failures.no_such_place() from None
                raise
        head = f"{folder}/" if folder else ""
        kept = [Entry(head + one.name, one.size, one.modified) for one in found if is_listed(one.name)]
        return sorted(kept, key=lambda entry: entry.name)

    def fetch(self, entry: Entry, write: Write, told: Told = lambda _: None) -> None:
        path = self._path(checked_name(entry.name))
        with self._told(entry.name):
            self._unchanged(entry, path)
            done = 0

            def took(block: bytes) -> None:
                nonlocal done
                write(block)
                done += len(block)
                told(done)

            try:
                self._receive(f"RETR {path}", took)
            except ftplib.error_perm as error:
                if _reply(error) == "550" and self._look(path) is None:
                    raise file_gone(entry.name) from None
                raise
            self._unchanged(entry, path)
            if done != entry.size:
                raise broke_off(entry.name)

    def put(self, name: str, file: ByteSource, told: Told = lambda _: None, *, replace: bool = False) -> Stored:
        path = self._path(checked_name(name))
        with self._told(name):
            found = self._look(path)
            if found is not None and self.holds(Entry(name, found.size, found.modified), file):
                return self._stored(name, file.size)
            if found is not None and not replace:
                raise file_exists(name)
            self._make_folders(name)
            draft = path + UNFINISHED
            try:
                self._send(draft, name, file, told)
                self._publish(draft, path, name, replace=replace)
            except BaseException:
                self._clean(draft)
                raise
            kept = self._look(path)
            if kept is None or kept.size != file.size:
                raise broke_off(name)
            return self._stored(name, file.size)

    def move(self, name: str, to: str) -> None:
        path, new = self._path(checked_name(name)), self._path(checked_name(to))
        with self._told(name):
            if self._look(path) is None:
                raise file_gone(name)
            self._make_folders(to)
            self._rename(path, new)

    def delete(self, name: str) -> None:
        path = self._path(checked_name(name))
        with self._told(name):
            try:
                self._ftp.voidcmd(f"DELE {path}")
            except ftplib.error_perm as error:
                if _reply(error) != "550" or self._look(path) is not None:
                    raise

    def close(self) -> None:
        try:
            if self._ftp.sock is not None:
                self._ftp.sock.settimeout(2)  # a farewell is not worth more
                self._ftp.quit()
        except (OSError, EOFError, ftplib.Error):
            self._ftp.close()

    def _log_in(self, password: str) -> None:
        try:
            self._ftp.login(self._place.user, password)
        except ftplib.error_perm:
            raise failures.login_refused(self._place.host) from None
        self._ftp.secure()
        try:
            self._ftp.sendcmd("OPTS UTF8 ON")
        except ftplib.Error:
            pass  # a server that always speaks UTF-8, or never: names are ASCII then
        self._ftp.voidcmd("TYPE I")

    # ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _receive(self, command: str, took: Callable[[bytes], None]) -> None:
        """One data connection to its end; only the server's last word makes it whole."""
        data, _ = self._ftp.ntransfercmd(command)
        try:
            while block := data.recv(BLOCK_BYTES):
                took(block)
        except BaseException as error:
            end(data)
            self._hear(error)
            raise
        end(data)
        self._ftp.voidresp()

    def _send(self, draft: str, name: str, file: ByteSource, told: Told) -> None:
        done = 0
        with file.open() as stream:
            data, _ = self._ftp.ntransfercmd(f"STOR {draft}")
            try:
                while block := stream.read(BLOCK_BYTES):
                    data.sendall(block)
                    done += len(block)
                    told(done)
            except BaseException as error:
                end(data)
                self._hear(error)
                raise
            end(data)
            self._ftp.voidresp()
        sent_whole(name, done, file)
        found = self._look(draft)
        if found is None or found.size != done:
            raise broke_off(name)

    def _hear(self, error: BaseException) -> None:
        """After a transfer broke off: the server says its part on the other connection, and a full disk only there."""
        try:
            self._ftp.voidresp()
        except ftplib.Error as answer:
            if isinstance(error, OSError):
                raise answer from None
        except (OSError, EOFError):
            pass  # it says nothing more

    def _publish(self, draft: str, path: str, name: str, *, replace: bool) -> None:
        if not replace and self._look(path) is not None:
            raise file_exists(name)
        self._rename(draft, path)

    def _rename(self, path: str, new: str) -> None:
        try:
            self._ftp.rename(path, new)
        except ftplib.error_perm:
            if self._look(new) is None:
                raise
            self._ftp.voidcmd(f"DELE {new}")  # a server that renames onto free names only
            self._ftp.rename(path, new)

    def _make_folders(self, name: str) -> None:
        *parts, _ = name.split("/")
        for at in range(1, len(parts) + 1):
            try:
                self._ftp.voidcmd(f"MKD {self._path('/'.join(parts[:at]))}")
            except ftplib.error_perm:
                pass  # it is there; if not, what is sent into it says so

    def _clean(self, draft: str) -> None:
        try:
            self._ftp.voidcmd(f"DELE {draft}")
        except (ftplib.Error, OSError, EOFError):
            pass  # it is not there, or the connection is gone and the next attempt overwrites it

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _listed(self, path: str) -> list[Entry]:
        """The files in a folder under their own names, by MLSD or, where a server does not know that, one by one."""
        if self._has_mlsd:
            try:
                lines = self._lines(f"MLSD {path}".rstrip())
            except ftplib.error_perm as error:
                if _reply(error) not in _UNKNOWN:
                    raise
                self._has_mlsd = False
            else:
                return [entry for line in lines if (entry := _of_facts(line)) is not None]
        try:
            names = [line.rpartition("/")[2] for line in self._lines(f"NLST {path}".rstrip())]
        except ftplib.error_perm as error:
            if _reply(error) == "550" and self._is_folder(path):
                return []  # some say so of an empty one
            raise
        base = f"{path.rstrip('/')}/" if path else ""
        found = [(name, self._look(base + name)) for name in dict.fromkeys(names) if is_listed(name)]
        return [Entry(name, one.size, one.modified) for name, one in found if one is not None]

    def _lines(self, command: str) -> list[str]:
        parts: list[bytes] = []
        self._receive(command, parts.append)
        text = b"".join(parts)
        if text and not text.endswith(b"\n"):
            raise failures.unreachable(self._place.host, self._place.port)  # cut off within a name
        return text.decode(self._ftp.encoding, "replace").splitlines()

    def _is_folder(self, path: str) -> bool:
        here = self._ftp.pwd()
        try:
            self._ftp.cwd(path or ".")
        except ftplib.error_perm:
            return False
        self._ftp.cwd(here)
        return True

    def _look(self, path: str) -> Entry | None:
        """Size and time of a file; None when there is none of this name."""
        try:
            size = self._ftp.size(path)
        except ftplib.error_perm as error:
            if _reply(error) == "550":
                return None
            raise
        try:
            modified = _time(self._ftp.sendcmd(f"MDTM {path}")[4:])
        except ftplib.error_perm:
            modified = None
        return Entry(path, size or 0, modified)

    def _unchanged(self, entry: Entry, path: str) -> None:
        now = self._look(path)
        if now is None:
            raise file_gone(entry.name)
        is_other_time = None not in (now.modified, entry.modified) and now.modified != entry.modified
        if now.size != entry.size or is_other_time:
            raise file_changed(entry.name)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}" if self._root else name

    def _stored(self, name: str, size: int) -> Stored:
        place = self._place
        folder = f"{place.folder.strip('/')}/" if place.folder.strip("/") else ""
        port = "" if place.port == 21 else f":{place.port}"
        return Stored(name, size, f"{place.kind}://{place.host}{port}/{folder}{name}")

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        """What goes wrong as one of our errors; the server's words stay out of it."""
        host, port = self._place.host, self._place.port
        try:
            yield
        except (DeliveryError, InputError):
            raise
        except (ssl.SSLCertVerificationError, NotSecureError):
            raise failures.not_secure(host) from None
        except ftplib.Error as error:
            raise _refused(_reply(error), name) from None
        except TimeoutError:
            raise failures.too_slow(host, self._seconds) from None
        except (OSError, EOFError, UnicodeError) as error:
            if isinstance(error, ConnectionError | EOFError | ssl.SSLError | socket.gaierror):
                raise failures.unreachable(host, port) from None
            if isinstance(error, OSError):
                raise failures.of_disk(error, name) from None
            raise failures.place_refused() from None


def _reply(error: Exception) -> str:
    return str(error)[:3]


def _refused(reply: str, name: str) -> DeliveryError:
    number = int(reply) if reply.isdigit() else None
    if reply in ("452", "552"):
        return failures.place_full(name)
    if reply in ("530", "532"):
        return DeliveryError(
            "The destination wants a login again. Nothing was changed there.",
            code="login_refused",
            hint="Set user and secrets again; perhaps they ran out.",
        )
    if reply.startswith("4") or number is None:
        return failures.place_busy(number)
    return failures.place_refused(number)


def _of_facts(line: str) -> Entry | None:
    """A line of MLSD as a file; None of a folder, a link, or what has no size."""
    told, _, name = line[:_MOST_LINE].partition(" ")
    facts = {key.lower(): value for key, _, value in (fact.partition("=") for fact in told.split(";"))}
    size = facts.get("size", "")
    if facts.get("type", "").lower() != "file" or not size.isdigit() or "/" in name:
        return None
    return Entry(name, int(size), _time(facts.get("modify", "")))


def _time(text: str) -> datetime | None:
    """``YYYYMMDDHHMMSS``, perhaps with a fraction; always UTC."""
    try:
        return datetime.strptime(text.strip()[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
