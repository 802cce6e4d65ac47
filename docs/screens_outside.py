"""More of the workspace of the pictures: files that come and go by themselves, and files of Audience Manager."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from ingest_core.arrivals.schedule import Rules
from ingest_core.audience_manager.outbound.orders import Order
from ingest_core.audience_manager.processing import BatchOptions
from ingest_core.clock import now
from ingest_core.deliveries.order import Order as Parcel
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
        Order(order_id=215, name="Partner", master=CRM_IDS, folder=str(folder / "partner"), keep_days=None)
    )
    workspace.outbound.exports.run(215, "full", user="Asha Menon")
    return {"receipt": receipt}
