"""What the lines of a block do to traits: the columns against one line after another in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_core.audience_manager.evaluation import Evaluator, Realisable
from ingest_core.audience_manager.line_blocks import BlockParser
from ingest_core.audience_manager.lines import LineContext, parse_line
from ingest_core.audience_manager.rules import parse_trait_rule
from ingest_core.audience_manager.rules.logic import Leaf, Not, holds

OWN = {1, 2, 3, 10, 11, 12, 13, 14}
FOREIGN = {4, 5}
RULES = {
    10: 'colour == "red"',
    11: "price >= 10 AND price < 20",
    12: 'ic == "7" OR colour == "blue"',
    13: 'colour != "red" AND NOT (price == 0 AND size contains "x")',
    14: 'colour == "red" AND size == "XL" OR NOT (NOT price > 25 OR colour == "blue")',
}
TRAITS = Realisable(frozenset(OWN), frozenset(FOREIGN), {n: parse_trait_rule(text) for n, text in RULES.items()})


def expected(line, mode):
    """(used, unused, ignored, failed, failed traits, operations) of one parsed line, by the letter of spec §9.3."""
    pairs = [("ic" if op.kind == "bare" else op.key, op.value) for op in line.ops if op.kind in ("bare", "signal")]
    true = [trait for trait, rule in TRAITS.rules.items() if rule.holds(pairs)]
    adds, removes, failed_traits = set(true), set(), set()
    counts = dict.fromkeys(("used", "unused", "ignored", "failed"), 0)
    for op in line.ops:
        if op.kind in ("bare", "signal") and has_part(("ic" if op.kind == "bare" else op.key, op.value), true, pairs):
            counts["used"] += 1
            continue
        named = int(op.value) if op.kind == "bare" else op.trait
        if op.kind == "remove_trait" and mode == "overwrite":
            counts["ignored"] += 1
        elif op.kind == "signal" or named not in OWN | FOREIGN:
            counts["unused"] += 1
        elif named in FOREIGN:
            counts["failed"] += 1
            failed_traits.add(named)
        else:
            counts["used"] += 1
            (removes if op.kind == "remove_trait" else adds).add(named)
    operations = {(trait, True) for trait in adds - removes} | {(trait, False) for trait in removes}
    return (*counts.values(), len(failed_traits), operations)


def has_part(signal, true, pairs):
    """Whether a signal satisfies a comparison that led to the truth of a rule."""
    return any(
        comparison.key == signal[0].lower() and comparison.holds(signal[1])
        for trait in true
        for comparison in leading(TRAITS.rules[trait].expression, pairs, is_true=True)
    )


def leading(expression, pairs, *, is_true):
    """The comparisons that hold and because of which an expression is true, or false; none if it is not."""
    if holds(expression, lambda one: any(one.key == k.lower() and one.holds(v) for k, v in pairs)) != is_true:
        return []
    match expression:
        case Leaf(comparison):
            return [comparison] if is_true else []
        case Not(part):
            return leading(part, pairs, is_true=not is_true)
        case _:
            return [one for part in expression.parts for one in leading(part, pairs, is_true=is_true)]


ITEMS = st.one_of(
    st.sampled_from(["d_sid=1", "d_sid=4", "d_sid=99", "d_unsid=2", "d_unsid=5", "3:0", "12:-1", "1", "07", "7", "4"]),
    st.sampled_from(["colour=red", "COLOUR=Blue", "colour=", "ic=7", "size=XL", "d_sid=1,d_sid=1"]),
    st.integers(0, 30).map(lambda price: f"price={price}"),
)
LINES = st.lists(st.tuples(st.sampled_from("uvw"), st.lists(ITEMS, min_size=1, max_size=5)), max_size=12)


@settings(deadline=None)
@given(LINES, st.sampled_from(["sync", "overwrite"]))
def test_a_block_does_what_its_lines_do_one_by_one(lines, mode):
    texts = [f"{user}\t{','.join(items)}".encode() for user, items in lines]
    context = LineContext(mode=mode)
    found = Evaluator(TRAITS, mode).evaluate(BlockParser(context).parse(b"\n".join(texts)))
    for number, text in enumerate(texts):
        at = found.op_line == number
        operations = set(zip(found.op_trait[at].tolist(), found.op_is_add[at].tolist(), strict=True))
        numbers = [int(column[number]) for column in (found.used, found.unused, found.ignored, found.failed)]
        wanted = expected(parse_line(text, context), mode)
        assert wanted == (*numbers, int(found.failed_traits[number]), operations)
        assert bool(found.has_effect[number]) == bool(operations)


def test_a_number_compared_with_zero_is_a_number():
    traits = Realisable(frozenset({1}), rules={1: parse_trait_rule("price == 0")})
    found = Evaluator(traits, "sync").evaluate(BlockParser(LineContext()).parse(b"u\tprice=0.00\nv\tprice=1\n"))
    assert [True, False] == found.has_effect.tolist()


def test_what_stands_in_a_part_that_does_not_hold_led_to_no_trait():
    traits = Realisable(frozenset({1}), rules={1: parse_trait_rule("a == 1 AND b == 2 OR c == 3")})
    found = Evaluator(traits, "sync").evaluate(BlockParser(LineContext()).parse(b"u\tb=2,c=3\nv\ta=1,b=2,c=3\n"))
    assert ([1, 3], [1, 0]) == (found.used.tolist(), found.unused.tolist())


@pytest.mark.parametrize("data", [b"", b"\n\n", b"no tab\n"])
def test_without_records_there_is_nothing(data):
    found = Evaluator(TRAITS, "sync").evaluate(BlockParser(LineContext()).parse(data))
    assert len(found.op_line) == 0
    assert not np.any(found.has_effect)
