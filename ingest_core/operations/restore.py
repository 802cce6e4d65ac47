"""Puts a backup into a new folder: complete and checked, or not there at all.

Everything happens in ``DIR.partial`` beside the folder, which is renamed when it has been opened and found right. What
a kill leaves there is no workspace, and the next restore clears it away.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from ingest_core.engine import Engine, Session
from ingest_core.engine.copying import sync
from ingest_core.engine.lock import WorkspaceLock
from ingest_core.engine.migrate import migrate
from ingest_core.errors import ConfigError, StateError
from ingest_core.ledger import outbox
from ingest_core.ledger.audit import write_audit
from ingest_core.operations.archive import Manifest, unpack
from ingest_core.operations.standing import digest_of, fields_of, standing
from ingest_core.operations.steps import step
from ingest_core.people.erasure import apply_list
from ingest_core.people.suppressions import Listed, parse
from ingest_core.settings import load_settings
from ingest_core.vault import Keyset, load_keyset
from ingest_core.vault.keys import keys_in_environment, parse_keyset, verify_check, write_keyset

_OURS = re.compile(r"onramp\.duckdb(\..*)?|settings\.json|keys\.(json|new)|landing|tmp|lock")


def restore(
    archive: Path, home: Path, user: str, *, keys: str | None = None, erased: str | None = None
) -> dict[str, Any]:
    """Makes the workspace ``home`` from a backup; ``keys`` is the text of a key file, for a backup without one.

    ``erased``: the list of those who were erased since the backup (``Erasure.erased`` as JSON); they are erased again
    before anybody can look. {home, what the manifest says, erased: {people, rows, …} or None}. InputError
    ``not_an_erased_list``; FileError ``not_a_backup``, ``backup_damaged``; StateError ``target_not_empty``,
    ``restore_differs``; ConfigError ``keys_missing``, ``wrong_keys``. After an error the target is as it was.
    """
    home = home.resolve()
    listed = parse(erased) if erased is not None else None
    _check_target(home)
    partial = home.with_name(home.name + ".partial")
    lock = _begin(partial)
    try:
        with step("restore unpack"):
            manifest = unpack(archive, partial)
            _place_keys(partial, keys)
        with step("restore open"):
            gone = _open_once(partial, manifest, user, listed)
        with step("restore publish"):
            sync(partial)
            partial.rename(home)
            sync(home.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        lock.release()
    return {
        "home": str(home),
        **manifest.model_dump(mode="json", exclude={"members", "format", "onramp"}),
        "erased": gone,
    }


def _check_target(home: Path) -> None:
    if home.exists() and not (home.is_dir() and next(home.iterdir(), None) is None):
        raise StateError(
            "There is something at the place to restore to. Nothing was changed.",
            code="target_not_empty",
            hint="Name a folder that does not exist yet, or an empty one.",
        )


def _begin(partial: Path) -> WorkspaceLock:
    """An empty folder, held by us; the leftover of a killed restore is cleared, anything else stays untouched."""
    if partial.exists():
        if not (partial.is_dir() and all(_OURS.fullmatch(path.name) for path in partial.iterdir())):
            raise StateError(
                f"The folder {partial.name} is in the way. Nothing was changed.",
                code="partial_in_the_way",
                hint="Move it away, or restore to another place.",
            )
        WorkspaceLock(partial, "command").release()  # raises while another restore is at it
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    return WorkspaceLock(partial, "command")


def _place_keys(partial: Path, keys: str | None) -> None:
    if keys is not None:
        write_keyset(partial / "keys.json", parse_keyset(keys))
    elif not keys_in_environment() and not (partial / "keys.json").exists():
        raise ConfigError(
            "This backup holds no keys, and none were given. Nothing was restored.",
            code="keys_missing",
            hint="Give the workspace's key file with --keys, or its content as ONRAMP_KEYS.",
        )


def _open_once(partial: Path, manifest: Manifest, user: str, listed: Listed | None) -> dict[str, int] | None:
    """Brings the schema to this version, tries the keys, compares what is there with what the backup says."""
    settings = load_settings(partial)
    keyset = load_keyset(partial, may_create=False)
    (partial / "landing").mkdir(mode=0o700, exist_ok=True)
    engine = Engine(
        partial / "onramp.duckdb",
        partial / "tmp",
        memory_limit=settings.memory_limit,
        threads=settings.threads,
        temp_limit=settings.temp_limit,
    )
    try:
        migrate(engine)
        with engine.session() as session:
            verify_check(keyset, session.value("SELECT value FROM meta WHERE key = 'key_check'"))
            found = standing(session) | {"digest": manifest.digest and digest_of(session, keyset)}
            if found != manifest.model_dump(include=set(found)):
                raise StateError(
                    "What was restored is not what the backup says it holds. Nothing was restored.",
                    code="restore_differs",
                    hint="Take another backup, and report this one.",
                )
            with session.transaction():
                about = {"created_at": manifest.created_at.isoformat(), "digest": manifest.digest}
                write_audit(session, user, "restore", "", about)
                gone = _erase_again(session, keyset, user, settings.shared_limit, listed)
                outbox.keep_waiting(session)  # what waited then may have been sent since
            session.run("CHECKPOINT")
    finally:
        engine.close()
    return gone


def _erase_again(
    session: Session, keyset: Keyset, user: str, shared_limit: int, listed: Listed | None
) -> dict[str, int] | None:
    if listed is None:
        return None
    gone = apply_list(session, keyset, fields_of(session), shared_limit, listed)
    write_audit(session, user, "erase", "by list", gone)
    return gone
