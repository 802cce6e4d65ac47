from __future__ import annotations

import pytest

from ingest_core.mapping.types import Unfit, data_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna", ("Anna", None)),
        ("e\u0301", ("\u00e9", None)),
        ("a\tb\nc", ("a\tb\nc", None)),
        ("0012", ("0012", None)),
        ("x\u007fy", ("x\u007fy", None)),
        ("a\x00b", (None, "control_character")),
        ("a\x1bb", (None, "control_character")),
        ("\u00fc\x01", (None, "control_character")),
        ("x" * 65_536, ("x" * 65_536, None)),
        ("x" * 65_537, (None, "too_long")),
        ("\U0001f600" * 65_536, ("\U0001f600" * 65_536, None)),
    ],
)
def test_text_is_kept_in_nfc_within_its_limits(convert, text, expected):
    assert convert("string", [text]) == [expected]


def test_blank_cells_and_white_space_alone_give_nothing_at_all(convert):
    """An empty text would mean "cleared" in the log."""
    assert convert("string", [None, "", " ", "\u2003\u00a0", "\u3000x\u2003"]) == [(None, None)] * 4 + [("x", None)]


def test_a_lone_surrogate_is_refused_not_fatal():
    with pytest.raises(ValueError):  # noqa: PT011
        data_type("string").normalise("a\ud800")


def test_white_space_alone_has_no_normal_form():
    with pytest.raises(Unfit):
        data_type("string").normalise(" \u2003 ")


def test_masks_show_first_letters_and_hide_lengths():
    assert data_type("string").mask("Anna-Maria de Sousa") == "A••• d••• S•••"
