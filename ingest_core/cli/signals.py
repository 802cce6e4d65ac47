"""Ctrl-C and SIGTERM end a command at once and cleanly, also in the middle of a statement.

Python runs the handler of a signal between two of its own steps, and a statement of the engine is one step, however
long it takes. So a second thread hears of the signal at once and interrupts the statement until the handler has run.
The second signal has its default action: it ends the process where it stands, and the next opening sweeps up.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

from ingest_core.engine import Engine

ENDING = (signal.SIGINT, signal.SIGTERM)
_INSIST_SECONDS = 0.02


class Signals:
    """A context in which the two signals raise ``KeyboardInterrupt`` once; ``received`` says which one did."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._engine: Engine | None = None
        self._has_handled = threading.Event()
        self._turn = threading.Lock()  # between the thread that interrupts and the handler, after which nobody does
        self._before: dict[int, Any] = {}
        self._pipe: tuple[int, int] | None = None
        self._listener: threading.Thread | None = None

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._handle) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        if self._pipe is not None and self._listener is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._pipe[1])  # ends the thread
            self._listener.join()
            os.close(self._pipe[0])
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self, engine: Engine) -> None:
        """From now on statements of this engine are interrupted, too."""
        self._engine = engine
        if not self._before or self._listener is not None:
            return
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        listener = threading.Thread(target=self._listen, args=[self._pipe[0]], name="onramp-signals", daemon=True)
        listener.start()
        self._listener = listener
        signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)

    def _listen(self, pipe: int) -> None:
        while number := os.read(pipe, 1):
            if number[0] in ENDING:
                self._interrupt()

    def _interrupt(self) -> None:
        while not self._has_handled.is_set():
            with self._turn:
                if self._engine is not None and not self._has_handled.is_set():
                    self._engine.interrupt()
            self._has_handled.wait(_INSIST_SECONDS)

    def _handle(self, number: int, _: FrameType | None) -> None:
        for ending in self._before:
            signal.signal(ending, signal.SIG_DFL)
        with self._turn:
            self.received = number
            self._has_handled.set()
        if self._engine is not None:
            self._engine.interrupt()  # the engine itself may have called this in the middle of a statement
        raise KeyboardInterrupt
