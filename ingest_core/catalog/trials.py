"""Tries a place out: whether it lists, takes and deletes a file."""

from __future__ import annotations

import io
import secrets
from typing import IO

from ingest_core.errors import OnrampError
from ingest_core.models import Model
from ingest_core.transport.port import Place


class Step(Model):
    """One thing that was tried. ``ok`` is None where it was not, because an earlier one failed."""

    ok: bool | None
    message: str
    code: str | None = None
    hint: str = ""

    @classmethod
    def failed(cls, error: OnrampError) -> Step:
        return cls(ok=False, message=error.message, code=error.code, hint=error.hint)


NOT_TRIED = Step(ok=None, message="Not tried.")


class Trial(Model):
    """What of a destination works. ``host_key``: the one an SFTP server showed, for a person to confirm."""

    name: str
    connect: Step
    list: Step
    write: Step
    delete: Step
    host_key: str | None = None

    @property
    def is_working(self) -> bool:
        return all(step.ok for step in (self.connect, self.list, self.write, self.delete))


class Words:
    """A ByteSource of a few words."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self._data = data

    def open(self) -> IO[bytes]:
        return io.BytesIO(self._data)


def try_place(name: str, place: Place) -> Trial:
    """Lists a connected place, leaves a small file of a name that nobody else uses, and deletes it."""
    listed = written = deleted = NOT_TRIED
    file = Words(f"onramp-test-{secrets.token_hex(6)}.txt", b"A test of Onramp. This file can be deleted.\n")
    try:
        count = len(place.entries())
        listed = Step(ok=True, message=f"{count:,} {'file' if count == 1 else 'files'} can be seen.")
    except OnrampError as error:
        listed = Step.failed(error)
    try:
        place.put(file.name, file)
        written = Step(ok=True, message="A small file was left there and is whole.")
    except OnrampError as error:
        written = Step.failed(error)
    if written.ok:
        try:
            place.delete(file.name)
            deleted = Step(ok=True, message="It was deleted again.")
        except OnrampError as error:
            deleted = Step.failed(error)
    return Trial(
        name=name, connect=Step(ok=True, message="Connected."), list=listed, write=written, delete=deleted
    )  # fmt: skip
