"""The template language of exported files: macros in names, headers and rows (Audience Manager spec §15.3).

``<NAME>``, ``<NAME; separator=",">``, ``<NAME:{seg|<seg.sid>}; separator=",">``, and ``<if(A && B)>…<endif>``. What is
not between angle brackets stands for itself. Parsing knows nothing of what a macro means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest_core.errors import InputError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
_ARGUMENT = re.compile(r'\s*([A-Za-z]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*')
_IF = re.compile(r"if\s*\(\s*([A-Z_]+(?:\s*&&\s*[A-Z_]+)*)\s*\)")
_EACH = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\|(.*)\}", re.DOTALL)
_ESCAPES = {"t": "\t", "n": "\n", '"': '"', "\\": "\\"}

LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Macro:
    """One macro. ``each``: the name of the element and what is written of it; ``arguments``: separator, format, …"""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    each: tuple[str, tuple[Node, ...]] | None = None


@dataclass(frozen=True, slots=True)
class If:
    """Written only where all of these lists have something."""

    names: tuple[str, ...]
    then: tuple[Node, ...]


Node = str | Macro | If


def parse(text: str) -> tuple[Node, ...]:
    """The parts of a template. InputError ``bad_template`` says where it cannot be read."""
    if len(text) > LONGEST:
        raise bad_template("A template has at most 10,000 characters.")
    nodes, rest = _nodes(text, is_inside=False)
    if rest is not None:
        raise bad_template("There is an <endif> without its <if(…)>.")
    return nodes


def macros(nodes: Sequence[Node]) -> set[str]:
    """The names of all macros in it, also in elements and conditions."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, Macro):
            found |= {node.name} | (macros(node.each[1]) if node.each else set())
        elif isinstance(node, If):
            found |= {*node.names} | macros(node.then)
    return found


def bad_template(why: str) -> InputError:
    """A template that cannot be read or means nothing."""
    return InputError(
        f"{why} Nothing was changed.", code="bad_template",
        hint='Such as <DP_UUID><TAB><TRAIT_LIST;separator=",">; docs/audience-manager.md lists the macros.',
    )  # fmt: skip


def _nodes(text: str, *, is_inside: bool) -> tuple[tuple[Node, ...], str | None]:
    """Parts up to the end, or to the ``<endif>`` that ends the part we are in; and the text after that."""
    found: list[Node] = []
    while text:
        plain, bracket, text = text.partition("<")
        if plain:
            found.append(plain)
        if not bracket:
            break
        body, text = _bracketed(text)
        if body.strip() == "endif":
            return tuple(found), text
        if condition := _IF.fullmatch(body.strip()):
            then, after = _nodes(text, is_inside=True)
            if after is None:
                raise bad_template("An <if(…)> has no <endif>.")
            found.append(If(tuple(name.strip() for name in condition[1].split("&&")), then))
            text = after
        else:
            found.append(_macro(body))
    return tuple(found), None


def _bracketed(text: str) -> tuple[str, str]:
    """What stands before the ``>`` that belongs to a ``<``, and the text after it; braces and quotes are whole."""
    depth, is_quoted, is_escaped = 0, False, False
    for place, sign in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted:
            is_escaped, is_quoted = sign == "\\", sign != '"'
        elif sign == '"':
            is_quoted = depth == 0
        elif sign in "{}":
            depth += 1 if sign == "{" else -1
        elif sign == ">" and depth == 0:
            return text[:place], text[place + 1 :]
    raise bad_template("A < has no >.")


def _macro(body: str) -> Macro:
    head, arguments = _split(body)
    name, colon, rest = head.partition(":")
    if not _NAME.fullmatch(name.strip()):
        raise bad_template(f"<{name.strip()[:40]}> is no macro.")
    each = None
    if colon:
        found = _EACH.fullmatch(rest.strip())
        if found is None:
            raise bad_template(f"After <{name.strip()}: has to stand {{name|…}}.")
        inner, after = _nodes(found[2], is_inside=True)
        if after is not None:
            raise bad_template("There is an <endif> without its <if(…)>.")
        each = (found[1], inner)
    return Macro(name.strip(), arguments, each)


def _split(body: str) -> tuple[str, dict[str, str]]:
    """The macro and its arguments, which follow semicolons outside braces."""
    depth, cut = 0, len(body)
    for place, sign in enumerate(body):
        depth += (sign == "{") - (sign == "}")
        if sign == ";" and depth == 0:
            cut = place
            break
    arguments: dict[str, str] = {}
    rest = body[cut:]
    while rest:
        found = _ARGUMENT.match(rest[1:]) if rest[0] == ";" else None
        if found is None:
            raise bad_template(f'After <{body[:cut].strip()[:40]}; has to stand name="value".')
        arguments[found[1].lower()] = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), found[2])
        rest = rest[1 + found.end() :]
    return body[:cut], arguments
