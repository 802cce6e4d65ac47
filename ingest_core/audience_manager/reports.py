"""Reports about Audience Manager files: onboarding status, error samples, unused signals; the switch of sampling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ingest_core.audience_manager import sampling, unused
from ingest_core.audience_manager.id_quality import IdQuality, id_quality
from ingest_core.audience_manager.registered import sampling_until
from ingest_core.audience_manager.report import StatusReport, status_report
from ingest_core.audience_manager.report_samples import FileSamples, samples_of
from ingest_core.catalog import Sources
from ingest_core.clock import now
from ingest_core.engine import Engine
from ingest_core.errors import InputError
from ingest_core.models import Source
from ingest_core.vault import Keyset


class Reports:
    """What is told about the files of data sources."""

    def __init__(self, engine: Engine, keyset: Keyset, sources: Sources, user: str) -> None:
        self._engine = engine
        self._keyset = keyset
        self._sources = sources
        self._user = user

    def status(self, since: date, until: date, dpid: int | None = None) -> StatusReport:
        """The Onboarding Status Report of the files of these days (UTC, both included).

        ``dpid``: only files of its ids or that feed its traits. InputError ``bad_dates``.
        """
        _check_days(since, until)
        with self._engine.session() as session:
            return status_report(session, since, until, dpid)

    def samples(self, files: Sequence[int]) -> list[FileSamples]:
        """The sampled lines of files (by ``file_no``), in the order of the files; personal data in them is masked."""
        with self._engine.session() as session:
            return samples_of(session, self._keyset, files)

    def unused_signals(
        self, dpid: int | None = None, days: int = unused.SHOWN_DAYS, limit: int = 1_000
    ) -> list[dict[str, Any]]:
        """{day, key, value, seen} of pairs seen at least a hundred times on a day, the newest day first."""
        return unused.unused_signals(self._engine, dpid, days, limit)

    def ids(self, since: date, until: date, dpid: int | None = None) -> IdQuality:
        """Match rates and odd ids of the files of these days. InputError ``bad_dates``."""
        _check_days(since, until)
        with self._engine.session() as session:
            return id_quality(session, since, until, dpid)

    def switch_sampling(self, source: str | int, *, is_on: bool) -> Source:
        """Error sampling of a data source on (for 14 days from now) or off. InputError ``no_dpid``."""
        found = self._sources.get(source)
        if found.dpid is None:
            raise InputError(
                "Error sampling is for sources with a DPID. Nothing was changed.",
                code="no_dpid",
                hint="Choose a data source of Audience Manager.",
            )
        settings = found.settings.model_copy(update={"sampling_until": sampling_until() if is_on else None})
        return self._sources.update(found.source_id, settings=settings)

    def sampled_until(self, source: Source) -> datetime | None:
        """Until when samples are taken of a data source; None when they are not."""
        return source.settings.sampling_until if sampling.is_on(source.settings, now()) else None


def _check_days(since: date, until: date) -> None:
    if until < since:
        raise InputError("The last day is before the first.", code="bad_dates", hint="Swap the two dates.")
