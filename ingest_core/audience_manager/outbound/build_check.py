"""Whether a build can be used: everything that keeps it from that, each at the field where a person corrects it.

``checked`` is for those who want a definition that works or an error; ``check`` is for an editor, whose fields are not
all filled yet, and says beside it what is only worth a look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ingest_core.audience_manager.name_types import NameProblem
from ingest_core.audience_manager.names import Registry, check_registry, parse_base
from ingest_core.audience_manager.outbound.build import HASHED, Build
from ingest_core.catalog.names import check_name
from ingest_core.deliveries.order import PROFILE_ID, Column
from ingest_core.deliveries.recipes import PLAIN, recipe
from ingest_core.errors import InputError
from ingest_core.models import Attribute, Model

EXAMPLES = "docs/audience-manager.md has examples."


class BuildProblem(Model):
    """What is wrong. ``field``: name, who, id, dpid, target, items, items.0, others, others.0, mode, packing, place,
    partner, split_bytes, look. ``is_error``: it cannot be built like this; else it can, and is worth a look.
    """

    field: str
    code: str
    message: str
    hint: str = ""
    is_error: bool = True


class BuildCheck(Model):
    """``build`` is there when nothing is an error."""

    build: Build | None
    problems: tuple[BuildProblem, ...] = ()

    def at(self, *fields: str) -> list[BuildProblem]:
        """The problems of some fields."""
        return [one for one in self.problems if one.field in fields]


@dataclass(frozen=True)
class Catalogue:
    """What a definition may name. ``traits``: number → (data source, type)."""

    attributes: Mapping[str, Attribute]
    registry: Registry
    segments: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    destinations: frozenset[str] = frozenset()
    pgp_keys: frozenset[str] = frozenset()
    traits: Mapping[int, tuple[int, str]] = field(default_factory=dict)


def checked(build: Build, known: Mapping[str, Attribute], registry: Registry, at: datetime) -> Build:
    """The definition as it can be used.

    InputError ``bad_name``, ``bad_build``, ``unknown_attribute``, ``personal_data`` and the codes of file names.
    """
    for problem in _wrong(build, known, registry, at):
        raise InputError(f"{problem.message} Nothing was built.", code=problem.code, hint=problem.hint)
    return build.model_copy(update={"name": check_name(build.name, "a build")})


def check(fields: Mapping[str, Any], known: Catalogue, at: datetime) -> BuildCheck:
    """All problems of a definition that is being written. ``fields``: those of Build; some may be missing."""
    try:
        build = Build.model_validate(fields)
    except ValidationError as error:
        found = list(_unfinished(error))
        if not fields.get("name") and not any(one.field == "name" for one in found):
            found.insert(0, _bad("name", _UNFINISHED["name"]))
        return BuildCheck(build=None, problems=tuple(found))
    found = [*_wrong(build, known.attributes, known.registry, at), *_missing(build, known)]
    found += _remarks(build, known)
    return BuildCheck(build=None if any(one.is_error for one in found) else build, problems=tuple(found))


def _wrong(
    build: Build, known: Mapping[str, Attribute], registry: Registry, at: datetime
) -> Iterator[BuildProblem]:  # fmt: skip
    try:
        check_name(build.name, "a build")
    except InputError as error:
        message = "This is no usable name of a build." if build.name.strip() else _UNFINISHED["name"]
        yield BuildProblem(field="name", code=error.code, message=message, hint=error.hint)
    yield from _contradictions(build)
    for place, column in zip(_places(build), build.columns(), strict=True):
        yield from _column(place, column, known)
    name = build.file_name(int(at.timestamp()))
    read = parse_base(str(name))
    problem = read if isinstance(read, NameProblem) else check_registry(name, registry)
    if problem is not None and problem.code not in ("gzip_and_pgp", "missing_dpid"):  # told above, at their fields
        place = _place_of(problem, build, registry)
        yield BuildProblem(field=place, code=problem.code, message=problem.why, hint="See: source list")


def _contradictions(build: Build) -> Iterator[BuildProblem]:
    if build.segment is not None and build.source is not None:
        yield _bad("who", "Profiles come from a segment or from a source, not from both.")
    if build.partner.startswith("date="):
        yield _bad("partner", "A partner's folder cannot be called like a day's.")
    if build.kind == "data" and not build.items:
        yield _bad("items", "A line needs traits or signals: name at least one item.")
    if build.kind == "id_sync" and not build.others:
        yield _bad("others", "An ID sync needs the ids of another data source.")
    if build.kind == "id_sync" and build.mode != "sync":
        yield _bad("mode", "An ID sync is always a sync.")
    if build.gzip and build.pgp:
        why = "A file is packed with gzip or encrypted with OpenPGP, never both: OpenPGP compresses already."
        yield _bad("packing", why)
    if build.destination is not None and build.folder is not None:
        yield _bad("place", "Files go to a destination or into a folder, not to both.")


def _places(build: Build) -> list[str]:
    """The field of each of ``Build.columns``."""
    if build.kind == "id_sync":
        return ["id", *(f"others.{n}" for n in range(len(build.others)))]
    return ["id", *(f"items.{n}" for n, one in enumerate(build.items) if one.attribute)]


def _column(place: str, column: Column, known: Mapping[str, Attribute]) -> Iterator[BuildProblem]:
    if column.attribute == PROFILE_ID:
        return
    found = known.get(column.attribute)
    if found is None:
        yield BuildProblem(
            field=place, code="unknown_attribute", message=f"There is no attribute {column.attribute!r}.",
            hint="See: attribute list",
        )  # fmt: skip
        return
    if column.recipe == HASHED and not recipe(HASHED).fits(found):
        yield _bad(place, f"{found.name} holds no e-mail addresses, so it cannot be sent as the hash of one.")
    if found.pii and column.recipe == PLAIN:
        yield BuildProblem(
            field=place, code="personal_data", message=f"{found.name} is personal data and never leaves as it is.",
            hint=f"E-mail addresses may leave hashed (recipe {HASHED}); leave the rest out.",
        )  # fmt: skip


def _place_of(problem: NameProblem, build: Build, registry: Registry) -> str:
    """Which field a name's problem is about."""
    if problem.code in ("target_required", "target_is_global", "too_many_ids"):
        return "target"
    if problem.code in ("duplicate_dpid", "c2c_needs_two_dpids", "c2c_global_dpid"):
        return "others" if build.kind == "id_sync" else "target"
    if problem.code == "target_not_owned":
        return "dpid" if build.target is None else "target"
    if problem.code == "unknown_data_source" and build.dpid in registry.is_ours:
        return "others" if build.kind == "id_sync" else "target"
    return "dpid"


def _missing(build: Build, known: Catalogue) -> Iterator[BuildProblem]:
    """What is named and not there (any more)."""
    named = (
        ("who", "segment", [build.segment], known.segments),
        ("who", "source", [build.source], known.sources),
        ("place", "destination", [build.destination], known.destinations),
        ("packing", "OpenPGP key", build.pgp, known.pgp_keys),
    )
    for place, what, names, there in named:
        folded = {one.casefold() for one in there}
        for name in names:
            if name is not None and name.casefold() not in folded:
                code = f"no_such_{'pgp_key' if place == 'packing' else what}" if name else "bad_build"
                message = f"There is no {what} {name}." if name else f"Choose a {what}."
                yield BuildProblem(field=place, code=code, message=message)


def _remarks(build: Build, known: Catalogue) -> Iterator[BuildProblem]:
    """What can be built and would not do what it looks like."""
    owner = build.dpid if build.target is None else build.target
    for number, item in enumerate(build.items if build.kind == "data" else ()):
        named = [item.trait] if item.trait is not None else list(item.traits.values())
        for trait in dict.fromkeys(named):
            code = _trait_code(known.traits.get(trait), owner)
            if code is not None:
                yield BuildProblem(
                    field=f"items.{number}", code=code, message=_TRAITS[code].format(trait), is_error=False
                )
    if build.destination is None and build.folder is None:
        message = "It can be kept and previewed; to be sent it needs a place."
        yield BuildProblem(field="place", code="no_place", message=message, is_error=False)


_TRAITS = {
    "traits_unknown": "There is no trait {} here.",
    "traits_not_onboarded": "Trait {} is of a type that no file feeds.",
    "traits_of_another_source": "Trait {} belongs to another data source, so this file does not feed it.",
}


def _trait_code(found: tuple[int, str] | None, owner: int) -> str | None:
    if found is None:
        return "traits_unknown"
    if found[1] != "onboarded":
        return "traits_not_onboarded"
    return None if found[0] == owner else "traits_of_another_source"


_UNFINISHED = {
    "name": "Give the build a name.",
    "id": "Choose the attribute that holds the ids.",
    "dpid": "Choose whose ids these are.",
    "others": "Choose an attribute and whose ids it holds.",
    "partner": "A folder's name has no slash and at most 200 characters.",
    "split_bytes": "A part has 1,000 bytes to 5 GB.",
    "look_above_rows": "Not less than 0.",
    "look_above_removals": "Not less than 0.",
}
_FIELDS = {"look_above_rows": "look", "look_above_removals": "look", "gzip": "packing", "pgp": "packing"}


def _unfinished(error: ValidationError) -> Iterator[BuildProblem]:
    seen = set()
    for one in error.errors():
        first = str(one["loc"][0]) if one["loc"] else "items"
        is_listed = first in ("items", "others") and len(one["loc"]) > 1
        place = f"{first}.{one['loc'][1]}" if is_listed else _FIELDS.get(first, first)
        message = _item(one["loc"]) if first == "items" else _UNFINISHED.get(first, "This cannot be used.")
        if place not in seen:
            seen.add(place)
            yield BuildProblem(field=place, code="bad_build", message=message, hint=EXAMPLES)


def _item(place: tuple[int | str, ...]) -> str:
    if "key" in place:
        return "A key has letters, digits, - and _; before its first letter stand digits only."
    if "trait" in place or "traits" in place:
        return "A trait is a number from 1."
    return "Choose a trait, or an attribute with a key or with traits. d_sid and d_unsid are no keys."


def _bad(place: str, why: str) -> BuildProblem:
    return BuildProblem(field=place, code="bad_build", message=why, hint=EXAMPLES)
