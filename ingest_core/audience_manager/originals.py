"""Files of batches as they came: kept encrypted for a time, refused ones beside the others (spec §10, §16).

A file that lies in the landing zone already stays there; any other is copied into it. What a batch that was not stored
had copied is deleted again, or goes when the workspace is opened next.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest_core.audience_manager import sampling
from ingest_core.engine import Engine, Session
from ingest_core.errors import InputError, OnrampError, StateError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import ByteSource, Model
from ingest_core.settings import Settings
from ingest_core.vault import LandingSource, LandingZone

_BLOCK = 1 << 20

KEEP = "INSERT INTO am_kept VALUES (?, ?, ?)"
OF_BATCH = """
SELECT kept.file_no, file.name AS file, file.code, kept.size, kept.landing, batch.finished_at
FROM am_kept AS kept JOIN am_file AS file USING (file_no) JOIN am_batch AS batch USING (batch_no)
WHERE request_id = ? ORDER BY kept.file_no
"""
OLD = """
SELECT kept.file_no, kept.landing FROM am_kept AS kept JOIN am_file USING (file_no) JOIN am_batch USING (batch_no)
WHERE finished_at <= ?
"""
GO = "DELETE FROM am_kept WHERE file_no IN (SELECT unnest(?::BIGINT[]))"


class Original(Model):
    """One file of a batch as it came. ``code``: why it was refused; ``until``: UTC, None for ever.

    ``is_here``: a backup holds no such files, so that a restored workspace knows of them and does not have them.
    """

    file_no: int
    file: str
    size: int
    code: str | None = None
    until: datetime | None = None
    is_here: bool = True


@dataclass
class Keeper:
    """For one batch; a context manager that leaves nothing unless ``is_done`` was said."""

    landing: LandingZone
    is_on: bool
    _copies: list[str] = field(default_factory=list)

    def keep(self, session: Session, file_no: int, source: ByteSource) -> None:
        """Keeps a file under its number, in the transaction of the batch."""
        if not self.is_on:
            return
        landing_id = self.landing.id_of(source)
        session.run(KEEP, [file_no, self._copy(source) if landing_id is None else landing_id, source.size])

    def is_done(self) -> None:
        """The batch is stored, and its files with it."""
        self._copies.clear()

    def _copy(self, source: ByteSource) -> str:
        writer = self.landing.create(source.name.rpartition("/")[2])
        self._copies.append(writer.landing_id)
        with source.open() as stream:
            while block := stream.read(_BLOCK):
                writer.write(block)
        return writer.finish()

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        for landing_id in self._copies:
            with suppress(OnrampError, OSError):
                self.landing.delete(landing_id)


class Originals:
    """The kept files of a workspace."""

    def __init__(self, engine: Engine, landing: LandingZone, settings: Settings, user: str) -> None:
        self._engine = engine
        self._landing = landing
        self._settings = settings
        self._user = user

    def keeper(self, *, is_on: bool) -> Keeper:
        """For a batch; nothing is kept where the setting says no day."""
        return Keeper(self._landing, is_on and self._settings.audience_files_keep_days != 0)

    def of(self, request_id: str) -> list[Original]:
        """What is kept of a batch, in the order in which its files took effect."""
        days = self._settings.audience_files_keep_days
        with self._engine.session() as session:
            rows = session.records(OF_BATCH, [request_id])
        return [
            Original(
                file_no=row["file_no"], file=row["file"], size=row["size"], code=row["code"],
                until=None if days is None else row["finished_at"] + timedelta(days=days),
                is_here=self._landing.has(row["landing"]),
            )
            for row in rows
        ]  # fmt: skip

    def open(self, request_id: str, name: str) -> LandingSource:
        """A file as it came, by its whole name or the last part of it. Is on the audit log: lines may be personal.

        InputError ``no_such_file``; StateError ``file_not_kept``.
        """
        with self._engine.session() as session:
            found = session.records(OF_BATCH, [request_id])
        mine = [one for one in found if name in (one["file"], one["file"].rpartition("/")[2])]
        if not mine:
            raise InputError(
                "No such file is kept of this batch. Nothing was written.",
                code="no_such_file",
                hint="What is kept: am file REQUEST_ID. Files go after their days, or with an id that is forgotten.",
            )
        if not self._landing.has(mine[-1]["landing"]):
            raise StateError(
                "The file is not in this workspace any more: backups leave kept files out. Nothing was written.",
                code="file_not_kept",
                hint="Ask its sender for it.",
            )
        source = self._landing.open(mine[-1]["landing"])
        source.name = mine[-1]["file"].rpartition("/")[2]
        with self._engine.write, self._engine.session() as session, session.transaction():
            write_audit(session, self._user, "am file", request_id, {"file_no": mine[-1]["file_no"]})
        return source


def files_of_originals(session: Session) -> set[str]:
    """Landing ids of kept files."""
    return {landing_id for (landing_id,) in session.rows("SELECT landing FROM am_kept")}


def due(session: Session, before: datetime) -> int:
    """How many ``let_go`` would give up."""
    return int(session.value(f"SELECT count(*) FROM ({OLD})", [before]))


def let_go(session: Session, before: datetime) -> list[str]:
    """Gives up files of batches that ended before a time, with the lines that were sampled of them.

    Returns the landing ids, to be deleted after the transaction; a kill in between leaves them to the next opening.
    """
    old = session.rows(OLD, [before])
    give_up(session, [file_no for file_no, _ in old])
    return [landing_id for _, landing_id in old]


def give_up(session: Session, files: list[int]) -> None:
    """Forgets kept files and their samples by the numbers of the files."""
    if files:
        session.run(GO, [files])
        sampling.forget(session, files)
