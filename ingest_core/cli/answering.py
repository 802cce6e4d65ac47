"""What a command answers: its document, its talk and its exit code, whichever process it runs in."""

from __future__ import annotations

import argparse
import errno
import json
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ingest_core.audience_manager.check_report import CheckReport
from ingest_core.audience_manager.preflight import Preflight
from ingest_core.catalog.trials import Trial
from ingest_core.cli.worker import Worked
from ingest_core.engine.boundary import out_of_memory
from ingest_core.engine.memory import is_memory
from ingest_core.errors import OnrampError, StateError
from ingest_core.models import Receipt


@dataclass(frozen=True, slots=True)
class Answer:
    """``out``: what goes to stdout, a line end after it; None where nothing does. ``err``: what goes to stderr."""

    out: str | None
    err: str
    exit_code: int


def answer(
    build_parser: Callable[[], argparse.ArgumentParser],
    given: Sequence[str],
    run: Callable[[argparse.Namespace], Any],
) -> Answer:
    """Runs one command of the parser; only a signal gets through as an exception.

    ``run`` gets its arguments and returns its JSON, or the answer of who ran it elsewhere.
    """
    is_json = "--json" in given  # a command line that cannot be parsed is answered in JSON, too
    try:
        args = build_parser().parse_args(given)
        is_json = getattr(args, "json", False)
        result = run(args)
        if result is None or isinstance(result, Answer):
            return result or Answer(None, "", 0)
        text = json.dumps(_plain(result), ensure_ascii=False, indent=1) if is_json else args.show(_fields(result))
        return Answer(text, "", 1 if _has_failed(result) else 0)
    except SystemExit as done:  # --help, --version, and the app that ended
        return Answer(None, "", int(done.code or 0))
    except OnrampError as error:
        return complaint(error, is_json=is_json)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  a library's panic, too; its text may quote a customer's line
        return complaint(_foreign(error), is_json=is_json)


def complaint(error: OnrampError, *, is_json: bool) -> Answer:
    """What is told of an error: in JSON on stdout, in words on stderr."""
    out = json.dumps({"error": error.as_dict()}, ensure_ascii=False, indent=1, default=str) if is_json else None
    return Answer(out, "".join(f"{line}\n" for line in (error.message, error.hint) if line), error.exit_code)


def _has_failed(result: Any) -> bool:
    """Whether the work is done and its result says no: exit code 1."""
    if isinstance(result, CheckReport):
        return not result.valid
    if isinstance(result, Preflight):
        return result.verdict == "blocked"
    if isinstance(result, Trial):
        return not result.is_working
    if isinstance(result, Worked):
        return result.has_failed
    return isinstance(result, Receipt) and result.status == "Failed"


def _plain(result: Any) -> Any:
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if isinstance(result, list):
        return [_plain(item) for item in result]
    return result


def _fields(result: Any) -> Any:
    """As ``_plain``, but times stay times."""
    if isinstance(result, BaseModel):
        return result.model_dump()
    if isinstance(result, list):
        return [_fields(item) for item in result]
    return result


def _foreign(error: BaseException) -> OnrampError:
    """What is told of an exception that is not ours."""
    if is_memory(error):
        return out_of_memory()
    return _os_error(error) if isinstance(error, OSError) else _internal(error)


def _os_error(error: OSError) -> StateError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StateError(
            "The disk is full. Nothing was changed.", code="disk_full", hint="Free some space, then start again."
        )
    return StateError(
        f"A file or folder could not be used ({error.strerror or type(error).__name__}). Nothing was changed.",
        code="disk_error",
        hint="Check the path, its permissions and the disk.",
    )


def _internal(error: BaseException) -> OnrampError:
    if os.environ.get("ONRAMP_DEBUG"):
        raise error
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if "ingest_core" in frame.filename]
    place = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "unknown"
    return OnrampError(
        f"A fault of ours: {type(error).__name__} at {place}. Nothing was changed.",
        code="internal_error",
        hint="Report this line. Set ONRAMP_DEBUG=1 to see more; that output may hold personal data.",
        facts={"kind": type(error).__name__, "place": place},
    )
