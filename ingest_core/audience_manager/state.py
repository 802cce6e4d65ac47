"""One figure for the state of all Audience Manager folds: equal states have equal digests, in any workspace."""

from __future__ import annotations

import hashlib
from typing import Any

from ingest_core.engine import Session

# No numbers of files and batches: an undone batch leaves gaps in them. Of mappings the order counts, not the number.
_FACTS = {
    "qualifications": "SELECT concat_ws('\x1f', dpid, id, trait_id, realised_at, line) FROM am_held",
    "profiles": "SELECT concat_ws('\x1f', dpid, id, seen_at) FROM am_profile",
    "mappings": """
        SELECT concat_ws('\x1f', dpid, id, device_dpid, device_id, seen_at, row_number() OVER (ORDER BY seq))
        FROM am_map
    """,
    "links": "SELECT concat_ws('\x1f', dpid, id, known_dpid, known_id, row_number() OVER (ORDER BY seq)) FROM am_link",
    "addresses": "SELECT concat_ws('\x1f', dpid, id, hash, row_number() OVER (ORDER BY seq)) FROM am_hash",
}


def digest(session: Session) -> dict[str, Any]:
    """{digest, qualifications, profiles, mappings, links, addresses}: counts of what there is, expired or not."""
    total = hashlib.sha256()
    counts: dict[str, Any] = {}
    for name, facts in _FACTS.items():
        count, mixed = session.row(f"SELECT count(*), bit_xor(md5_number(fact)) FROM ({facts}) AS f(fact)") or (0, None)
        counts[name] = int(count)
        total.update(f"{name}:{count}:{mixed}\n".encode())
    return {"digest": total.hexdigest(), **counts}
