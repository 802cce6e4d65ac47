"""A reject file is corrected outside and comes back: only rows that differ are loaded."""

from __future__ import annotations

import io

import pytest

from ingest_core.errors import OnrampError
from ingest_core.ledger.reject_files import write_exact, write_spreadsheet

COLUMNS = {"crmid": "crmid", "email": "email", "town": "city"}
ROWS = [("A1", "a@e.com", "Rome"), ("A2", "no address", "-Oslo"), ("A3", "none here", "Bonn"), ("A4", "d@e.com")]


def upload(kernel, delimiter):
    lines = [delimiter.join(row) for row in [("crmid", "email", "town"), *ROWS]]
    receipt = kernel.load("\n".join(lines) + "\n", COLUMNS)
    assert receipt.rejected == 3
    return receipt.request_id


def reject_file(kernel, request_id, write):
    history, out = kernel.workspace.history, io.StringIO(newline="")
    layout = history.layout(request_id)
    write(out, history.each_reject(request_id), layout["columns"], layout["delimiter"])
    return out.getvalue()


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize("write", [write_exact, write_spreadsheet])
def test_only_rows_that_differ_are_corrected(kernel, delimiter, write):
    request_id = upload(kernel, delimiter)
    text = reject_file(kernel, request_id, write)
    assert kernel.workspace.fixes.of_file(request_id, text) == {}
    fixed = kernel.workspace.fixes.of_file(request_id, text.replace("no address", "ben@example.com"))
    assert fixed == {3: ("A2", "ben@example.com", "-Oslo")}
    child = kernel.workspace.fixes.load_now(request_id, fixed)
    assert (child.stored, child.parent) == (1, request_id)


@pytest.mark.parametrize("text", ["", "crmid\temail\ttown\nA2\tben@example.com\tOslo\n", "line\tcolumn\n3\tx\n"])
def test_another_file_is_refused(kernel, text):
    with pytest.raises(OnrampError) as caught:
        kernel.workspace.fixes.of_file(upload(kernel, "\t"), text)
    assert caught.value.code == "not_a_reject_file"
