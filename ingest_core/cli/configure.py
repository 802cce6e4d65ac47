"""source, attribute, mapping."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ingest_core.catalog import parse_mapping
from ingest_core.cli.files_given import file_given, text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import attributes_text, mapping_text, sources_text
from ingest_core.errors import InputError
from ingest_core.models import Attribute, Mapping, Source, SourceSettings
from ingest_core.workspace import Workspace


def add_commands(parsers: Any) -> None:
    """Registers the commands that configure a workspace."""
    _source(group(parsers, "source", "Create, list and archive offline data sources."))
    _attribute(group(parsers, "attribute", "Create and list attributes of the profile."))
    _mapping(group(parsers, "mapping", "Suggest, set and show the mapping of a source."))


def _source(commands: Any) -> None:
    add = command(commands, "add", "Create a source.", _source_add)
    add.add_argument("name")
    add.add_argument("--kind", choices=("customer", "data_source"), default="customer")
    add.add_argument("--description", default="")
    add.add_argument("--dpid", type=int)
    add.add_argument("--id-type", choices=("cookie", "cross_device", "device"))
    add.add_argument("--inbound-id-type")
    add.add_argument("--owner", choices=("self", "other"))
    add.add_argument("--id-attribute")
    add.add_argument("--id-placement")
    add.add_argument("--phone-country", help="default country of phone numbers without one, such as IN")
    add.add_argument(
        "--threshold", type=float, help="fail an upload with more than this per cent of rejects; 0 = strict"
    )
    listing = command(commands, "list", "List sources.", _source_list, sources_text)
    listing.add_argument("--all", action="store_true", help="archived ones too")
    archive = command(commands, "archive", "Hide a source; its profiles stay.", _source_archive)
    archive.add_argument("name")


def _source_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    if args.id_attribute is not None:
        workspace.attributes.get(args.id_attribute)
    if args.threshold is not None and not 0 <= args.threshold <= 100:
        raise InputError(
            "The threshold is a percentage from 0 to 100. Nothing was created.",
            code="bad_threshold",
            hint="Such as 2.5",
        )
    source = workspace.sources.add(
        args.name,
        kind=args.kind,
        description=args.description,
        dpid=args.dpid,
        id_type=args.id_type,
        inbound_id_type=args.inbound_id_type,
        owner=args.owner,
        id_attribute=args.id_attribute,
        id_placement=args.id_placement,
        settings=SourceSettings(phone_country=args.phone_country, threshold_percent=args.threshold),
    )
    return source_json(source)


def _source_list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [source_json(source) for source in workspace.sources.list(include_archived=args.all)]


def _source_archive(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.name)
    workspace.sources.archive(source.source_id)
    return source_json(workspace.sources.get(source.source_id))


def source_json(source: Source) -> dict[str, Any]:
    """A source as the contract prints it."""
    shown = source.model_dump(mode="json", exclude={"source_id", "settings"})
    return {**shown, "settings": source.settings.model_dump(mode="json")}


def _attribute(commands: Any) -> None:
    add = command(commands, "add", "Create a custom attribute.", _attribute_add)
    add.add_argument("name")
    add.add_argument("--type", required=True, help="string, number, integer, boolean, date, datetime, email, phone, …")
    add.add_argument("--display-name")
    add.add_argument("--identifier", choices=("primary", "secondary"))
    add.add_argument("--pii", action="store_true")
    add.add_argument("--segment", metavar="NAME", help="UPPER_SNAKE name for use in segments")
    add.add_argument("--macro", metavar="NAME", help="UPPER_SNAKE name for use in messages")
    command(commands, "list", "List attributes.", _attribute_list, attributes_text)


def _attribute_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    made = workspace.attributes.add(
        args.name,
        args.type,
        display_name=args.display_name,
        identifier=args.identifier,
        pii=args.pii,
        segment=args.segment,
        macro=args.macro,
    )
    return attribute_json(made)


def _attribute_list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [attribute_json(attribute) for attribute in workspace.attributes.list()]


def attribute_json(attribute: Attribute) -> dict[str, Any]:
    """An attribute as the contract prints it."""
    return attribute.model_dump(mode="json", exclude={"attribute_id", "priority"})


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
    mapping = parse_mapping(text_given(Path(args.mapping)))
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
