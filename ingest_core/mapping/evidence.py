"""What the values of one column say: its data type, the format of each type, and the questions they leave open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ingest_core.files.sketch import Counted
from ingest_core.mapping.names import is_named, is_personal
from ingest_core.mapping.questions import country_needed, damaged, which_format
from ingest_core.mapping.shapes import Shapes
from ingest_core.mapping.signs import signs_in
from ingest_core.mapping.trials import NUMBERS, Trial, TypeTrials, Verdict, all_trials, as_moments
from ingest_core.models import Bin, Problem, TypeContext

CONVINCED = 0.9
"""Share of the values that must fit before a column is said to be of a type."""

_TELLING = ("email", "url", "phone", "date", "datetime", "number", "integer")
"""Types that texts do not fit by chance; worth naming when more than half of a text column fits one."""

PLURALS = {
    "string": "texts",
    "number": "numbers",
    "integer": "whole numbers",
    "boolean": "yes/no values",
    "date": "dates",
    "datetime": "dates with a time",
    "email": "e-mail addresses",
    "phone": "phone numbers",
    "url": "web addresses",
    "country": "countries",
    "currency": "currency codes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one column; ``fits``, ``formats``, ``shapes`` and ``questions`` as in ColumnStatistics."""

    type: str
    evidence: str
    pii: bool
    fits: dict[str, float]
    formats: dict[str, str]
    shapes: dict[str, float]
    questions: tuple[str, ...]
    problems: tuple[Problem, ...]
    low: str | None = None
    high: str | None = None
    bins: tuple[Bin, ...] = ()


@dataclass(slots=True)
class ColumnEvidence:
    """Takes the different values of one column, judges at the end.

    ``name`` is what people call the column, ``column`` its name exactly as in the file (may be empty).
    """

    name: str
    context: TypeContext
    column: str
    shapes: Shapes = field(default_factory=Shapes)
    types: dict[str, TypeTrials] = field(init=False)

    def __post_init__(self) -> None:
        self.types = all_trials(self.context)

    def add(self, found: Counted) -> None:
        """Takes different values with their counts; every cell of the column once over all calls."""
        if not len(found.values):
            return
        self.shapes.add(found)
        signs = signs_in(found.values)
        for trials in self.types.values():
            trials.add(found, signs)

    def finish(self, distinct: int, cells: int) -> Finding:
        """What was found in a column with so many different values in so many filled cells."""
        verdicts = {name: trials.verdict() for name, trials in self.types.items()}
        if not verdicts["datetime"].best.seen:
            verdicts["datetime"] = as_moments(verdicts["date"])
        shapes = self.shapes.shares()
        phone = verdicts["phone"].best
        shapes["national"] = _part(phone, "phone_needs_country")
        type_name = self._guess(verdicts, shapes, distinct)
        problems, questions = self._problems(type_name, verdicts)
        trial = verdicts[type_name].best if type_name in verdicts else None
        return Finding(
            type=type_name,
            evidence=_sentence(type_name, cells, verdicts, shapes["national"]),
            pii=type_name in ("email", "phone") or is_personal(self.name),
            fits={name: verdict.best.share for name, verdict in verdicts.items()},
            formats=_formats(verdicts),
            shapes=shapes,
            questions=questions,
            problems=problems,
            low=trial.low if trial else None,
            high=trial.high if trial else None,
            bins=trial.bins(type_name) if trial else (),
        )

    def _guess(self, verdicts: dict[str, Verdict], shapes: dict[str, float], distinct: int) -> str:
        fit = {name: verdict.best.share for name, verdict in verdicts.items()}
        if not distinct:
            return "string"
        for name in ("email", "url"):
            if fit[name] >= CONVINCED:
                return name
        if fit["boolean"] >= CONVINCED and distinct <= 12 and (distinct > 1 or shapes["digits"] < CONVINCED):
            return "boolean"
        if fit["date"] >= CONVINCED and (shapes["digits"] < CONVINCED or (fit["date"] > 0.99 and distinct >= 3)):
            return "date"
        if fit["datetime"] >= CONVINCED and shapes["digits"] < CONVINCED:
            return "datetime"
        is_number = max(fit["number"], fit["integer"]) >= CONVINCED
        is_written_so = is_named(self.name, "phone") or not is_number or shapes["plus"] >= CONVINCED
        if fit["phone"] + shapes["national"] >= CONVINCED and is_written_so:
            return "phone"
        if is_number:
            return _number(fit, verdicts, shapes)
        if fit["country"] >= CONVINCED and is_named(self.name, "country"):
            return "country"
        return next((name for name in ("currency", "country") if fit[name] >= 0.98 and distinct > 1), "string")

    def _problems(self, type_name: str, verdicts: dict[str, Verdict]) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
        """Problems of the column and, of these, the codes of those that only a person can decide."""
        problems: list[Problem] = []
        questions: list[str] = []
        asked = _asked(type_name, verdicts)
        if asked:
            problems.append(which_format(self.name, self.column, asked, verdicts[asked].rivals))
            questions.append(problems[-1].code)
        phone = verdicts["phone"].best
        is_phone = type_name == "phone" or is_named(self.name, "phone")
        national = phone.reasons["phone_needs_country"]
        if is_phone and national:
            problems.append(country_needed(self.name, self.column, national, phone.seen))
            if national * 2 >= phone.seen:
                questions.append("phone_country_needed")
        if is_phone and phone.reasons["spreadsheet_damage"]:
            problems.append(damaged(self.name, self.column, phone.reasons["spreadsheet_damage"], phone.seen))
        return tuple(problems), tuple(questions)


def _formats(verdicts: dict[str, Verdict]) -> dict[str, str]:
    """The format of each type that has any and fits; none where it is a question."""
    formats = {
        name: verdict.best.format
        for name, verdict in verdicts.items()
        if verdict.best.format and verdict.best.fitting and not verdict.rivals
    }
    if verdicts["number"].rivals:  # "1.234" is a whole number in one reading only, but that decides nothing
        formats.pop("integer", None)
    return formats


def _asked(type_name: str, verdicts: dict[str, Verdict]) -> str | None:
    """The type whose format is a question here: that of the column, or the one that most of its values fit."""
    names = ("date", "datetime", "number")
    wanted = "number" if type_name in NUMBERS else type_name
    if type_name == "string":
        wanted = max(names, key=lambda name: verdicts[name].best.share)
        if verdicts[wanted].best.share < 0.5:
            return None
    return wanted if wanted in names and verdicts[wanted].rivals else None


def _part(trial: Trial, reason: str) -> float:
    return trial.reasons[reason] / trial.seen if trial.seen else 0.0


def _number(fit: dict[str, float], verdicts: dict[str, Verdict], shapes: dict[str, float]) -> str:
    if shapes["zeros"] > 0:
        return "string"  # 00123 is a code: as a number it would lose its zeros
    if fit["integer"] >= fit["number"] and not verdicts["number"].rivals:
        return "integer"
    return "number"


def _sentence(type_name: str, cells: int, verdicts: dict[str, Verdict], national: float) -> str:
    """The evidence in words, e.g. "98.7 % of 385,000 values are e-mail addresses"."""
    if not cells:
        return "No values"
    if type_name == "string":
        return _about_text(cells, verdicts)
    trial = verdicts[type_name].best
    share = min(1.0, trial.share + (national if type_name == "phone" else 0.0))
    count = f"{cells:,} values" if trial.seen == cells else f"{trial.seen:,} values looked at"
    missing = ""
    if type_name == "phone" and national:
        missing = f", {'all' if national == 1 else percent(national)} of them without a country code"
    return f"{'All' if share == 1 else f'{percent(share)} of'} {count} are {PLURALS[type_name]}{missing}"


def _about_text(cells: int, verdicts: dict[str, Verdict]) -> str:
    near = max(_TELLING, key=lambda name: verdicts[name].best.share)
    share = verdicts[near].best.share
    if 0.5 <= share < CONVINCED:
        return f"Text: only {percent(share)} of {cells:,} values are {PLURALS[near]}"
    return f"{cells:,} values are text"


def percent(share: float) -> str:
    """``98.7 %``; rounded down, so that only all is 100 %."""
    tenths = math.floor(share * 1000 + 1e-9)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10} %"
