"""A kept notice as what goes out: the same bytes for every attempt."""

from __future__ import annotations

import json
from typing import Any

from ingest_core.ledger.outbox import Letter
from ingest_core.notices.render import as_html, as_text, link_of
from ingest_core.notices.wording import letter_of, plain

Record = dict[str, Any]
"""A row of ``notice``."""


def letter(record: Record) -> Letter:
    """What a person reads. Whoever wrote it, it holds no sign that could break out of a header or turn text round."""
    if not record["letter"]:
        return letter_of(record["kind"], json.loads(record["data"]))
    kept = Letter.model_validate_json(record["letter"])
    return kept.model_copy(
        update={
            "subject": plain(kept.subject, 200),
            "title": plain(kept.title),
            "sentences": tuple(plain(sentence) for sentence in kept.sentences if sentence),
            "rows": tuple((plain(label), plain(value)) for label, value in kept.rows),
        }
    )


def because(record: Record) -> str:
    """Why somebody gets it, at the end of each mail."""
    what = "this upload or its source" if record["request_id"] else "such notices"
    return f"You get this message because your address is named for {what} in Onramp. It holds no personal data."


def text(record: Record, base_url: str | None) -> str:
    """The plain part of the mail."""
    return as_text(letter(record), base_url, because(record))


def html(record: Record, base_url: str | None) -> str:
    """The HTML part of the mail."""
    return as_html(letter(record), base_url, because(record))


def body(record: Record, base_url: str | None) -> str:
    """What the webhook gets: JSON, UTF-8."""
    written = letter(record)
    return json.dumps(
        {
            "id": record["notice_id"],
            "event": record["kind"],
            "happened_at": record["happened_at"].isoformat(timespec="milliseconds") + "Z",
            "request_id": record["request_id"],
            "subject": written.subject,
            "link": link_of(written, base_url),
            "data": json.loads(record["data"]),
        },
        ensure_ascii=False,
    )
