"""Who may import what: the rules that `lint-imports` cannot see (app.py, pages/) and what really gets loaded."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Library → the only places that import it, and why.
ALLOWED = {
    "streamlit": ("app.py", "pages/"),  # the core serves the command line and clusters, too
    "plotly": ("app.py", "pages/"),
    "starlette": ("app.py",),  # one place knows the web server
    "duckdb": ("ingest_core/engine/",),  # every connection gets the lock-down
    "boto3": ("ingest_core/transport/s3.py",),  # endpoints only from settings
    "botocore": ("ingest_core/transport/s3.py",),
    "paramiko": ("ingest_core/transport/sftp.py",),  # host keys are pinned in one place
}

LOAD_ALL = """
import importlib, json, pkgutil, sys
import ingest_core
for module in pkgutil.walk_packages(ingest_core.__path__, "ingest_core."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def product_files(repository: Path) -> Iterator[Path]:
    yield from repository.glob("app.py")
    for folder in ("ingest_core", "pages"):
        yield from (repository / folder).rglob("*.py")


def imported_libraries(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("library", sorted(ALLOWED))
def test_library_is_imported_only_where_it_may_be(repository: Path, library: str) -> None:
    offenders = []
    for path in product_files(repository):
        place = path.relative_to(repository).as_posix()
        if library in imported_libraries(path) and not place.startswith(ALLOWED[library]):
            offenders.append(place)
    assert offenders == []


def test_the_core_loads_without_screens_or_web_server(repository: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD_ALL], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "ingest_core" in loaded
    assert loaded & {"streamlit", "plotly", "altair", "starlette", "uvicorn"} == set()


def test_tests_and_benchmarks_are_not_imported_by_the_product(repository: Path) -> None:
    offenders = [
        path.relative_to(repository).as_posix()
        for path in product_files(repository)
        if imported_libraries(path) & {"tests", "benchmarks", "samples", "pytest", "faker", "hypothesis"}
    ]
    assert offenders == []
