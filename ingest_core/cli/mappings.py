"""mapping: suggest, set and show."""

from __future__ import annotations

import argparse
from typing import Any

from ingest_core.catalog import parse_mapping
from ingest_core.cli.files_given import file_given, text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import mapping_text
from ingest_core.errors import InputError
from ingest_core.models import Mapping
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands about mappings."""
    _mapping(group(parsers, "mapping", "Suggest, set and show the mapping of a source."))


def _mapping(commands: Any) -> None:
    suggest = command(commands, "suggest", "Suggest a mapping for a file.", _mapping_suggest, mapping_text)
    suggest.add_argument("file")
    suggest.add_argument("--source", required=True)
    setting = command(
        commands, "set", "Save a mapping file as the source's newest version.", _mapping_set, mapping_text
    )
    setting.add_argument("--source", required=True)
    setting.add_argument("mapping", metavar="MAPPING.json")
    show = command(commands, "show", "Print the source's newest mapping.", _mapping_show, mapping_text)
    show.add_argument("--source", required=True)


def _mapping_suggest(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source)
    inspection = workspace.inspect(file_given(args.file), source)
    return mapping_json(workspace.suggest(inspection, source))


def _mapping_set(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source)
    mapping = parse_mapping(text_given(args.mapping))
    workspace.planner.check(mapping)
    return mapping_json(workspace.mappings.save(source, mapping))


def _mapping_show(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source)
    mapping = workspace.mappings.current(source)
    if mapping is None:
        raise InputError(
            "This source has no mapping yet.", code="no_mapping", hint="Start from: mapping suggest FILE --source NAME"
        )
    return mapping_json(mapping)


def mapping_json(mapping: Mapping) -> dict[str, Any]:
    """A mapping as the contract prints it and ``--mapping`` takes it."""
    return mapping.model_dump(mode="json")
