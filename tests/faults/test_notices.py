"""A process that is killed neither loses a notice nor makes another message of it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from ingest_core.clock import now
from ingest_core.workspace import Workspace
from tests.transport.post import box, serve

__all__ = ["box", "serve"]  # fixtures

ASHA = "asha@example.com"


@pytest.fixture
def file(onramp, tmp_path):
    path = tmp_path / "more.tsv"
    path.write_text("crmid\tcity\nK901\tPune\nK902\tAgra\n")
    return path


def settings(port):
    return {"mail_host": "localhost", "mail_port": port, "mail_security": "none", "mail_sender": "onramp@example.com"}


def ingest(processes, onramp, file, port, fault=None):
    return processes.run(
        onramp.home, "ingest", file, "--source", "Killed", "--auto", "--notify", ASHA, fault=fault, **settings(port)
    )


def sent_afterwards(onramp, port):
    """The next process finds what is left and sends it, the pauses over."""
    with Workspace.open(onramp.home) as workspace:
        workspace.configuration.set(settings(port))
        with workspace.engine.session() as session:
            session.run(
                "UPDATE notice_sending SET next_try = ? WHERE state = 'waiting'", [now() - timedelta(seconds=1)]
            )
        workspace.notices.turn(lambda: False)
        return {notice.kind: notice for notice in workspace.notices.list()}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("read:before:kill", "Failed"),
        ("commit:before:kill", "Failed"),
        ("commit:after:kill", "Completed"),
        ("notice claim:before:kill", None),
        ("notice claim:after:kill", None),
        ("notice send:before:kill", None),
        ("notice send:after:kill", None),
        ("notice note:after:kill", None),
    ],
)
def test_killed_anywhere_each_event_has_one_message(onramp, processes, file, box, serve, fault, status):
    port = serve()
    onramp.json("source", "add", "Killed")
    assert ingest(processes, onramp, file, port, fault).code == -9
    notices = sent_afterwards(onramp, port)
    assert set(notices) == {"upload_started", "upload_ended"}
    assert {notice.state for notice in notices.values()} == {"sent"}
    [upload] = [receipt for receipt in onramp.json("history") if receipt["source"] == "Killed"]
    assert upload["status"] == (status or upload["status"])
    copies = Counter(message["Message-ID"] for message in box.messages)
    assert set(copies) == {notice.message_id for notice in notices.values()}
    assert sum(copies.values()) <= (3 if fault.startswith("notice send:after") else 2)


def test_a_command_sends_its_own_notices_before_it_ends(onramp, processes, file, box, serve):
    onramp.json("source", "add", "Killed")
    assert ingest(processes, onramp, file, serve()).code == 0
    assert box.recipients == [ASHA, ASHA]
