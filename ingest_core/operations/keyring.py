"""The keys of a workspace: whether they open everything, and new ones for the vault."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest_core.audience_manager.originals import files_of_originals
from ingest_core.audience_manager.signal_loads import files_of_signal_loads
from ingest_core.catalog import Drafts
from ingest_core.engine import Engine, Session
from ingest_core.engine.steps import ignore_progress, must_be
from ingest_core.errors import ConfigError
from ingest_core.ledger.audit import write_audit
from ingest_core.models import Progress
from ingest_core.operations.rewrite import rewrite
from ingest_core.operations.standing import files_of_arrivals, files_of_drafts, files_of_notebooks, files_of_uploads
from ingest_core.operations.steps import step
from ingest_core.vault import Keyset, LandingZone
from ingest_core.vault.keys import keys_in_environment, make_check, write_keyset
from ingest_core.vault.upkeep import check_pages, reseal, stale_batches


@dataclass(frozen=True)
class Keyring:
    """Checks and rotates the keys of one workspace."""

    home: Path
    engine: Engine
    keyset: Keyset
    landing: LandingZone
    drafts: Drafts
    user: str

    @property
    def versions(self) -> tuple[int, list[int]]:
        """(primary, all)."""
        return self.keyset.primary, sorted(self.keyset.pages)

    def check(self, progress: Progress = ignore_progress) -> dict[str, Any]:
        """Opens everything that is sealed; returns {primary, versions, kept_in, pages, drafts, received_files}.

        StateError ``vault_damaged``, ``draft_damaged``, ``landing_damaged`` at the first that does not open.
        """
        with self.engine.session() as session, session.transaction():  # of one moment, also while a load runs
            pages = check_pages(session, self.keyset, progress)
            files = files_of_uploads(session) | files_of_arrivals(session) | files_of_notebooks(session)
            files |= files_of_signal_loads(session)
            kept = {landing_id for landing_id in files_of_originals(session) if self.landing.has(landing_id)}
            files |= kept
        files |= files_of_drafts(self.drafts)
        drafts = [self.drafts.load(draft_id) for draft_id, _, _ in self.drafts.list()]
        for landing_id in files:
            with self.landing.open(landing_id).open() as stream:
                while stream.read(1 << 20):
                    pass
        return {
            "primary": self.keyset.primary,
            "versions": sorted(self.keyset.pages),
            "kept_in": "environment" if keys_in_environment() else "keys.json",
            "pages": pages,
            "drafts": len(drafts),
            "received_files": len(files),
        }

    def rotate(self, progress: Progress = ignore_progress) -> dict[str, Any]:
        """Seals the vault with a new page key and forgets the old one; returns {primary, retired, pages, is_resumed}.

        A rotation that was interrupted is finished instead. Beside an app that serves, everybody else waits while the
        file is rewritten. ConfigError ``keys_in_environment``; StateError ``in_use``.
        """
        is_resumed = len(self.keyset.pages) > 1
        keyset = self.keyset.copy() if is_resumed else self._with_new_key()
        alone = replace(keyset, pages={keyset.primary: keyset.pages[keyset.primary]})
        retired = sorted(keyset.pages.keys() - alone.pages.keys())
        with self.engine.write:
            self.keyset.take(keyset)  # whoever reads or seals from now on knows both
            with self.engine.session() as session:
                pages = self._reseal(session, keyset, progress)
                with step("rotate retire"), session.transaction():
                    stale = int(session.value(_STALE, [keyset.primary]))
                    must_be(stale, 0, "vault pages of an old key")
                    _expect(session, alone)
                    write_audit(session, self.user, "rotate keys", "", {"primary": keyset.primary, "retired": retired})
            progress("rewrite", 0, None)
            rewrite(self.engine, self.home, "rotate")
        with step("rotate forget key"):
            if not keys_in_environment():
                write_keyset(self.home / "keys.json", alone)
            self.keyset.take(alone)
        return {"primary": keyset.primary, "retired": retired, "pages": pages, "is_resumed": is_resumed}

    def _with_new_key(self) -> Keyset:
        """The keyset with one more page key, in the key file before anything is sealed with it."""
        if keys_in_environment():
            raise ConfigError(
                "The keys come from ONRAMP_KEYS, which only you can change. Nothing was changed.",
                code="keys_in_environment",
                hint="Add a page key of a new version there, make it the primary one, and run this again.",
            )
        version = max(self.keyset.pages) + 1
        pages = {**self.keyset.pages, version: secrets.token_bytes(32)}
        keyset = replace(self.keyset, primary=version, pages=pages)
        with step("rotate add key"):
            write_keyset(self.home / "keys.json", keyset)
        return keyset

    def _reseal(self, session: Session, keyset: Keyset, progress: Progress) -> int:
        pages = 0
        _expect(session, keyset)
        batches = stale_batches(session, keyset.primary)
        total = sum(map(len, batches))
        for batch in batches:
            with step("rotate pages"):
                reseal(session, keyset, batch)
            pages += len(batch)
            progress("reseal", pages, total)
        return pages


_STALE = "SELECT count(*) FROM vault_page WHERE key_version <> ?"


def _expect(session: Session, keyset: Keyset) -> None:
    """From now on the workspace opens with every key of this keyset, not with fewer."""
    session.run("UPDATE meta SET value = ? WHERE key = 'key_check'", [make_check(keyset)])
