"""How long pages take with many profiles and a long history: seconds, and as ratios to an empty workspace.

python benchmarks/page_speed.py [--profiles 1000000] [--uploads 10000] [--runs 5] [--browser CHROMIUM] [--keep DIR]

The people come through the core: one file of samples/make_sample.py is loaded. The other uploads of the history are
copies of that upload's row with other ids, times, statuses and counts, written by the engine; their rows are not in the
log, so that making them takes seconds and not a day. Every page is then run headless (AppTest: all of the script). With
--browser it is also opened in Chromium against the served app: seconds to its first content and to the end of the
script, the start of Streamlit's front end included; and from a click in the navigation to the page's title, without it.
Figures are medians of wall-clock seconds, the first run of each page left out. The goal is one second to first content.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingest_core.catalog import parse_mapping
from ingest_core.files import PathSource
from ingest_core.models import Options
from ingest_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
SEGMENTS = {
    "MUMBAI": {"attribute": "city", "operator": "equals", "value": "Mumbai"},
    "NO_CITY": {"attribute": "city", "operator": "is absent"},
    "EVERYBODY": {"all": []},
}


def fill(home: Path, profiles: int, uploads: int, folder: Path) -> None:
    """A workspace with so many people and so many uploads, in a few sources."""
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.add("CRM contacts")
        for name, kind in (("slot_num", "integer"), ("cross_sell_product", "string"), ("last_purchase", "date")):
            workspace.attributes.add(name, kind)
        workspace.attributes.add("amount", "number")
        workspace.attributes.change("city", segment="CITY")
        if not profiles:
            return
        path = folder / "people.tsv"
        make = [
            sys.executable,
            ROOT / "samples/make_sample.py",
            "--rows",
            str(profiles),
            "--out",
            path,
            "--dirt",
            "0.01",
        ]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        mapping = parse_mapping((ROOT / "samples/customers.mapping.json").read_text("utf-8"))
        workspace.loads.load(workspace.plan(PathSource(path), source, mapping, Options()))
        path.unlink()
        for name, rule in SEGMENTS.items():
            workspace.segments.add(name, rule)
        for name in ("Store purchases", "Call centre", "Survey"):
            workspace.sources.add(name)
        with workspace.engine.session() as session, session.transaction():
            session.run(COPIES, [uploads - 1])
        workspace.engine.checkpoint()


COPIES = """INSERT INTO upload BY NAME
SELECT upload.* REPLACE (
    'COPY-' || lpad(n::VARCHAR, 8, '0') AS request_id,
    NULL AS upload_no,
    1 + n % 4 AS source_id,
    CASE n % 20 WHEN 0 THEN 'Failed' ELSE 'Completed' END AS status,
    n % 20 <> 0 AS is_live,
    sha256(n::VARCHAR) AS sha256,
    CASE n % 20 WHEN 0 THEN 0 ELSE stored END AS stored,
    created_at - to_minutes(n * 7) AS created_at,
    started_at - to_minutes(n * 7) AS started_at,
    finished_at - to_minutes(n * 7) AS finished_at
) FROM (SELECT * FROM upload LIMIT 1) AS upload, range(1, ? + 1) AS numbers(n)"""


def pages_of(home: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """What is opened: name → (page, URL parameters)."""
    with Workspace.open(home, user="Asha Menon") as workspace:
        source = workspace.sources.list()[0].source_id
        newest = workspace.history.list(limit=1)
        draft = workspace.drafts.create(source)
    found = {
        "sources": ("sources", {}),
        "source": ("source", {"source": str(source)}),
        "source, uploads": ("source", {"source": str(source), "tab": "Uploads"}),
        "history": ("history", {}),
        "history, failed": ("history", {"status": "Failed"}),
        "ingest": ("ingest", {"draft": draft}),
        "profiles": ("profiles", {}),
        "segments": ("segments", {}),
        "attributes": ("attributes", {}),
        "settings": ("settings", {}),
        "settings, retention": ("settings", {"tab": "Retention"}),
        "settings, keys": ("settings", {"tab": "Keys"}),
    }
    if newest:
        found["upload"] = ("upload", {"upload": newest[0].request_id})
    extra = {path.stem for path in (ROOT / "pages").glob("*.py")} - {"__init__", "main", "upload", "segment"}
    return found | {name: (name, {}) for name in sorted(extra - {page for page, _ in found.values()})}


def headless(home: Path, pages: dict[str, tuple[str, dict[str, str]]], runs: int) -> dict[str, list[float]]:
    """Seconds of the whole script of each page."""
    sys.path.insert(0, str(ROOT))  # the pages are found where the app is started
    from streamlit.testing.v1 import AppTest

    from pages.ui import state

    os.environ |= {"ONRAMP_HOME": str(home), "ONRAMP_USER": "Asha Menon"}
    seconds: dict[str, list[float]] = {}
    for name, (page, parameters) in pages.items():
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
        if page != "sources":
            app.switch_page(f"{page}.py")
        for key, value in parameters.items():
            app.query_params[key] = value
        for _ in range(runs + 1):
            begun = time.perf_counter()
            app.run()
            seconds.setdefault(name, []).append(time.perf_counter() - begun)
        if app.exception or app.error or not app.title:
            said = [block.value for block in (*app.error, *app.exception)]
            print(f"{name} is not shown as it should be: {said}", file=sys.stderr)
            seconds.pop(name)
    state.close_workspaces()
    return seconds


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of the app, on this folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ONRAMP_HOME": str(home), "ONRAMP_USER": "Asha Menon"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    app = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(f"{address}/api/health", timeout=2)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.3)
        yield address
    finally:
        app.send_signal(signal.SIGTERM)
        app.wait(timeout=60)


def in_browser(
    home: Path, pages: dict[str, tuple[str, dict[str, str]]], runs: int, chromium: str
) -> dict[str, list[tuple[float, float]]]:
    """(seconds to first content, seconds to the end of the script) of each page, opened anew each time."""
    from urllib.parse import urlencode

    from playwright.sync_api import sync_playwright

    seconds: dict[str, list[tuple[float, float]]] = {}
    with served(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        for name, (page, parameters) in pages.items():
            for _ in range(runs + 1):
                window.goto("about:blank")
                begun = time.perf_counter()
                window.goto(f"{address}/{page}?{urlencode(parameters)}", wait_until="commit")
                window.wait_for_selector(FIRST_CONTENT, timeout=120_000)
                first = time.perf_counter() - begun
                window.wait_for_selector(DONE, timeout=120_000)
                seconds.setdefault(name, []).append((first, time.perf_counter() - begun))
        browser.close()
    return seconds


def by_clicks(home: Path, runs: int, chromium: str) -> dict[str, list[float]]:
    """Seconds from a click in the navigation of an open app to the title of the other page, for each page in it."""
    from playwright.sync_api import sync_playwright

    seconds: dict[str, list[float]] = {}
    with served(home) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        window.goto(f"{address}/settings")
        window.wait_for_selector(TITLE, timeout=120_000)
        names = [link.get_attribute("href").rsplit("/", 1)[-1] for link in window.query_selector_all(LINK)]
        for _ in range(runs + 1):
            for name in names:
                window.wait_for_selector(DONE, timeout=120_000)
                before = window.inner_text(TITLE)
                if not window.url.split("?")[0].endswith(f"/{name}"):
                    begun = time.perf_counter()
                    window.click(f'{LINK}[href$="/{name}"]')
                    window.wait_for_function(OTHER_TITLE, arg=before, timeout=60_000, polling=10)
                    seconds.setdefault(name or "sources", []).append(time.perf_counter() - begun)
        browser.close()
    return seconds


LINK = "[data-testid=stSidebarNavLink]"
TITLE = "[data-testid=stMain] h1"
OTHER_TITLE = """before => {
    const title = document.querySelector("[data-testid=stMain] h1");
    return title && title.innerText !== before;
}"""
FIRST_CONTENT = "[data-testid=stMain] h1, [data-testid=stMain] [data-testid=stMarkdownContainer]"
DONE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def measure(home: Path, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Page → medians: script, first content, whole page."""
    pages = pages_of(home)
    found = {
        name: {"script": statistics.median(values[1:])} for name, values in headless(home, pages, options.runs).items()
    }
    if options.browser:
        for name, pairs in in_browser(home, pages, options.runs, options.browser).items():
            first, whole = zip(*pairs[1:], strict=True)
            found.setdefault(name, {}).update({"first": statistics.median(first), "whole": statistics.median(whole)})
        for name, values in by_clicks(home, options.runs, options.browser).items():
            found.setdefault(name, {})["click"] = statistics.median(values[1:] or values)
    return found


def table(full: dict[str, dict[str, float]], empty: dict[str, dict[str, float]]) -> str:
    """One line a page: seconds, and in brackets how many times the empty workspace's."""
    lines = ["| Page | script | first content | whole page | by a click |", "|---|---|---|---|---|"]
    for name, values in full.items():
        cells = []
        for what in ("script", "first", "whole", "click"):
            seconds, before = values.get(what), empty.get(name, {}).get(what)
            ratio = f" ({seconds / before:.1f} ×)" if seconds and before else ""
            cells.append(f"{seconds:.2f} s{ratio}" if seconds else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and everything as JSON after it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--uploads", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--browser", metavar="CHROMIUM", help="measure in this browser, too")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="make the workspaces here, or use those that are there"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onramp-bench-") as name:
        folder = options.keep or Path(name)
        results: list[dict[str, Any]] = []
        for kind, profiles in (("empty", 0), ("full", options.profiles)):
            if not (folder / kind).exists():
                folder.mkdir(exist_ok=True, parents=True)
                fill(folder / kind, profiles, options.uploads, folder)
            results.append(measure(folder / kind, options))
    print(table(results[1], results[0]))
    print(json.dumps({"load": os.getloadavg(), "empty": results[0], "full": results[1]}, indent=1))


if __name__ == "__main__":
    main()
