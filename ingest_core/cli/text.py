"""Results for people: a receipt as a few lines, lists as tables, the rest as key and value."""

from __future__ import annotations

import json
from typing import Any

_COLUMNS = 8


def as_text(result: Any) -> str:
    """Any command's JSON as text for a terminal."""
    if isinstance(result, dict) and "profiles_before" in result:
        return receipt_text(result)
    if isinstance(result, list):
        return _table(result) if result else "Nothing to show."
    if isinstance(result, dict):
        return "\n".join(f"{key}: {_cell(value)}" for key, value in result.items() if key != "steps")
    return str(result)


def receipt_text(receipt: dict[str, Any]) -> str:
    """The sentence first, then the numbers that add up to the file."""
    what = f"Upload {receipt['request_id']}" if receipt["request_id"] else "Preview"
    lines = [
        f"{what}: {receipt['status']}" + "".join(f", {badge}" for badge in receipt["badges"]),
        f"{receipt['lines']:,} lines = {receipt['blank']:,} blank + {receipt['stored']:,} stored + "
        f"{receipt['rejected']:,} rejected + {receipt['duplicates']:,} duplicates + {receipt['suppressed']:,} suppressed"
        + (f" + {receipt['withheld']:,} withheld" if receipt["withheld"] else ""),
        f"{receipt['created']:,} new, {receipt['updated']:,} updated, {receipt['unchanged']:,} unchanged; "
        f"{receipt['merged']:,} merged; {receipt['profiles_after']:,} profiles now",
    ]
    lines += [f"  {count:,} × {code}" for code, count in receipt["rejects_by_reason"].items()]
    if receipt["error"]:
        lines += [receipt["error"]["message"], receipt["error"]["hint"]]
    return "\n".join([*lines, *receipt["notices"]])


def _table(rows: list[Any]) -> str:
    if not isinstance(rows[0], dict):
        return "\n".join(str(row) for row in rows)
    names = [name for name in rows[0] if name not in ("steps", "notices", "settings", "rule", "text")][:_COLUMNS]
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [min(40, max(len(row[at]) for row in cells)) for at in range(len(names))]
    return "\n".join(
        "  ".join(cell[:40].ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
