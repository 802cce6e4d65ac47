"""What a person orders, and what is known of a delivery afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from ingest_core.files.table_file import Form
from ingest_core.models import Model

Kind = Literal["segment", "upload", "rejects", "file"]
Scope = Literal["full", "changed"]
State = Literal["waiting", "running", "delivered", "failed"]

PROFILE_ID = "profile_id"
CHANGE = "change"
ADDED, CHANGED, REMOVED = "added", "changed", "removed"

OF_PEOPLE: tuple[Kind, ...] = ("segment", "upload")
STATES: tuple[State, ...] = ("waiting", "running", "delivered", "failed")

NAME_TEMPLATE = "{name}_{scope}_{date}_{time}"


class Column(Model):
    """One column of the file: its name there, the attribute (or ``profile_id``) and the recipe it is written by."""

    name: str
    attribute: str
    recipe: str = "plain"


class Order(Model):
    """Everything chosen for one delivery.

    ``object``: the segment's name, the Request ID, or the name of the file. No ``columns``: all that somebody has,
    personal data hashed or left out. ``key``: the column by which the receiver knows a row. ``scope`` *changed*: what
    changed since the last delivery of the same selection and columns to this destination. ``is_plain``: personal data
    may go out as it is, for the ``reason`` given. ``keeps_name``: ``file_name`` is the whole name of a plain file, to
    which nothing is added.
    """

    kind: Kind
    object: str
    destination: str
    destination_id: int | None = None  # of the destination, whatever it is called later
    columns: tuple[Column, ...] = ()
    key: str | None = None
    scope: Scope = "full"
    form: Form = "tsv"
    gzip: bool = False
    pgp: tuple[str, ...] = ()  # names of OpenPGP keys whose owners can open the file
    file_name: str = Field(NAME_TEMPLATE, max_length=200)
    keeps_name: bool = False
    control_file: bool = True
    is_plain: bool = False
    reason: str | None = None
    notify: tuple[str, ...] = ()  # addresses that are told when it fails


class Delivery(Model):
    """One delivery as it stands. ``people`` are the rows of the file, ``removed`` those only named in it.

    ``without_key`` and ``same_key`` count people who are not in the file because the key column is empty, or the same
    as an earlier person's; ``flattened`` counts cells in which a tab or line break became a space.
    """

    delivery_no: int
    delivery_id: str
    order: Order
    label: str
    requested_by: str
    status: State
    created_at: datetime
    attempts: int = 0
    due_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    prepared_at: datetime | None = None
    tried_at: datetime | None = None
    again_of: str | None = None
    error: dict[str, object] | None = None
    file: str | None = None
    location: str | None = None
    control_file: str | None = None
    bytes: int | None = None
    lines: int | None = None
    people: int | None = None
    added: int | None = None
    changed: int | None = None
    removed: int | None = None
    without_key: int | None = None
    same_key: int | None = None
    flattened: int | None = None
    md5: str | None = None
    sha256: str | None = None
    object_id: str = Field("", exclude=True)
    channel: str | None = Field(None, exclude=True)
    landing: str | None = Field(None, exclude=True)

    @property
    def has_nothing_new(self) -> bool:
        """Nothing had changed, so no file was sent."""
        return self.status == "delivered" and self.file is None
