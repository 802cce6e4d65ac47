"""OpenPGP messages that come by a schedule: opened with our keys, and loaded by the name of what is inside."""

from __future__ import annotations

from contextlib import contextmanager

import pysequoia
import pytest

from ingest_core.transport.openpgp import PublicKey, encrypted
from tests.arrivals.conftest import people
from tests.audience_manager.memory import MemoryFile


def key_of(user):
    return pysequoia.Tsk.generate(user_id=f"{user} <{user}@example.com>", profile=pysequoia.Profile.RFC4880)


@pytest.fixture
def ours(night):
    """A key of ours, which the workspace keeps."""
    key = key_of("onramp")
    night.kernel.workspace.pgp_keys.add("ours", str(key))
    return key


@contextmanager
def message(key, text, tmp_path):
    cert = key.extract_certificate()
    recipients = [PublicKey("x", "", str(cert))]
    with encrypted(MemoryFile("a.tsv", text.encode()), recipients, tmp_path) as made, made.open() as stream:
        yield stream.read()


def lay(night, name, data):
    night.shelf.lay(name, data)


def test_a_message_for_us_is_loaded_as_what_is_in_it_and_nothing_plain_is_left(night, ours, tmp_path):
    night.schedule(pattern="*.tsv.pgp")
    with message(ours, people("K1", "K2"), tmp_path) as data:
        lay(night, "a.tsv.pgp", data)
    night.pass_by(20)
    assert night.history() == ["a.tsv"]
    assert night.kernel.workspace.profiles.count() == 2
    assert night.shelf.files("done") == ["a.tsv.pgp"]
    assert night.kernel.workspace.landing.ids() == []


def test_the_same_message_is_not_taken_twice(night, ours, tmp_path):
    night.schedule(pattern="*.pgp", after="leave")
    with message(ours, people("K1"), tmp_path) as data:
        lay(night, "a.tsv.pgp", data)
    night.pass_by(60)
    assert night.history() == ["a.tsv"]


@pytest.mark.parametrize("kind", ["another key", "damaged", "no message"])
def test_what_cannot_be_opened_is_refused_and_put_aside(night, ours, tmp_path, kind):
    night.schedule(pattern="*.pgp")
    with message(key_of("other") if kind == "another key" else ours, people("K1"), tmp_path) as data:
        broken = {"another key": data, "damaged": data[:-30], "no message": b"crmid\temail\n"}[kind]
    lay(night, "a.tsv.pgp", broken)
    night.pass_by(20)
    (arrival,) = night.log()
    assert (arrival.state, arrival.reason["code"]) == ("refused", "decrypt_failed")
    assert night.history() == []
    assert "a.tsv.pgp" in night.shelf.files("failed")
    assert night.kernel.workspace.landing.ids() == []
