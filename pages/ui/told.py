"""A receipt in words: the sentence of a result or a dry run, its figures, how long it took."""

from __future__ import annotations

from ingest_core.models import Receipt
from pages.ui.text import count, number, percent, seconds

EVENTS_SHARE = 0.2  # when more of the lines fold together, the file looks like a list of events


def accepted(receipt: Receipt) -> int:
    """Rows that are, or would be, loaded: stored people and the further lines that fold into them."""
    return receipt.stored + receipt.duplicates


def outcome(receipt: Receipt, *, is_dry_run: bool = False) -> str:
    """18,204 new, 389,902 updated, 2,031 unchanged, 2,181 rejected; 14 profiles would merge."""
    parts = [
        f"**{number(receipt.created)}** new",
        f"**{number(receipt.updated)}** updated",
        f"**{number(receipt.unchanged)}** unchanged",
        f"**{number(receipt.rejected)}** rejected",
    ]
    if receipt.duplicates:
        parts.append(f"**{number(receipt.duplicates)}** more of the same people")
    if receipt.suppressed:
        parts.append(f"**{number(receipt.suppressed)}** suppressed")
    would = "would " if is_dry_run else ""
    after = [
        f"{count(receipt.merged, 'profile')} {would}merge{'' if is_dry_run else 'd'}" if receipt.merged else "",
        f"{count(receipt.came_apart, 'profile')} {would}come apart" if receipt.came_apart and is_dry_run else "",
        f"{count(receipt.came_apart, 'profile')} came apart" if receipt.came_apart and not is_dry_run else "",
        f"{count(receipt.memberships_ended, 'membership')} {would}end{'' if is_dry_run else 'ed'}"
        if receipt.memberships_ended
        else "",
        f"{count(receipt.conflicts, 'identifier conflict')}" if receipt.conflicts else "",
    ]
    tail = ", ".join(part for part in after if part)
    return ", ".join(parts) + (f"; {tail}." if tail else ".")


def events_warning(receipt: Receipt) -> str | None:
    """Loud when much of a file folds into few people."""
    rows = accepted(receipt)
    if not rows or receipt.duplicates / rows <= EVENTS_SHARE:
        return None
    return (
        f"{percent(receipt.duplicates / rows)} of the rows belong to people who have another row in this file. "
        "That looks like a list of events, such as purchases. Only one value per person is kept: choose the sum or the "
        "number for such columns in the rules of the match step."
    )


def reject_share(receipt: Receipt) -> float | None:
    """Rejected rows of all rows, 0-1."""
    rows = receipt.lines - receipt.blank
    return receipt.rejected / rows if rows else None


def took(receipt: Receipt) -> str:
    """How long it took, or nothing."""
    if receipt.started_at is None or receipt.finished_at is None:
        return ""
    return f"took {seconds((receipt.finished_at - receipt.started_at).total_seconds())}"


def equation(receipt: Receipt) -> str:
    """The figures that add up to the file."""
    parts = [
        (receipt.blank, "blank"),
        (receipt.stored, "stored"),
        (receipt.rejected, "rejected"),
        (receipt.duplicates, "duplicates"),
        (receipt.suppressed, "suppressed"),
        (receipt.withheld, "withheld"),
    ]
    shown = [f"{number(rows)} {word}" for rows, word in parts if rows] or ["0 stored"]
    return f"{count(receipt.lines, 'line')} = {' + '.join(shown)}"
