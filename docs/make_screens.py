"""Makes the pictures of docs/screens from a fresh workspace with the sample data. Needs what the browser tests need.

    python docs/make_screens.py [ingest] [trust]

Without a word it makes all of them. Nothing of the pictures is painted: it is the app, with the sample data and a few
files of invented people.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "screens"
LARGEST = 150_000  # bytes of one picture
NAMES = {"crmid": "cust_id", "email": "email_addr", "phone": "mobile", "first_name": "fname", "birth_date": "dob"}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@contextmanager
def server(home: Path) -> Iterator[str]:
    """The address of the app on its own folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "ONRAMP_HOME": str(home), "ONRAMP_USER": "Asha Menon"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{address}/api/health", timeout=2)  # noqa: S310
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def sample(path: Path, *, rows: int, seed: int) -> Path:
    """A file of invented people."""
    script = [sys.executable, str(ROOT / "samples" / "make_sample.py")]
    arguments = ["--rows", str(rows), "--seed", str(seed), "--dirt", "0.02", "--out", str(path)]
    subprocess.run([*script, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return path


def leads(folder: Path) -> Path:
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


def settle(page: Page) -> None:
    """Waits until the script has run and charts are drawn."""
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(1500)


def take(page: Page, name: str) -> None:
    """Saves what is seen, in few colours."""
    settle(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = OUT / f"{name}.png"
    for colours in (256, 128, 64):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def opened(browser: Browser, scheme: str = "light", width: int = 1440, height: int = 900) -> Page:
    """A page in its own context."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def walk(browser: Browser, address: str, file: Path) -> None:
    """The way of one file, with a picture of each place."""
    page = opened(browser)
    page.goto(address)
    take(page, "empty")
    page.get_by_role("button", name="Load sample data").click()
    page.get_by_role("button", name="New source").wait_for()
    page.get_by_role("button", name="New source").click()
    page.get_by_label("Name").fill("Call centre leads")
    page.get_by_text("This name is free.").wait_for()
    take(page, "new_source")
    page.get_by_role("button", name="Create source").click()
    page.get_by_role("heading", name="Call centre leads").wait_for()
    page.get_by_role("button", name="Ingest").first.click()
    page.get_by_role("heading", name="Choose a file").wait_for()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("What the columns hold").wait_for()
    take(page, "check")
    page.get_by_role("button", name="Continue to match").click()
    page.get_by_text("Decide: dob").wait_for()
    take(page, "match")
    finish(browser, page, address)


def finish(browser: Browser, page: Page, address: str) -> None:
    """From the open question to the result, and what it looks like elsewhere."""
    page.get_by_text("Day/month/year").first.click()
    settle(page)
    page.get_by_role("button", name="Use this").click()
    settle(page)
    page.get_by_role("button", name="Continue to options").click()
    page.get_by_role("heading", name="Options").wait_for()
    settle(page)
    page.get_by_role("button", name="Continue to run").click()
    page.get_by_role("button", name="Load ").wait_for()
    take(page, "run")
    page.get_by_role("button", name="Load ").click()
    page.get_by_text("Where the rows went").wait_for()
    take(page, "result")
    result = page.url
    page.goto(f"{address}/history")
    take(page, "history")
    page.goto(address)
    take(page, "sources")
    dark = opened(browser, "dark")
    dark.goto(result)
    take(dark, "result_dark")
    phone = opened(browser, width=390, height=844)
    phone.goto(result)
    take(phone, "result_phone")


def visits(home: Path, folder: Path) -> tuple[str, str]:
    """A workspace with an upload to look at and one that waits for approval; returns their Request IDs."""
    from ingest_core.catalog import parse_mapping
    from ingest_core.files import PathSource
    from ingest_core.models import Options, SourceSettings
    from ingest_core.workspace import Workspace

    mapping = parse_mapping((ROOT / "samples" / "customers.mapping.json").read_text("utf-8"))
    with Workspace.open(home, user="Asha Menon") as workspace:
        workspace.load_sample_data()
        source = workspace.sources.get("Store visits")
        usual = PathSource(sample(folder / "visits_november.tsv", rows=3_000, seed=11))
        chosen = Options(segment="create:NOVEMBER_VISITORS")
        loaded = workspace.loads.load(workspace.plan(usual, source, mapping, chosen))
        source = workspace.sources.update(source.source_id, settings=SourceSettings(drift_percent=30))
        data = without_mail(sample(folder / "visits_december.tsv", rows=400, seed=77))
        writer = workspace.landing.create("visits_december.tsv", len(data))
        writer.write(data)
        held = workspace.jobs.submit(writer.finish(), source, mapping, Options(), idempotency_key="held")
        workspace.jobs.run_waiting()
    return str(loaded.request_id), held


def without_mail(path: Path) -> bytes:
    """The file as a broken export has it: two of three people without an e-mail address."""
    header, *lines = path.read_text("utf-8").split("\n")
    mail = header.split("\t").index("email")
    rows = [line.split("\t") for line in lines]
    for i, cells in enumerate(rows):
        if i % 3 and len(cells) > mail:
            cells[mail] = ""
    return "\n".join([header, *("\t".join(cells) for cells in rows)]).encode()


def ingest(browser: Browser, folder: Path) -> None:
    """The pictures of the way of one file."""
    file = leads(folder)
    with server(folder / "home") as address:
        walk(browser, address, file)


def trust(browser: Browser, folder: Path) -> None:
    """The pictures of what can be taken back, looked at and approved."""
    loaded, held = visits(folder / "trust" / "home", folder)
    with server(folder / "trust" / "home") as address:
        page = opened(browser)
        page.goto(f"{address}/upload?upload={loaded}&tab=Profiles+changed")
        page.get_by_text("Personal data is masked.").wait_for()
        settle(page)
        page.get_by_role("tab", name="Profiles changed").scroll_into_view_if_needed()
        page.mouse.move(700, 450)
        page.mouse.wheel(0, 2000)
        take(page, "profiles_changed")
        page.goto(f"{address}/upload?upload={loaded}")
        settle(page)
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Take it back").wait_for()
        take(page, "undo")
        page.goto(f"{address}/upload?upload={held}")
        page.get_by_role("button", name="Load it anyway").wait_for()
        take(page, "held")


PARTS = {"ingest": ingest, "trust": trust}


def main(names: list[str]) -> None:
    """Fresh folder, server, browser, pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    folder = Path(tempfile.mkdtemp(prefix="onramp-screens-"))
    try:
        with sync_playwright() as playwright:
            path = os.environ.get("ONRAMP_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            for name in names or list(PARTS):
                PARTS[name](browser, folder)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
