"""People who were erased do not come back with the next file, and every line of theirs is accounted for."""

from __future__ import annotations

import pytest

from ingest_core.clock import now
from ingest_core.models import SourceSettings
from ingest_core.vault import load_keyset, token
from tests.workspaces import counts

COLUMNS = {"crmid": "crmid", "email": "email"}
FILE = "crmid\temail\nK1\tpriya@example.in\nK2\tbina@example.in\nK3\tPRIYA@example.in\n\tpriya@example.in\n"


@pytest.fixture
def suppress(kernel):
    """Puts an erased person's identifier on the list."""
    keyset = load_keyset(kernel.workspace.home, may_create=False)

    def suppressing(attribute, value):
        attribute_id = kernel.workspace.attributes.get(attribute).attribute_id
        with kernel.workspace.engine.session() as session:
            session.run(
                "INSERT INTO suppression VALUES (?, ?, ?)",
                [token(keyset.suppression_key(attribute_id), value), attribute_id, now()],
            )

    return suppressing


def test_rows_of_erased_people_are_counted_and_not_stored(kernel, suppress):
    suppress("email", "priya@example.in")
    receipt = kernel.load(FILE, COLUMNS)
    assert counts(receipt) == {"lines": 4, "stored": 1, "suppressed": 3}
    assert kernel.workspace.profiles.count() == 1
    with kernel.workspace.engine.session() as session:
        assert session.value("SELECT count(*) FROM vault_value") == 1


def test_a_file_of_erased_people_only_completes_and_stores_nobody(kernel, suppress):
    suppress("email", "priya@example.in")
    suppress("crmid", "K2")
    receipt = kernel.load(FILE, COLUMNS)
    assert counts(receipt) == {"lines": 4, "suppressed": 4}
    assert (receipt.status, receipt.error) == ("Completed", None)


def test_withheld_counts_them_too_when_the_upload_fails(kernel, suppress):
    suppress("email", "priya@example.in")
    kernel.workspace.sources.update(kernel.source().source_id, settings=SourceSettings(threshold_percent=0))
    receipt = kernel.load(FILE + "0\t\n", COLUMNS)
    assert counts(receipt) == {"lines": 5, "rejected": 1, "withheld": 4}


def test_other_attributes_with_the_same_text_are_not_suppressed(kernel, suppress):
    suppress("phone", "priya@example.in")
    assert counts(kernel.load(FILE, COLUMNS)) == {"lines": 4, "stored": 4}
