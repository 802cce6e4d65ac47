"""Keeps a child process running: what it must leave for is mended by starting another one.

A child never outlives this process: it is told to end when this one is, and where this one is killed, the kernel
kills the child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from ingest_core.errors import StateError

LEAVE = os.EX_TEMPFAIL
"""Exit code of a child that cannot go on but will be well after a new start, such as one whose database stopped."""

MOST, WITHIN_SECONDS = 5, 600
GRACE_SECONDS = 45  # from the wish to end until it is enforced; an upload under way needs no more to be left

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class Supervisor:
    """Runs one child at a time. ``say`` gets a line for the log, ``clock`` gives seconds that never go back."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._is_ending = False

    def run(self, first: Sequence[str], again: Sequence[str], folder: Path) -> int:
        """The exit code of the child that ended for good: by itself, or because this process was told to end.

        One that left with ``LEAVE`` or was killed is started again, with the command ``again``. StateError
        ``keeps_stopping`` when that happens too often.
        """
        ends: deque[float] = deque()
        command = first
        with self._forwarding():
            while True:
                code = self._once(command, folder)
                if self._is_ending or (code != LEAVE and code >= 0):
                    return code if code >= 0 else 128 - code
                ends.append(self._clock())
                while ends[0] <= ends[-1] - WITHIN_SECONDS:
                    ends.popleft()
                if len(ends) > MOST:
                    raise _keeps_stopping(code)
                self._say(f"Onramp ended ({_why(code)}) and is started again.")
                command = again

    def _once(self, command: Sequence[str], folder: Path) -> int:
        self._child = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            process_group=0,  # a Ctrl-C of the terminal reaches it through us, once
            preexec_fn=_die_with_parent(),  # noqa: PLW1509  this process has no other threads
        )
        if self._is_ending:  # told so while the child was being made
            self._child.terminate()
        code = self._child.wait()
        self._child = None
        return code

    @contextmanager
    def _forwarding(self) -> Iterator[None]:
        heard = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._end) for number in heard}
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._kill)
        try:
            yield
        finally:
            signal.alarm(0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        """The first wish to end is told to the child; the second one, or a time, enforces it."""
        if self._is_ending:
            self._kill(number, frame)
            return
        self._is_ending = True
        signal.alarm(GRACE_SECONDS)
        if self._child is not None:
            self._child.terminate()

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        if self._child is not None:
            self._child.kill()


def _die_with_parent() -> Callable[[], None] | None:
    """What a child does first, on Linux: asks the kernel to be killed with us. Looked up here, before the fork."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:  # it died before it was asked
            os._exit(LEAVE)

    return ask


def _why(code: int) -> str:
    return "the database stopped" if code == LEAVE else f"killed by {signal.Signals(-code).name}"


def _keeps_stopping(code: int) -> StateError:
    return StateError(
        f"The app was started again {MOST} times within {WITHIN_SECONDS // 60} minutes and ended each time "
        f"({_why(code)}). It is not started again.",
        code="keeps_stopping",
        hint="See what it wrote before; a full disk or too little memory are the usual reasons. Then start it again.",
        facts={"code": code},
    )
