"""Named abort points, two per step, off unless ``ONRAMP_FAULT=step:before|after:kill|error`` is set (quality.md §2)."""

from __future__ import annotations

import os
import signal

from ingest_core.errors import StateError


def abort_point(step: str, when: str) -> None:
    """Dies here or fails here when told to, else does nothing."""
    wanted = os.environ.get("ONRAMP_FAULT")
    if not wanted:
        return
    name, moment, kind = ["", "", *wanted.rsplit(":", 2)][-3:]  # a step's name may hold colons
    if (name, moment) != (step, when):
        return
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise StateError(
        f"The step {step} was made to fail. Nothing was kept.", code="fault_injected", hint="Unset ONRAMP_FAULT."
    )
