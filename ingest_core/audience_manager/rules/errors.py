"""What can be wrong with the text of a rule."""

from __future__ import annotations

from ingest_core.errors import InputError

HINTS = {
    "syntax": 'Write it like: productkey == "2093" AND (price >= 100 OR NOT colour == "red").',
    "bad_key": "A key has a letter, before it only digits, and then letters, digits, hyphens and underscores.",
    "numeric_literal_required": "After >, <, >= and <= stands a plain number such as 100 or 99.90.",
    "bad_regex": "Correct the pattern. It is compared with the whole value, as RE2 does: without look-around.",
    "rule_matches_empty": "Add a condition that needs a signal: this rule would qualify every record.",
    "too_deep": "Write it with fewer parentheses inside one another.",
    "matches_everyone": "Add a trait that people must have: this rule is true for somebody without any trait.",
    "frequency_on_onboarded": "An onboarded trait qualifies at most once: name it alone, or ask for >= 1.",
    "recency_on_onboarded": "An onboarded trait has no recency: leave the days out.",
    "bad_days": "Days are a whole number above 0, such as 5D.",
    "too_many_traits": "A segment names at most 5,000 traits: make folders or several segments of them.",
}


class RuleTextError(InputError):
    """A rule that cannot be used. ``position`` is the character (0-based) at which it was noticed."""

    def __init__(self, what: str, *, code: str, position: int) -> None:
        super().__init__(
            f"This rule cannot be used: {what} (at character {position + 1}). Nothing was changed.",
            code=code,
            hint=HINTS[code],
            facts={"position": position},
        )
        self.position = position
