"""Upload history: receipts by filter, and the rows that were not stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ingest_core.engine import Engine
from ingest_core.errors import InputError
from ingest_core.ledger.joined_values import with_values
from ingest_core.ledger.uploads import receipts
from ingest_core.models import Receipt, RejectedRow
from ingest_core.reasons import REASONS, Reason
from ingest_core.vault import Keyset
from ingest_core.vault.reading import VaultReader

_REJECTS = """
SELECT line, column_name, code, codes, page_id, slot
FROM reject JOIN upload USING (upload_no)
WHERE request_id = ? AND (? IS NULL OR code = ?) AND line NOT IN (SELECT unnest(?::BIGINT[]))
ORDER BY line
LIMIT ? OFFSET ?"""

_REJECT_LINES = """
SELECT line FROM reject JOIN upload USING (upload_no)
WHERE request_id = ? AND (? IS NULL OR code = ?) AND line NOT IN (SELECT unnest(?::BIGINT[]))
ORDER BY line"""


BADGES = ("Completed with rejects", "Cancelled", "Undone", "Replaced", "Waits for approval")

_BADGED = """CASE ?
    WHEN 'Completed with rejects' THEN upload.status = 'Completed' AND upload.rejected > 0
    WHEN 'Cancelled' THEN upload.is_cancelled
    WHEN 'Undone' THEN upload.undone_at IS NOT NULL
    WHEN 'Replaced' THEN upload.replaced_by IS NOT NULL
    WHEN 'Waits for approval' THEN upload.held IS NOT NULL
END"""

_FOUND = "contains(lower(upload.file) || chr(10) || lower(request_id), ?)"


def _known_badge(badge: str | None) -> str | None:
    if badge is not None and badge not in BADGES:
        raise InputError(
            "There is no such badge. Nothing was looked up.", code="no_such_badge", hint=f"One of: {', '.join(BADGES)}"
        )
    return badge


class History:
    """Finished, running and waiting uploads of a workspace."""

    def __init__(self, engine: Engine, keyset: Keyset) -> None:
        self._engine = engine
        self._keyset = keyset

    def list(
        self,
        *,
        source: str | None = None,
        status: str | None = None,
        user: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        badge: str | None = None,
        search: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Receipt]:
        """Receipts, newest first. ``search``: a part of the file's name or of the Request ID, in any case.

        ``badge``: one of BADGES. Without the values by which profiles merged. InputError ``no_such_badge``.
        """
        conditions: list[tuple[str, object]] = [
            ("lower(source.name) = lower(?)", source),
            ("status = ?", status),
            ("uploaded_by = ?", user),
            ("upload.created_at >= ?", since),
            ("upload.created_at < ?", until),
            (_BADGED, _known_badge(badge)),
            (_FOUND, search and search.strip().lower()),
        ]
        used = [(sql, value) for sql, value in conditions if value is not None]
        where = " AND ".join(sql for sql, _ in used) or "true"
        with self._engine.session() as session:
            return receipts(session, where, [value for _, value in used], limit=limit, offset=offset)

    def children(self, request_id: str) -> Sequence[Receipt]:
        """The uploads of rows that were corrected from this one, oldest first."""
        with self._engine.session() as session:
            return receipts(session, "json_extract_string(upload.options, '$.parent') = ?", [request_id])[::-1]

    def get(self, request_id: str) -> Receipt:
        """One receipt. InputError ``no_such_upload``."""
        with self._engine.session() as session:
            found = receipts(session, "request_id = ?", [request_id])
            if not found:
                raise InputError("There is no upload with this Request ID.", code="no_such_upload", hint="See: history")
            return with_values(session, self._keyset, found[0])

    def has(self, request_id: str) -> bool:
        """Whether there is an upload with this Request ID."""
        with self._engine.session() as session:
            return bool(session.value("SELECT count(*) > 0 FROM upload WHERE request_id = ?", [request_id]))

    def rejects(
        self, request_id: str, *, code: str | None = None, limit: int | None = None, offset: int = 0
    ) -> Sequence[RejectedRow]:
        """Rejected rows in file order, with their original text (PII: show it to those who may see it)."""
        return list(self.each_reject(request_id, code=code, limit=limit, offset=offset))

    def reject_lines(self, request_id: str, *, code: str | None = None, without: Iterable[int] = ()) -> Sequence[int]:
        """The lines of the rejected rows that are kept, in file order, without reading their text."""
        with self._engine.session() as session:
            rows = session.rows(_REJECT_LINES, [request_id, code, code, list(without)])
        return [line for (line,) in rows]

    def each_reject(
        self,
        request_id: str,
        *,
        code: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        without: Iterable[int] = (),
    ) -> Iterator[RejectedRow]:
        """As ``rejects``, one after the other, in constant memory but for their places."""
        self.get(request_id)
        with self._engine.session() as session:
            rows = session.rows(
                _REJECTS,
                [request_id, code, code, list(without), limit if limit is not None else 1_000_000_000, offset],
            )
            reader = VaultReader(session, self._keyset, held=8)
            for line, column, first, codes, page_id, slot in rows:
                yield _rejected(line, column, first, codes, reader.page(page_id)[slot].as_py())

    def layout(self, request_id: str) -> dict[str, Any]:
        """How the upload's file was read: header, delimiter, quoting."""
        import json

        with self._engine.session() as session:
            text = session.value("SELECT dialect FROM upload WHERE request_id = ?", [request_id])
        return dict(json.loads(text or "{}"))


def _rejected(line: int, column: str | None, first: str, codes: str, text: str) -> RejectedRow:
    reason = REASONS.get(first) or Reason(first, first, "", "")
    names = tuple(codes.split(","))
    return RejectedRow(
        line=line,
        column=column,
        code=first,
        codes=names,
        title=reason.title,
        message=" ".join(REASONS[name].explanation for name in names if name in REASONS),
        fix=reason.fix,
        text=text,
    )
