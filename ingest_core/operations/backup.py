"""A backup: one file with everything of a workspace, as it was at one moment, also while a load runs.

It takes no lock of the writers: the copy of the database is one transaction, and received files never change.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from ingest_core import __version__
from ingest_core.audience_manager.signal_loads import files_of_signal_loads
from ingest_core.catalog import Drafts
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.engine.copying import Content, check_copy, copy_database, opened_copy, sync
from ingest_core.errors import InputError, StateError
from ingest_core.operations import archive
from ingest_core.operations.scratch import Scratch, scratch
from ingest_core.operations.standing import (
    digest_of,
    files_of_arrivals,
    files_of_drafts,
    files_of_notebooks,
    files_of_uploads,
    standing,
)
from ingest_core.operations.steps import step
from ingest_core.vault import Keyset, LandingZone
from ingest_core.vault.keys import keys_in_environment

_TRIES = 5  # each further one takes a file that was received and loaded within the moment of a copy


@dataclass(frozen=True)
class Backup:
    """Writes backups of one open workspace."""

    home: Path
    engine: Engine
    keyset: Keyset
    landing: LandingZone
    drafts: Drafts

    def write(self, out: Path, *, with_keys: bool = True, is_quick: bool = False) -> dict[str, Any]:
        """Writes the new file ``out`` (0600), which appears when it was read back and found right, or not at all.

        ``is_quick`` leaves the digest out. InputError ``out_exists``, ``out_in_workspace``; StateError
        ``copy_differs``, ``backup_unreadable``, ``backup_overtaken``.
        """
        out = self._free(out)
        partial = out.with_name(out.name + ".partial")
        with ExitStack() as at_end:
            at_hand = at_end.enter_context(scratch(self.home))
            with step("backup copy"):
                copy, content, files = self._copy(at_hand)
            with step("backup count"):
                check_copy(self.engine, copy, content)
                facts = self._facts(copy, is_quick=is_quick)
            partial.unlink(missing_ok=True)
            at_end.callback(lambda: partial.unlink(missing_ok=True))
            with step("backup write"):
                manifest = self._archive(partial, self._members(copy, files, with_keys=with_keys), facts)
            with step("backup read back"):
                _check(partial, manifest)
            with step("backup publish"):
                partial.rename(out)
                sync(out.parent)
        return {
            "out": str(out),
            "bytes": out.stat().st_size,
            **manifest.model_dump(mode="json", exclude={"members", "format", "onramp"}),
            "received_files": sum(name.endswith(".land") for name in manifest.members),
        }

    def _free(self, out: Path) -> Path:
        out = out.absolute()
        if out.resolve().is_relative_to(self.home.resolve()):
            raise InputError(
                "The backup would lie in the workspace itself. Nothing was written.",
                code="out_in_workspace",
                hint="Choose another folder, best on another disk.",
            )
        if out.exists():
            raise InputError(
                "There is a file of this name already. Nothing was written.",
                code="out_exists",
                hint="Choose another name, such as one with the date.",
            )
        return out

    def _copy(self, at_hand: Scratch) -> tuple[Path, Content, list[Path]]:
        """The database, what it must hold, and every received file that it says is needed.

        A file may go while the copy is made, when its upload ends: so each is held before, by a second name.
        """
        copy = at_hand.path("database")
        for _ in range(_TRIES):
            with self.engine.session() as session:
                others = files_of_drafts(self.drafts) | files_of_notebooks(session) | files_of_arrivals(session)
                others |= files_of_signal_loads(session)
                self._hold(files_of_uploads(session) | others, at_hand)
            content = copy_database(self.engine, copy)
            with opened_copy(self.engine, copy) as session:
                needed = files_of_uploads(session)
            self._hold(needed, at_hand)
            files = {landing_id: self._held(landing_id, at_hand) for landing_id in sorted(needed | others)}
            if all(files[landing_id] for landing_id in needed):
                return copy, content, [path for paths in files.values() for path in paths]
            copy.unlink()
        raise StateError(
            "Uploads come and go too fast for a backup at this moment. Nothing was written.",
            code="backup_overtaken",
            hint="Start it again.",
        )

    def _hold(self, landing_ids: set[str], at_hand: Scratch) -> None:
        """Gives received files a second name, but for those that are gone."""
        for path in (path for landing_id in landing_ids for path in self.landing.paths(landing_id)):
            with suppress(FileNotFoundError, FileExistsError):
                _link(path, at_hand.path(path.name))

    def _held(self, landing_id: str, at_hand: Scratch) -> list[Path]:
        """The second names of a file, none if it was not held whole."""
        paths = [at_hand.path(path.name) for path in self.landing.paths(landing_id)]
        return paths if all(path.exists() for path in paths) else []

    def _facts(self, copy: Path, *, is_quick: bool) -> dict[str, Any]:
        with opened_copy(self.engine, copy) as session:
            digest = None if is_quick else digest_of(session, self.keyset)
            return {"digest": digest, **standing(session)}

    def _members(self, copy: Path, files: list[Path], *, with_keys: bool) -> dict[str, Path]:
        """Name in the archive → file. Keys from the environment are not ours to write down."""
        members = {"onramp.duckdb": copy}
        if (self.home / "settings.json").exists():
            members["settings.json"] = self.home / "settings.json"
        if with_keys and not keys_in_environment():
            members["keys.json"] = self.home / "keys.json"
        return members | {f"landing/{path.name.partition('-')[2]}": path for path in files}

    def _archive(self, partial: Path, members: dict[str, Path], facts: dict[str, Any]) -> archive.Manifest:
        with archive.writing(partial) as writer:
            for name, path in members.items():
                writer.add(name, path)
            keys = "included" if "keys.json" in members else "environment" if keys_in_environment() else "left out"
            manifest = archive.Manifest(
                format=archive.FORMAT,
                onramp=__version__,
                created_at=now().replace(tzinfo=UTC),
                keys=keys,
                members=writer.members,
                **facts,
            )
            writer.close(manifest)
        return manifest


def _check(partial: Path, manifest: archive.Manifest) -> None:
    if archive.check_archive(partial) != manifest:
        raise StateError(
            "The backup could not be read back as it was written. Nothing was kept.",
            code="backup_unreadable",
            hint="Check the disk, or choose another one.",
        )


def _link(path: Path, second: Path) -> None:
    """A second name for a file that never changes; a copy where the file system has no second names."""
    try:
        second.hardlink_to(path)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:
        shutil.copyfile(path, second)
