"""The workspace of the pictures: sample data, a few weeks of a made-up shop, something unfinished everywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from docs.screens_outside import prepare_outside
from ingest_core.catalog import parse_mapping
from ingest_core.explore.notebooks import Cell
from ingest_core.files import PathSource
from ingest_core.models import Mapping, Options, Source, SourceSettings
from ingest_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"crmid": "cust_id", "email": "email_addr", "phone": "mobile", "first_name": "fname", "birth_date": "dob"}
SEGMENTS = (
    ("BIG_SPENDERS", {"attribute": "AMOUNT", "operator": "at least", "value": 400}, "Worth a call", ["vip"]),
    ("SEEN_THIS_YEAR", {"attribute": "LAST_PURCHASE", "operator": "since", "value": "2026-01-01"}, "", ["newsletter"]),
    ("SHOP_VISITORS", {"source": "Store visits"}, "Everybody who came to the shop", ["shop"]),
    (
        "VISITORS_TO_WIN_BACK",
        {
            "all": [
                {"segment": "SHOP_VISITORS"},
                {"not": {"segment": "SEEN_THIS_YEAR"}},
                {"any": [
                    {"attribute": "AMOUNT", "operator": "greater", "value": 150},
                    {"attribute": "CROSS_SELL_PRODUCT", "operator": "contains", "value": "travel"},
                ]},
            ]
        },
        "Bought once, not since",
        ["shop", "win-back"],
    ),
)  # fmt: skip
QUERIES = (
    "SELECT country, count(*) AS people FROM profiles GROUP BY country ORDER BY people DESC",
    "SELECT source, sum(stored) AS stored, sum(rejected) AS rejected FROM uploads GROUP BY source",
)


def prepare(home: Path, folder: Path) -> dict[str, str]:
    """Fills a new workspace; returns the ids that pictures open."""
    mapping = parse_mapping((ROOT / "samples" / "customers.mapping.json").read_text("utf-8"))
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.load_sample_data()
        visits = workspace.sources.get("Store visits")
        for week, rows in enumerate((1_400, 1_650, 1_500, 3_000)):
            file = PathSource(sample(folder / f"visits_week_{week + 41}.tsv", rows=rows, seed=20 + week))
            options = Options(segment="create:NOVEMBER_VISITORS") if week == 3 else Options()
            workspace.loads.load(workspace.plan(file, visits, mapping, options))
        leads = workspace.sources.add("Call centre leads", description="Weekly, from the agency")
        made = {"source": str(visits.source_id), **_drafts(workspace, leads, leads_file(folder))}
        made |= {"result": str(workspace.history.list(source="Store visits", limit=1)[0].request_id)}
        made["held"] = _held(workspace, visits, mapping, folder)
        for name, rule, description, tags in SEGMENTS:
            workspace.segments.add(name, rule, description, tags=tags)
        made["segment"] = str(workspace.segments.show("VISITORS_TO_WIN_BACK")["segment_id"])
        notebook = workspace.explore.notebooks.create("Who are they?", "profiles", [Cell(sql=text) for text in QUERIES])
        made["notebook"] = notebook.notebook_id
        made["profile"] = workspace.profiles.show("crmid", "0001204711")["profile_id"]
        made |= prepare_outside(workspace, folder, sample(folder / "visits_week_46.tsv", rows=900, seed=31))
    return made


def sample(path: Path, *, rows: int, seed: int) -> Path:
    """A file of invented people."""
    script = [sys.executable, str(ROOT / "samples" / "make_sample.py")]
    arguments = ["--rows", str(rows), "--seed", str(seed), "--dirt", "0.02", "--out", str(path)]
    subprocess.run([*script, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return path


def leads_file(folder: Path) -> Path:
    """A file of invented people with other column names and dates that can be read both ways."""
    made = sample(folder / "made.tsv", rows=20_000, seed=11)
    lines = made.read_text("utf-8").split("\n")
    header = lines[0].split("\t")
    born = header.index("birth_date")
    path = folder / "call_centre_leads.tsv"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write("\t".join(NAMES.get(name, name) for name in header) + "\n")
        for line in lines[1:]:
            cells = line.split("\t")
            if len(cells) == len(header) and cells[born].count("-") == 2:
                year, month, day = cells[born].split("-")
                cells[born] = f"{int(day) % 12 + 1:02}/{month}/{year}"
            out.write("\t".join(cells) + "\n")
    return path


def _drafts(workspace: Workspace, source: Source, path: Path) -> dict[str, str]:
    """Ingests under way: without a file, with an open question, ready to load."""
    file = PathSource(path)
    suggested = workspace.suggest(workspace.inspect(file, source), source)
    answered = [
        column.model_copy(update={"format": "DD/MM/YYYY"}) if column.column == "dob" else column
        for column in suggested.columns
    ]
    state = {"header": [column.column for column in suggested.columns]}
    names = {"open_draft": {}, "ready_draft": {"columns": [one.model_dump() for one in answered], **state}}
    made = {}
    for name, more in names.items():
        writer = workspace.landing.create(path.name, file.size)
        writer.write(path.read_bytes())
        made[name] = workspace.drafts.create(source.source_id)
        workspace.drafts.save(made[name], {"landing_id": writer.finish(), "file": path.name, "size": file.size, **more})
    return {**made, "empty_draft": workspace.drafts.create(source.source_id)}


def _held(workspace: Workspace, source: Source, mapping: Mapping, folder: Path) -> str:
    """A file so unlike the former ones that it waits for a person."""
    workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=30))
    data = without_mail(sample(folder / "visits_week_45.tsv", rows=400, seed=77))
    writer = workspace.landing.create("visits_week_45.tsv", len(data))
    writer.write(data)
    held = workspace.jobs.submit(
        writer.finish(), workspace.sources.get(source.source_id), mapping, Options(), idempotency_key="held"
    )
    workspace.jobs.run_waiting()
    return held


def without_mail(path: Path) -> bytes:
    """The file as a broken export has it: two of three people without an e-mail address."""
    header, *lines = path.read_text("utf-8").split("\n")
    mail = header.split("\t").index("email")
    rows = [line.split("\t") for line in lines]
    for i, cells in enumerate(rows):
        if i % 3 and len(cells) > mail:
            cells[mail] = ""
    return "\n".join([header, *("\t".join(cells) for cells in rows)]).encode()
