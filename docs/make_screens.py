"""Makes the pictures of docs/screens, light and dark, from a fresh workspace. Needs what the browser tests need.

    python docs/make_screens.py [NAME ...]

Without a name it makes all of them. Nothing of the pictures is painted: it is the app, with the sample data and a few
files of invented people (docs/screens_stage.py). A page is opened by its address; what an address cannot say, is
clicked.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "screens"
LARGEST = 120_000  # bytes of one picture
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCHEMES = {"": "light", "_dark": "dark"}
DESK, PHONE = (1360, 860), (390, 844)


@dataclass(frozen=True)
class Picture:
    """A page by its address, perhaps clicked on. ``path`` may name what the stage made: {result}."""

    name: str
    path: str
    act: Callable[[Page], None] | None = None
    size: tuple[int, int] = DESK


# ── what is clicked ──────────────────────────────────────────────────────────────────────────────────────


def press(label: str, then: str) -> Callable[[Page], None]:
    """A button, and a text to wait for."""

    def act(page: Page) -> None:
        page.get_by_role("button", name=label).first.click()
        page.get_by_text(then).first.wait_for()

    return act


def scrolled(text: str) -> Callable[[Page], None]:
    """Down to a text."""

    def act(page: Page) -> None:
        page.get_by_text(text).first.scroll_into_view_if_needed()
        page.mouse.move(700, 450)
        page.mouse.wheel(0, 600)

    return act


def run_all(page: Page) -> None:
    """Every query of a notebook."""
    page.get_by_role("button", name="Run all").first.click()
    page.get_by_test_id("stPlotlyChart").first.wait_for()


def write_message(page: Page) -> None:
    """A message with two macros."""
    page.get_by_role("textbox", name="Message").fill(
        "Hello, your slot is {{SLOT_NUM}}. We saved the {{CROSS_SELL_PRODUCT}} for you."
    )
    page.keyboard.press("Control+Enter")
    settle(page)


def look_before_erasing(page: Page) -> None:
    """At the end of the drawer of a customer."""
    page.get_by_text("Erase this customer").click()
    page.get_by_role("button", name="See what would go").click()
    page.get_by_text("leave the record log").wait_for()
    page.get_by_role("button", name="Erase for good").scroll_into_view_if_needed()


PICTURES = (
    Picture("sources", "/"),
    Picture("sources_phone", "/", size=PHONE),
    Picture("new_source", "/", press("New source", "What the files hold")),
    Picture("source", "/source?source={source}"),
    Picture("source_mapping", "/source?source={source}&tab=Mapping"),
    Picture("source_settings", "/source?source={source}&tab=Settings"),
    Picture("choose", "/ingest?draft={empty_draft}"),
    Picture("check", "/ingest?draft={open_draft}&step=check"),
    Picture("match", "/ingest?draft={open_draft}&step=match"),
    Picture("match_phone", "/ingest?draft={open_draft}&step=match", size=PHONE),
    Picture("options", "/ingest?draft={ready_draft}&step=options"),
    Picture("run", "/ingest?draft={ready_draft}&step=run"),
    Picture("result", "/upload?upload={result}"),
    Picture("result_phone", "/upload?upload={result}", size=PHONE),
    Picture("rejected", "/upload?upload={result}", scrolled("Fix rows")),
    Picture("fix_rows", "/upload?upload={result}&fix=true", scrolled("Change many rows")),
    Picture("profiles_changed", "/upload?upload={result}&tab=Profiles+changed", scrolled("Personal data is masked.")),
    Picture("undo", "/upload?upload={result}", press("Undo", "people")),
    Picture("held", "/upload?upload={held}"),
    Picture("history", "/history"),
    Picture("profiles", "/profiles"),
    Picture("profile", "/profiles?profile={profile}"),
    Picture("timeline", "/profiles?profile={profile}&about=Timeline"),
    Picture("erase", "/profiles?profile={profile}", look_before_erasing),
    Picture("segments", "/segments"),
    Picture("overlap", "/segments?view=Overlap"),
    Picture("segment", "/segment?segment={segment}"),
    Picture("rule", "/segment_edit?segment={segment}"),
    Picture("macros", "/macros", write_message),
    Picture("attributes", "/attributes"),
    Picture("attribute", "/attributes?attribute=city"),
    Picture("explore", "/explore"),
    Picture("notebook", "/explore?notebook={notebook}", run_all),
    Picture("schedule", "/source?source={source}&tab=Schedule"),
    Picture("schedule_new", "/source?source={source}&tab=Schedule&schedule=new"),
    Picture("arrivals", "/arrivals"),
    Picture("destinations", "/destinations"),
    Picture("deliveries", "/deliveries"),
    Picture("notices", "/notices"),
    Picture("am_files", "/am_files"),
    Picture("am_receipt", "/am_receipt?receipt={receipt}"),
    Picture("am_preflight", "/am_preflight?preflight={preflight}"),
    Picture("am_builds", "/am_builds"),
    Picture("am_exports", "/am_exports"),
    Picture("am_report", "/am_report"),
    Picture("am_traits", "/am_traits?trait=102"),
    Picture("am_ids", "/am_ids"),
    Picture("settings", "/settings"),
    Picture("settings_blocked", "/settings?tab=Blocked+values"),
    Picture("settings_retention", "/settings?tab=Retention"),
)


# ── taking them ──────────────────────────────────────────────────────────────────────────────────────────


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
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/api/health", timeout=2)  # noqa: S310
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def settle(page: Page) -> None:
    """Waits until the script has run and charts are drawn."""
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=\"stSkeleton\"]')")
    page.wait_for_timeout(1500)


def take(browser: Browser, address: str, picture: Picture, made: dict[str, str]) -> None:
    """One picture in both schemes, in few colours."""
    for ending, scheme in SCHEMES.items():
        width, height = picture.size
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(address + picture.path.format(**made))
        settle(page)
        if picture.act is not None:
            picture.act(page)
            settle(page)
        keep(OUT / f"{picture.name}{ending}.png", page.screenshot())
        context.close()


def keep(path: Path, data: bytes) -> None:
    """As few colours as make it small."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    for colours in (128, 64, 32):
        image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def main(names: list[str]) -> None:
    """Fresh folder, server, browser, pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT))
    from docs.screens_stage import prepare

    folder = Path(tempfile.mkdtemp(prefix="onramp-screens-"))
    try:
        made = prepare(folder / "home", folder)
        with sync_playwright() as playwright:
            path = os.environ.get("ONRAMP_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            if not names or "empty" in names:
                with server(folder / "nothing") as address:
                    take(browser, address, Picture("empty", "/"), made)
            with server(folder / "home") as address:
                for picture in PICTURES:
                    if not names or picture.name in names:
                        take(browser, address, picture, made)
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
