"""Baskets of files before they are sent: judged, put right, named, processed here or sent.

They are the baskets of ``received``. What a look at one said is kept in memory until its files, or what the workspace
knows, are others: so a page that is drawn again, or in another window, works nothing out twice.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from ingest_core.audience_manager.batches import fingerprint
from ingest_core.audience_manager.fixing import Fixed, fix
from ingest_core.audience_manager.name_types import NameProblem
from ingest_core.audience_manager.names import parse_base
from ingest_core.audience_manager.naming import Wanted, guess, joining, suggested, tail_of
from ingest_core.audience_manager.outbound.outbound import Outbound
from ingest_core.audience_manager.preflight import Preflight, timestamp_is_used
from ingest_core.audience_manager.received import Received, ReceivedFile, ReceivedFiles
from ingest_core.audience_manager.registered import Registered
from ingest_core.audience_manager.sending import Sending, key_of, place_given
from ingest_core.audience_manager.splitting import IntoZone, SplitPart, split_file
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import StateError
from ingest_core.models import ByteSource, Progress
from ingest_core.vault import LandingZone

KEPT = 16
"""Looks that are kept in memory."""

Gate = Callable[[], AbstractContextManager[None]]

KNOWN = """
SELECT (SELECT coalesce(bit_xor(hash(t)), 0) FROM am_trait AS t),
       (SELECT coalesce(bit_xor(hash(batch_no, undone_at)), 0) FROM am_batch)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What was said of a basket. ``place``: the folder that was judged, or empty; ``hashes``: SHA-256 by name."""

    found: Preflight
    place: str
    hashes: dict[str, str]


class Preflights:
    """Pre-flights of one workspace."""

    def __init__(
        self, engine: Engine, landing: LandingZone, received: ReceivedFiles, outbound: Outbound, sending: Sending
    ) -> None:
        self._engine = engine
        self._landing = landing
        self._received = received
        self._outbound = outbound
        self.sending = sending
        self._kept: OrderedDict[object, Look] = OrderedDict()
        self._turn = threading.Lock()

    def look(
        self, held: Received, registered: Registered, place: str = "", progress: Progress = ignore_progress,
        gate: Gate = nullcontext,
    ) -> Look:  # fmt: skip
        """What would become of the files if they were sent now. ``place``: as of ``place_given``.

        ``gate``: held while the files are processed as a dry run, for a caller who does not want to wait.
        """
        with self._turn:
            at = now()
            folder = place_given(place, at)
            mark = self._mark(held, registered, folder)
            if (known := self._kept.get(mark)) is None:
                keys = {file.name: key_of(folder, file.name) for file in held.files} if folder else {}
                sources = self._received.sources(held)
                with gate():
                    found = self._outbound.preflight(sources, at, keys=keys, progress=progress)
                self._kept[mark] = known = Look(found, folder, {one.name: fingerprint(one) for one in sources})
            self._kept.move_to_end(mark)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return known

    def fix(self, inbound_id: str, landing_id: str, progress: Progress = ignore_progress) -> Fixed:
        """Writes a file again without what can be put right; the new one takes its place in the basket.

        StateError ``batch_begun``, ``file_replaced``; InputError and FileError of ``fixing.fix``.
        """
        file = self._received.file(self._chosen(inbound_id), landing_id)
        writer = self._landing.create(file.name)
        try:
            made = fix(self._received.source(file), writer.write, progress)
            size = writer.offset
            writer.finish()
            new = file.model_copy(
                update={"landing_id": writer.landing_id, "size": size, "earlier": file.before("fixed", made.changes)}
            )
            self._received.replace(inbound_id, landing_id, [new])
        except BaseException:
            self._landing.delete(writer.landing_id)
            raise
        return made

    def split(
        self, inbound_id: str, landing_id: str, most: int | None = None, progress: Progress = ignore_progress
    ) -> tuple[SplitPart, ...]:
        """Puts the parts of a file in its place in the basket. ``most``: bytes of one, as ``split_file`` has it.

        StateError ``batch_begun``, ``file_replaced``; InputError ``name_in_batch`` and those of ``split_file``.
        """
        file = self._received.file(self._chosen(inbound_id), landing_id)
        target = IntoZone(self._landing)
        parts = split_file(self._received.source(file), target, most=most, progress=progress)
        made = [
            ReceivedFile(landing_id=part.kept, name=part.name, size=part.size, earlier=file.before("split"))
            for part in parts
        ]
        try:
            self._received.replace(inbound_id, landing_id, made)
        except BaseException:
            for part in parts:
                self._landing.delete(part.kept)
            raise
        return parts

    def guess(self, file: ReceivedFile, registered: Registered) -> Wanted:
        """What a better name of a file would say, from the one it has."""
        return guess(file.name, registered)

    def name(self, held: Received, file: ReceivedFile, wanted: Wanted) -> str:
        """A better name of a file of a basket; as ``name_of``."""
        others = [one.name for one in held.files if one.landing_id != file.landing_id]
        return self.name_of(self._received.source(file), others, wanted)

    def name_of(self, source: ByteSource, others: Collection[str], wanted: Wanted) -> str:
        """A name that says what is wanted, of now; a part gets the time of the ``others`` of its file.

        InputError as ``naming.suggested``.
        """
        tail = tail_of(source)
        if (joined := joining(wanted, tail, others)) is not None:
            return joined
        return suggested(wanted, tail, now(), lambda name: name in others or self._is_used(name))

    def _is_used(self, name: str) -> bool:
        read = parse_base(name)
        assert not isinstance(read, NameProblem)
        with self._engine.session() as session:
            is_there = session.value("SELECT count(*) > 0 FROM am_file WHERE name = ?", [name])
            return bool(is_there) or timestamp_is_used(session, name, read.timestamp)

    def _chosen(self, inbound_id: str) -> Received:
        held = self._received.get(inbound_id)
        if held.state != "chosen":
            raise StateError(
                "These files are being processed already. Nothing was changed.",
                code="batch_begun",
                hint="Send the other files as a batch of their own.",
            )
        return held

    def _mark(self, held: Received, registered: Registered, folder: str) -> object:
        files = tuple((file.landing_id, file.name) for file in held.files)
        with self._engine.session() as session:
            state = session.row(KNOWN)
        return files, folder, now().date(), repr(sorted(registered.sources.items())), state
