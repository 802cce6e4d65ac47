from __future__ import annotations

import pytest

from ingest_core.mapping.types import data_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna@Example.COM", "anna@example.com"),
        ("a.b+tag@x.test", "a.b+tag@x.test"),
        ("o'neill_1@sub.example.org", "o'neill_1@sub.example.org"),
        ("anna@shop.example", "anna@shop.example"),
        ("anna@host.local", "anna@host.local"),
        ("anna@büro.de", "anna@büro.de"),
        ("anna@BÜRO.de", "anna@büro.de"),
        ("anna@xn--bro-hoa.de", "anna@büro.de"),
        ("Jörg@example.de", "jörg@example.de"),
        ("a" * 60 + "@" + "b" * 63 + ".com", "a" * 60 + "@" + "b" * 63 + ".com"),
    ],
)
def test_addresses_are_lowered(convert, text, expected):
    assert convert("email", [text]) == [(expected, None)]


@pytest.mark.parametrize(
    "text",
    [
        "anna",
        "@",
        "a@",
        "@b.de",
        "a@b",
        "a@example",
        "a@b.1",
        "a@b..de",
        ".a@b.de",
        "a.@b.de",
        "a..c@b.de",
        "a b@c.de",
        "a@b c.de",
        "a@-b.de",
        "a@b-.de",
        "a@b_c.de",
        "a@@b.de",
        "a@b@c.de",
        '"a b"@c.de',
        "Anna <a@b.de>",
        "a@[127.0.0.1]",
        "a@b.de,c@d.de",
        "a@b.de;",
        "mailto:a@b.de ",
        "a＠b.de",
        "a@" + "b" * 64 + ".de",
        "a" * 250 + "@b.de",
        "a@ab--c.de",
        "a@b.de\x00",
        "a\u200b@b.de",
        "a@xn--.de",
        "ı" * 65000 + "@b.de",
        "a@b.de\nc",
    ],
)
def test_what_is_not_an_address_is_refused(convert, text):
    assert convert("email", [text]) == [(None, "not_an_email")]


def test_the_local_part_keeps_its_case_when_the_context_says_so(convert):
    assert convert("email", ["Anna@Example.com"], lower_email_local=False) == [("Anna@example.com", None)]


def test_masks_keep_the_first_letter_and_the_domain():
    assert data_type("email").mask("anna@example.com") == "a•••@example.com"
    assert data_type("email").mask("anna") == "•••"
