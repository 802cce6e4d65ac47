"""Changes of a rule while it is edited: plain JSON in, new JSON out, by the path that also errors carry.

A path names a part of the rule, such as ``rule.all[1].not.any[0]``; ``rule`` is the whole. Nothing is checked here but
the shape that is walked through: an unfinished rule has to be editable. What is given is never changed; parts that stay
as they are may be shared between the old rule and the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

Kind = Literal["all", "any", "none", "not all"]
"""How the parts of a group count together; ``none`` is ``{"not": {"any": …}}``, ``not all`` ``{"not": {"all": …}}``."""

ROOT = "rule"
_STEP = re.compile(r"\.(all|any)\[(\d+)\]|\.(not)\b")


def part_of(path: str) -> str:
    """The longest beginning of a path that names a part: ``rule.all[1].value`` → ``rule.all[1]``."""
    end = len(ROOT)
    while found := _STEP.match(path, end):
        end = found.end()
    return path[:end]


def at(rule: Any, path: str) -> Any:
    """The part at a path. LookupError where there is none."""
    for step in _steps(path):
        rule = _below(rule, step)
    return rule


def replaced(rule: Any, path: str, part: Any) -> Any:
    """The rule with another part at this path. LookupError where there is none."""
    return _replaced(rule, _steps(path), part)


def added(rule: Any, group: str, part: Any) -> Any:
    """The rule with one more part at the end of a group."""
    inside, parts = _inside(rule, group)
    return replaced(rule, inside, [*parts, part])


def removed(rule: Any, path: str) -> Any:
    """The rule without a part; a group that loses its last part goes with it, unless it is the whole rule."""
    parent, number = _parent(path)
    parts = at(rule, parent)
    if len(parts) > 1 or _group_of(parent) == ROOT:
        return replaced(rule, parent, [*parts[:number], *parts[number + 1 :]])
    return removed(rule, _group_of(parent))


def repeated(rule: Any, path: str) -> Any:
    """The rule with a part twice, the second behind the first."""
    parent, number = _parent(path)
    parts = at(rule, parent)
    return replaced(rule, parent, [*parts[: number + 1], *parts[number:]])


def moved(rule: Any, path: str, by: int) -> Any:
    """The rule with a part ``by`` places later among its neighbours; at the ends it stays where it is."""
    parent, number = _parent(path)
    parts = list(at(rule, parent))
    part = parts.pop(number)
    parts.insert(max(0, min(number + by, len(parts))), part)
    return replaced(rule, parent, parts)


def opposite(rule: Any, path: str) -> Any:
    """The rule with the opposite of a part; the opposite of an opposite is the part itself."""
    part = at(rule, path)
    return replaced(rule, path, part["not"] if _is_not(part) else {"not": part})


def grouped(rule: Any, path: str, kind: Kind) -> Any:
    """The rule with a part put into a new group of its own."""
    return replaced(rule, path, group_of([at(rule, path)], kind))


def dissolved(rule: Any, path: str) -> Any:
    """The rule with the parts of a group in the place of the group."""
    parent, number = _parent(path)
    parts, (_, inner) = at(rule, parent), _inside(rule, path)
    return replaced(rule, parent, [*parts[:number], *inner, *parts[number + 1 :]])


def regrouped(rule: Any, path: str, kind: Kind) -> Any:
    """The rule with a group whose parts count together in another way."""
    return replaced(rule, path, group_of(_inside(rule, path)[1], kind))


def group_of(parts: list[Any], kind: Kind) -> Any:
    """A group of these parts."""
    body = {"any" if kind in ("any", "none") else "all": parts}
    return {"not": body} if kind in ("none", "not all") else body


def kind_of(part: Any) -> Kind | None:
    """How the parts of a group count together; None of what is no group."""
    is_not = _is_not(part)
    body = part["not"] if is_not else part
    if not isinstance(body, dict) or len(body) != 1:
        return None
    for name in ("all", "any"):
        if isinstance(body.get(name), list):
            return ("not all" if name == "all" else "none") if is_not else name
    return None


def parts_of(rule: Any, path: str) -> list[tuple[str, Any]]:
    """(path, part) of every part of a group."""
    inside, parts = _inside(rule, path)
    return [(f"{inside}[{number}]", part) for number, part in enumerate(parts)]


def bare(part: Any) -> tuple[Any, bool]:
    """A condition without its *not*, and whether it had one."""
    return (part["not"], True) if _is_not(part) else (part, False)


def as_group(rule: Any) -> Any:
    """The same people as a group: what is edited has to have a place for more."""
    return rule if kind_of(rule) else {"all": [rule]}


def conditions(rule: Any) -> Iterator[Any]:
    """What is no group, from the first to the last, without its *not*."""
    if kind_of(rule):
        for _, part in parts_of(rule, ROOT):
            yield from conditions(part)
    elif _is_not(rule):
        yield from conditions(rule["not"])
    else:
        yield rule


def _is_not(part: Any) -> bool:
    return isinstance(part, dict) and set(part) == {"not"}


def _steps(path: str) -> list[str | int]:
    if part_of(path) != path and not re.fullmatch(r"\.(all|any)", path[len(part_of(path)) :]):
        raise LookupError(path)
    steps: list[str | int] = []
    for word, number in re.findall(r"\.(all|any|not)(?:\[(\d+)\])?", path):
        steps += [word, int(number)] if number else [word]
    return steps


def _below(part: Any, step: str | int) -> Any:
    is_there = step < len(part) if isinstance(step, int) and isinstance(part, list) else False
    if not is_there and not (isinstance(step, str) and isinstance(part, dict) and step in part):
        raise LookupError(step)
    return part[step]


def _replaced(rule: Any, steps: list[str | int], part: Any) -> Any:
    if not steps:
        return part
    step, *rest = steps
    below = _replaced(_below(rule, step), rest, part)
    if isinstance(step, int):
        return [*rule[:step], below, *rule[step + 1 :]]
    return {**rule, step: below}


def _inside(rule: Any, group: str) -> tuple[str, list[Any]]:
    """The path of a group's list, and the list."""
    part = at(rule, group)
    kind = kind_of(part)
    if kind is None:
        raise LookupError(group)
    path = group + (".not" if kind in ("none", "not all") else "") + (".any" if kind in ("any", "none") else ".all")
    return path, at(rule, path)


def _parent(path: str) -> tuple[str, int]:
    """The path of the list that a part stands in, and its place there."""
    found = re.fullmatch(r"(.*\.(?:all|any))\[(\d+)\]", path)
    if found is None:
        raise LookupError(path)
    return found[1], int(found[2])


def _group_of(parent: str) -> str:
    """The path of the group that a list is the list of, with its *not*."""
    return re.sub(r"(\.not)?\.(all|any)$", "", parent)
