"""A night: files arrive at four places, with everything that goes wrong with files, networks and processes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ingest_core.arrivals.schedule import Rules
from ingest_core.errors import OnrampError
from ingest_core.workspace import Workspace
from tests.clock.conftest import Wall
from tests.servers.proxy import Fault, Proxy
from tests.transport.sites import Site
from tests.workspaces import mapping_of

COLUMNS = {"crmid": "crmid", "email": "email", "city": "city"}
CITIES = ("Pune", "Goa", "Agra", "Kochi")
TAKING = [
    f"arrival: {point}:error"
    for point in ("look:before", "look:after", "take:fetched", "take:after", "submit:before", "submit:after")
]
SETTLING = [
    f"arrival: {point}:error"
    for point in ("follow:before", "follow:after", "settle:before", "settle:between", "settle:after")
]


@dataclass
class Sender:
    """Who leaves files at one place, in the order of their names; ``sent``: name → the bytes that are meant."""

    site: Site
    proxy: Proxy | None
    chance: random.Random
    count: int
    sent: dict[str, bytes] = field(default_factory=dict)
    rest: list[tuple[str, bytes]] = field(default_factory=list)
    copies: int = 0

    @property
    def source(self) -> str:
        return f"From {self.site.kind}"

    def make(self, rows: int) -> tuple[str, bytes]:
        number = len(self.sent)
        lines = [
            f"{self.site.kind}{number}-{row}\t{self.site.kind}{number}.{row}@example.in\t{self.chance.choice(CITIES)}"
            for row in range(rows)
        ]
        name, data = f"people_{number:03}.tsv", ("crmid\temail\tcity\n" + "\n".join(lines) + "\n").encode()
        self.sent[name] = data
        return name, data

    def leave_some(self) -> None:
        """One to seven files; some are half, some will be another one soon, some were there before."""
        for _ in range(min(self.chance.randint(1, 7), self.count - len(self.sent))):
            how = self.chance.random()
            name, data = self.make(self.chance.randint(2, 5))
            if how < 0.15:  # still being written
                self.site.write(name, data[: len(data) // 2])
                self.rest.append((name, data))
            elif how < 0.25:  # corrected by its sender before it was taken
                self.site.write(name, data)
                self.rest.append((name, data + b"late\tlate@example.in\tPune\n".replace(b"late", name[:10].encode())))
                self.sent[name] = self.rest[-1][1]
            else:
                self.site.write(name, data)
        if self.copies < 3 and (old := self._put_away()) and self.chance.random() < 0.25:
            self.copies += 1
            name = self.chance.choice(old)
            self.site.write(name, self.sent[name])

    def _put_away(self) -> list[str]:
        """Names of files that were loaded and moved."""
        there = set(self.site.files())
        return sorted(name for name in self.sent if f"done/{name}" in there and name not in there)

    def write_rest(self) -> None:
        """What was half is whole."""
        for name, data in self.rest:
            self.site.write(name, data)
        self.rest.clear()

    def trouble(self) -> None:
        """The next connections break, or not."""
        kind = self.site.kind
        if self.chance.random() < 0.6:
            return
        fault = Fault(self.chance.choice(["cut", "refuse"]), after=self.chance.randint(0, 400), times=1)
        if kind == "s3" and self.chance.random() < 0.5:
            self._change_under_way()
        elif kind in ("s3", "sftp") and self.proxy is not None:
            self.proxy.ask(fault)
        elif kind == "ftps":
            self.site.server.data_faults[:] = [Fault("cut", after=self.chance.randint(0, 60), times=1)]

    def _change_under_way(self) -> None:
        """Somebody replaces the object between the look and the get: the get has to notice."""
        left = [1]

        def change(environ: dict) -> None:
            name = environ["PATH_INFO"].rpartition("/")[2]
            if environ["REQUEST_METHOD"] == "GET" and name in self.sent and left[0]:
                left[0] = 0
                self.sent[name] += f"{name[:10]}x\t{name[:10]}x@example.in\tGoa\n".encode()
                self.site.write(name, self.sent[name])

        self.site.server.faults[:] = [change]

    def calm(self) -> None:
        if self.proxy is not None:
            self.proxy.ask()
        if self.site.kind == "ftps":
            self.site.server.data_faults.clear()
        if self.site.kind == "s3":
            self.site.server.faults.clear()


@dataclass
class Service:
    """The product, which may be killed and started again."""

    home: Path
    wall: Wall
    monkeypatch: object
    restarts: int = 0
    faults: int = 0
    open: Workspace | None = None

    def start(self) -> Workspace:
        if self.open is None:
            self.open = Workspace.open(self.home, user="asha", worker="app")
        return self.open

    def stop(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None
            self.restarts += 1

    def turn(self, seconds: float = 0, fault: str = "") -> None:
        """One turn of the round and of the queue; one that fails is the end of the process."""
        self.wall.step(seconds=seconds)
        opened = self.start()
        self.monkeypatch.setenv("ONRAMP_FAULT", fault)
        try:
            opened.arrivals.watch.turn(lambda: False)
            opened.jobs.run_waiting()
        except OnrampError:
            self.faults += 1
            self.monkeypatch.setenv("ONRAMP_FAULT", "")
            self.stop()
        finally:
            self.monkeypatch.setenv("ONRAMP_FAULT", "")


def prepare(service: Service, senders: list[Sender]) -> None:
    """A source, its mapping, its destination and its schedule for each sender."""
    opened = service.start()
    for sender in senders:
        source = opened.sources.add(sender.source)
        settings = source.settings.model_copy(update={"recipients": ("ops@example.com",)})
        opened.sources.update(source.source_id, settings=settings)
        opened.mappings.save(source, mapping_of(COLUMNS))
        port = sender.proxy.port if sender.proxy else None
        opened.destinations.add(sender.source, sender.site.at(port), sender.site.secrets)
        rules = Rules(place=sender.source, pattern="people_*.tsv", every_seconds=300)
        opened.arrivals.add(opened.sources.get(source.source_id), rules)


def proxied(sites: list[Site], stack: ExitStack) -> Iterator[tuple[Site, Proxy | None]]:
    """Between us and S3 and SFTP; FTP's own server breaks the connections on which bytes go."""
    for site in sites:
        yield site, stack.enter_context(Proxy(site.port)) if site.kind in ("s3", "sftp") and site.port else None


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()
