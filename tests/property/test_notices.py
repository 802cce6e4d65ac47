"""Whatever a mail server does, and wherever a process dies: one Message-ID per event, copies only of that message."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest_core.clock import now
from ingest_core.errors import OnrampError
from ingest_core.ledger.outbox import Event, Letter
from ingest_core.notices.notices import Notices
from ingest_core.workspace import Workspace
from tests.transport.post import box, serve

__all__ = ["box", "serve"]  # fixtures

PEOPLE = ("asha@example.com", "ravi@example.com", "lena@example.com")
TROUBLE = ("fine", "later", "dropped", "killed before it is sent", "killed after it is sent", "killed when it is noted")
FAULTS = {
    "killed before it is sent": "notice claim:after:error",
    "killed after it is sent": "notice send:after:error",
    "killed when it is noted": "notice note:after:error",
}
DUPLICATES = ("dropped", "killed after it is sent")
"""Where the server has the message, and nobody here knows."""


@pytest.fixture(scope="module")
def module_template(tmp_path_factory):
    home = tmp_path_factory.mktemp("notices") / "home"
    Workspace.open(home).close()
    return home


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.sets(st.sampled_from(PEOPLE), min_size=1), min_size=1, max_size=4),
    days=st.lists(st.sampled_from(TROUBLE), max_size=6),
)
def test_each_event_has_one_message_and_everybody_gets_it(module_template, box, serve, events, days):
    box.messages.clear()
    port = serve()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        home = Path(shutil.copytree(module_template, Path(folder) / "home"))
        with Workspace.open(home) as workspace:
            mail = {"mail_host": "localhost", "mail_port": port, "mail_security": "none"}
            kept = workspace.settings
            kept.take(kept.model_copy(update={**mail, "mail_sender": "onramp@example.com"}))
            for number, people in enumerate(events):
                event = Event(str(number), "test", Letter(subject=f"Event {number}", title="T"), {}, tuple(people))
                for _ in range(2):
                    with workspace.engine.session() as session, session.transaction():
                        workspace.notices.tell(session, event)
            for day in [*days, "fine"]:
                another_day(workspace, box, patch, day)
            notices = workspace.notices.list(limit=100)
    assert {notice.state for notice in notices} == {"sent"}
    ids = {notice.message_id: notice.subject for notice in notices}
    assert len(ids) == len(events)
    copies = Counter((message["Message-ID"], message["To"]) for message in box.messages)
    assert set(copies) == {
        (notice.message_id, sending.recipient) for notice in notices for sending in notice.sendings
    }  # nobody is left out, nobody else is told
    if not set(days) & {*DUPLICATES, "later"}:
        assert set(copies.values()) == {1}
    assert all(message["Subject"] == ids[message["Message-ID"]] for message in box.messages)


def another_day(workspace, box, patch, day):
    """One look at the outbox, by a process that has just begun, when every pause is over."""
    with workspace.engine.session() as session:
        session.run("UPDATE notice_sending SET next_try = ? WHERE state = 'waiting'", [now() - timedelta(seconds=1)])
    box.answer = "451 later" if day == "later" else "250 OK"
    box.is_dropping = day == "dropped"
    if day in FAULTS:
        patch.setenv("ONRAMP_FAULT", FAULTS[day])
    try:
        Notices(workspace.engine, workspace.configuration, workspace.settings).turn(lambda: False)
    except OnrampError as error:
        if error.code != "fault_injected":
            raise
    finally:
        patch.delenv("ONRAMP_FAULT", raising=False)
