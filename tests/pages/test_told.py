"""What an undo, a redo or a change of type does, in sentences."""

from __future__ import annotations

import pytest

from ingest_core.ledger.retype import TypeChange
from ingest_core.models import SegmentChange, UndoReceipt
from pages.ui import told


def undo(**figures):
    return UndoReceipt(request_id="R1", action="undo", source="CRM", file="f.tsv", user="asha", rows=9, **figures)


def retyped(**figures):
    none = {"profiles": 0, "same": 0, "rewritten": 0, "lost": 0, "regained": 0, "texts_lost": 0}
    return TypeChange(
        **{"attribute": "size", "type_before": "string", "type_after": "integer", **none, "samples": (),
           "rewritten_samples": (), **figures}
    )  # fmt: skip


def test_everything_an_undo_moves_is_told_with_its_figures():
    told_of = told.undo_effects(
        undo(
            removed=12, came_apart=3, changed=40, profiles_before=120, profiles_after=111, memberships_before=120,
            memberships_after=80, uploads_ended=("R1",), uploads_back=("R0",),
            segments=(
                SegmentChange(name="LEADS", before=120, after=None), SegmentChange(name="ALL", before=9, after=8),
            ),
        )
    )  # fmt: skip
    assert told_of == [
        "**12** people disappear, **3** come apart from others, **40** get other values.",
        "Profiles **120 → 111**, members of sources **120 → 80**.",
        "Segment LEADS is gone. It held 120 profiles.",
        "Segment ALL **9 → 8** profiles.",
        "1 upload that it had replaced counts again.",
    ]


def test_a_redo_tells_who_comes_back_and_what_it_replaces_again():
    told_of = told.undo_effects(
        undo(
            returned=1, merged=2, memberships_before=1, memberships_after=2, uploads_back=("R1",),
            uploads_ended=("R0", "R2"), segments=(SegmentChange(name="LEADS", before=None, after=1),),
        )
    )  # fmt: skip
    assert told_of == [
        "**1** person comes back, **2** become one with others.",
        "Members of sources **1 → 2**.",
        "Segment LEADS is there again, with 1 profile.",
        "2 uploads that it replaces no longer count.",
    ]


def test_an_undo_that_changes_nobody_says_why():
    assert told.undo_effects(undo()) == ["Nobody's values change: other uploads say the same."]


def test_many_segments_are_counted_not_listed():
    changes = tuple(SegmentChange(name=f"S_{i}", before=i, after=0) for i in range(1, 9))
    assert told.undo_effects(undo(segments=changes))[-1] == "3 more segments get other sizes."


def test_a_segment_name_is_never_interpreted():
    (_, shown) = told.undo_effects(undo(segments=(SegmentChange(name="A_B_C*x*", before=1, after=2),)))
    assert "A\\_B\\_C\\*x\\*" in shown


@pytest.mark.parametrize(
    ("figures", "sentences"),
    [
        ({}, ["No profile has a value."]),
        ({"profiles": 9, "same": 9}, ["9 profiles have a value, and every one stays as it is."]),
        (
            {"profiles": 9, "same": 1, "lost": 8, "samples": ("n/a", "*")},
            ["9 profiles have a value; **1** of them stays as it is.",
             "**8** would have no value: their text does not fit, such as “n/a”, “\\*”."],
        ),
        (
            {"profiles": 2, "same": 0, "rewritten": 2, "rewritten_samples": (("5.7", "6"),), "regained": 1},
            ["2 profiles have a value; **0** of them stay as they are.", "**2** would read otherwise: 5\\.7 → 6.",
             "**1** without a value would get one: their text fits again."],
        ),
    ],
)  # fmt: skip
def test_a_change_of_type_is_told_with_what_would_fail(figures, sentences):
    assert told.type_effects(retyped(**figures)) == sentences
