"""The places that schedules may look at: every destination, and the workspace's inbox without setting up anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ingest_core.catalog.destinations import Destinations
from ingest_core.errors import InputError
from ingest_core.jobs.inbox import Inbox
from ingest_core.transport.connecting import connect
from ingest_core.transport.places import FolderPlace
from ingest_core.transport.port import Place

INBOX = "inbox"
"""Names the inbox, unless a destination has this name."""


class Doors(Protocol):
    """Where a schedule may look."""

    def names(self) -> list[str]:
        """All names, the inbox first."""

    def require(self, name: str) -> None:
        """InputError ``no_such_destination`` where there is none of this name."""

    def connect(self, name: str) -> Place:
        """The place, connected. InputError ``no_such_destination``; DeliveryError."""


@dataclass(frozen=True)
class WorkspaceDoors:
    """Those of a workspace."""

    destinations: Destinations
    inbox: Inbox

    def names(self) -> list[str]:
        named = [destination.name for destination in self.destinations.list()]
        return named if INBOX in (name.lower() for name in named) else [INBOX, *named]

    def require(self, name: str) -> None:
        if name.lower() != INBOX:
            self.destinations.get(name)

    def connect(self, name: str) -> Place:
        try:
            return self.destinations.connect(name)
        except InputError as error:
            if error.code != "no_such_destination" or name.lower() != INBOX:
                raise
        return connect(FolderPlace(path=str(self.inbox.folder())))
