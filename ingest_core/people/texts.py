"""Values as people see them: personal data masked, unless it may be plain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ingest_core.engine import Session, quote
from ingest_core.errors import InputError
from ingest_core.ledger.stated import Stated, plain
from ingest_core.mapping.types import data_type
from ingest_core.models import Attribute
from ingest_core.people.lineage import Reading
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader

LONGEST_REASON = 200
_TELLING = 3
"""Characters from which on a value in a reason is no accident."""


class Texts:
    """PII opened, and masked unless it may be plain. ``reason``: why it may be; it never holds what is revealed."""

    def __init__(self, session: Session, keyset: Keyset, *, is_plain: bool, reason: str | None = None) -> None:
        self._reader = VaultReader(session, keyset)
        self._is_plain = is_plain
        self._reason = checked_reason(reason) if is_plain else None
        self._found: dict[UUID, str] = {}

    def of(self, tokens: list[Any]) -> Reading:
        """Opens these tokens (None is no token); returns how a statement is shown. InputError ``personal_reason``."""
        opened = self._reader.values(token for token in tokens if token is not None)
        if self._reason is not None:
            refuse_personal(self._reason, opened.values())
        self._found |= opened
        return self._stated

    def text(self, attribute: Attribute, stored: Any) -> str | None:
        """A stored text or token as it is shown; None stays None."""
        if stored is None or not attribute.pii:
            return None if stored is None else str(stored)
        text = self._found.get(stored, "")
        return text if self._is_plain else data_type(attribute.type).mask(text)

    def _stated(self, attribute: Attribute, one: Stated) -> str | None:
        return self.text(attribute, None if one.is_cleared else one.text)


def checked_reason(reason: str | None) -> str | None:
    """A reason on one line, None without one. InputError ``bad_reason`` when it is too long."""
    text = " ".join((reason or "").split())
    if len(text) > LONGEST_REASON:
        raise InputError(
            "The reason is too long. Nothing was shown.",
            code="bad_reason",
            hint=f"At most {LONGEST_REASON} characters are kept on the audit log.",
        )
    return text or None


def refuse_personal(reason: str, values: Any) -> None:
    """The audit log never holds personal data: a reason that repeats what is revealed is not taken."""
    said = reason.casefold()
    if any(len(value) >= _TELLING and value.casefold() in said for value in values):
        raise InputError(
            "The reason holds personal data of this person. Nothing was shown, nothing was written down.",
            code="personal_reason",
            hint="Say why without naming the person, such as: call-back for ticket 4711.",
        )


def shown(attribute: Attribute) -> str:
    """SQL: a profile's value as its text, of PII its token."""
    column = quote(attribute.column)
    return column if attribute.pii else plain(attribute, f"CAST({column} AS VARCHAR)")
