"""source: the offline data sources."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any, get_args

from ingest_core.audience_manager.registered import SAMPLING_DAYS, sampling_until
from ingest_core.audience_manager.source_editing import check_id_attribute
from ingest_core.catalog.sources import FIELDS
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import sources_text
from ingest_core.errors import InputError
from ingest_core.models import Source, SourceSettings, Told
from ingest_core.workspace import Workspace

OFF = "off"
ID_TYPES = ("cookie", "cross_device", "device")
EVENTS: tuple[Told, ...] = get_args(Told)
_PHONE_COUNTRY = "default country of phone numbers without one, such as IN"
_THRESHOLD = "fail an upload with more than this per cent of rejects; 0 = strict"
_RECIPIENTS = "addresses that are told about uploads, with commas between them"
_SAMPLING = f"keep the first faulty lines of its files as samples, for {SAMPLING_DAYS} days"
_LOAD_SIGNALS = "load the signals of its data files into profiles, too, by the mapping of the source"
_NOTIFY_ON = "of what they are told: start, processing, end, with commas between them"
_ONCE = "while no file of the source was stored"
_DRIFT = "ask before a file is loaded that is further than this from the former one"


def add_commands(parsers: Any) -> None:
    """Registers the commands about sources."""
    _source(group(parsers, "source", "Create, list and archive offline data sources."))


def _source(commands: Any) -> None:
    add = command(commands, "add", "Create a source.", _source_add)
    add.add_argument("name")
    add.add_argument("--kind", choices=("customer", "data_source"), default="customer")
    add.add_argument("--description", default="")
    add.add_argument("--dpid", type=int)
    add.add_argument("--id-type", choices=ID_TYPES)
    add.add_argument("--inbound-id-type")
    add.add_argument("--owner", choices=("self", "other"))
    add.add_argument("--access-mapping", action="store_true", help="of others, who let us feed its traits")
    add.add_argument("--profile-days", type=int, default=720, metavar="DAYS", help="kept without activity (720)")
    add.add_argument("--id-attribute")
    add.add_argument("--id-placement")
    add.add_argument("--case-insensitive", action="store_true", help="ids that differ by case only are one person's")
    add.add_argument("--error-sampling", action="store_true", help=_SAMPLING)
    add.add_argument("--phone-country", metavar="CC", help=_PHONE_COUNTRY)
    add.add_argument("--threshold", metavar="PERCENT", help=_THRESHOLD)
    add.add_argument("--drift", metavar="PERCENT", help=_DRIFT)
    add.add_argument("--recipients", metavar="MAILS", help=_RECIPIENTS)
    add.add_argument("--notify-on", metavar="EVENTS|off", help=_NOTIFY_ON)
    _set_options(command(commands, "set", "Change a source; what is not given stays.", _source_set))
    listing = command(commands, "list", "List sources.", _source_list, sources_text)
    listing.add_argument("--all", action="store_true", help="archived ones too")
    archive = command(commands, "archive", "Hide a source; its profiles stay.", _source_archive)
    archive.add_argument("name")
    restored = command(commands, "restore", "Bring a source back from the archive.", _source_restore)
    restored.add_argument("name")


def _set_options(change: Any) -> None:
    change.add_argument("name")
    change.add_argument("--name", dest="new_name", metavar="NEW")
    change.add_argument("--description")
    change.add_argument("--phone-country", metavar="CC|off", help=_PHONE_COUNTRY)
    change.add_argument("--threshold", metavar="PERCENT|off", help=_THRESHOLD)
    change.add_argument("--drift", metavar="PERCENT|off", help=_DRIFT)
    change.add_argument("--recipients", metavar="MAILS|off", help=_RECIPIENTS)
    change.add_argument("--notify-on", metavar="EVENTS|off", help=_NOTIFY_ON)
    change.add_argument("--load-signals", choices=("on", OFF), help=_LOAD_SIGNALS)
    change.add_argument("--error-sampling", choices=("on", OFF), help=_SAMPLING)
    change.add_argument("--case-sensitive", choices=("on", OFF), help="whether case tells ids apart on the site")
    change.add_argument("--kind", choices=("customer", "data_source"), help=_ONCE)
    change.add_argument("--dpid", type=int, help=_ONCE)
    change.add_argument("--id-type", choices=(*ID_TYPES, OFF), help=_ONCE)
    change.add_argument("--inbound-id-type", metavar="T|off", help=_ONCE)
    change.add_argument("--owner", choices=("self", "other"))
    change.add_argument("--access-mapping", choices=("on", OFF), help="of others, who let us feed its traits")
    change.add_argument("--profile-days", type=int, metavar="DAYS", help="kept without activity; counts at once")
    change.add_argument("--id-attribute", metavar="A|off", help="the attribute that holds the ids of customers")
    change.add_argument("--id-placement", metavar="T|off", help="where on the site the ids stand")


def _source_add(workspace: Workspace, args: argparse.Namespace) -> Any:
    with workspace.engine.session() as session:
        check_id_attribute(session, args.id_attribute)
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
        settings=SourceSettings(
            phone_country=args.phone_country,
            threshold_percent=_percent(args.threshold, "threshold"),
            drift_percent=_percent(args.drift, "drift"),
            recipients=_addresses(args.recipients),
            notify_on=EVENTS if args.notify_on is None else _events(args.notify_on),
            access_mapping=args.access_mapping,
            profile_days=_days(args.profile_days),
            is_case_sensitive=not args.case_insensitive,
            sampling_until=sampling_until() if args.error_sampling else None,
        ),
    )
    return source_json(source)


def _days(days: int) -> int:
    if not 30 <= days <= 1800:
        raise InputError(
            "Profiles are kept 30 to 1,800 days. Nothing was created.", code="bad_days", hint="The usual number is 720."
        )
    return days


def _source_set(workspace: Workspace, args: argparse.Namespace) -> Any:
    changed = _settings_given(args)
    given = {name: getattr(args, name) for name in FIELDS if getattr(args, name) is not None}
    fields = {name: None if value == OFF else value for name, value in given.items()}
    if not changed and not fields and args.description is None and args.new_name is None:
        raise InputError(
            "There is nothing to set. Nothing was changed.", code="usage", hint="Such as: source set CRM --drift 40"
        )
    source = workspace.sources.get(args.name)
    done = workspace.audience.source_editing.change(
        source.source_id, name=args.new_name, description=args.description, settings=changed, fields=fields
    )
    effect = {"effect": done.effect.model_dump()} if args.profile_days is not None else {}
    return source_json(done.source) | effect


def _settings_given(args: argparse.Namespace) -> dict[str, object]:
    changed: dict[str, object] = {}
    if args.drift is not None:
        changed["drift_percent"] = _percent(args.drift, "drift")
    if args.threshold is not None:
        changed["threshold_percent"] = _percent(args.threshold, "threshold")
    if args.phone_country is not None:
        changed["phone_country"] = None if args.phone_country == OFF else args.phone_country
    if args.recipients is not None:
        changed["recipients"] = _addresses(args.recipients)
    if args.notify_on is not None:
        changed["notify_on"] = _events(args.notify_on)
    if args.error_sampling is not None:
        changed["sampling_until"] = None if args.error_sampling == OFF else sampling_until()
    if args.load_signals is not None:
        changed["load_signals"] = args.load_signals != OFF
    if args.case_sensitive is not None:
        changed["is_case_sensitive"] = args.case_sensitive != OFF
    if args.access_mapping is not None:
        changed["access_mapping"] = args.access_mapping != OFF
    if args.profile_days is not None:
        changed["profile_days"] = args.profile_days
    return changed


def _addresses(text: str | None) -> tuple[str, ...]:
    """Addresses with commas between them; none for "off"."""
    return () if text in (None, OFF) else tuple(part for part in text.split(",") if part.strip())


def _events(text: str) -> tuple[Told, ...]:
    """Events with commas between them; none for "off". InputError ``bad_event``."""
    given = [] if text == OFF else [part.strip() for part in text.split(",") if part.strip()]
    if unknown := set(given) - set(EVENTS):
        raise InputError(
            "People can be told of start, processing and end. Nothing was changed.",
            code="bad_event",
            hint="Such as start,end",
            facts={"unknown": len(unknown)},
        )
    return tuple(event for event in EVENTS if event in given)


def _percent(text: str | None, what: str) -> float | None:
    """A percentage as it is written on a command line, None for "off". InputError ``bad_threshold``, ``bad_drift``."""
    if text in (None, OFF):
        return None
    with contextlib.suppress(ValueError):
        if 0 <= (number := float(text)) <= 100:
            return number
    raise InputError(
        f"The {what} is a percentage from 0 to 100. Nothing was changed.", code=f"bad_{what}", hint="Such as 2.5"
    )


def _source_list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [source_json(source) for source in workspace.sources.list(include_archived=args.all)]


def _source_archive(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.name)
    workspace.sources.archive(source.source_id)
    return source_json(workspace.sources.get(source.source_id))


def _source_restore(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.name)
    workspace.sources.archive(source.source_id, is_archived=False)
    return source_json(workspace.sources.get(source.source_id))


def source_json(source: Source) -> dict[str, Any]:
    """A source as the contract prints it."""
    shown = source.model_dump(mode="json", exclude={"source_id", "settings"})
    return {**shown, "settings": source.settings.model_dump(mode="json")}
