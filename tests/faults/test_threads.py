"""Many at once: nobody is told of a conflict, and the outcome is that of one after the other."""

from __future__ import annotations

from tests.faults.contention import at_once_and_in_order, make_files


def test_eight_threads_of_twenty_uploads_are_as_one_after_the_other(tmp_path):
    """Overlapping people who are joined and come apart; half of the files go through the queue."""
    (tmp_path / "files").mkdir()
    at_once_and_in_order(tmp_path, make_files(tmp_path / "files", 8 * 20, rows=5, people=40, seed=1), threads=8)
