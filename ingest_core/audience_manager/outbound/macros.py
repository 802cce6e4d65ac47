"""What macros stand for: text in names and headers, SQL over ``am_out`` in rows (Audience Manager spec §15.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest_core.audience_manager.outbound.template import If, Macro, Node, bad_template, macros

LISTS = {"SEGMENT_LIST": "added", "REMOVED_SEGMENT_LIST": "removed", "TRAIT_LIST": "added",
         "REMOVED_TRAIT_LIST": "removed"}  # fmt: skip
CONSTANTS = {
    "TAB": "\t", "COMMA": ",", "OPEN_CURLY_BRACKET": "{", "CLOSE_CURLY_BRACKET": "}", "ASCII_SOH": "\x01",
    "NEW_LINE": "\n", "SET_ATTRIBUTES": "1", "OUTPUT_ATTRIBUTE_VALUE": "1", "OUTPUT_ATTRIBUTE_TYPE": "1",
    "OPT_OUT": "0", "MCID": "",
}  # fmt: skip
ABOUT_ORDER = ("PID", "PIDALIAS", "PID_ALIAS", "ORDER_ID", "DPID", "MASTER_DPID", "SYNC_MODE", "SYNC_TYPE")
ABOUT_PERSON = ("DP_UUID", "UUID", "DP_UUID_LIST", "DPUUIDS")

IN_NAMES = frozenset((*ABOUT_ORDER, "TIMESTAMP"))
IN_HEADERS = frozenset((*ABOUT_ORDER, *CONSTANTS, "TIMESTAMP"))
IN_ROWS = frozenset((*ABOUT_ORDER, *ABOUT_PERSON, *LISTS, *CONSTANTS)) - {"NEW_LINE", "ASCII_SOH"}

_SEGMENT_FIELDS = ("sid", "segmentId", "csegid", "alias", "type", "lastUpdateTime", "lastRealizationTime")
_TRAIT_FIELDS = ("traitId", "sid", "type", "lastRealized")
_JAVA = {"yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "YY": "%y", "MM": "%m", "dd": "%d", "DD": "%d",
         "HH": "%H", "hh": "%H", "mm": "%M", "ss": "%S", "SSS": "%f"}  # fmt: skip


def check(nodes: Sequence[Node], allowed: frozenset[str]) -> None:
    """InputError ``bad_template`` for a macro that means nothing here."""
    names = {name for name in macros(nodes) if "." not in name}
    if unknown := sorted(names - allowed):
        raise bad_template(f"<{unknown[0]}> cannot stand here.")


def written(nodes: Sequence[Node], values: Mapping[str, str], at: datetime, *, digits: int = 13) -> str:
    """The text of a name or header. ``at``: UTC, naive; ``digits``: of a TIMESTAMP without format, 13 or 10."""
    return "".join(_text(node, values, at, digits) for node in nodes)


def _text(node: Node, values: Mapping[str, str], at: datetime, digits: int) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, If):
        return written(node.then, values, at, digits=digits) if all(values.get(name) for name in node.names) else ""
    if node.name == "TIMESTAMP":
        return stamp(at, node.arguments.get("format"), digits)
    return CONSTANTS.get(node.name, values.get(node.name, ""))


def stamp(at: datetime, java: str | None, digits: int) -> str:
    """Milliseconds (13 digits) or seconds (10) since 1970, or a Java date pattern such as yyyyMMddHHmmss."""
    if java is None:
        seconds = at.replace(tzinfo=UTC).timestamp()
        return f"{int(seconds * 1000):013}" if digits == 13 else f"{int(seconds):010}"
    pattern = re.sub("|".join(_JAVA), lambda found: _JAVA[found[0]], java.replace("%", "%%"))
    text = at.strftime(pattern.replace("%f", f"{at.microsecond // 1000:03}"))
    if not re.fullmatch(r"[0-9A-Za-z._-]+", text):
        raise bad_template("This format of a timestamp leaves letters that are none.")
    return text


@dataclass
class RowSql:
    """An expression over ``am_out`` and its parameters in order. ``needs``: held, newest, uuid or ids, of the rest."""

    sql: str = ""
    parameters: list[object] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class RowCompiler:
    """Turns a template into SQL. ``onboarded``: ids of onboarded traits; ``at``: of the run, UTC, naive."""

    values: Mapping[str, str]
    onboarded: Sequence[int]
    at: datetime

    def compile(self, nodes: Sequence[Node]) -> RowSql:
        """InputError ``bad_template`` for fields and formats that there are not."""
        made = RowSql()
        made.sql = self._joined(nodes, made)
        return made

    def _joined(self, nodes: Sequence[Node], made: RowSql) -> str:
        return "concat(" + ", ".join(self._part(node, made) for node in nodes) + ")" if nodes else "''"

    def _part(self, node: Node, made: RowSql) -> str:
        if isinstance(node, str):
            return _bound(node, made)
        if isinstance(node, If):
            conditions = " AND ".join(f"len({self._list(name)}) > 0" for name in node.names)
            return f"CASE WHEN {conditions} THEN {self._joined(node.then, made)} ELSE '' END"
        if node.name in LISTS:
            return self._elements(node, made)
        if node.name in ABOUT_PERSON:
            return self._person(node, made)
        return _bound(CONSTANTS.get(node.name, self.values.get(node.name, "")), made)

    def _list(self, name: str) -> str:
        if name not in LISTS:
            raise bad_template(f"{name[:40]} is no list; a condition is about lists.")
        return LISTS[name]

    def _elements(self, node: Macro, made: RowSql) -> str:
        column = LISTS[node.name]
        if node.each is None:
            return f"array_to_string({column}, {_bound(node.arguments.get('separator', ','), made)})"
        name, nodes = node.each
        is_trait = "TRAIT" in node.name
        parts = [
            _bound(one, made) if isinstance(one, str) else self._field(one, name, made, is_trait=is_trait)
            for one in nodes
        ]
        element = "concat(" + ", ".join(parts or ["''"]) + ")"
        separator = _bound(node.arguments.get("separator", ","), made)
        return f"array_to_string(list_transform({column}, lambda x: {element}), {separator})"

    def _field(self, node: Node, element: str, made: RowSql, *, is_trait: bool) -> str:
        if not isinstance(node, Macro):
            raise bad_template("A condition cannot stand in an element.")
        owner, dot, name = node.name.partition(".")
        if not dot:
            if node.name not in CONSTANTS:
                raise bad_template(f"<{node.name}> cannot stand in an element.")
            return _bound(CONSTANTS[node.name], made)
        if owner != element or name not in (_TRAIT_FIELDS if is_trait else _SEGMENT_FIELDS):
            raise bad_template(f"<{node.name}> is no field of the element.")
        if name == "type":
            return self._type(made, is_trait=is_trait)
        if name == "lastUpdateTime":
            return _bound(str(int(self.at.replace(tzinfo=UTC).timestamp())), made)
        if name == "lastRealizationTime":
            made.needs.add("newest")
            return "coalesce(epoch(newest)::BIGINT::VARCHAR, '')"
        if name == "lastRealized":
            made.needs.add("held")
            return "coalesce(epoch(held[x])::BIGINT::VARCHAR, '')"
        return "x"

    def _type(self, made: RowSql, *, is_trait: bool) -> str:
        if not is_trait:
            return "'5'"
        made.parameters.append(list(self.onboarded))
        return "CASE WHEN list_contains(?::BIGINT[], x) THEN '10' ELSE '3' END"

    def _person(self, node: Macro, made: RowSql) -> str:
        if node.name == "DP_UUID":
            return "id"
        if node.name == "UUID":
            made.needs.add("uuid")
            return "coalesce(uuid, '')"
        made.needs.add("ids")
        if node.name == "DP_UUID_LIST":
            separator = _bound(node.arguments.get("separator", ","), made)
            return f"array_to_string(list_transform(coalesce(ids, []), lambda x: x.id), {separator})"
        return _mappings(node.arguments.get("format", ""), made)


def _bound(text: str, made: RowSql) -> str:
    made.parameters.append(text)
    return "?"


def _mappings(layout: str, made: RowSql) -> str:
    """``[["dpid","id"],…]`` by data source as listed, newest first, at most ``maxMappings`` of each."""
    options: dict[str, str] = {}
    for part in filter(None, layout.split("|")):
        name, _, value = part.partition("=")
        options[name.strip().lower()] = value.strip()
    most, dpids = options.get("maxmappings", "0"), [one for one in options.get("dpids", "").split(",") if one.strip()]
    if options.get("format", "json") != "json" or not most.isdecimal() or not all(d.strip().isdecimal() for d in dpids):
        raise bad_template('DPUUIDS takes format="dpids=1,2|maxMappings=0|format=json".')
    made.parameters += [[int(one) for one in dpids], int(most)]
    return "as_mappings(coalesce(ids, []), ?::BIGINT[], ?::INTEGER)"


AS_MAPPINGS = """CREATE OR REPLACE TEMP MACRO as_mappings(held, dpids, most) AS
'[' || array_to_string(list_transform(
    list_filter(held, lambda x: (len(dpids) = 0 OR list_contains(dpids, x.dpid)) AND (most = 0 OR x.place <= most)),
    lambda x: '["' || x.dpid || '",' || to_json(x.id) || ']'), ',') || ']'"""
"""``held``: ids in the order in which they are written, each with its ``place`` among those of its data source."""
