"""What a case found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Verdict:
    """Differences from what a case expects: in what is normative, and in what is only recommended (codes, warnings)."""

    normative: list[str] = field(default_factory=list)
    recommended: list[str] = field(default_factory=list)

    def expect(self, name: str, expected: Any, found: Any) -> None:
        """Both have to be the same."""
        if expected != found:
            self.normative.append(f"{name}: expected {expected!r}, found {found!r}")

    def recommend(self, name: str, expected: Any, found: Any) -> None:
        """Both should be the same."""
        if expected != found:
            self.recommended.append(f"{name}: expected {expected!r}, found {found!r}")
