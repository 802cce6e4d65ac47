"""A disk that is full while a workspace is backed up, restored or maintained: a clear error, and nothing half-made."""

from __future__ import annotations

import pytest

from tests.cli.onramp import Onramp
from tests.faults.conftest import loaded_home, onramp, processes

__all__ = ["loaded_home", "onramp", "processes"]  # fixtures

pytestmark = pytest.mark.faults

SHARES = (0.0001, 0.01, 0.5, 0.99)
"""Of the database: how large any file may become."""


@pytest.fixture
def people(onramp, tmp_path):
    """A workspace whose people need more room than its schema."""
    file = tmp_path / "people.tsv"
    lines = (f"K{n}\tperson{n}@example.com\tTown {n}\n" for n in range(20_000))
    file.write_text("crmid\temail\tcity\n" + "".join(lines))
    onramp.load(file, "--auto")
    onramp.json("maintain")
    return onramp


def limits(onramp: Onramp) -> list[int]:
    size = (onramp.home / "onramp.duckdb").stat().st_size
    return [int(size * share) for share in SHARES]


def assert_full(died, limit) -> None:
    assert died.code == 3, (limit, died.out, died.err)
    assert died.json["error"]["code"] in {"disk_full", "disk_error"}, limit


def test_a_backup_that_does_not_fit_is_none(people, processes, tmp_path):
    before = people.state()
    for limit in limits(people):
        died = processes.run(people.home, "backup", tmp_path / "b.onramp", "--quick", file_size=limit)
        assert_full(died, limit)
        assert [path.name for path in tmp_path.iterdir() if "onramp" in path.name] == []
        assert list((people.home / "tmp").iterdir()) == []
    assert people.state() == before
    people.json("backup", tmp_path / "b.onramp", "--quick")


def test_a_restore_that_does_not_fit_is_none(people, processes, tmp_path):
    people.json("backup", tmp_path / "b.onramp", "--quick")
    for limit in limits(people):
        died = processes.run(tmp_path / "again", "restore", tmp_path / "b.onramp", file_size=limit)
        assert_full(died, limit)
        assert not (tmp_path / "again").exists()
        assert not (tmp_path / "again.partial").exists()
    again = Onramp(tmp_path / "again")
    again.json("restore", tmp_path / "b.onramp")
    assert again.json("digest") == people.json("digest")


@pytest.mark.parametrize("command", [["maintain"], ["keys", "rotate"]])
def test_a_workspace_that_does_not_fit_twice_stays_as_it_is(people, processes, command):
    digest = people.json("digest")
    for limit in limits(people):
        assert_full(processes.run(people.home, *command, file_size=limit), limit)
        assert people.json("digest") == digest
        people.json("keys", "check")
    people.json(*command)
    assert people.json("digest") == digest
    assert list((people.home / "tmp").iterdir()) == []
