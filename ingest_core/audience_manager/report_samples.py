"""Sampled lines as a person sees them: what stood in the file, where, and why it counts as an error."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel

from ingest_core.audience_manager.batches import read_logged
from ingest_core.audience_manager.data_sources import PHONE_PATTERN, id_rule
from ingest_core.audience_manager.lines import ODC_TYPES
from ingest_core.audience_manager.name_types import DataName
from ingest_core.audience_manager.reasons import AM_REASONS
from ingest_core.audience_manager.sampling import KINDS
from ingest_core.engine import Session
from ingest_core.vault import Keyset
from ingest_core.vault.pages import unseal

SAMPLES = """
SELECT sample.file_no, file.name, report.dpid, class, code, line, place, page_id, slot
FROM am_sample AS sample JOIN am_file_report AS report USING (file_no)
JOIN (SELECT file_no, name FROM am_file) AS file USING (file_no)
WHERE file_no IN (SELECT unnest(?::BIGINT[])) ORDER BY file_no, line
"""
PAGE = "SELECT attribute_id, key_version, data FROM vault_page WHERE page_id = ?"

_EMAIL = re.compile(r"([^\s@]{1,2})[^\s@,=]*@[^\s@]+\.[A-Za-z]{2,}")
_WHY = {
    "no_trait_realized": "No item of the line adds or removes a trait of this data source.",
    "no_matching_aam_id": "No device is known for the id, so the record was skipped.",
}


class LineSample(BaseModel):
    """One line. ``expected``: of a device id, the form that its data source asks for."""

    type: str
    line: int
    column: int | None = None
    code: str | None = None
    why: str
    user_id: str
    payload: str
    dpid: int
    expected: str | None = None


class FileSamples(BaseModel):
    """The samples of one file, at most ten of a type, in the order of the lines."""

    file_no: int
    file: str
    samples: list[LineSample] = []


def samples_of(session: Session, keyset: Keyset, files: Sequence[int]) -> list[FileSamples]:
    """Of these files, those that have samples."""
    found: dict[int, FileSamples] = {}
    pages: dict[int, list[str]] = {}
    for file_no, name, dpid, kind, code, line, place, page_id, slot in session.rows(SAMPLES, [list(files)]):
        if page_id not in pages:
            attribute, version, data = session.row(PAGE, [page_id]) or (0, 0, b"")
            key = keyset.page_key(version)
            pages[page_id] = unseal(
                key, data, page_id=page_id, attribute_id=attribute, key_version=version
            ).to_pylist()  # fmt: skip
        sample = _sample(*_of_device(pages[page_id][slot], name, dpid), kind, code)
        sample.line, sample.column = line, place
        found.setdefault(file_no, FileSamples(file_no=file_no, file=name)).samples.append(sample)
    for file in found.values():
        file.samples.sort(key=lambda sample: (KINDS.index(sample.type), sample.line))
    return list(found.values())


def mask(text: str) -> str:
    """A text of a file in which e-mail addresses and telephone numbers cannot be read."""
    if re.fullmatch(PHONE_PATTERN, text.strip()):
        return text[:3] + "•" * max(len(text) - 5, 3) + text[-2:]
    return _EMAIL.sub(lambda address: f"{address[1]}•••@•••", text) if "@" in text else text


def _of_device(text: str, file: str, dpid: int) -> tuple[str, int]:
    """The line from its id on, and whose id it is: in an ODC file the first column says that."""
    name = read_logged(file)
    id_type, _, rest = text.partition("\t")
    of_type = ODC_TYPES.get(id_type.lower())
    is_odc = isinstance(name, DataName) and name.variant == "odc"
    return (rest, of_type) if is_odc and of_type is not None else (text, dpid)


def _sample(text: str, dpid: int, kind: str, code: str | None) -> LineSample:
    user_id, _, payload = text.partition("\t")
    rule = id_rule(dpid)
    is_form = kind in ("invalid_device_id", "invalid_aam_id")
    why = AM_REASONS[code].explanation if code in AM_REASONS else _WHY.get(kind, "")
    return LineSample(
        type=kind, line=0, code=code, why=why, user_id=mask(user_id), payload=mask(payload), dpid=dpid,
        expected=(rule.form.words if rule.form is not None else "38 digits") if is_form else None,
    )  # fmt: skip
