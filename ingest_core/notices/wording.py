"""What a notice about an upload says, made from the figures that were kept with it: no PII, no content of a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ingest_core.ledger.outbox import Letter, LetterReason, Tone
from ingest_core.reasons import REASONS

LONGEST_NAME = 80

_ACCOUNT = (
    ("stored", "People stored"),
    ("duplicates", "More rows of the same people"),
    ("rejected", "Rows rejected"),
    ("suppressed", "Rows suppressed"),
    ("withheld", "Good rows, withheld"),
    ("blank", "Blank lines"),
)
_EFFECTS = (
    ("created", "New profiles"),
    ("updated", "Updated profiles"),
    ("unchanged", "Unchanged profiles"),
    ("merged", "Profiles merged"),
    ("came_apart", "Profiles that came apart"),
    ("memberships_ended", "Memberships ended"),
)
_UNDER_WAY = {"read": "reading the file", "receive": "looking at the file"}

Data = Mapping[str, Any]


def letter_of(kind: str, data: Data) -> Letter:
    """The letter of a notice about an upload; of another kind that came without one, its name and nothing else."""
    write = _WRITERS.get(kind)
    return Letter(subject=plain(kind), title=plain(kind)) if write is None else write(data)


def plain(text: object, longest: int = 1_000) -> str:
    """Foreign text on one line, without signs that are not seen: it can be no second header and turn nothing round."""
    line = " ".join(str(text).split())
    shown = "".join(sign if sign.isprintable() else "\ufffd" for sign in line)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def moment(text: str | None) -> str:
    """An ISO 8601 moment as 21 Nov 2026, 09:42 UTC."""
    if not text:
        return ""
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _count(value: int, one: str, many: str | None = None) -> str:
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def _file(data: Data) -> str:
    return plain(data["file"], LONGEST_NAME)


def _source(data: Data) -> str:
    return plain(data["source"], LONGEST_NAME)


def _letter(data: Data, what: str, *, action: str = "Open the upload", **fields: Any) -> Letter:
    head = f"[{_source(data)}] {_file(data)} {what}"
    path = f"upload?upload={quote(str(data['request_id']))}"
    rows = (
        *fields.pop("rows", ()),
        ("Request ID", str(data["request_id"])),
        ("Uploaded by", plain(data["uploaded_by"])),
    )
    return Letter(subject=head, title=f"{_file(data)} {what}", path=path, action=action, rows=rows, **fields)


def _started(data: Data) -> Letter:
    return _letter(
        data,
        "is being loaded",
        action="Watch it",
        sentences=(f"The load into {_source(data)} has begun. You are told when it ends.",),
        rows=(("Source", _source(data)), ("Started", moment(data["started_at"]))),
    )


def _running(data: Data) -> Letter:
    now = data.get("progress") or {}
    rows = [("Source", _source(data)), ("Started", moment(data["started_at"]))]
    if phase := now.get("phase"):
        rows.append(("At the moment", _UNDER_WAY.get(phase, plain(phase))))
    if (lines := now.get("lines")) is not None:
        rows.append(("Rows read so far", f"{lines:,}"))
    said = "It takes longer than usual to be told of. Nothing is wrong: nothing is visible before it is complete."
    return _letter(data, "is still being loaded", action="Watch it", sentences=(said,), rows=tuple(rows))


def _ended(data: Data) -> Letter:
    error = data.get("error")
    rows = _figures(data)
    if data["status"] == "Completed":
        return _completed(data, rows)
    said = [plain((error or {}).get("message") or "Nothing was loaded.")]
    if hint := (error or {}).get("hint"):
        said.append(plain(hint))
    is_stopped = "Cancelled" in data["badges"]
    return _letter(
        data,
        "was stopped, nothing was loaded" if is_stopped else "could not be loaded",
        tone="info" if is_stopped else "bad",
        action="See what happened",
        sentences=tuple(said),
        rows=rows,
        reasons=_reasons(data),
    )


def _completed(data: Data, rows: tuple[tuple[str, str], ...]) -> Letter:
    rejected, total = data["rejected"], data["lines"] - data["blank"]
    what = f"was loaded: {_count(total, 'row')}"
    tone: Tone = "good"
    said = f"All rows are in {_source(data)}."
    if rejected:
        what += f", {rejected:,} of them rejected"
        tone = "warning"
        said = f"{_count(rejected, 'row was', 'rows were')} rejected; everything else is in {_source(data)}."
    sentences = [said]
    if segment := data.get("segment"):
        sentences.append(f"The people of this file are in the segment {plain(segment, LONGEST_NAME)}.")
    return _letter(
        data, what, tone=tone, action="Open the result", sentences=tuple(sentences), rows=rows, reasons=_reasons(data)
    )


def _figures(data: Data) -> tuple[tuple[str, str], ...]:
    """The account of the lines first, which adds up; then what it did to profiles; then when."""
    rows = []
    if data["lines"]:
        rows.append(("Every line of the file", ""))
        rows += [(label, f"{data[name]:,}") for name, label in _ACCOUNT if data[name]]
        rows.append(("Lines in all", f"{data['lines']:,}"))
    if data["status"] == "Completed":
        rows.append(("Your profiles", ""))
        rows += [(label, f"{data[name]:,}") for name, label in _EFFECTS if data[name]]
        rows.append(("Profiles in all", f"{data['profiles_after']:,}"))
    rows.append(("This upload", ""))
    rows += [
        (label, moment(data[name]))
        for label, name in (("Started", "started_at"), ("Ended", "finished_at"))
        if data[name]
    ]
    return tuple(rows)


def _reasons(data: Data) -> tuple[LetterReason, ...]:
    """Most first; they add up to the rejected rows."""
    by_count = sorted(data["rejects_by_reason"].items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        LetterReason(
            title=REASONS[code].title if code in REASONS else plain(code),
            count=count,
            fix=REASONS[code].fix if code in REASONS else "See the rejected rows.",
        )
        for code, count in by_count
    )


def _held(data: Data) -> Letter:
    held = data["held"] or {}
    return _letter(
        data,
        "waits for your approval",
        tone="warning",
        action="Look at it",
        sentences=(
            plain(held.get("message") or "It is unlike the former file."),
            "Nothing of it is loaded until somebody approves it; it can be stopped as well.",
        ),
        rows=(("Source", _source(data)),),
    )


def _undone(data: Data) -> Letter:
    return _letter(
        data,
        "was undone",
        sentences=("Nothing of this upload counts any more. The undo can be taken back.",),
        rows=(
            ("Source", _source(data)),
            ("Undone by", plain(data["undone_by"])),
            ("People it had", f"{data['stored']:,}"),
        ),
    )


def _redone(data: Data) -> Letter:
    return _letter(
        data,
        "counts again",
        sentences=("The undo of this upload was taken back.",),
        rows=(("Source", _source(data)), ("People it has", f"{data['stored']:,}")),
    )


_WRITERS = {
    "upload_started": _started,
    "upload_running": _running,
    "upload_ended": _ended,
    "upload_held": _held,
    "upload_undone": _undone,
    "upload_redone": _redone,
}
