"""What ``ONRAMP_FAULT`` may say, and that nothing happens where it says nothing."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

STEPS = """
    from ingest_core.errors import StateError
    from ingest_core.faults import abort_point
    import sys, time
    for step, seconds in zip(("read", "rows: all", "commit"), sys.argv[1:]):
        try:
            abort_point(step, "before")
            print(step, flush=True)
            time.sleep(float(seconds))
            abort_point(step, "after")
        except StateError as error:
            print(error.code, flush=True)
    print("end", flush=True)
"""


def run(fault: str, *seconds: float) -> tuple[int, list[str]]:
    """The exit code, and what was printed, of three steps that take so long."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STEPS), *map(str, seconds)],
        env={"ONRAMP_FAULT": fault, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout.splitlines()


ALL = ["read", "rows: all", "commit"]


@pytest.mark.parametrize(
    ("fault", "code", "printed"),
    [
        ("", 0, [*ALL, "end"]),
        ("read:before:kill", -9, []),
        ("read:after:kill", -9, ["read"]),
        ("rows: all:after:kill", -9, ["read", "rows: all"]),
        ("commit:before:error", 0, ["read", "rows: all", "fault_injected", "end"]),
        ("nth:1:kill", -9, []),
        ("nth:4:kill", -9, ["read", "rows: all"]),
        ("nth:4:error", 0, ["read", "rows: all", "fault_injected", "commit", "end"]),
        ("nth:7:kill", 0, [*ALL, "end"]),
        ("no such step:before:kill", 0, [*ALL, "end"]),
        ("nonsense", 0, [*ALL, "end"]),
    ],
)
def test_a_fault_strikes_where_it_says(fault, code, printed):
    assert run(fault, 0, 0, 0) == (code, printed)


def test_a_step_is_struck_inside():
    assert run("rows: all:100.5ms:kill", 0, 60, 0) == (-9, ["read", "rows: all"])


def test_a_step_that_ended_before_its_time_is_not_struck():
    assert run("read:400ms:kill", 0, 0.8, 0) == (0, [*ALL, "end"])


def test_a_statement_of_the_engine_is_struck_inside(tmp_path):
    code = """
        import sys
        from pathlib import Path
        from ingest_core.engine import Engine
        from ingest_core.engine.steps import Runner, Step
        folder = Path(sys.argv[1])
        engine = Engine(folder / "db", folder / "tmp", memory_limit="256MB", threads=1, temp_limit="1GB")
        Runner(engine.session()).run(Step("long", "Takes hours.", "SELECT sum(hash(range)) FROM range(10000000000000)"))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        env={"ONRAMP_FAULT": "long:20ms:kill", "PYTHONPATH": "."},
        timeout=120,
    )
    assert done.returncode == -9
