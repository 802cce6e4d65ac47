"""destination: named places that files are fetched from or left at."""

from __future__ import annotations

import argparse
from typing import Any, get_args

from ingest_core.catalog.destinations import Destination, place_from
from ingest_core.catalog.trials import Trial
from ingest_core.cli.caller import STDIN, value_given, variable_given
from ingest_core.cli.files_given import text_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text, table, visible
from ingest_core.errors import InputError
from ingest_core.transport.places import Secrets
from ingest_core.transport.presets import By, Environment, fields_of
from ingest_core.workspace import Workspace

_FIELDS = (
    "path", "bucket", "prefix", "endpoint", "region", "access_key", "addressing", "encryption", "kms_key", "acl",
    "host", "port", "user", "folder", "host_key",
)  # fmt: skip
_SECRETS = tuple(Secrets.model_fields)


def add_commands(parsers: Any) -> None:
    """Registers the commands about destinations."""
    ours = group(parsers, "destination", "Places that files are fetched from or left at.")
    add = command(ours, "add", "Create a destination; nobody connects yet.", _add, show_text)
    add.add_argument("name")
    what = add.add_mutually_exclusive_group(required=True)
    what.add_argument("--kind", choices=("folder", "s3", "sftp", "ftps", "ftp"))
    what.add_argument("--preset", choices=get_args(Environment), help="Audience Manager's place for inbound files")
    add.add_argument("--by", choices=get_args(By), default="s3", help="with --preset (s3)")
    add.add_argument("--partner", default="", metavar="NAME", help="with --preset: your company's folder there")
    change = command(ours, "set", "Change a destination; what is not given stays.", _set, show_text)
    change.add_argument("name")
    change.add_argument("--name", dest="new_name", metavar="NEW", help="another name")
    for parser in (add, change):
        _describe(parser)
    change.add_argument("--forget", action="append", choices=_SECRETS, default=[], help="a secret that goes")
    command(ours, "list", "List destinations.", _list, list_text)
    show = command(ours, "show", "Print a destination, without its secrets.", _show, show_text)
    test = command(ours, "test", "Connect, list, leave a small file, delete it.", _test, trial_text)
    trust = command(ours, "trust", "Pin the host key of an SFTP server.", _trust, show_text)
    remove = command(ours, "remove", "Take a destination away, its secrets for good.", _remove)
    for parser in (show, test, trust, remove):
        parser.add_argument("name")
    trust.add_argument("--host-key", required=True, metavar="KEY", help="type SHA256:fingerprint, as test shows it")


def _describe(parser: Any) -> None:
    parser.add_argument("--path", help="folder: the whole path")
    parser.add_argument("--bucket")
    parser.add_argument("--prefix", help="s3: the part of the bucket that is used")
    parser.add_argument("--endpoint", metavar="URL", help="s3: https://host of a server that is not Amazon's")
    parser.add_argument("--region")
    parser.add_argument("--access-key", metavar="ID", help="s3: the id; its secret is a --secret")
    parser.add_argument("--addressing", choices=("auto", "path", "virtual"))
    parser.add_argument("--encryption", choices=("AES256", "aws:kms", "none"), help="s3: at rest, by the server")
    parser.add_argument("--kms-key", metavar="ID")
    parser.add_argument("--acl", metavar="ACL", help="s3: such as bucket-owner-full-control; none: the bucket's")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--user")
    parser.add_argument("--folder", help="sftp, ftps, ftp: where to start")
    parser.add_argument("--host-key", metavar="KEY", help="sftp: type SHA256:fingerprint")
    parser.add_argument("--certificate", metavar="FILE.pem", help="trust this instead of the system's authorities")
    parser.add_argument("--plain", action="store_true", default=None, help="allow a connection without encryption")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME=WHERE",
        help=f"{', '.join(_SECRETS)}; WHERE is env:VARIABLE, file:PATH, or - for standard input",
    )


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The fields that are given; ``none`` takes one away."""
    given = {name: value for name in _FIELDS if (value := getattr(args, name)) is not None}
    fields: dict[str, Any] = {name: None if value == "none" else value for name, value in given.items()}
    if args.certificate is not None:
        fields["certificate"] = None if args.certificate == "none" else text_given(args.certificate)
    return fields | ({} if args.plain is None else {"plain": True})


def _secrets(given: list[str]) -> Secrets:
    """Secrets by where they are: on the command line, other users of the machine would see them."""
    found: dict[str, str] = {}
    for one in given:
        name, _, where = one.partition("=")
        if name not in _SECRETS or name in found:
            raise _bad_secret(f"There is no such secret, or it is given twice. It is one of: {', '.join(_SECRETS)}.")
        found[name] = secret_at(where)
    return Secrets.model_validate(found)


def secret_at(where: str) -> str:
    """A secret by where it is. InputError ``bad_secret``."""
    kind, _, rest = where.partition(":")
    if where == STDIN:
        text: str | None = value_given(where)
    elif kind == "env":
        text = variable_given(rest)
    elif kind == "file":
        text = text_given(rest).removesuffix("\n")
    else:
        raise _bad_secret("A secret is never given itself, only where it is.")
    if not text:
        raise _bad_secret("The secret is not there, or empty.")
    return text


def _bad_secret(message: str) -> InputError:
    return InputError(
        f"{message} Nothing was changed.",
        code="bad_secret",
        hint="Such as --secret password=env:SFTP_PASSWORD, --secret private_key=file:id_ed25519 or --secret password=-",
    )


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    fields = {name: value for name, value in _given(args).items() if value is not None}
    kind = {"kind": args.kind} if args.preset is None else fields_of(args.preset, args.by, args.partner)
    if args.preset is None and args.partner:
        raise InputError(
            "A partner belongs to a preset. Nothing was created.", code="usage", hint="Add --preset production"
        )
    place = place_from({**kind, **fields})
    return destination_json(workspace.destinations.add(args.name, place, _secrets(args.secret)))


def _set(workspace: Workspace, args: argparse.Namespace) -> Any:
    kept, given, secrets = workspace.destinations.get(args.name), _given(args), _secrets(args.secret)
    if not given and not secrets.names() and not args.forget and args.new_name is None:
        raise InputError(
            "There is nothing to set. Nothing was changed.",
            code="usage",
            hint="Such as: destination set PARTNER --folder in",
        )
    fields = {name: value for name, value in (kept.place.model_dump() | given).items() if value is not None}
    changed = workspace.destinations.change(
        kept.destination_id, name=args.new_name, place=place_from(fields), secrets=secrets, forget=args.forget
    )
    return destination_json(changed)


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    return [destination_json(one) for one in workspace.destinations.list()]


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    return destination_json(workspace.destinations.get(args.name))


def _test(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.destinations.test(args.name)


def _trust(workspace: Workspace, args: argparse.Namespace) -> Any:
    return destination_json(workspace.destinations.trust(args.name, args.host_key))


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    kept = workspace.destinations.get(args.name)
    workspace.destinations.remove(kept.destination_id)
    return {"name": kept.name, "removed": True}


def destination_json(one: Destination) -> dict[str, Any]:
    """A destination as the contract prints it."""
    shown = one.model_dump(mode="json", exclude={"destination_id", "removed_at", "place"})
    return {**shown, "place": one.place.model_dump(mode="json", exclude_none=True)}


def where(one: dict[str, Any]) -> str:
    """Where a destination leads, in one line."""
    place = one["place"]
    if place["kind"] == "folder":
        return str(place["path"])
    if place["kind"] == "s3":
        return f"{place['bucket']}/{place['prefix']}" + (f" at {place['endpoint']}" if place.get("endpoint") else "")
    return f"{place['user']} at {place['host']}:{place['port']}/{place['folder'].lstrip('/')}"


def list_text(destinations: Any) -> str:
    """One destination a line."""
    words = {None: "not tested", True: "yes", False: "no"}
    rows = [
        {**one, "kind": one["place"]["kind"], "where": where(one), "works": words[one["is_working"]]}
        for one in destinations
    ]
    return table(rows, ("name", "kind", "where", "works"))


def show_text(one: Any) -> str:
    """What there is to say about a destination."""
    place = {name: value for name, value in one["place"].items() if name != "certificate" and value not in ("", False)}
    if "receiver" in place:
        receiver = place.pop("receiver")
        place = {**place, "environment": receiver["environment"], "partner": receiver["partner"]}
    port = {"port": str(place["port"])} if "port" in place else {}
    said = {**place, **port, "secrets": list(one["secrets"]), "tested_at": one["tested_at"], "works": one["is_working"]}
    return as_text({"name": one["name"], **said})


def trial_text(trial: Any) -> str:
    """One step a line; the host key to confirm, where that is what is missing."""
    trial = trial.model_dump() if isinstance(trial, Trial) else trial
    words = {True: "ok", False: "failed", None: "not tried"}
    lines = [
        f"{name}: {words[trial[name]['ok']]}" + (f". {trial[name]['message']}" if trial[name]["ok"] is not None else "")
        for name in ("connect", "list", "write", "delete")
    ]
    hints = [trial[name]["hint"] for name in ("connect", "list", "write", "delete") if trial[name]["hint"]]
    key = [f"The server's host key: {trial['host_key']}"] if trial["host_key"] else []
    return "\n".join(visible(line) for line in [*lines, *hints[:1], *key])
