"""How good the ids of data sources are: how many find their device, and which of them look wrong.

The match rate comes from the counters of the files. Ids are compared with those that are known: mapped to a device, or
a profile of their own with a record stored before.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel

from ingest_core.audience_manager.data_sources import GLOBAL_SOURCES, PHONE_PATTERN, UUID_DPID
from ingest_core.audience_manager.receipts import Counts
from ingest_core.audience_manager.report_samples import mask
from ingest_core.engine import Session

SHOWN = 50
_DEVICES = ", ".join(map(str, (UUID_DPID, *GLOBAL_SOURCES)))

RATES = """
SELECT report.counts_at, dpid, report.counts, codes
FROM am_file_report AS report JOIN am_file USING (file_no) JOIN am_batch USING (batch_no)
WHERE report.counts_at >= ? AND report.counts_at < ? AND (?::BIGINT IS NULL OR dpid = ?) AND undone_at IS NULL
ORDER BY file_no
"""
KNOWN = f"""
CREATE OR REPLACE TEMP TABLE am_known AS
SELECT DISTINCT dpid, id FROM am_map WHERE dpid NOT IN ({_DEVICES}) AND (?::BIGINT IS NULL OR dpid = ?)
"""
IN_FILES = f"""
CREATE OR REPLACE TEMP TABLE am_seen_id AS
SELECT dpid, user_id AS id, count(DISTINCT (file_no, line)) AS records FROM am_op
WHERE dpid NOT IN ({_DEVICES}) AND (?::BIGINT IS NULL OR dpid = ?) GROUP BY dpid, user_id
UNION ALL
SELECT dpid, user_id, count(*) FROM am_spaced WHERE (?::BIGINT IS NULL OR dpid = ?) GROUP BY dpid, user_id
"""
NEARLY_KNOWN = """
CREATE OR REPLACE TEMP TABLE am_nearly AS
SELECT dpid, seen.id, records, known.id AS known_id,
       CASE WHEN trim(seen.id) = known.id THEN 'spaces'
            WHEN trim(seen.id) = seen.id THEN 'case' ELSE 'spaces and case' END AS differs
FROM (SELECT * FROM am_seen_id ANTI JOIN am_known USING (dpid, id)) AS seen
JOIN (SELECT dpid, lower(id) AS folded, min(id) AS id FROM am_known GROUP BY dpid, lower(id)) AS known USING (dpid)
WHERE lower(trim(seen.id)) = known.folded
"""
NEARLY_COUNTED = """
SELECT dpid, differs, count(*), sum(records)::BIGINT FROM am_nearly GROUP BY dpid, differs ORDER BY dpid, differs
"""
NEARLY_SHOWN = """
SELECT dpid, differs, id, known_id, records FROM am_nearly ORDER BY records DESC, dpid, id LIMIT ?
"""
PHONES = """
SELECT dpid, id, records, count(*) OVER (PARTITION BY dpid) AS ids, sum(records) OVER (PARTITION BY dpid) AS of_dpid
FROM am_seen_id WHERE regexp_full_match(id, ?) ORDER BY records DESC, dpid, id
"""


class MatchRate(BaseModel):
    """Records of a day, stored or skipped: how many a device was known for. ``rate``: None where there was none."""

    day: date
    dpid: int
    records: int = 0
    matched: int = 0
    rate: float | None = None


class NearlyKnown(BaseModel):
    """Ids of one data source that would be known but for case or for spaces around them."""

    dpid: int
    differs: str
    ids: int
    records: int


class NearlySample(BaseModel):
    """One of them, and how the known id is written; personal data is masked."""

    dpid: int
    differs: str
    id: str
    known_id: str
    records: int


class PersonalIds(BaseModel):
    """Ids of one data source that look like an address or a telephone number. ``samples``: masked."""

    dpid: int
    looks_like: str
    ids: int | None = None
    records: int
    samples: list[str] = []


class IdQuality(BaseModel):
    """Everything about the ids of the files of some days."""

    since: date
    until: date
    dpid: int | None = None
    rates: list[MatchRate] = []
    nearly_known: list[NearlyKnown] = []
    nearly_samples: list[NearlySample] = []
    personal: list[PersonalIds] = []


def id_quality(session: Session, since: date, until: date, dpid: int | None = None) -> IdQuality:
    """``rates`` and addresses of the days from ``since`` to ``until``; the rest of everything that came in so far."""
    begin, end = datetime.combine(since, time()), datetime.combine(until, time()) + timedelta(days=1)
    files = session.records(RATES, [begin, end, dpid, dpid])
    session.run(KNOWN, [dpid, dpid])
    session.run(IN_FILES, [dpid] * 4)
    session.run(NEARLY_KNOWN)
    counted = session.rows(NEARLY_COUNTED)
    return IdQuality(
        since=since,
        until=until,
        dpid=dpid,
        rates=_rates(files),
        nearly_known=[
            NearlyKnown(dpid=of, differs=differs, ids=ids, records=records) for of, differs, ids, records in counted
        ],
        nearly_samples=[
            NearlySample(dpid=of, differs=differs, id=mask(text), known_id=mask(known), records=records)
            for of, differs, text, known, records in session.rows(NEARLY_SHOWN, [SHOWN])
        ],
        personal=[*_addresses(files), *_phones(session)],
    )


def matched(counts: Counts) -> tuple[int, int]:
    """(records that were stored or skipped, those of them whose device was known), by the counters of a file."""
    return counts.stored_records + counts.no_matching_aam_id, counts.stored_records - counts.unmatched_stored


def _rates(files: list[dict[str, Any]]) -> list[MatchRate]:
    found: dict[tuple[date, int], MatchRate] = {}
    for file in files:
        key = (file["counts_at"].date(), file["dpid"])
        rate = found.setdefault(key, MatchRate(day=key[0], dpid=key[1]))
        records, known = matched(Counts.model_validate_json(file["counts"]))
        rate.records += records
        rate.matched += known
    for rate in found.values():
        rate.rate = rate.matched / rate.records if rate.records else None
    return [found[key] for key in sorted(found)]


def _addresses(files: list[dict[str, Any]]) -> list[PersonalIds]:
    """Lines that were refused for an e-mail address as id: only counted, the addresses are not kept."""
    records: dict[int, int] = defaultdict(int)
    for file in files:
        records[file["dpid"]] += json.loads(file["codes"]).get("pii_in_user_id", 0)
    return [PersonalIds(dpid=dpid, looks_like="e-mail", records=n) for dpid, n in sorted(records.items()) if n]


def _phones(session: Session) -> list[PersonalIds]:
    found: dict[int, PersonalIds] = {}
    for dpid, text, _, ids, records in session.rows(PHONES, [PHONE_PATTERN]):
        entry = PersonalIds(dpid=dpid, looks_like="telephone number", ids=int(ids), records=int(records))
        samples = found.setdefault(dpid, entry).samples
        if len(samples) < SHOWN:
            samples.append(mask(text))
    return [found[dpid] for dpid in sorted(found)]
