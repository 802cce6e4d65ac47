"""A rule as a sentence: "City is Rome and Amount is greater than 100"."""

from __future__ import annotations

from ingest_core.segments.tree import AllOf, AnyOf, Has, HasTrait, InSegment, InSource, InUpload, Not, Rule

_MOST = 5
"""Values of a list that are written out."""


def in_words(rule: Rule) -> str:
    """The whole rule, with names as they are now. Text of people is in it as they wrote it."""
    match rule:
        case AllOf(()):
            return "everybody"
        case AnyOf(()):
            return "nobody"
        case AllOf((part,)) | AnyOf((part,)):
            return in_words(part)
        case AllOf(parts) | AnyOf(parts):
            word = " and " if isinstance(rule, AllOf) else " or "
            return word.join(_bracketed(part) for part in parts)
        case Not(part):
            return f"not {_bracketed(part)}"
        case InUpload(request_id):
            return f"in the upload {request_id}"
        case InSource(_, name):
            return f"in the source {name}"
        case InSegment(_, name):
            return f"in the segment {name}"
        case HasTrait(_, name):
            return f"with the trait {name}"
        case Has():
            return f"{rule.attribute.display_name} {rule.operator.words.format(_values(rule))}"


def _bracketed(rule: Rule) -> str:
    """In brackets where the words would otherwise read as another rule."""
    while isinstance(rule, AllOf | AnyOf) and len(rule.parts) == 1:
        rule = rule.parts[0]
    words = in_words(rule)
    return f"({words})" if isinstance(rule, AllOf | AnyOf) and rule.parts else words


def _values(leaf: Has) -> str:
    match leaf.operator.takes:
        case "nothing":
            return ""
        case "yes or no":
            return "yes" if leaf.values[0] == "true" else "no"
        case "two values":
            return " and ".join(leaf.values)
        case "days":
            return "day" if leaf.values == ("1",) else f"{int(leaf.values[0]):,} days"
        case "a list":
            rest = len(leaf.values) - _MOST
            return ", ".join(leaf.values[:_MOST]) + (f" and {rest:,} more" if rest > 0 else "")
        case _:
            return leaf.values[0]
