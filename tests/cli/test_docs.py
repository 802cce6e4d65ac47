"""docs/cli.md knows every command and option there is, and nothing else."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from ingest_core.cli.main import build_parser


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """(name, parser) of every command that runs something."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for child, its_parser in group.choices.items():
            yield from commands(its_parser, f"{name} {child}".strip())


COMMANDS = dict(commands(build_parser()))


@pytest.fixture(scope="module")
def sections(repository) -> dict[str, str]:
    text = (repository / "docs" / "cli.md").read_text(encoding="utf-8")
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_is_documented_and_no_other(sections):
    assert sorted(sections) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_and_there_is_an_example(sections, name):
    section = sections[name]
    options = {option for action in COMMANDS[name]._actions for option in action.option_strings}
    ours = options - {"-h", "--help", "--json", "--home"}
    assert {option for option in ours if f"{option}" not in section} == set()
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section))
    assert named <= options | {"--mapping"}  # mapping suggest names the option of ingest
    examples = re.findall(r"```\n(.*?)```", section, flags=re.DOTALL)
    assert any(f"onramp {name}" in example for example in examples)


def test_examples_can_be_parsed(sections):
    import shlex

    for section in sections.values():
        for example in re.findall(r"^onramp (.+)$", section, flags=re.MULTILINE):
            words = shlex.split(example)
            build_parser().parse_args(words[: words.index(">")] if ">" in words else words)
