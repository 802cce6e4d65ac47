"""What is said about a file that is unlike the former one of its source, and whether it has to be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_core.errors import Held
from ingest_core.models import Drift
from ingest_core.plan.plan import Plan

FEW_ROWS = 20  # shares of fewer rows (people, values) are chance
NOTICE_PERCENT = 50.0  # told without a gate
_MOST_TOLD = 5


@dataclass(frozen=True)
class Comparison:
    """What a file was compared with (a Request ID, None for the first one) and how it differs."""

    former: str | None = None
    findings: tuple[Drift, ...] = ()

    def notices(self, plan: Plan) -> list[str]:
        """A sentence for each difference over the gate of the source; without a gate, over 50 % of 20 rows or more."""
        far = [finding for finding in self.findings if finding.is_over]
        if plan.source.settings.drift_percent is None and self._has_enough_rows():
            far = [finding for finding in self.findings if is_over(finding.what, finding.change, NOTICE_PERCENT)]
        told = [f"Unlike the former file: {in_words(finding)}." for finding in _largest(far)]
        return told + ([f"{len(far) - _MOST_TOLD:,} more differences to the former file."] if far[_MOST_TOLD:] else [])

    def held(self, plan: Plan) -> Held | None:
        """Why a person has to say yes before this file is loaded, or None."""
        over = [finding for finding in self.findings if finding.is_over]
        if not over or plan.options.accept_drift:
            return None
        said = "; ".join(in_words(finding) for finding in _largest(over))
        more = f"; and {len(over) - _MOST_TOLD:,} more differences" if over[_MOST_TOLD:] else ""
        return Held(
            f"The file is unlike the former one of {plan.source.name}: {said}{more}. Nothing was loaded.",
            code="unusual_file",
            hint="Look at the file. If it is right, approve the upload, else stop it.",
            facts={
                "former": self.former,
                "drift_percent": plan.source.settings.drift_percent,
                "findings": [finding.model_dump() for finding in over],
            },
        )

    def _has_enough_rows(self) -> bool:
        return any(max(finding.before, finding.now) >= FEW_ROWS for finding in self.findings if finding.what == "rows")


def is_over(what: str, change: float, percent: float) -> bool:
    """Whether a change is further off than this; fewer new values than usual are never far off."""
    return (change if what == "new_values" else abs(change)) > percent


def in_words(finding: Drift) -> str:
    """One difference as part of a sentence: figures and the attribute's name, never a value."""
    match finding.what:
        case "rows":
            return f"{finding.now:,.0f} row{'s' if finding.now != 1 else ''} instead of {finding.before:,.0f}"
        case "filled":
            return f"{finding.column} is filled in {finding.now:g} % of the rows instead of {finding.before:g} %"
        case "new_values":
            return f"{finding.now:g} % of the values of {finding.column} are new instead of {finding.before:g} %"
        case _:
            return (
                f"{finding.now:g} % of the former file's people are in it again (by {finding.column}) "
                f"instead of {finding.before:g} %"
            )


def _largest(findings: Sequence[Drift]) -> list[Drift]:
    """As many differences as a person reads."""
    return sorted(findings, key=lambda finding: -abs(finding.change))[:_MOST_TOLD]
