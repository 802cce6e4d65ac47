"""Receipts in words: the sentence of a result or a dry run, what an undo or a change of type does, figures, times."""

from __future__ import annotations

from ingest_core.ledger.retype import TypeChange
from ingest_core.models import Receipt, SegmentChange, UndoReceipt
from pages.ui.text import count, escape, number, percent, seconds

SEGMENTS_TOLD = 5
FILES_TOLD = 3
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


def notices(receipt: Receipt) -> list[str]:
    """What is worth knowing, without what the findings about an unusual file tell in full."""
    return [notice for notice in receipt.notices if not (receipt.held and "the former file" in notice)]


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


def undo_effects(undo: UndoReceipt) -> list[str]:
    """What an undo or redo changes, a sentence each, as Markdown."""
    told = [_people(undo), _members(undo)]
    told += [_segment(change) for change in undo.segments[:SEGMENTS_TOLD]]
    if len(undo.segments) > SEGMENTS_TOLD:
        told.append(f"{count(len(undo.segments) - SEGMENTS_TOLD, 'more segment')} get other sizes.")
    if back := [other for other in undo.uploads_back if other != undo.request_id]:
        told.append(f"{count(len(back), 'upload')} that it had replaced count{'s' if len(back) == 1 else ''} again.")
    if ended := [other for other in undo.uploads_ended if other != undo.request_id]:
        told.append(f"{count(len(ended), 'upload')} that it replaces no longer count{'s' if len(ended) == 1 else ''}.")
    told.append(_went_out(undo))
    return [sentence for sentence in told if sentence]


def _went_out(undo: UndoReceipt) -> str:
    """What left already, by name."""
    if not undo.went_out:
        return ""
    files = [f"{escape(one.label)} to {escape(one.destination)}" for one in undo.went_out[:FILES_TOLD]]
    more = len(undo.went_out) - len(files)
    rest = f" and {count(more, 'more file')}" if more else ""
    verb = "was" if len(undo.went_out) == 1 else "were"
    return (
        f"{count(len(undo.went_out), 'file')} with people of this upload {verb} delivered and cannot be called back: "
        f"{', '.join(files)}{rest}."
    )


def _people(undo: UndoReceipt) -> str:
    """12 people disappear, 3 come apart, 40 get other values."""
    moves = (
        (undo.removed, "disappears", "disappear"),
        (undo.returned, "comes back", "come back"),
        (undo.came_apart, "comes apart from another", "come apart from others"),
        (undo.merged, "becomes one with another", "become one with others"),
        (undo.changed, "gets other values", "get other values"),
    )
    said = [(people, one if people == 1 else many) for people, one, many in moves if people]
    if not said:
        return "Nobody's values change: other uploads say the same."
    first, *rest = [f"**{number(people)}** {words}" for people, words in said]
    who = "person" if said[0][0] == 1 else "people"
    return ", ".join([first.replace("** ", f"** {who} ", 1), *rest]) + "."


def _members(undo: UndoReceipt) -> str:
    parts = [
        f"{name} **{number(before)} → {number(after)}**"
        for name, before, after in (
            ("Profiles", undo.profiles_before, undo.profiles_after),
            ("Members of sources", undo.memberships_before, undo.memberships_after),
        )
        if before != after
    ]
    return ", ".join(parts).replace(", M", ", m") + ("." if parts else "")


def _segment(change: SegmentChange) -> str:
    name = f"Segment {escape(change.name)}"
    if change.after is None:
        return f"{name} is gone. It held {count(change.before or 0, 'profile')}."
    if change.before is None:
        return f"{name} is there again, with {count(change.after, 'profile')}."
    return f"{name} **{number(change.before)} → {number(change.after)}** profiles."


def type_effects(change: TypeChange) -> list[str]:
    """What another type does to the values of an attribute, a sentence each, as Markdown."""
    if not change.profiles and not change.regained:
        return ["No profile has a value."]
    told = [_same(change)]
    if change.lost:
        shown = ", ".join(f"“{escape(text)}”" for text in change.samples)
        told.append(f"**{number(change.lost)}** would have no value: their text does not fit, such as {shown}.")
    if change.rewritten:
        shown = ", ".join(f"{escape(before)} → {escape(after)}" for before, after in change.rewritten_samples)
        told.append(f"**{number(change.rewritten)}** would read otherwise: {shown}.")
    if change.regained:
        told.append(f"**{number(change.regained)}** without a value would get one: their text fits again.")
    return told


def _same(change: TypeChange) -> str:
    having = count(change.profiles, "profile has", "profiles have")
    if change.same == change.profiles:
        return f"{having} a value, and every one stays as it is."
    stay = "stays as it is" if change.same == 1 else "stay as they are"
    return f"{having} a value; **{number(change.same)}** of them {stay}."
