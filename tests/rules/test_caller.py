"""A command may run in another process than the one it was given to: its folder and its streams are the caller's."""

from __future__ import annotations

import ast
from pathlib import Path

NOT_OF_COMMANDS = {
    "answering.py",
    "caller.py",
    "client.py",
    "main.py",
    "serve.py",
    "server.py",
    "supervisor.py",
    "worker.py",
}
"""Modules about processes, which have a folder and streams of their own."""

INSTEAD = {
    "Path": "path_given(name) of ingest_core.cli.caller, or file_given, text_given of files_given",
    "sys.stdin": "stdin_given() or value_given(text) of ingest_core.cli.caller",
    "sys.stdout": "the result of the command",
    "sys.stderr": "talk() of ingest_core.cli.caller",
    "os.getcwd": "path_given(name) of ingest_core.cli.caller",
    "os.chdir": "nothing: others work in this process",
    "default_user": "workspace.user",
}


def used(tree: ast.Module) -> set[str]:
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    dotted = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return names | dotted


def test_commands_ask_for_paths_and_streams_of_their_caller(repository: Path) -> None:
    offenders = []
    for path in sorted((repository / "ingest_core" / "cli").rglob("*.py")):
        if path.name in NOT_OF_COMMANDS:
            continue
        found = used(ast.parse(path.read_text(encoding="utf-8"))) & INSTEAD.keys()
        allowed = {"operate.py": {"default_user"}}.get(path.name, set())  # restore: no workspace is open
        offenders += [f"{path.name}: instead of {name}, use {INSTEAD[name]}" for name in sorted(found - allowed)]
    assert offenders == []
