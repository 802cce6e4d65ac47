"""One server for the session, on its own folder and port, and a browser that must not talk to anybody else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")
from playwright.sync_api import expect, sync_playwright

expect.set_options(timeout=20_000)  # a busy machine is no failure

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
START_SECONDS = 60


@pytest.fixture(scope="session")
def server(tmp_path_factory, repository):
    """The address of a running Onramp with an empty workspace."""
    with served(tmp_path_factory.mktemp("browser") / "home", repository) as address:
        yield address


@contextmanager
def served(home, repository):
    """A running Onramp on this folder; gives its address."""
    log = home.with_name("server.log")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "ONRAMP_HOME": str(home), "ONRAMP_USER": "Asha Menon"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=repository, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{address}/api/health", log)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process, url, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text('utf-8', 'replace')[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=2)
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
        else:
            return
    pytest.fail("the server did not start")


@pytest.fixture(scope="session")
def browser(chromium_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def outside():
    """Every request that did not go to this machine."""
    return []


@pytest.fixture
def page(browser, outside):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("request", lambda request: _note(request.url, outside))
    yield page
    context.close()


def _note(url, outside):
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
        outside.append(url)
