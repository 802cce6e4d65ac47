"""Many at once: nobody is told of a conflict, and the outcome is that of one after the other."""

from __future__ import annotations

from ingest_core.workspace import Workspace
from tests.faults.contention import Crowd, accounts, load, make_files, prepare
from tests.faults.facts import problems

THREADS, UPLOADS = 8, 20


def test_eight_threads_of_twenty_uploads_are_as_one_after_the_other(tmp_path):
    """The commit order is the order of the upload numbers; the replay loads the same files in that order."""
    (tmp_path / "files").mkdir()
    files = make_files(tmp_path / "files", THREADS * UPLOADS, rows=5, people=40, seed=1)
    crowd = Crowd()
    with prepare(Workspace.open(tmp_path / "crowded")) as workspace:
        crowd.work(workspace, files, THREADS)
        assert crowd.errors == []
        assert problems(workspace) == []
        crowded, digest = accounts(workspace), workspace.digest()
    by_name = {file.path.name: file for file in files}
    assert sorted(name for name, _ in crowded) == sorted(by_name)
    assert {counts["status"] for _, counts in crowded} == {"Completed"}
    with prepare(Workspace.open(tmp_path / "serial")) as workspace:
        for name, _ in crowded:
            load(workspace, by_name[name])
        assert accounts(workspace) == crowded
        assert workspace.digest() == digest
    assert sum(counts["merged"] for _, counts in crowded) > 0
