"""The words of the product as values: what modules hand to each other.

Plain, frozen and free of behaviour; see docs/architecture.md for how they travel. Longer than 400 lines because every
word stands here once, most of them in a few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import pyarrow as pa

Rank = Literal["primary", "secondary"]
SourceKind = Literal["customer", "data_source"]
Combine = Literal["last", "first", "sum", "count", "min", "max"]
Conflict = Literal["newest", "keep"]
OnBadCell = Literal["reject", "empty"]
Replace = Literal["members", "values"]
Status = Literal["Scheduled", "In Progress", "Completed", "Failed"]
Told = Literal["start", "processing", "end"]


class Progress(Protocol):
    """Told about work under way; raises ``Stopped`` when a person asked to stop."""

    def __call__(self, phase: str, done: int, total: int | None) -> None: ...


# ── files ──────────────────────────────────────────────────────────────────────────────────────────────


class ByteSource(Protocol):
    """The raw bytes of one file, readable any number of times; the name is only data."""

    name: str
    size: int

    def open(self) -> IO[bytes]:
        """A fresh, seekable binary stream at offset 0."""
        ...


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Caps while reading; bytes unless said otherwise."""

    size: int = 5_000_000_000
    unpacked: int = 20_000_000_000
    ratio: int = 1_000
    line: int = 1_048_576
    columns: int = 2_000
    seconds: int = 3_600  # for one pass over the bytes; 0 = no limit
    memory: int = 2 << 30  # of a process that reads apart


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one full pass over the bytes found. ``physical_lines`` counts every line, the header included."""

    name: str
    size: int
    sha256: str
    container: Literal["plain", "gzip", "zip", "xlsx"]
    encoding: str  # "utf-8", "utf-16-le", "utf-16-be", "windows-1252", "iso-8859-1"
    encoding_evidence: str
    has_bom: bool
    line_end: str  # "LF", "CRLF", "CR", "mixed", "none"
    physical_lines: int
    text_bytes: int
    longest_line: int
    has_nul: bool
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How lines become cells. ``columns`` are the names as the file has them (or column_1 … without a header)."""

    delimiter: str
    quoting: bool
    has_header: bool
    header_line: int  # physical line number of the header, 1-based; 0 without a header
    columns: tuple[str, ...]
    evidence: str = ""
    grammar: LineGrammar | None = None  # of lines that are no cells between separators
    notices: tuple[str, ...] = ()


class LineGrammar(Protocol):
    """Lines that are no cells between separators: who knows them makes the rows.

    ``mapped_by``: the column by which a mapping is found again, for the other columns differ from file to file;
    ``known``: columns → the attribute they hold, None for one that is none, whatever their values look like.
    """

    @property
    def name(self) -> str: ...

    @property
    def mapped_by(self) -> str: ...

    @property
    def known(self) -> dict[str, str | None]: ...

    def slices(
        self,
        source: ByteSource,
        facts: FileFacts,
        columns: tuple[str, ...],
        limits: FileLimits,
        slice_bytes: int,
        progress: Progress | None,
    ) -> Iterator[Slice]:
        """As ``read_slices``. A cell that a line says nothing about is null."""
        ...


@dataclass(frozen=True, slots=True)
class LineReject:
    """A line that could not become a row of the table. ``text`` is the original text, without its line end."""

    line: int
    code: str
    column: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Some consecutive lines of a file: rows as text, and an account of every line.

    ``table`` holds one string column per file column, named c0, c1, … (null where a line with a grammar of its own says
    nothing about it); ``lines`` the physical line number (1-based,
    header included) on which each row starts. ``lines_seen`` = rows + blank + rejects: lines of the data part.
    ``physical_lines`` counts line ends of the same stretch (larger only where quoted cells hold line breaks).
    """

    table: pa.Table
    lines: pa.Int64Array
    blank: int
    rejects: tuple[LineReject, ...]
    lines_seen: int
    physical_lines: int
    bytes_read: int


# ── catalogue ──────────────────────────────────────────────────────────────────────────────────────────


class Model(BaseModel):
    """Base of everything that is stored or printed as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Attribute(Model):
    """A field of the profile. ``column`` is its generated column name in log and profile (a17)."""

    attribute_id: int
    name: str
    display_name: str
    type: str
    identifier: Rank | None = None
    priority: int = 0
    pii: bool = False
    segment: str | None = None
    macro: str | None = None
    is_builtin: bool = False

    @property
    def column(self) -> str:
        return f"a{self.attribute_id}"


class SourceSettings(Model):
    """What can be set per source."""

    phone_country: str | None = None
    threshold_percent: float | None = Field(default=None, ge=0, le=100)  # None = best effort, 0 = strict
    recipients: tuple[str, ...] = ()
    notify_on: tuple[Told, ...] = ("start", "processing", "end")  # end: also waiting for approval, undone, redone
    drift_percent: float | None = Field(default=None, ge=0, le=100)  # a file further off asks before it loads
    access_mapping: bool = False  # of a data source of others: the sender may feed its traits
    profile_days: int = Field(default=720, ge=30, le=1800)  # without activity; of a cross-device data source
    is_case_sensitive: bool = True  # on the site, ids that differ by case only are different people
    load_signals: bool = False  # of a data source: what its data files say of people goes into profiles, too
    sampling_until: datetime | None = None  # UTC: until then the first faulty lines of its files are kept as samples


class Source(Model):
    """One kind of file that is loaded again and again."""

    source_id: int
    name: str
    kind: SourceKind = "customer"
    description: str = ""
    dpid: int | None = None
    id_type: str | None = None
    inbound_id_type: str | None = None
    owner: str | None = None
    id_attribute: str | None = None
    id_placement: str | None = None
    settings: SourceSettings = SourceSettings()
    created_at: datetime | None = None
    archived_at: datetime | None = None


class ColumnMapping(Model):
    """One file column → one attribute (None = ignore), with its format and rules (domain.md §4)."""

    column: str
    attribute: str | None = None
    pii: bool | None = None
    identifier: Rank | None = None
    format: str | None = None
    blank: str = "keep"  # keep | clear | a token such as NULL that clears
    conflict: Conflict = "newest"
    combine: Combine = "last"
    bad_cell: OnBadCell = "reject"
    confidence: float | None = None
    why: str | None = None


class Mapping(Model):
    """For one source: every column and what becomes of it. Versions are never changed, only added."""

    source: str | None = None
    version: int | None = None
    columns: tuple[ColumnMapping, ...]


# ── inspection ─────────────────────────────────────────────────────────────────────────────────────────


class Problem(Model):
    """Something a person should decide or repair before loading. ``column`` is a name as in the file."""

    code: str
    message: str
    fix: str
    column: str | None = None
    options: tuple[dict[str, object], ...] = ()  # for questions: {"value": …, "label": …, "fits": n}


class Suggestion(Model):
    """A guess for one column and why."""

    attribute: str | None
    confidence: float
    why: str
    format: str | None = None


class Bin(Model):
    """One bar of a histogram."""

    label: str
    count: int


class ColumnStatistics(Model):
    """What one column holds. ``filled`` is a share 0–1; ``top`` may be PII: never stored in the clear."""

    name: str
    repaired: str  # the name strict mode would accept; equal to ``name`` when that is fine
    type: str
    filled: float
    distinct: int
    is_distinct_exact: bool = True
    min: str | None = None
    max: str | None = None
    top: tuple[Bin, ...] = ()
    histogram: tuple[Bin, ...] = ()
    evidence: str = ""
    pii: bool = False
    examples: tuple[str, ...] = ()
    fits: dict[str, float] = {}  # data type → share of the filled values that fit it in its best format
    formats: dict[str, str] = {}  # data type → the format that the values show; absent while it is a question
    shapes: dict[str, float] = {}  # share of values that are "digits", "words", "codes", "national" (phone numbers)
    questions: tuple[str, ...] = ()  # codes of the problems of this column that only a person can decide
    suggestion: Suggestion | None = None


class Inspection(Model):
    """What a file is, before anything is stored."""

    file: str
    size: int
    sha256: str | None
    container: str
    encoding: str
    encoding_evidence: str
    bom: bool
    delimiter: str
    quoting: bool
    dialect_evidence: str
    line_end: str
    has_header: bool
    header_line: int
    lines: int
    physical_lines: int
    blank: int
    rows: int
    rejected: int
    rejects_by_reason: dict[str, int]
    is_complete: bool  # False: only the head of the file was looked at
    columns: tuple[ColumnStatistics, ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...] = ()
    grammar: str = "table"  # "audience_manager": a data file, whose lines are ids and items
    known: dict[str, str | None] = {}  # column → attribute (None: none), where that is known without its values


# ── upload ─────────────────────────────────────────────────────────────────────────────────────────────


class Options(Model):
    """Everything chosen for one load beside file and mapping."""

    replace: Replace | None = None
    segment: str | None = None  # "create:NAME" | "add:NAME"
    threshold_percent: float | None = Field(default=None, ge=0, le=100)  # None = what the source allows
    notify: tuple[str, ...] = ()
    at: datetime | None = None
    again: bool = False
    accept_drift: bool = False  # load it however far it is from the former file
    parent: str | None = None  # the upload whose rejected rows these are, corrected
    batch: str | None = None  # the batch of Audience Manager files that the file came with
    fixed_lines: dict[int, int] = {}  # line of this file → line of the parent's file
    idempotency_key: str | None = None


class Drift(Model):
    """One way in which a file differs from the former one of its source. ``change`` is a percentage, 0 = as before."""

    what: str  # rows | filled | new_values | overlap
    column: str | None  # the attribute's name, for filled and new_values
    before: float
    now: float
    change: float
    is_over: bool  # further off than the source allows


class StepReport(Model):
    """One named step of a plan as it ran."""

    name: str
    purpose: str
    sql: str
    seconds: float
    rows: int | None


class MergingProfile(Model):
    """One of the profiles that become one, and the identifier by which the file names it.

    ``line``: the first that does so, None where no line names it: an identifier it had before belongs to them now.
    ``value``: masked where it is PII; None also when its row is gone since (erased, removed by retention).
    """

    profile_id: str
    attribute: str | None = None
    line: int | None = None
    value: str | None = None


class MergeGroup(Model):
    """Profiles that become one; ``profiles`` are the first of ``size``."""

    size: int
    profiles: tuple[MergingProfile, ...]


class Cluster(Model):
    """The person with the most of something."""

    profile_id: str
    count: int


class BlockedCells(Model):
    """Identifier cells of one kind that identify nobody: placeholders and values too short."""

    attribute: str
    reason: str
    cells: int


class MetIdentifiers(Model):
    """What became of the different values of one identifier that the file states.

    ``contested``: stated with several primaries in this very file; ``foreign``: of a row without a primary, but
    somebody else's than the row's; ``moved``: last stated with another primary, now theirs; ``shared``: too many
    primaries have it, ``newly_shared`` since this file; ``case_only``: new, and differs only in case from another one.
    """

    attribute: str
    contested: int = 0
    foreign: int = 0
    moved: int = 0
    shared: int = 0
    newly_shared: int = 0
    case_only: int = 0


class IdentityPreview(Model):
    """Who becomes one with whom by an upload, and which values were kept from joining people.

    ``profiles`` known before become ``groups``, so that ``profiles − groups`` is the receipt's ``merged``.
    """

    groups: int = 0
    profiles: int = 0
    largest: tuple[MergeGroup, ...] = ()
    most_lines: Cluster | None = None  # lines of the file about one person
    most_identifiers: Cluster | None = None  # identifiers of one person, of those to whom the file brings one
    blocked: tuple[BlockedCells, ...] = ()
    met: tuple[MetIdentifiers, ...] = ()
    shared_limit: int = 0  # more primaries than this have a shared value
    shared_rows: int = 0  # rows that state one
    shared_came_apart: int = 0  # profiles more than before, because a value that joined them is shared now


class Receipt(Model):
    """The counts of one upload; they always add up (quality.md I1, I2)."""

    request_id: str | None
    source: str
    file: str
    sha256: str
    uploaded_by: str
    status: Status
    badges: tuple[str, ...] = ()
    physical_lines: int = 0
    lines: int = 0
    blank: int = 0
    stored: int = 0
    rejected: int = 0
    duplicates: int = 0
    suppressed: int = 0
    withheld: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    merged: int = 0
    came_apart: int = 0
    removed: int = 0
    conflicts: int = 0
    shared: int = 0
    memberships_ended: int = 0
    profiles_before: int = 0
    profiles_after: int = 0
    members: int = 0
    segment: str | None = None
    rejects_by_reason: dict[str, int] = {}
    notices: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    mapping_version: int | None = None
    error: dict[str, object] | None = None
    drift: tuple[Drift, ...] = ()
    held: dict[str, object] | None = None  # why it waits for a person
    identity: IdentityPreview | None = None  # of a Completed upload or preview; None also before version 0006
    steps: tuple[StepReport, ...] = ()
    created_at: datetime | None = None
    scheduled_for: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None
    replaced_by: str | None = None  # the upload whose values replaced these
    approved_by: str | None = None  # who let it load though it was far off
    parent: str | None = None  # the upload whose rejected rows were corrected here
    batch: str | None = None  # the batch of Audience Manager files that the file came with
    children: tuple[str, ...] = ()  # uploads of rows corrected from this one


class SegmentChange(Model):
    """A segment whose count changes; None = it is not there."""

    name: str
    before: int | None
    after: int | None


class WentOut(Model):
    """A file that left the workspace, or may have, with somebody of an upload in it."""

    delivery_id: str
    kind: str
    label: str
    destination: str
    at: datetime | None = None


class UndoReceipt(Model):
    """What undoing an upload (or redoing it) changed, or would change.

    ``profiles_after = profiles_before − removed + returned − merged + came_apart``; ``changed`` people stay with other
    values. ``uploads_ended`` no longer count, ``uploads_back`` count again (those an undone *replace* had ended).
    """

    request_id: str
    action: str  # undo | redo
    source: str
    file: str
    user: str
    rows: int
    uploads_ended: tuple[str, ...] = ()
    uploads_back: tuple[str, ...] = ()
    profiles_before: int = 0
    profiles_after: int = 0
    removed: int = 0
    returned: int = 0
    merged: int = 0
    came_apart: int = 0
    changed: int = 0
    memberships_before: int = 0
    memberships_after: int = 0
    segments: tuple[SegmentChange, ...] = ()
    went_out: tuple[WentOut, ...] = ()  # of an undo: files with its people that cannot be called back
    steps: tuple[StepReport, ...] = ()


class RejectedRow(Model):
    """One row that was not stored, as people see it. ``text`` is the original line: PII."""

    line: int
    column: str | None
    code: str
    codes: tuple[str, ...]
    title: str
    message: str
    fix: str
    text: str


@dataclass(frozen=True, slots=True)
class TypeContext:
    """What converting a column may depend on beside its format."""

    phone_country: str | None = None
    lower_email_local: bool = True


Clock = Callable[[], datetime]


@dataclass(slots=True)
class Converted:
    """A column after its type looked at it.

    ``text``: canonical text, null where the cell was blank (null) or bad. ``code``: reason code where bad, else null.
    """

    text: pa.StringArray
    code: pa.StringArray | None = field(default=None)
