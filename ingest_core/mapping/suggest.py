"""Which attribute each column of a file probably is, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from ingest_core.mapping.agreement import Agreement, agreement
from ingest_core.mapping.fingerprint import fingerprint, fold, mapping_fingerprint
from ingest_core.mapping.names import NameMatch, match_name
from ingest_core.mapping.types import TYPES
from ingest_core.models import Attribute, ColumnMapping, ColumnStatistics, Inspection, Mapping, Suggestion

SURE = 0.9
"""From here on ``--auto`` takes a suggestion: name and values agree, or a person chose it before."""
KNOWN_FILE = 1.0
KNOWN_COLUMN = 0.95
DOUBTFUL = 0.85
"""The most that a column with an open question, or without values, can reach."""
FEWEST = 0.05
"""Share of fitting values below which an attribute is not even offered."""

_BANDS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "exact": ((0.95, 0.95, 0.99), (0.5, 0.90, 0.94)),
    "synonym": ((0.95, 0.92, 0.95), (0.8, 0.90, 0.92), (0.5, 0.75, 0.89)),
    "part": ((0.95, 0.75, 0.85), (0.5, 0.60, 0.75)),
    "part, strong": ((0.95, 0.90, 0.92), (0.5, 0.70, 0.89)),
    "similar": ((0.95, 0.60, 0.75), (0.5, 0.45, 0.60)),
    "similar, strong": ((0.95, 0.75, 0.85), (0.5, 0.55, 0.75)),
    "none, strong": ((0.9, 0.55, 0.70),),
}
"""How the name matches → (share of fitting values from, confidence there, confidence at the top of the band)."""

Told = Dict[str, str | None]

_WORDS = {
    "exact": "name is {}",
    "synonym": "name matches {}",
    "part": "name contains {}",
    "similar": "name is like {}",
    "none": "the name does not say so",
}


@dataclass(frozen=True, slots=True)
class _Guess:
    column: int
    attribute: Attribute
    suggestion: Suggestion
    certainty: float  # orders guesses of equal confidence: how near the names are


def suggest(
    columns: Sequence[ColumnStatistics],
    attributes: Sequence[Attribute],
    former: Sequence[Mapping] = (),
    told: Told | None = None,
) -> tuple[Suggestion, ...]:
    """One suggestion per column, in their order; an attribute is suggested for at most one of them.

    ``former``: mappings of the same source, any order; of several that speak of a column the latest version counts.
    ``told``: column → attribute or None for none, where that is known whatever the values look like; a former mapping
    goes before it.
    """
    known = _with_told(_remembered(columns, attributes, former), columns, attributes, told or {})
    taken = {suggestion.attribute for suggestion in known.values()}
    best = dict(known)
    doubts: dict[int, Suggestion] = {}
    guesses = sorted(
        _guesses(columns, attributes, skip=set(known)),
        key=lambda guess: (-guess.suggestion.confidence, -guess.certainty, guess.column, guess.attribute.attribute_id),
    )
    for guess in guesses:
        if guess.suggestion.attribute is None:
            doubts.setdefault(guess.column, guess.suggestion)
        elif guess.column not in best and guess.suggestion.attribute not in taken:
            best[guess.column] = guess.suggestion
            taken.add(guess.suggestion.attribute)
    nothing = Suggestion(attribute=None, confidence=0.0, why="no attribute has a similar name")
    return tuple(best.get(index) or doubts.get(index) or nothing for index in range(len(columns)))


def _with_told(
    known: dict[int, Suggestion], columns: Sequence[ColumnStatistics], attributes: Sequence[Attribute], told: Told
) -> dict[int, Suggestion]:
    names: set[str | None] = {attribute.name for attribute in attributes}
    names = names - {suggestion.attribute for suggestion in known.values()} | {None}
    why = {True: "the ids of its data source are this attribute", False: "it needs no mapping to be processed"}
    more = {
        index: Suggestion(attribute=told[column.name], confidence=KNOWN_FILE, why=why[told[column.name] is not None])
        for index, column in enumerate(columns)
        if column.name in told and told[column.name] in names and index not in known
    }
    return known | more


def _guesses(columns: Sequence[ColumnStatistics], attributes: Sequence[Attribute], skip: set[int]) -> Iterator[_Guess]:
    for index, column in enumerate(columns):
        if index in skip:
            continue
        for attribute in attributes:
            name = match_name(column.repaired, attribute)
            if name.how == "none" and not (attribute.is_builtin and attribute.type == column.type and column.filled):
                continue
            suggestion = _judge(column, attribute, name, agreement(column, attribute))
            if suggestion is not None:
                yield _Guess(index, attribute, suggestion, name.score)


def _judge(column: ColumnStatistics, attribute: Attribute, name: NameMatch, values: Agreement) -> Suggestion | None:
    why = f"{_WORDS[name.how].format(attribute.name)}; {values.words}"
    if values.share is None:
        band = _BANDS[name.how][0] if name.how in _BANDS else None
        return _offer(column, attribute, min(DOUBTFUL, band[1]), why) if band else None
    if values.share < FEWEST:
        return Suggestion(attribute=None, confidence=0.0, why=why) if name.how != "none" else None
    key = f"{name.how}, strong" if values.is_strong and f"{name.how}, strong" in _BANDS else name.how
    if key not in _BANDS:
        return None
    confidence = _confidence(key, values.share)
    if confidence is None and name.how == "none":
        return None
    confidence = 0.4 * values.share if confidence is None else confidence
    if _has_question(column, attribute):
        why, confidence = f"{why}; a question is open", min(confidence, DOUBTFUL)
    return _offer(column, attribute, confidence, why)


def _has_question(column: ColumnStatistics, attribute: Attribute) -> bool:
    """Whether only a person can say how the column is to be read as this attribute."""
    if attribute.type == "phone":
        return "phone_country_needed" in column.questions
    has_formats = bool(TYPES[attribute.type].formats)
    return has_formats and column.fits.get(attribute.type, 0.0) > 0 and attribute.type not in column.formats


def _confidence(key: str, share: float) -> float | None:
    """Confidence within the band of the share; None below all bands: the values contradict the name."""
    top = 1.0
    for start, low, high in _BANDS[key]:
        if share >= start:
            return round(low + (high - low) * (share - start) / (top - start), 3)
        top = start
    return None


def _offer(column: ColumnStatistics, attribute: Attribute, confidence: float, why: str) -> Suggestion:
    return Suggestion(
        attribute=attribute.name,
        confidence=round(confidence, 3),
        why=why,
        format=column.formats.get(attribute.type),
    )


# ── what people chose before ────────────────────────────────────────────────────────────────────────────


def _latest_first(former: Sequence[Mapping]) -> list[Mapping]:
    return sorted(former, key=lambda mapping: -(mapping.version or 0))


def _known_file(columns: Sequence[ColumnStatistics], former: Sequence[Mapping]) -> Mapping | None:
    """The latest mapping that was made for exactly this header."""
    wanted = fingerprint([column.repaired for column in columns])
    return next((mapping for mapping in _latest_first(former) if mapping_fingerprint(mapping) == wanted), None)


def _remembered(
    columns: Sequence[ColumnStatistics], attributes: Sequence[Attribute], former: Sequence[Mapping]
) -> dict[int, Suggestion]:
    """Suggestions for the columns that were mapped before, the same header before single columns."""
    types = {attribute.name: attribute.type for attribute in attributes}
    same = _known_file(columns, former)
    sources = [same] if same else _latest_first(former)
    confidence, why = (
        (KNOWN_FILE, "as in the last file with this header") if same else (KNOWN_COLUMN, "as chosen before")
    )
    chosen: dict[str, ColumnMapping] = {}
    for mapping in sources:
        here: dict[str, ColumnMapping] = {}
        for entry in mapping.columns:
            here.setdefault(fold(entry.column), entry)
        chosen = here | chosen
    remembered: dict[int, Suggestion] = {}
    taken: set[str] = set()
    for index, column in enumerate(columns):
        entry_for = chosen.get(fold(column.repaired)) or chosen.get(fold(column.name))
        if entry_for is None or (entry_for.attribute is None and not same):
            continue
        if entry_for.attribute is not None and (entry_for.attribute not in types or entry_for.attribute in taken):
            continue
        taken |= {entry_for.attribute} if entry_for.attribute else set()
        words = why if entry_for.attribute else "left out in the last file with this header"
        fmt = entry_for.format or column.formats.get(types.get(entry_for.attribute or "", ""))
        remembered[index] = Suggestion(attribute=entry_for.attribute, confidence=confidence, why=words, format=fmt)
    return remembered


def suggest_mapping(inspection: Inspection, attributes: Sequence[Attribute], former: Sequence[Mapping] = ()) -> Mapping:
    """A complete mapping for the file: every column once, or as often as a former mapping of the same header had it.

    Rules chosen before (blank, conflict, combine, bad cells) are kept; PII and identifier come from the attribute.
    """
    by_name = {attribute.name: attribute for attribute in attributes}
    same = _known_file(inspection.columns, former)
    before = {
        (fold(entry.column), entry.attribute): entry
        for mapping in reversed([same] if same else _latest_first(former))
        for entry in mapping.columns
    }
    rows: list[ColumnMapping] = []
    for column, suggestion in zip(
        inspection.columns, suggest(inspection.columns, attributes, former, inspection.known), strict=True
    ):
        rows.append(_row(column.repaired, suggestion, by_name, before))
        if same is not None:
            rows += _further(column, suggestion, by_name, same)
    return Mapping(columns=tuple(rows))


def _row(
    column: str,
    suggestion: Suggestion,
    attributes: dict[str, Attribute],
    before: dict[tuple[str, str | None], ColumnMapping],
) -> ColumnMapping:
    attribute = attributes.get(suggestion.attribute or "")
    rules = before.get((fold(column), suggestion.attribute), ColumnMapping(column=column))
    return rules.model_copy(
        update={
            "column": column,
            "attribute": suggestion.attribute,
            "pii": attribute.pii if attribute else None,
            "identifier": attribute.identifier if attribute else None,
            "format": suggestion.format,
            "confidence": suggestion.confidence,
            "why": suggestion.why,
        }
    )


def _further(
    column: ColumnStatistics, first: Suggestion, attributes: dict[str, Attribute], same: Mapping
) -> list[ColumnMapping]:
    """The other attributes that this column feeds in the known mapping, e.g. amount → total and purchases."""
    return [
        _row(
            column.repaired,
            first.model_copy(update={"attribute": entry.attribute, "format": entry.format}),
            attributes,
            {(fold(column.repaired), entry.attribute): entry},
        )
        for entry in same.columns
        if fold(entry.column) == fold(column.repaired)
        and entry.attribute in attributes
        and entry.attribute != first.attribute
    ]
