"""More of the workspace of the pictures: files that come and go by themselves, and files of Audience Manager."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from ingest_core.arrivals.schedule import Rules
from ingest_core.audience_manager.outbound.build import Build
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.audience_manager.received import ReceivedFile
from ingest_core.clock import now
from ingest_core.deliveries.order import Order as Parcel
from ingest_core.errors import StateError
from ingest_core.files import PathSource
from ingest_core.models import SourceSettings
from ingest_core.transport.places import FolderPlace, SftpPlace
from ingest_core.workspace import Workspace

CRM_IDS = 478
TRAITS = {101: "Newsletter", 102: "Gold card", 103: "Visited the shop", 104: "Asked for a call"}


def prepare_outside(workspace: Workspace, folder: Path, file: Path) -> dict[str, str]:
    """Destinations, deliveries, a schedule with what came by it, batches of files; the ids that pictures open."""
    partner = folder / "partner"
    partner.mkdir()
    workspace.destinations.add("Partner's folder", FolderPlace(path=str(partner)))
    workspace.destinations.test("Partner's folder")
    workspace.destinations.add("Agency", SftpPlace(host="sftp.example.com", user="onramp", folder="in"))
    for name, scope in (("BIG_SPENDERS", "full"), ("SHOP_VISITORS", "full"), ("BIG_SPENDERS", "changed")):
        workspace.deliveries.deliver(
            Parcel.model_validate(
                {"kind": "segment", "object": name, "destination": "Partner's folder", "scope": scope}
            ),
            user="Asha Menon",
        )
    return _schedule(workspace, file) | _audience(workspace, folder)


def _schedule(workspace: Workspace, file: Path) -> dict[str, str]:
    """The inbox is looked at every morning; one file was taken, one has no name that fits, one waits to be whole."""
    source = workspace.sources.get("Store visits")
    workspace.sources.update(
        source.source_id, settings=source.settings.model_copy(update={"recipients": ("asha@example.com",)})
    )
    rules = Rules(place="inbox", pattern="visits_*.tsv", cron="30 6 * * MON-SAT", zone="Asia/Kolkata")
    made = workspace.arrivals.add(workspace.sources.get("Store visits"), rules)
    target = workspace.inbox.folder() / file.name
    target.write_bytes(file.read_bytes())
    for _ in range(3):  # seen, seen to be whole, loaded and put away
        workspace.arrivals.ask(made.schedule_id)
        workspace.arrivals.watch.turn(lambda: False)
        workspace.jobs.run_waiting()
    (workspace.inbox.folder() / "visits_week_47.tsv").write_bytes(file.read_bytes())
    return {"schedule": str(made.schedule_id)}


def _audience(workspace: Workspace, folder: Path) -> dict[str, str]:
    """Three days of files, some lines of which are wrong."""
    settings = SourceSettings(recipients=("asha@example.com",))
    workspace.sources.add("CRM ids", kind="data_source", dpid=CRM_IDS, id_type="cross_device", settings=settings)
    for trait, name in TRAITS.items():
        workspace.audience.traits.add(name, CRM_IDS, trait_id=trait)
    chance = random.Random(7)  # noqa: S311
    receipt = ""
    for day in range(6):
        lines = [
            f"C{chance.randrange(9_000):05}\td_sid={chance.choice(list(TRAITS))},visits={chance.randrange(9)}"
            for _ in range(900 - 60 * day)
        ]
        lines += ["no tab in this line", 'C00001\tname="open', "C00002\td_sid=none", "asha@example.com\td_sid=101"]
        at = now() - timedelta(days=5 - day)
        name = f"ftp_dpm_{CRM_IDS}_{1_795_000_000 + day}.{'overwrite' if day == 5 else 'sync'}"
        (folder / name).write_text("\n".join(lines) + "\n")
        report = workspace.audience.ingest([PathSource(folder / name, name)], BatchOptions(at))
        receipt = str(report.request_id)
    workspace.outbound.segments.add("Gold and active", "102T AND 103T", 9001)
    workspace.outbound.orders.add(
        Order(order_id=215, name="Partner", master=CRM_IDS, destination="Partner's folder", keep_days=None)
    )
    workspace.outbound.exports.run(215, "full", user="Asha Menon")
    _build(workspace)
    return {"receipt": receipt, "preflight": _preflight(workspace)}


def _build(workspace: Workspace) -> None:
    """One build that was sent, and one that waits for a second look."""
    common = {"id": {"attribute": "crmid"}, "dpid": CRM_IDS, "destination": "Partner's folder"}
    spent = {"attribute": "amount", "key": "spent"}
    builds = (
        {"name": "Big spenders, daily", "segment": "BIG_SPENDERS", "items": [{"trait": 102}, spent], "changed": True},
        {"name": "Everybody who came", "segment": "SHOP_VISITORS", "items": [{"trait": 103}], "mode": "overwrite",
         "look_above_rows": 1_000},
    )  # fmt: skip
    for one in builds:
        made = Build.model_validate({**common, **one})
        workspace.outbound.builds.keep(made)
        with suppress(StateError):  # the second one waits for somebody
            workspace.outbound.builds.run(made.name, is_full=False, confirmed=None, user="Asha Menon")


def _preflight(workspace: Workspace) -> str:
    """Files with mistakes, before they are sent."""
    held = workspace.received.begin()
    good = [f"C{number:05}\td_sid=101,visits={number % 9}" for number in range(800)]
    files = {
        f"ftp_dpm_{CRM_IDS}_1795100000.sync": [
            *(f"{line}\r" for line in good), "C00001\t\u201ctown\u201d=Pune,,d_sid=101", "asha@example.com\td_sid=101",
            "C00003 d_sid=102", "C00004\td_sid=999",
        ],
        f"ftp_dpm_{CRM_IDS}_1795100001.sync": good,
    }  # fmt: skip
    for name, lines in files.items():
        data = ("\n".join(lines) + "\n").encode()
        writer = workspace.landing.create(name, len(data))
        writer.write(data)
        file = ReceivedFile(landing_id=writer.finish(), name=name, size=len(data))
        workspace.received.add(held.inbound_id, file)
    return held.inbound_id
