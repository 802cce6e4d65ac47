"""The rules of a column as people choose them."""

from __future__ import annotations

BLANKS = {"keep": "Keep the old value", "clear": "Clear the value"}
CONFLICTS = {"newest": "The newest value wins", "keep": "The stored value stays"}
COMBINES = {
    "last": "The last line", "first": "The first line", "sum": "Their sum", "count": "Their number",
    "min": "The smallest", "max": "The largest",
}  # fmt: skip
BAD_CELLS = {"reject": "Reject the row", "empty": "Leave it empty and count it"}
