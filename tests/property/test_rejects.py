"""Every line of a file is accounted for once, with its own text (quality.md I3)."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.property.files import SETS, judged, line
from tests.property.product import FIELDS, Templates
from tests.property.reference import Column, Upload, read

NASTY = (
    "\t\t\t",
    "\t",
    "1",
    "1\t",
    '"1\t"a@x.com"\tx\ty',
    "'=1+1'\t\t\t",
    "\u2028\t\u00a0\t\x0b\t",
    "1\ta@x.com\t\x00\t",
)


@st.composite
def messy(draw: st.DrawFn) -> Upload:
    """A file with about as many bad lines as good ones."""
    names = draw(st.sampled_from(SETS))
    lines = st.one_of(line(names), st.sampled_from(["", " ", *NASTY]))
    return Upload(
        1, "CRM", tuple(Column(FIELDS[n]) for n in names), tuple(draw(st.lists(lines, min_size=1, max_size=25)))
    )


@judged(20)
@given(upload=messy(), slice_bytes=st.sampled_from([32, 1 << 20]))
def test_rejects_and_accepted_lines_are_the_file(templates: Templates, upload: Upload, slice_bytes: int) -> None:
    with templates.workspace(slice_bytes=slice_bytes) as product:
        receipt = product.load(upload)
        rejects = product.ws.history.rejects(receipt.request_id)
        accepted = [rid & 0xFFFFFFFF for (rid,) in product.rows("SELECT rid FROM record ORDER BY rid")]
    numbers = [reject.line for reject in rejects]
    assert numbers == sorted(set(numbers))
    assert all(reject.text == upload.lines[reject.line - 2] for reject in rejects)
    assert all(reject.code == reject.codes[0] and reject.title and reject.message and reject.fix for reject in rejects)
    assert receipt.rejects_by_reason == Counter(reject.code for reject in rejects)
    blank = [n for n, text in enumerate(upload.lines, 2) if "\t" not in text and not text.strip()]
    assert receipt.blank == len(blank)
    if receipt.status == "Completed":
        assert sorted([*numbers, *accepted, *blank]) == list(range(2, len(upload.lines) + 2))
    else:
        assert accepted == []
        assert sorted([*numbers, *blank]) == list(range(2, len(upload.lines) + 2))
    if not any(nasty in upload.lines for nasty in NASTY):
        expected = {reject.line: reject.codes for reject in read(upload).rejects}
        assert {reject.line: tuple(sorted(reject.codes)) for reject in rejects} == expected
