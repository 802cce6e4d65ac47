"""The documents: every link leads somewhere, every dependency has its reason, nothing names a machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SKIPPED = {"workspace", "build", "htmlcov"}
HIDDEN_BUT_OURS = {".ci", ".streamlit", ".gitignore"}
TEXT = {".py", ".md", ".toml", ".txt", ".sql", ".json", ".yml", ".yaml", ".html", ".css", ".js", ".sh", ""}
LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
# A path that exists on one machine only. The parts are joined so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:" + "|".join(("work", "root", "Users", "home/[a-z]+")) + r")/\w")
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[a-z]+\])?==\d[\w.]*")


def project_files(repository: Path) -> Iterator[Path]:
    for path in sorted(repository.iterdir()):
        if path.name in SKIPPED or (path.name.startswith(".") and path.name not in HIDDEN_BUT_OURS):
            continue
        yield from [path] if path.is_file() else (p for p in path.rglob("*") if p.is_file())


def documents(repository: Path) -> list[Path]:
    return [path for path in project_files(repository) if path.suffix == ".md"]


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_relative_links_resolve(repository: Path) -> None:
    broken = []
    for page in documents(repository):
        for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
            target, _, anchor = link.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            found = (page.parent / target).resolve() if target else page
            is_there = found.exists() and found.is_relative_to(repository)
            if not is_there or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
                broken.append(f"{page.relative_to(repository)}: {link}")
    assert broken == []


def test_nothing_names_a_path_of_one_machine(repository: Path) -> None:
    offenders = []
    for path in project_files(repository):
        if path.suffix in TEXT and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8", errors="replace")
            offenders += [f"{path.relative_to(repository)}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert offenders == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "requirements-data.txt"])
def test_every_dependency_is_pinned_and_has_its_reason(repository: Path, name: str) -> None:
    reasons = (repository / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = {
        word.strip() for row in re.findall(r"^\| ([a-z][^|]+) \|", reasons, re.MULTILINE) for word in row.split(",")
    }
    for line in (repository / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith(("#", "-r ")):
            continue
        pin = PIN.fullmatch(line)
        assert pin, f"{line} is not an exact pin"
        assert pin[1] in explained, f"docs/dependencies.md does not say why {pin[1]} is needed"
