"""Which kept files hold one of some ids: their bytes are read, whatever became of their lines.

A file that cannot be read to tell counts as one that does, and so does an id inside a longer text of other signs: too
many files go rather than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest_core.audience_manager.messages import Messages
from ingest_core.audience_manager.name_types import DataName, IdSyncName, Tail
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.wire import WireLimits, looks_like_pgp, text_chunks
from ingest_core.engine import Session
from ingest_core.errors import OnrampError
from ingest_core.models import ByteSource
from ingest_core.vault import LandingZone

_HEAD = 64
_GZIP = b"\x1f\x8b"

KEPT = "SELECT file_no, name, landing FROM am_kept JOIN (SELECT file_no, name FROM am_file) AS file USING (file_no)"


@dataclass(frozen=True)
class Search:
    """``ids``: namespace (DPID) → ids."""

    landing: LandingZone
    messages: Messages
    registered: Registered
    ids: Mapping[int, Sequence[str]]

    def holders(self, session: Session) -> dict[int, str]:
        """File number → landing id of the kept files that hold an id."""
        found = {}
        for file_no, name, landing_id in session.rows(KEPT):
            sought = self._sought(name)
            if sought and self.landing.has(landing_id) and self._holds(landing_id, sought):
                found[int(file_no)] = str(landing_id)
        return found

    def _sought(self, name: str) -> list[str]:
        """The ids that a file of this name could hold; all of them where its name does not say."""
        read = parse_base(name.rpartition("/")[2])
        every = [identifier for ids in self.ids.values() for identifier in ids]
        if isinstance(read, IdSyncName):
            spaces = {self.registered.profile_dpid(dpid) for dpid in read.columns} | set(read.columns)
        elif isinstance(read, DataName) and read.variant != "odc":
            spaces = {self.registered.profile_dpid(read.dpid)}
        else:
            return every
        return [identifier for space in spaces for identifier in self.ids.get(space, ())]

    def _holds(self, landing_id: str, sought: Sequence[str]) -> bool:
        try:
            source = self.landing.open(landing_id)
            return source.size > 0 and holds(text_chunks(*self._plain(source)), sought)
        except (OnrampError, OSError):
            return True

    def _plain(self, source: ByteSource) -> tuple[ByteSource, Tail]:
        """What is to be read, by its first bytes: the name may be wrong."""
        with source.open() as stream:
            head = stream.read(_HEAD)
        if head.startswith(_GZIP):
            return source, Tail(compression="gz")
        if looks_like_pgp(head):
            return self.messages.open(source, Tail(pgp="pgp"), WireLimits()), Tail()
        return source, Tail()


def holds(chunks: Iterable[bytes], ids: Sequence[str]) -> bool:
    """Whether a text holds one of the ids, not as a part of a longer word."""
    sought = [identifier.encode() for identifier in ids]
    words = [re.compile(rb"(?<![0-9A-Za-z])" + re.escape(one) + rb"(?![0-9A-Za-z])") for one in sought]
    longest = max((len(one) for one in sought), default=0)
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        if any(one in text and word.search(text) for one, word in zip(sought, words, strict=True)):
            return True
        rest = text[-(longest + 1) :]
    return False
