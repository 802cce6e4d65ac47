"""Every error a person can meet, in one tree.

OnrampError
├── InputError      the file, mapping or argument can be fixed by the person        exit 2
│   └── FileError   the bytes themselves: damaged, too large, not a table           exit 2
├── StateError      not now: locked, already loaded, wrong state                    exit 3
│   └── Held        the file is far off: a person has to say yes first              exit 3
├── DeliveryError   a transport said no; ``is_retryable`` tells whether to wait     exit 4
├── ConfigError     settings or keys of this installation are wrong                 exit 2
└── Stopped         a person stopped the work; nothing was kept                     exit 130

Row problems are never exceptions: they are rows with a reason (see reasons.py).
"""

from __future__ import annotations

from collections.abc import Mapping


class OnrampError(Exception):
    """Says what happened, what was not changed, and the next move.

    ``code`` is stable and machine-readable, ``facts`` holds figures and names for it (never PII).
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.facts: dict[str, object] = dict(facts or {})

    def as_dict(self) -> dict[str, object]:
        """The JSON form: code, message, hint, facts."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "facts": self.facts}


class InputError(OnrampError):
    """The person can fix it: a file, a mapping, an argument."""

    exit_code = 2


class FileError(InputError):
    """The bytes of a file are damaged, too large or not a table."""


class StateError(OnrampError):
    """Right request, wrong moment: locked, already loaded."""

    exit_code = 3


class Held(StateError):
    """The file is far from what its source usually brings; it waits until a person says yes."""


class DeliveryError(OnrampError):
    """A transport refused or failed."""

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str = "",
        facts: Mapping[str, object] | None = None,
        is_retryable: bool = False,
    ) -> None:
        super().__init__(message, code=code, hint=hint, facts=facts)
        self.is_retryable = is_retryable


class ConfigError(OnrampError):
    """Settings or keys of this installation are wrong."""

    exit_code = 2


class Stopped(OnrampError):
    """A person stopped the work; nothing of it was kept."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "The upload was stopped. Nothing of it was kept.",
            code="stopped",
            hint="Start it again whenever you like.",
        )
