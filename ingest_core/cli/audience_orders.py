"""am order: who receives trait and segment data, in which form, where."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, get_args

from pydantic import ValidationError

from ingest_core.audience_manager.outbound.orders import GB, Order, What, as_listed
from ingest_core.audience_manager.qualified import Scope
from ingest_core.cli.caller import path_given
from ingest_core.cli.parser import command
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace


def add_commands(order: Any) -> None:
    """Registers them in the group ``am order``."""
    add = command(order, "add", "Create an order.", _add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--id", type=int, required=True, metavar="N", help="stands in the names of its files")
    _options(add, is_new=True)
    _form(add, is_new=True)
    change = command(order, "change", "Change an order; what its receiver knows stays, where it can.", _change)
    change.add_argument("order", metavar="ORDER", help="id or name")
    change.add_argument("--name", metavar="NAME", default=argparse.SUPPRESS)
    _options(change, is_new=False)
    _form(change, is_new=False)
    command(order, "list", "List orders.", lambda workspace, _: as_listed(workspace.outbound.orders.list()))
    remove = command(order, "remove", "Remove an order; its receiver is told nothing more.", _remove)
    remove.add_argument("order", metavar="ORDER", help="id or name")


def _options(parser: argparse.ArgumentParser, *, is_new: bool) -> None:
    """What an order says; of a changed one what is not given stays."""

    def default(value: object) -> Any:
        return value if is_new else argparse.SUPPRESS

    unset = "" if is_new else "; none: no more"
    parser.add_argument(
        "--master", type=int, required=is_new, metavar="DPID", default=default(None),
        help="whose ids key the rows; 0: UUIDs",
    )  # fmt: skip
    to = parser.add_mutually_exclusive_group(required=is_new)
    to.add_argument("--to", metavar="DESTINATION", default=default(None))
    to.add_argument("--folder", metavar="DIR", default=default(None), help="a folder of this machine")
    parser.add_argument("--what", choices=get_args(What), default=default("segments"))
    parser.add_argument(
        "--item", type=_several(int), action="append", default=default([]), metavar="ID",
        help="only this one; may be repeated" + ("" if is_new else "; none: all"),
    )  # fmt: skip
    parser.add_argument(
        "--sync-type", choices=("ftp", "s3", "http"), default=default("ftp"), help="how names of files begin"
    )
    parser.add_argument("--pid", default=default(""), metavar="N")
    parser.add_argument("--alias", default=default(""), metavar="T", help="your account id at the receiver")
    parser.add_argument("--dpid", default=default(None), metavar="N", help=f"for templates that ask for it{unset}")
    parser.add_argument("--scope", choices=get_args(Scope), default=default("profile_only"))
    parser.add_argument(
        "--split", type=int, default=default(GB), metavar="BYTES", help="of plain text in one file (1 GB)"
    )
    parser.add_argument(
        "--keep-days", default=default("8"), metavar="N|none", help="its files are deleted there afterwards (8)"
    )
    parser.add_argument(
        "--label", type=_several(str), action="append", default=default([]), metavar="T",
        help=f"meets export controls; may be repeated{unset}",
    )  # fmt: skip


def _form(parser: argparse.ArgumentParser, *, is_new: bool) -> None:
    """How files and rows look."""
    for name, what in (
        ("--template", "of a row"),
        ("--header", "of the first line of each file"),
        ("--file-name", "template with <TIMESTAMP> and SPLITNUM"),
    ):
        parser.add_argument(name, default="" if is_new else argparse.SUPPRESS, metavar="T", help=what)
    for name, what in (("--seconds", "timestamps of 10 digits instead of 13"), ("--gzip", "pack the files")):
        action: Any = "store_true" if is_new else argparse.BooleanOptionalAction
        parser.add_argument(name, action=action, default=False if is_new else argparse.SUPPRESS, help=what)


def _several(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """One of several, or the word none, which stands for an empty list."""

    def read(text: str) -> Any:
        return None if text == "none" else kind(text)

    read.__name__ = "number" if kind is int else "text"
    return read


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", str),
    "id": ("order_id", int),
    "what": ("what", str),
    "item": ("items", lambda given: tuple(one for one in given if one is not None)),
    "master": ("master", int),
    "sync_type": ("sync_type", str),
    "pid": ("pid", str),
    "alias": ("pid_alias", str),
    "dpid": ("dpid", lambda given: None if given == "none" else given),
    "scope": ("scope", str),
    "template": ("content", str),
    "header": ("header", str),
    "file_name": ("file_name", str),
    "seconds": ("timestamp_digits", lambda given: 10 if given else 13),
    "gzip": ("gzip", bool),
    "split": ("split_bytes", int),
    "keep_days": ("keep_days", lambda given: None if given == "none" else given),
    "label": ("labels", lambda given: tuple(one for one in given if one is not None)),
}
"""Option → field of an order, and how it is read."""


def _given(workspace: Workspace, args: argparse.Namespace) -> dict[str, Any]:
    """The fields that the command line names."""
    values = vars(args)
    fields = {field: read(values[option]) for option, (field, read) in _FIELDS.items() if option in values}
    if values.get("to") is not None:
        fields |= {"destination": workspace.destinations.get(args.to).name, "folder": None}
    if values.get("folder") is not None:
        fields |= {"destination": None, "folder": str(path_given(args.folder).absolute())}
    return fields


def _order(fields: dict[str, Any]) -> Order:
    try:
        return Order.model_validate(fields)
    except ValidationError as error:
        names = ", ".join(sorted({str(one["loc"][0]).replace("_", "-") for one in error.errors() if one["loc"]}))
        raise InputError(
            f"This cannot be an order ({names}). Nothing was changed.", code="bad_order", hint="am order add --help"
        ) from None


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.orders.add(_order(_given(workspace, args)))


def _change(workspace: Workspace, args: argparse.Namespace) -> Any:
    old = workspace.outbound.orders.get(args.order)
    return workspace.outbound.orders.change(old.order_id, _order(old.model_dump() | _given(workspace, args)))


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    return workspace.outbound.orders.remove(args.order)
