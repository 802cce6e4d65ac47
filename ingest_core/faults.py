"""Named abort points: where a test makes this process die or fail, off unless ``ONRAMP_FAULT`` is set (quality.md §2).

Each step has two, before and after it, and so has ``commit``. ``ONRAMP_FAULT`` is one of

    STEP:before:kill   STEP:before:error   SIGKILL, or an error, as the step begins
    STEP:after:kill    STEP:after:error    likewise as it ends
    STEP:12.5ms:kill                       SIGKILL so many milliseconds after the step began, unless it ended before:
                                           inside a statement, inside the commit
    nth:7:kill         nth:7:error         at the seventh abort point that this process reaches, whatever its name

A step's name may hold colons. Anything else is ignored.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading

from ingest_core.errors import StateError


def abort_point(step: str, when: str) -> None:
    """Dies here or fails here when told to, else does nothing. ``when`` is before or after."""
    if wanted := os.environ.get("ONRAMP_FAULT"):
        _obey(wanted, step, when)


_reached = itertools.count(1)
_timers: dict[str, threading.Timer] = {}


def _obey(wanted: str, step: str, when: str) -> None:
    number = next(_reached)
    name, moment, kind = ["", "", *wanted.rsplit(":", 2)][-3:]
    if (name, moment) in ((step, when), ("nth", str(number))):
        _fail(step, kind)
    elif name == step and moment.endswith("ms"):
        _time(step, when, moment)


def _fail(step: str, kind: str) -> None:
    if kind == "kill":
        _kill()
    raise StateError(
        f"The step {step} was made to fail. Nothing was kept.", code="fault_injected", hint="Unset ONRAMP_FAULT."
    )


def _time(step: str, when: str, moment: str) -> None:
    """Starts the clock with the step; the engine lets other threads run while it works."""
    if when == "before":
        timer = _timers[step] = threading.Timer(float(moment.removesuffix("ms")) / 1000, _kill)
        timer.daemon = True
        timer.start()
    elif step in _timers:
        _timers.pop(step).cancel()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
