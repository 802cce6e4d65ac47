"""The exception boundary: engine errors become ours, without their text, which may quote a customer's line.

Also where it is found out that the engine has stopped for this process (facts.md F12): after that nothing works any
more until another process opens the workspace.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from ingest_core.errors import OnrampError, StateError, Stopped

_FULL = ("no space", "disk full", "max_temp_directory_size", "file too large", "quota exceeded")
_DURABLE = "commit succeeded and is durable"
_AFTERWARDS = "invalidated because of a previous"  # every later statement quotes the first failure
_SIGNALLED = "Query interrupted"
_REOPEN = "Free some space if the disk is full, then start again; the history says what was loaded."


class EngineError(OnrampError):
    """The engine refused a statement; its own text is withheld because it may quote customer data."""

    exit_code = 3


@dataclass
class Condition:
    """Whether the engine of this process still works; shared by all of its sessions. ``cause`` is an error code."""

    is_broken: bool = False
    cause: str = "engine_error"

    def check(self) -> None:
        """Fails at once when nothing can work any more. EngineError ``engine_stopped``."""
        if self.is_broken:
            raise self.stopped()

    def stopped(self) -> EngineError:
        """What everybody is told who comes after the failure that broke the engine."""
        return EngineError(
            "The database stopped: it has to be opened again. What was not finished is not kept.",
            code="engine_stopped",
            hint=_REOPEN,
            facts={"cause": self.cause},
        )

    def breaks(self, text: str) -> OnrampError:
        """Remembers that the engine stopped, and of what; returns what the one who met it is told."""
        text = text.lower()
        is_disk = _is_full(text) or "could not write" in text or "could not read" in text
        if not self.is_broken and is_disk:
            self.cause = io_error(text).code
        is_first, self.is_broken = not self.is_broken, True
        if not (is_disk and is_first):
            return self.stopped()
        reason = "The disk is full" if self.cause == "disk_full" else "The database file could not be written"
        return StateError(
            f"{reason}, and the database stopped. What was not finished is not kept.", code=self.cause, hint=_REOPEN
        )


@contextlib.contextmanager
def boundary(condition: Condition, *, is_commit: bool = False) -> Iterator[None]:
    """Turns every engine exception into one of ours, without its text.

    A COMMIT that is durable is no failure, although the engine stopped in the clean-up after it: the block just ends.
    """
    try:
        yield
    except duckdb.InterruptException:
        raise Stopped from None
    except duckdb.FatalException as error:
        told = condition.breaks(str(error))
        text = str(error).lower()
        if not is_commit or _DURABLE not in text or _AFTERWARDS in text:
            raise told from None
    except (duckdb.OutOfMemoryException, MemoryError):
        raise out_of_memory() from None
    except duckdb.IOException as error:
        raise io_error(str(error)) from None
    except duckdb.TransactionException as error:
        text = str(error).lower()
        raise (io_error(text) if "could not write" in text or _is_full(text) else _refused(type(error))) from None
    except duckdb.Error as error:
        raise _refused(type(error)) from None
    except OSError as error:
        raise _in_a_result(str(error), condition) from None
    except RuntimeError as error:
        if str(error) != _SIGNALLED:
            raise
        raise KeyboardInterrupt from None  # what the engine makes of a signal's exception


def out_of_memory() -> EngineError:
    """No memory left, in the engine or beside it."""
    return EngineError(
        "There is not enough memory or temporary disk space for this step. Nothing was changed.",
        code="out_of_memory",
        hint="Raise memory_limit or temp_limit in the settings, or free memory or disk space, then start again.",
    )


def _is_full(text: str) -> bool:
    return any(word in text for word in _FULL)


def _in_a_result(text: str, condition: Condition) -> OnrampError:
    """What Arrow makes an OSError of while a result is read in batches; the text begins with the engine's own word."""
    if text.startswith("INTERRUPT"):
        return Stopped()
    if text.startswith("FATAL"):
        return condition.breaks(text)
    if text.startswith("Out of Memory"):
        return out_of_memory()
    return io_error(text) if text.startswith("IO Error") else _refused(OSError)


def _refused(kind: type[Exception]) -> EngineError:
    return EngineError(
        "The database refused a step. Nothing of it was kept.",
        code="engine_error",
        hint="Start again; if it happens twice, report the code and the step's name.",
        facts={"kind": kind.__name__},
    )


def io_error(message: str) -> OnrampError:
    """What an error of the file system is to us; its text goes no further."""
    text = message.lower()
    if _is_full(text):
        return StateError(
            "The disk is full. Nothing was changed.",
            code="disk_full",
            hint="Free some space where the workspace lies, then start again.",
        )
    if "conflicting lock" in text or "could not set lock" in text:
        return StateError(
            "Another process holds this workspace. Nothing was changed.",
            code="workspace_locked",
            hint="Close the app or the other command, then try again.",
        )
    return StateError(
        "The database file could not be read or written. Nothing was changed.",
        code="disk_error",
        hint="Check the disk and the permissions of the workspace folder.",
    )
