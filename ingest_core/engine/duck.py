"""DuckDB behind a small interface: one locked-down connection factory.

Engine messages quote customers' lines (facts.md F8), so their text never leaves ``boundary``: callers get an
``EngineError`` with a code. DuckDB never opens a user's file.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from ingest_core.engine.boundary import Condition, boundary
from ingest_core.engine.gate import Gate
from ingest_core.engine.memory import require_room
from ingest_core.engine.names import literal, quote
from ingest_core.engine.session import Session
from ingest_core.engine.stopping import current_stop
from ingest_core.errors import OnrampError
from ingest_core.settings import bytes_of

__all__ = ["Engine", "Session"]


class Engine:
    """Owns the database file of one workspace, and the locks of its writers inside the process.

    ``write`` is held for the whole of a load and by whoever changes what a load reads. ``queue`` is held for an instant
    by what must go on while a load runs: drafts, mappings and the rows of waiting uploads. It is taken after ``write``,
    never before it.
    """

    def __init__(self, path: Path, temp: Path, *, memory_limit: str, threads: int, temp_limit: str) -> None:
        self.path = path
        self._temp, self._temp_bytes = temp, bytes_of(temp_limit)
        self._condition = Condition()
        self._gate = Gate()
        self._locked_down = _lock_down(temp, memory_limit, threads, temp_limit)
        self._sessions: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()
        self._compacting: Session | None = None
        _remove_leftovers(path, temp)
        if not path.exists():
            _create_file(path, self._condition)
        with boundary(self._condition):
            require_room()
            self._root = self._connect()
        self.write = threading.RLock()
        self.queue = threading.RLock()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        # Given at connect: by SET it would hold for this one connection, not for its cursors.
        root = duckdb.connect(str(self.path), config={"python_enable_replacements": False})
        for name, value in self._locked_down:
            root.execute(f"SET {name} = {value}")
        return root

    @property
    def is_broken(self) -> bool:
        """Whether the engine stopped for good: this process can only leave, the next one finds what was committed."""
        return self._condition.is_broken

    def require_working(self) -> None:
        """EngineError ``engine_stopped`` when the engine stopped for good; asks nobody and takes no time."""
        self._condition.check()

    def check(self) -> None:
        """Answers when the engine does; raises what it says otherwise, EngineError ``engine_stopped`` for good."""
        with self.session() as session:
            session.value("SELECT 1")

    def session(self) -> Session:
        """A new cursor on the same database; close it. Stopped when the work of this thread was asked to stop."""
        self.require_working()
        stop = current_stop()
        if stop is not None:
            stop.check()
        ticket = self._gate.enter()
        try:
            self.require_working()
            with boundary(self._condition):
                session = Session(
                    self._root.cursor(), self._condition, self._temp, self._temp_bytes,
                    lambda: self._gate.leave(ticket),
                )  # fmt: skip
        except BaseException:
            self._gate.leave(ticket)
            raise
        self._sessions[id(session)] = session
        if stop is not None:
            stop.watch(session)
        return session

    @contextlib.contextmanager
    def alone(self, seconds: float = 60) -> Iterator[None]:
        """No other thread has a session or gets one until the end; with the writers' locks. StateError ``in_use``."""
        with self.write, self.queue, self._gate.alone(seconds):
            yield

    def reopen(self) -> None:
        """Opens the file at ``path`` again after ``close``. Where that fails, the engine has stopped for good."""
        try:
            with boundary(self._condition):
                self._root = self._connect()
        except BaseException:
            self._condition.is_broken = True
            raise

    def interrupt(self) -> None:
        """Interrupts every statement that runs at this moment, as for a process that was asked to end."""
        for reference in self._sessions.valuerefs():
            session = reference()
            if session is not None:
                session.interrupt()

    def compact(self, tables: Sequence[str], dead_share: float = 0.5) -> list[str]:
        """Rewrites tables whose replaced rows outgrew this share of their living ones; returns their names.

        A load leaves the rows it replaced where they are, so that its cost follows the file and not the store (the
        engine's own clean-up at each checkpoint would rewrite the store). Readers see the old table until the commit.
        """
        done = []
        with self.write, self.session() as session:
            self._compacting = session
            for table in tables:
                if (session.value(_DEAD_SHARE.format(table=quote(table))) or 0.0) < dead_share:
                    continue
                sql = session.value("SELECT sql FROM duckdb_tables() WHERE table_name = ? AND NOT temporary", [table])
                with session.transaction():
                    session.run("CREATE TABLE compacted" + str(sql)[str(sql).index("(") :])
                    session.run(f"INSERT INTO compacted SELECT * FROM {quote(table)}")
                    session.run(f"DROP TABLE {quote(table)}")
                    session.run(f"ALTER TABLE compacted RENAME TO {quote(table)}")
                done.append(table)
        return done

    def stop_compacting(self) -> None:
        """Ends ``compact`` with Stopped if it is at work: nothing is lost by doing it another time."""
        session = self._compacting
        if session is not None:
            session.stop()

    def checkpoint(self) -> None:
        """Moves committed changes from the write-ahead log into the file."""
        with contextlib.suppress(OnrampError), self.session() as session:
            session.run("CHECKPOINT")

    def close(self) -> None:
        self._root.close()


_DEAD_SHARE = "SELECT (max(rowid) + 1 - count(*)) / count(*) FROM {table}"


def _remove_leftovers(path: Path, temp: Path) -> None:
    """What a killed process left: spilled pages (up to 14 GB seen) and a database that was never finished."""
    temp.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in temp.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink()
    for suffix in (".new", ".new.wal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _lock_down(temp: Path, memory_limit: str, threads: int, temp_limit: str) -> list[tuple[str, str]]:
    """The settings of facts.md in the order that worked; afterwards SET, other folders and extensions are refused."""
    return [
        ("allowed_directories", "[" + literal(str(temp)) + "]"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("allow_community_extensions", "false"),
        ("memory_limit", literal(memory_limit)),
        ("max_temp_directory_size", literal(temp_limit)),
        ("threads", str(int(threads))),
        ("temp_directory", literal(str(temp))),
        ("preserve_insertion_order", "true"),
        ("max_vacuum_tasks", "0"),  # see Engine.compact
        ("arrow_lossless_conversion", "true"),  # UUIDs stay UUIDs
        ("TimeZone", "'UTC'"),
        ("enable_external_access", "false"),
        ("lock_configuration", "true"),
    ]


def _create_file(path: Path, condition: Condition) -> None:
    """Creates the database under another name and renames it: only the very first write can be torn (F12)."""
    draft = path.with_name(path.name + ".new")
    with boundary(condition):
        connection = duckdb.connect(str(draft))
        connection.execute("CHECKPOINT")
        connection.close()
    draft.chmod(0o600)
    draft.replace(path)
