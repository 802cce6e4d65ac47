"""A workspace with a few people, and a place to send them to that can fail as a network does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_core.deliveries.deliveries import Deliveries
from ingest_core.workspace import Workspace
from tests.deliveries.shelf import Shelf
from tests.workspaces import Kernel, home, kernel, template, workspace

__all__ = ["home", "kernel", "template", "workspace"]

COLUMNS = {name: name for name in ("crmid", "email", "phone", "first_name", "city")}
PEOPLE = """crmid\temail\tphone\tfirst_name\tcity
C1\tAnna@Example.com\t+4915112345678\tAnna\tKiel
C2\tben.o+shop@gmail.com\t\tBen\tRome
C3\t\t\tCleo\tPune
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """The place ``Partner``: a folder."""
    return Shelf(tmp_path / "partner")


def deliveries_of(workspace: Workspace, shelf: Shelf) -> Deliveries:
    """As at an opening of the workspace."""
    made = Deliveries(
        workspace.home, workspace.engine, workspace._keyset, workspace.history, shelf, workspace.pgp_keys, "asha"
    )
    made.take_up()
    return made


@pytest.fixture
def deliveries(workspace: Workspace, shelf: Shelf) -> Deliveries:
    return deliveries_of(workspace, shelf)


@pytest.fixture
def people(kernel: Kernel) -> str:
    """Three people loaded; the Request ID. Segment EVERYBODY holds them."""
    receipt = kernel.load(PEOPLE, COLUMNS)
    kernel.workspace.segments.add("EVERYBODY", {"all": []})
    return str(receipt.request_id)
