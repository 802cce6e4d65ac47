"""Who becomes one with whom, in words: figures with what they mean and what to do, and what is worth a warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ingest_core.models import IdentityPreview, Receipt
from pages.ui.text import count, escape, number, percent

LARGE_GROUP = 5  # more profiles than this becoming one person are seldom one person
LARGE_SHARE = 0.01  # of all profiles
FEW_PROFILES = 10  # fewer are no share worth a warning
CALM = "No known profiles become one, and every identifier joins whom it should."


@dataclass(frozen=True)
class Figure:
    """A number with the sentence below it."""

    label: str
    value: str
    said: str


def figures(receipt: Receipt, names: Mapping[str, str], *, is_dry_run: bool) -> list[Figure]:
    """Those that say something, in the order of their weight. ``names``: attribute → what people call it."""
    identity = receipt.identity
    if identity is None:
        return []
    told = (
        _merges(identity, is_dry_run=is_dry_run),
        _cluster(identity),
        _blocked(identity, names),
        _shared(identity, is_dry_run=is_dry_run),
        _conflicts(identity, names),
        _case_only(identity),
    )
    return [figure for figure in told if figure is not None]


def is_calm(receipt: Receipt) -> bool:
    """Nobody merges and no value was kept from joining anybody."""
    identity = receipt.identity
    return identity is not None and not (identity.groups or identity.blocked or identity.met)


def warnings(receipt: Receipt, *, is_dry_run: bool) -> list[str]:
    """What looks dangerous. Nothing more is asked for; it is said."""
    identity = receipt.identity
    if identity is None or not identity.groups:
        return []
    would, found = "would become" if is_dry_run else "became", []
    largest = identity.largest[0].size
    if largest > LARGE_GROUP:
        found.append(
            f"{number(largest)} profiles {would} one person. So many are seldom one: look at the value that joins "
            "them, and skip its column or block the value when it belongs to nobody in particular."
        )
    share = identity.profiles / receipt.profiles_before if receipt.profiles_before else 0.0
    if share > LARGE_SHARE and identity.profiles >= FEW_PROFILES:
        found.append(
            f"{percent(share)} of all profiles {would} one with others. That is much for one file: check that its "
            "identifier columns are matched to the right attributes."
        )
    return found


def _merges(identity: IdentityPreview, *, is_dry_run: bool) -> Figure:
    label = "Would merge" if is_dry_run else "Merged"
    if not identity.groups:
        return Figure(label, "0 profiles", "No two known profiles become one by this file.")
    return Figure(
        label,
        count(identity.profiles - identity.groups, "profile"),
        f"{number(identity.profiles)} known profiles become {count(identity.groups, 'person', 'people')}, because the "
        "file states their identifiers together. Look at the groups below: if they are different people, correct the "
        "rows or skip the column.",
    )


def _cluster(identity: IdentityPreview) -> Figure | None:
    rows, identifiers = identity.most_lines, identity.most_identifiers
    if rows is None:
        return None
    said = "The most rows of this file about one person."
    if identifiers is not None:
        said += f" The most identifiers that somebody has with this file: {number(identifiers.count)}."
    if rows.count > 1:
        said += " Very many are often a shop's or a test entry's, not a customer's."
    return Figure("Biggest cluster", count(rows.count, "row"), said)


def _blocked(identity: IdentityPreview, names: Mapping[str, str]) -> Figure | None:
    cells = sum(one.cells for one in identity.blocked)
    if not cells:
        return None
    kinds = [
        f"{number(one.cells)} in {escape(names.get(one.attribute, one.attribute))} ({escape(one.reason)})"
        for one in identity.blocked[:4]
    ]
    more = " and others" if len(identity.blocked) > 4 else ""
    said = f"Placeholders and values too short: {', '.join(kinds)}{more}. They count as empty and join nobody."
    return Figure("Blocked values", count(cells, "cell"), said)


def _shared(identity: IdentityPreview, *, is_dry_run: bool) -> Figure | None:
    values, new = sum(one.shared for one in identity.met), sum(one.newly_shared for one in identity.met)
    if not values:
        return None
    said = (
        f"More than {number(identity.shared_limit)} customers state each of them, so they identify nobody. "
        f"{count(identity.shared_rows, 'row states', 'rows state')} one; {number(new)} shared only since this file."
    )
    if apart := identity.shared_came_apart:
        said += f" {count(apart, 'more profile')}: people such a value had joined "
        said += "would come apart." if is_dry_run else "came apart."
    return Figure("Shared values", number(values), said)


def _conflicts(identity: IdentityPreview, names: Mapping[str, str]) -> Figure | None:
    parts = []
    for one in identity.met:
        name = escape(names.get(one.attribute, one.attribute))
        if one.contested:
            parts.append(f"{number(one.contested)} in {name} stated with several customers")
        if one.foreign:
            parts.append(f"{number(one.foreign)} in {name} of somebody else than their row")
    conflicts = sum(one.contested + one.foreign for one in identity.met)
    moved = sum(one.moved for one in identity.met)
    if not conflicts and not moved:
        return None
    said = f"{'; '.join(parts)}. Their rows are stored, these values join nobody. " if parts else ""
    if moved:
        said += f"{count(moved, 'value changes', 'values change')} hands: last stated with another customer."
    return Figure("Conflicts", number(conflicts), said.strip())


def _case_only(identity: IdentityPreview) -> Figure | None:
    ids = sum(one.case_only for one in identity.met)
    if not ids:
        return None
    said = (
        "New ids that differ from another one only in upper and lower case, as User123 from USER123. They stay "
        "different people; if they are not, write the ids alike in the file."
    )
    return Figure("Differ only in case", number(ids), said)
