"""Makes plans: reads what the file is, finds or checks its mapping, freezes everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest_core.catalog import Attributes, Mappings
from ingest_core.engine import Engine
from ingest_core.engine.steps import ignore_progress
from ingest_core.errors import InputError, StateError
from ingest_core.files import PLAIN_TABLES, Tables, repair_names
from ingest_core.mapping.inspect import inspect_file
from ingest_core.mapping.rules import check_mapping
from ingest_core.mapping.suggest import suggest_mapping
from ingest_core.models import (
    ByteSource,
    Dialect,
    FileFacts,
    FileLimits,
    Inspection,
    Mapping,
    Options,
    Progress,
    Source,
    SourceSettings,
)
from ingest_core.plan import policy
from ingest_core.plan.plan import Plan
from ingest_core.segments.segments import check_option
from ingest_core.settings import Settings

AUTO_CONFIDENCE = 0.9


@dataclass(frozen=True)
class Planner:
    """What making a plan needs from its workspace."""

    engine: Engine
    settings: Settings
    attributes: Attributes
    mappings: Mappings
    user: str
    tables: Tables = PLAIN_TABLES

    def limits(self, size: int | None = None) -> FileLimits:
        """Caps for one file; ``size`` for a way in that has its own (browser)."""
        return FileLimits(
            size=size or self.settings.file_limit_bytes,
            line=self.settings.line_limit_bytes,
            columns=self.settings.column_limit,
            unpacked=self.settings.unpacked_limit_bytes,
            ratio=self.settings.ratio_limit,
            seconds=self.settings.upload_seconds,
            memory=self.settings.reader_memory_bytes,
        )

    def inspect(
        self,
        file: ByteSource,
        source: Source | None = None,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        has_header: bool | None = None,
        head_only: bool = False,
        facts: FileFacts | None = None,
        progress: Progress = ignore_progress,
    ) -> Inspection:
        """What the file is, with suggestions for its columns, as the policy sees it; stores nothing."""
        found = inspect_file(
            file,
            self.attributes.list(),
            self.mappings.all(source) if source else [],
            self._settings_of(source),
            limits=self.limits(),
            facts=facts,
            encoding=encoding,
            delimiter=delimiter,
            has_header=has_header,
            head_only=head_only,
            strict_header=self.settings.strict_header,
            tables=self.tables,
            progress=progress,
        )
        return self._as_policy_says(found)

    def _as_policy_says(self, found: Inspection) -> Inspection:
        """A format that is refused is a problem; names that are repaired without asking are told."""
        if found.grammar != "table":
            return found
        names = [column.name for column in found.columns]
        other = self._other_format(found.container, found.encoding, found.delimiter, found.bom, len(names))
        problems = (policy.format_problem(other), *found.problems) if other else found.problems
        repaired = None
        if not self.settings.strict_header:
            repaired = policy.repaired_notice(names, has_header=found.has_header)
        notices = (*found.notices, repaired) if repaired else found.notices
        return found.model_copy(update={"problems": problems, "notices": notices})

    def _other_format(self, container: str, encoding: str, delimiter: str, has_bom: bool, columns: int) -> str | None:
        """Why a file is refused for its format, None where it is not."""
        if self.settings.other_formats == "convert":
            return None
        return policy.other_format(container, encoding, delimiter, has_bom=has_bom, columns=columns)

    def _refuse_format(self, facts: FileFacts, dialect: Dialect) -> None:
        if dialect.grammar is not None:
            return
        columns = len(dialect.columns)
        other = self._other_format(facts.container, facts.encoding, dialect.delimiter, facts.has_bom, columns)
        if other:
            raise policy.refuse_format(other)

    def _settings_of(self, source: Source | None) -> SourceSettings:
        """The source's settings, the workspace's phone country where it has none."""
        own = source.settings if source else SourceSettings()
        return own if own.phone_country else own.model_copy(update={"phone_country": self.settings.phone_country})

    def suggest(self, inspection: Inspection, source: Source | None) -> Mapping:
        """A mapping for what was inspected."""
        former = self.mappings.all(source) if source else []
        made = suggest_mapping(inspection, self.attributes.list(), former)
        return made.model_copy(update={"source": source.name if source else None})

    def check(self, mapping: Mapping) -> None:
        """Whether a mapping file can be used at all, for a file that has all of its columns."""
        check_mapping(mapping, list(dict.fromkeys(column.column for column in mapping.columns)), self.attributes.list())

    def plan(
        self,
        file: ByteSource,
        source: Source,
        mapping: Mapping | None,
        options: Options,
        *,
        is_auto: bool = False,
        overrides: dict[str, Any] | None = None,
        user: str | None = None,
        progress: Progress = ignore_progress,
    ) -> Plan:
        """Freezes file, dialect, mapping and options.

        Without a mapping the source's own one for this header is taken, or with ``is_auto`` suggestions of confidence
        ≥ 0.9. Raises FileError and InputError for what the person can fix; StateError ``already_loaded``.
        """
        self._check_options(source, options)
        asked = {k: v for k, v in (overrides or {}).items() if k in ("encoding", "delimiter", "has_header")}
        limits = self.limits()
        facts = self.tables.receive(file, limits, encoding=asked.get("encoding"), progress=progress)
        self._refuse_again(source, facts, options)
        dialect = self.tables.sniff(file, facts, limits=limits, **asked)
        self._refuse_format(facts, dialect)
        _refuse_no_rows(facts, dialect.header_line)
        mapping = mapping or self.mappings.for_table(source, dialect)
        if mapping is None and is_auto:
            mapping = self._automatic(file, source, facts, asked, progress)
        if mapping is None:
            raise _no_mapping(dialect)
        attributes = tuple(self.attributes.list())
        resolved = check_mapping(mapping, dialect.columns, attributes, strict_header=self.settings.strict_header)
        return Plan(
            source=source,
            file=file,
            facts=facts,
            dialect=dialect,
            limits=limits,
            mapping=mapping,
            resolved=resolved,
            attributes=attributes,
            options=options,
            uploaded_by=user or self.user,
            columns=tuple(repair_names(dialect.columns)),
        )

    def _automatic(
        self, file: ByteSource, source: Source, facts: FileFacts, asked: dict[str, Any], progress: Progress
    ) -> Mapping:
        inspection = self.inspect(file, source, facts=facts, progress=progress, **asked)
        suggested = self.suggest(inspection, source)
        repaired = [column.repaired for column in inspection.columns if column.repaired != column.name]
        kept = tuple(
            column
            if (column.confidence or 0) >= AUTO_CONFIDENCE
            else column.model_copy(update={"attribute": None, "format": None, "pii": None, "identifier": None})
            for column in suggested.columns
            # A name that breaks the header rules is accepted by a person only, unless the policy is to go on.
            if column.column not in repaired or not self.settings.strict_header
        )
        return suggested.model_copy(update={"columns": kept})

    def _check_options(self, source: Source, options: Options) -> None:
        if source.archived_at is not None:
            raise StateError(
                "This source is archived. Nothing was loaded.",
                code="source_archived",
                hint="Bring the source back from the archive first.",
            )
        with self.engine.session() as session:
            check_option(session, options.segment)

    def _refuse_again(self, source: Source, facts: FileFacts, options: Options) -> None:
        if options.again:
            return
        with self.engine.session() as session:
            row = session.row(
                "SELECT request_id, started_at FROM upload WHERE source_id = ? AND sha256 = ? AND is_live "
                "ORDER BY upload_no DESC",
                [source.source_id, facts.sha256],
            )
        if row is not None:
            raise StateError(
                f"This very file is already loaded into {source.name}: upload {row[0]}. Nothing was changed.",
                code="already_loaded",
                hint="Use --again to load it once more.",
                facts={"request_id": row[0]},
            )


def _no_mapping(dialect: Dialect) -> InputError:
    what = "for the columns" if dialect.grammar is None else f"that takes the ids ({dialect.grammar.mapped_by})"
    return InputError(
        f"This source has no mapping {what} of this file. Nothing was loaded.",
        code="no_mapping",
        hint="Give one with --mapping, start from `mapping suggest`, or use --auto.",
    )


def _refuse_no_rows(facts: FileFacts, header_line: int) -> None:
    if facts.physical_lines <= max(header_line, 0):
        raise InputError(
            "The file has a header and no rows. Nothing was loaded.",
            code="no_data_rows",
            hint="Check the export: the rows are missing.",
        )
