"""The rule tree of a segment and its one compiler to SQL.

``{"all": [...]}``, ``{"any": [...]}``, ``{"not": …}``, ``{"upload": REQUEST_ID}``, ``{"source": NAME}``.
A rule becomes a condition on ``p.pid``; everything a person wrote is bound, never SQL text.
"""

from __future__ import annotations

from typing import Any

from ingest_core.errors import InputError

_UPLOAD = "p.pid IN (SELECT q.pid FROM resolution q JOIN upload u ON q.rid >> 32 = u.upload_no WHERE u.request_id = ?)"
_SOURCE = "p.pid IN (SELECT m.pid FROM membership m JOIN source s USING (source_id) WHERE lower(s.name) = lower(?))"
_DEEPEST = 50


def compile_rule(rule: object, depth: int = 0) -> tuple[str, list[object]]:
    """A rule → (SQL condition on ``p``, its parameters). InputError ``bad_rule``, also when nested too deeply."""
    if not isinstance(rule, dict) or len(rule) != 1 or depth > _DEEPEST:
        raise _bad()
    ((kind, body),) = rule.items()
    match kind:
        case "all" | "any":
            return _group(kind, body, depth)
        case "not":
            sql, parameters = compile_rule(body, depth + 1)
            return f"NOT ({sql})", parameters
        case "upload" if isinstance(body, str):
            return _UPLOAD, [body]
        case "source" if isinstance(body, str):
            return _SOURCE, [body]
    raise _bad()


def _group(kind: str, body: Any, depth: int) -> tuple[str, list[object]]:
    if not isinstance(body, list):
        raise _bad()
    parts = [compile_rule(part, depth + 1) for part in body]
    if not parts:
        return ("true" if kind == "all" else "false"), []
    word = " AND " if kind == "all" else " OR "
    return word.join(f"({sql})" for sql, _ in parts), [value for _, values in parts for value in values]


def _bad() -> InputError:
    return InputError(
        "This is not a segment rule. Nothing was changed.",
        code="bad_rule",
        hint='A rule is one of all, any, not, upload or source, such as {"any": [{"source": "CRM"}]}.',
    )
