"""Results for people: a receipt as a few lines, lists as tables, the rest as name and value."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ingest_core.cli.identity_text import identity_lines

_WIDEST = 48  # characters of one cell of a table
_MOST_DIFFERENCES = 5
_WITH_REJECTS = "Completed with rejects"
_PARTS = ("blank", "stored", "rejected", "duplicates", "suppressed", "withheld")
_ALWAYS = ("stored", "rejected", "duplicates")
_NUMBERS_THAT_NAME = ("dpid", "version")  # ids are not counts: no separators


def as_text(result: Any) -> str:
    """Name and value, one a line, what is empty left out; lists inside are joined by commas."""
    if isinstance(result, dict):
        shown = {name: _cell(value, name) for name, value in result.items() if name != "steps" and value is not None}
        return "\n".join(f"{name.replace('_', ' ')}: {text}" for name, text in shown.items() if text)
    return str(result)


def table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """The named fields as columns, numbers to the right."""
    if not rows:
        return "Nothing to show."
    cells = [
        [name.replace("_", " ") for name in names],
        *([_cell(row.get(name), name) for name in names] for row in rows),
    ]
    cells = [[cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…" for cell in line] for line in cells]
    widths = [max(len(line[at]) for line in cells) for at in range(len(names))]
    is_number = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in names]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in cells
    )


def sources_text(sources: Any) -> str:
    """What ``source list`` shows."""
    return table(sources, ("name", "kind", "dpid", "description", "archived_at"))


def attributes_text(attributes: Any) -> str:
    """What ``attribute list`` shows."""
    return table(attributes, ("name", "display_name", "type", "identifier", "pii", "segment", "macro"))


def rejects_text(result: Any) -> str:
    """Which rows were rejected and why, without their content; or where they were written to."""
    if isinstance(result, dict):
        return f"{result['rejected']:,} rejected rows written to {visible(result['out'])}"
    return table(result, ("line", "column", "code", "title", "fix"))


def history_text(receipts: Any) -> str:
    """What ``history`` shows: one upload a line."""
    rows = [{**receipt, "status": status_text(receipt), "finished": receipt["finished_at"]} for receipt in receipts]
    return table(rows, ("request_id", "source", "file", "status", "lines", "stored", "rejected", "finished"))


def mapping_text(mapping: Any) -> str:
    """A mapping, one column of the file a line."""
    names = ["column", "attribute", "identifier", "pii", "format", "combine", "confidence", "why"]
    if all(column.get("confidence") is None for column in mapping["columns"]):
        names = names[:-2]
    version = f"version {mapping['version']}" if mapping["version"] else "not saved"
    rows = [{**column, "attribute": column["attribute"] or "(ignored)"} for column in mapping["columns"]]
    return f"Mapping of {visible(mapping['source'] or 'no source')}, {version}\n{table(rows, names)}"


def inspection_text(made: Any) -> str:
    """What a file is: one sentence, its columns, what to decide or repair."""
    delimiter = {"\t": "tab"}.get(made["delimiter"], made["delimiter"])
    read = f"separated by {delimiter}" if made["grammar"] == "table" else "a data file of Audience Manager"
    head = (
        f"{visible(made['file'])}: {made['lines']:,} lines ({made['rows']:,} rows, {made['blank']:,} blank, "
        f"{made['rejected']:,} broken), {len(made['columns'])} columns, {read}, {made['encoding']}"
    )
    rows = [
        {
            **column,
            "filled": f"{column['filled']:.0%}",
            "attribute": (column["suggestion"] or {}).get("attribute"),
            "confidence": (column["suggestion"] or {}).get("confidence"),
        }
        for column in made["columns"]
    ]
    problems = [f"{problem['message']} {problem['fix']} ({problem['code']})" for problem in made["problems"]]
    columns = table(rows, ("name", "type", "filled", "distinct", "attribute", "confidence"))
    return "\n".join([head, columns, *map(visible, problems), *map(visible, made["notices"])])


def profile_text(profile: Any) -> str:
    """One person: each value with the upload and line that set it."""
    rows = [{"attribute": name, **value} for name, value in profile["attributes"].items()]
    return "\n".join(
        [
            f"Profile {profile['profile_id']}",
            table(rows, ("attribute", "value", "request_id", "file", "line")),
            f"sources: {_cell(profile['sources'])}",
            f"segments: {_cell(profile['segments'])}",
        ]
    )


def status_text(receipt: dict[str, Any]) -> str:
    """Status and badges in one phrase that says nothing twice."""
    badges = [badge for badge in receipt["badges"] if badge != _WITH_REJECTS]
    status = _WITH_REJECTS if _WITH_REJECTS in receipt["badges"] else receipt["status"]
    return ", ".join([status, *(badge.lower() for badge in badges)])


def receipt_text(receipt: Any) -> str:
    """The sentence first, then the numbers that add up to the file."""
    what = f"Upload {receipt['request_id']}" if receipt["request_id"] else "Preview, nothing was kept"
    lines = [f"{what}: {status_text(receipt)}"]
    if receipt["status"] == "Scheduled":
        return "\n".join(visible(line) for line in _waiting(lines[0], receipt))
    shown = [name for name in _PARTS if name in _ALWAYS or receipt[name]]
    lines += [
        f"{receipt['lines']:,} lines = " + " + ".join(f"{receipt[name]:,} {name}" for name in shown),
        f"{receipt['created']:,} new, {receipt['updated']:,} updated, {receipt['unchanged']:,} unchanged; "
        f"{receipt['merged']:,} merged; {receipt['profiles_after']:,} profiles now",
    ]
    lines += [f"  {count:,} × {code}" for code, count in receipt["rejects_by_reason"].items()]
    lines += identity_lines(receipt["identity"], is_preview=receipt["request_id"] is None)
    if receipt["segment"]:
        lines.append(f"Segment: {receipt['segment']}")
    if receipt["drift"]:
        lines.append(f"Against the former file: {_drift(receipt['drift'])}")
    if receipt["error"]:
        lines += [receipt["error"]["message"], receipt["error"]["hint"]]
    if receipt["held"]:
        lines.append("It is further from the former file than the source allows. To load it: --accept-drift")
    return "\n".join(visible(line) for line in [*lines, *receipt["notices"]])


def _waiting(head: str, receipt: Any) -> list[str]:
    """What an upload in the queue waits for: a time, a person, its turn."""
    if receipt["held"]:
        return [head, receipt["held"]["message"], f"If the file is right, let it load: approve {receipt['request_id']}"]
    return [f"{head} for {_cell(receipt['scheduled_for'])}" if receipt["scheduled_for"] else head]


def _drift(findings: Sequence[dict[str, Any]]) -> str:
    """The largest differences of a point or more."""
    large = sorted((one for one in findings if abs(one["change"]) >= 1), key=lambda one: -abs(one["change"]))
    shown = [
        f"{one['what'].replace('_', ' ')}{' of ' + one['column'] if one['column'] else ''} {one['change']:+.0f} "
        f"{'%' if one['what'] == 'rows' else 'points'}"
        for one in large[:_MOST_DIFFERENCES]
    ]
    return ", ".join(shown) + (", …" if large[_MOST_DIFFERENCES:] else "") if shown else "much the same"


def _cell(value: Any, name: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if name in _NUMBERS_THAT_NAME else f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict):
        return (
            ", ".join(f"{name.replace('_', ' ')} {_cell(inner, name)}" for name, inner in value.items() if inner)
            or "none"
        )
    if isinstance(value, list | tuple):
        return ", ".join(_cell(inner) for inner in value) or "none"
    return visible(str(value))


def visible(text: str) -> str:
    """Names come from files: none of them may move the cursor or colour the terminal."""
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)
