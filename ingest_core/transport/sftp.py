"""SFTP. The server's host key is pinned: another one, or none pinned yet, and nobody logs in."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import logging
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from ingest_core.errors import DeliveryError, InputError
from ingest_core.models import ByteSource
from ingest_core.transport import failures
from ingest_core.transport.endpoints import SECONDS, open_socket
from ingest_core.transport.leaving import Connected, is_listed, needed, sent_whole
from ingest_core.transport.places import Secrets, SftpPlace
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

_AT_ONCE = 64
"""Requests on the way at a time: servers bound them, and each holds 32 KiB."""

logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False  # it logs what servers say, and names of files


class Sftp(Connected):
    """See port.Place. A file gets its name by the server's own rename, in one step."""

    def __init__(self, place: SftpPlace, secrets: Secrets, seconds: float = SECONDS) -> None:
        self._place = place
        self._seconds = seconds
        self._root = place.folder or "."
        self._transport = self._connected()
        try:
            with self._told():
                self._log_in(secrets)
                self._sftp = self._channel()
        except BaseException:
            self._transport.close()
            raise

    def entries(self, folder: str = "") -> list[Entry]:
        with self._told():
            try:
                found = self._sftp.listdir_attr(self._path(checked_name(folder)) if folder else self._root)
            except FileNotFoundError:
                if folder:
                    return []
                raise failures.no_such_place() from None
        head = f"{folder}/" if folder else ""
        kept = [
            _entry(head + one.filename, one)
            for one in found
            if stat.S_ISREG(one.st_mode or 0) and is_listed(one.filename)
        ]
        return sorted(kept, key=lambda entry: entry.name)

    def fetch(self, entry: Entry, write: Write, told: Told = lambda _: None) -> None:
        path = self._path(checked_name(entry.name))
        with self._told(entry.name), self._gone(entry.name):
            with self._sftp.open(path, "rb") as stream:
                _unchanged(entry, stream.stat())
                stream._prefetch_thread = _quiet(stream._prefetch_thread)  # type: ignore[attr-defined]
                stream.prefetch(entry.size, _AT_ONCE)
                done = 0
                while block := stream.read(BLOCK_BYTES):
                    write(block)
                    done += len(block)
                    told(done)
            _unchanged(entry, self._sftp.lstat(path))
            if done != entry.size:
                raise broke_off(entry.name)

    def put(self, name: str, file: ByteSource, told: Told = lambda _: None, *, replace: bool = False) -> Stored:
        path = self._path(checked_name(name))
        with self._told(name):
            found = self._look(path, name)
            if found is not None and self.holds(found, file):
                return self._stored(found)
            if found is not None and not replace:
                raise file_exists(name)
            self._make_folders(name)
            draft = path + UNFINISHED
            try:
                self._fill(draft, name, file, told)
                self._publish(draft, path, name, replace=replace)
            except BaseException:
                self._clean(draft)
                raise
            kept = self._look(path, name)
            if kept is None or kept.size != file.size:
                raise broke_off(name)
            return self._stored(kept)

    def move(self, name: str, to: str) -> None:
        path, new = self._path(checked_name(name)), self._path(checked_name(to))
        with self._told(name), self._gone(name):
            self._sftp.lstat(path)
            self._make_folders(to)
            self._replace(path, new)

    def delete(self, name: str) -> None:
        with self._told(name):
            try:
                self._sftp.remove(self._path(checked_name(name)))
            except FileNotFoundError:
                return

    def close(self) -> None:
        self._transport.close()

    # ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _connected(self) -> paramiko.Transport:
        """A connection to the very server that is pinned; nothing about us was said yet."""
        place = self._place
        sock = open_socket(place.host, place.port, self._seconds)
        try:
            transport = paramiko.Transport(sock)
            transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = self._seconds
            pinned = None if place.host_key is None else place.host_key.split(" ")[0]
            if pinned is not None:
                kinds = ("rsa-sha2-512", "rsa-sha2-256") if pinned == "ssh-rsa" else (pinned,)
                transport.get_security_options().key_types = kinds
            with self._told():
                transport.start_client(timeout=self._seconds)
                shown = host_key_of(transport.get_remote_server_key())
        except (ValueError, paramiko.SSHException):
            sock.close()
            raise failures.unreachable(place.host, place.port) from None
        except DeliveryError as error:
            sock.close()
            if place.host_key is not None and error.code == "no_common_host_key":
                raise _changed_key(place, None) from None
            raise
        if shown != place.host_key:
            transport.close()
            raise _unknown_key(place, shown) if place.host_key is None else _changed_key(place, shown)
        return transport

    def _log_in(self, secrets: Secrets) -> None:
        user, key = self._place.user, secrets.text("private_key")
        try:
            if key is not None:
                self._transport.auth_publickey(user, _private_key(key, secrets.text("passphrase")))
            if not self._transport.is_authenticated():  # no key, or a server that wants both
                self._transport.auth_password(user, needed(secrets, "sftp", "password", "private_key"))
        except paramiko.AuthenticationException:
            raise failures.login_refused(self._place.host) from None
        if not self._transport.is_authenticated():
            raise failures.login_refused(self._place.host)

    def _channel(self) -> paramiko.SFTPClient:
        channel = self._transport.open_session(timeout=self._seconds)
        channel.settimeout(self._seconds)
        channel.invoke_subsystem("sftp")
        self._transport.set_keepalive(15)
        return paramiko.SFTPClient(channel)

    # ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self, draft: str, name: str, file: ByteSource, told: Told) -> None:
        self._clean(draft)  # of an attempt that was killed
        with file.open() as stream:
            with self._sftp.open(draft, "wbx") as out:
                out.set_pipelined(True)
                done = 0
                while block := stream.read(BLOCK_BYTES):
                    out.write(block)
                    done += len(block)
                    told(done)
            sent_whole(name, done, file)
        if self._sftp.lstat(draft).st_size != done:
            # What a full disk answers to writes that were not waited for is only seen here.
            raise broke_off(name)

    def _publish(self, draft: str, path: str, name: str, *, replace: bool) -> None:
        if replace:
            self._replace(draft, path)
            return
        try:
            self._sftp.rename(draft, path)  # never over another file
        except OSError:
            if self._look(path, name) is not None:
                raise file_exists(name) from None
            raise

    def _replace(self, path: str, new: str) -> None:
        try:
            self._sftp.posix_rename(path, new)
        except OSError as error:
            if isinstance(error, FileNotFoundError | PermissionError | TimeoutError):
                raise
            # A server without this extension renames onto free names only.
            try:
                self._sftp.remove(new)
            except FileNotFoundError:
                pass  # free already
            self._sftp.rename(path, new)

    def _make_folders(self, name: str) -> None:
        *parts, _ = name.split("/")
        for at in range(1, len(parts) + 1):
            folder = self._path("/".join(parts[:at]))
            try:
                self._sftp.lstat(folder)
            except FileNotFoundError:
                self._sftp.mkdir(folder, 0o750)

    def _clean(self, draft: str) -> None:
        try:
            self._sftp.remove(draft)
        except (OSError, EOFError, paramiko.SSHException):
            pass  # it is not there, or the connection is gone and the next attempt does it

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, path: str, name: str) -> Entry | None:
        try:
            about = self._sftp.lstat(path)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(about.st_mode or 0):
            raise file_exists(name)
        return _entry(name, about)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _stored(self, entry: Entry) -> Stored:
        place = self._place
        folder = f"{place.folder.strip('/')}/" if place.folder.strip("/") else ""
        port = "" if place.port == 22 else f":{place.port}"
        return Stored(entry.name, entry.size, f"sftp://{place.host}{port}/{folder}{entry.name}")

    @contextmanager
    def _gone(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise file_gone(name) from None

    @contextmanager
    def _told(self, name: str = "") -> Iterator[None]:
        """What goes wrong as one of our errors; the server's words stay out of it."""
        host = self._place.host
        try:
            yield
        except (DeliveryError, InputError):
            raise
        except IncompatiblePeer:
            raise _no_common_key(host) from None
        except TimeoutError:
            raise failures.too_slow(host, self._seconds) from None
        except PermissionError:
            raise failures.place_refused() from None
        except FileNotFoundError:
            raise failures.no_such_place() from None
        except (EOFError, paramiko.SSHException, ConnectionError, socket.gaierror):
            raise failures.unreachable(host, self._place.port) from None
        except OSError as error:
            if error.errno in (None, errno.EIO):  # SSH_FX_FAILURE: full, or whatever else a server does not tell
                raise _failure(name) from None
            raise failures.of_disk(error, name) from None


def host_key_of(key: paramiko.PKey) -> str:
    """``type SHA256:fingerprint``, as ssh-keygen -l shows it."""
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} SHA256:{digest}"


def _quiet(ask: Callable[..., None]) -> Callable[..., None]:
    """What asks for bytes ahead, in a thread of the library: a connection that ends is told to who reads them."""

    def asked(*given: Any) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            ask(*given)

    return asked


def _private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    kinds: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
    for kind in kinds:
        try:
            return kind.from_private_key(io.StringIO(text if text.endswith("\n") else text + "\n"), passphrase)
        except paramiko.PasswordRequiredException:
            break
        except (paramiko.SSHException, ValueError, TypeError):
            continue  # of another kind
    raise InputError(
        "The private key cannot be read with this passphrase. Nothing was sent.",
        code="bad_private_key",
        hint="Give an OpenSSH or PEM key (Ed25519, ECDSA or RSA) and the passphrase that opens it.",
    )


def _entry(name: str, about: paramiko.SFTPAttributes) -> Entry:
    modified = None if about.st_mtime is None else datetime.fromtimestamp(about.st_mtime, UTC)
    return Entry(name, about.st_size or 0, modified)


def _unchanged(entry: Entry, about: paramiko.SFTPAttributes) -> None:
    now = _entry(entry.name, about)
    if not stat.S_ISREG(about.st_mode or 0) or (now.size, now.modified) != (entry.size, entry.modified):
        raise file_changed(entry.name)


def _unknown_key(place: SftpPlace, shown: str) -> DeliveryError:
    return DeliveryError(
        "This server's host key is not confirmed yet. Nobody logged in.",
        code="host_key_unknown",
        hint="Compare it with what the server's operator says, then confirm it: destination trust NAME --host-key KEY",
        facts={"host": place.host, "host_key": shown},
    )


def _changed_key(place: SftpPlace, shown: str | None) -> DeliveryError:
    return DeliveryError(
        "The server shows another host key than the one that was confirmed. Nobody logged in.",
        code="host_key_changed",
        hint="Somebody may stand in between. Ask the server's operator; only then confirm the new key.",
        facts={"host": place.host, "pinned": place.host_key or "", **({"host_key": shown} if shown else {})},
    )


def _no_common_key(host: str) -> DeliveryError:
    return DeliveryError(
        "The server and we have no way of encryption in common. Nobody logged in.",
        code="no_common_host_key",
        hint="Ask the server's operator for a current version of its software.",
        facts={"host": host},
    )


def _failure(name: str) -> DeliveryError:
    return DeliveryError(
        "The server gave up without saying why: its disk may be full, or a quota used up. Nothing is left there under "
        "the file's name.",
        code="place_failed",
        hint="It is tried again. If it stays so, look at the space there and at what this user may do.",
        facts={"file": name} if name else {},
        is_retryable=True,
    )
