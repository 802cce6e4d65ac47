"""What docs/notices.md shows is true: its commands run, its receiver takes what is posted, its tables are complete."""

from __future__ import annotations

import json
import re
import shlex
import time

import pytest

from ingest_core.ledger.uploads import _IN_NOTICES
from ingest_core.notices.model import STATES
from ingest_core.notices.wording import _WRITERS
from ingest_core.settings import Settings
from ingest_core.transport.webhook import signature
from tests.cli.onramp import Onramp

SECRET = "a secret of twenty-five c"


@pytest.fixture(scope="module")
def page(repository):
    return (repository / "docs" / "notices.md").read_text("utf-8")


def examples(page, language):
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    return [text for kind, text in blocks if kind == language]


def test_the_commands_run(page, home, tmp_path, monkeypatch, box, serve, hook):
    onramp, port = Onramp(home), serve()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "newsletter.tsv").write_text("crmid\tcity\nK1\tPune\n")
    settings = {"mail_host": "localhost", "mail_port": port, "mail_security": "none", "mail_sender": "o@example.com"}
    for name, value in settings.items():
        onramp.json("settings", "set", name, value)
    for line in "".join(examples(page, "")).replace("https://example.com/onramp", hook.url).splitlines():
        if line.startswith("echo"):
            onramp.json("settings", "set", "webhook_secret", SECRET)
            continue
        assert line.startswith("onramp ")
        done = onramp.run(*shlex.split(line)[1:])
        assert done.code == 0, (line, done.err)
    assert box.recipients == ["asha@example.com"]  # of the end, not of the start: the source says so
    assert hook.received[-1].headers["Onramp-Event"] == "test"


def test_the_receiver_believes_what_is_ours_and_nothing_else(page):
    scope = {}
    exec(examples(page, "python")[0], scope)
    body, moment = b'{"id": "N1"}', int(time.time())
    assert scope["is_genuine"](SECRET, signature(SECRET, moment, body), body)
    assert not scope["is_genuine"](SECRET, signature(SECRET, moment, body), body + b" ")
    assert not scope["is_genuine"]("another secret of ours", signature(SECRET, moment, body), body)
    assert not scope["is_genuine"](SECRET, signature(SECRET, moment - 3600, body), body)


def test_the_json_names_fields_that_there_are(page):
    shown = json.loads(examples(page, "json")[0])
    assert set(shown) == {"id", "event", "happened_at", "request_id", "subject", "link", "data"}
    assert set(shown["data"]) <= _IN_NOTICES
    counts = {name: value for name, value in shown["data"].items() if isinstance(value, int)}
    assert counts["lines"] == sum(counts.values()) - counts["lines"]


def test_the_tables_name_every_event_state_and_setting(page):
    assert set(_WRITERS) <= set(re.findall(r"`(upload_\w+)`", page))
    assert all(f"| {state} |" in page for state in STATES)
    ours = {name for name in Settings.model_fields if name.startswith(("notice_", "webhook_", "mail_"))}
    assert ours <= set(re.findall(r"`(\w+)`", page))
