"""The one door out of the vault: tokens → values. Whoever shows a value to a person asks here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

import pyarrow as pa

from ingest_core.engine import Session
from ingest_core.vault.keys import Keyset
from ingest_core.vault.pages import unseal


class VaultReader:
    """Opens pages as needed, the last few hundred kept in memory for this reader's life."""

    def __init__(self, session: Session, keyset: Keyset, held: int = 256) -> None:
        self._session = session
        self._keyset = keyset
        self._held = held
        self._pages: OrderedDict[int, pa.StringArray] = OrderedDict()

    def values(self, tokens: Iterable[UUID]) -> dict[UUID, str]:
        """Known tokens → values; unknown ones are missing from the result."""
        wanted = list(dict.fromkeys(tokens))
        if not wanted:
            return {}
        places = self._session.rows(
            "SELECT token, page_id, slot FROM vault_value WHERE token IN (SELECT unnest(?::UUID[])) ORDER BY page_id",
            [[str(token) for token in wanted]],
        )
        return {token: self.page(page_id)[slot].as_py() for token, page_id, slot in places}

    def page(self, page_id: int) -> pa.StringArray:
        """All values of one page."""
        if page_id in self._pages:
            self._pages.move_to_end(page_id)
            return self._pages[page_id]
        row = self._session.row("SELECT attribute_id, key_version, data FROM vault_page WHERE page_id = ?", [page_id])
        if row is None:
            return pa.array([], pa.string())
        values = unseal(self._keyset.page_key(row[1]), row[2], page_id=page_id, attribute_id=row[0], key_version=row[1])
        self._pages[page_id] = values
        while len(self._pages) > self._held:
            self._pages.popitem(last=False)
        return values
