"""Modules and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

LIMIT = 400  # lines of a module; more only with "Longer than 400 lines because …" in its docstring
MEDIAN = 150
FUNCTION_LIMIT = 40  # lines of a function, its docstring not counted


def modules(repository: Path) -> list[Path]:
    found = list(repository.glob("app.py"))
    for folder in ("ingest_core", "pages", "samples", "benchmarks", "docs"):
        found += (repository / folder).rglob("*.py")
    return sorted(path for path in found if path.stat().st_size)


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_half_of_the_modules_have_fewer_than_150_lines(repository: Path) -> None:
    assert statistics.median(length(path) for path in modules(repository)) < MEDIAN


def test_no_module_is_long_without_saying_why(repository: Path) -> None:
    too_long = {
        path.relative_to(repository).as_posix(): length(path)
        for path in modules(repository)
        if length(path) > LIMIT
        and f"Longer than {LIMIT} lines because"
        not in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    }
    assert too_long == {}


def function_lengths(path: Path) -> dict[str, int]:
    lengths = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            documented = ((first.end_lineno or 0) - first.lineno + 1) if is_docstring else 0
            lengths[f"{node.name}:{node.lineno}"] = (node.end_lineno or 0) - node.lineno + 1 - documented
    return lengths


def test_functions_have_at_most_40_lines(repository: Path) -> None:
    too_long = {
        f"{path.relative_to(repository).as_posix()}:{name}": lines
        for path in modules(repository)
        for name, lines in function_lengths(path).items()
        if lines > FUNCTION_LIMIT
    }
    assert too_long == {}
