"""Strings that have broken software elsewhere, written down anew for these tests."""

from __future__ import annotations

KEPT = (
    "'", '"', "''", '"; DROP TABLE source; --', "' OR '1'='1", "Robert'); DROP TABLE profile;--", "a;b", "--", "/*",
    "\\", "null", "NULL", "None", "undefined", "true", "NaN", "0", "-1", "1e309", "0x0", "$HOME", "$1", "?", "%s", "%n",
    "{0}", "{{ 7*7 }}", "${7*7}", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](http://x)",
    "**bold**", "=1+1", "+1", "@SUM(1)", "../../etc/passwd", "C:\\con", "*", "[ab].csv", "a|b", "`id`", "$(id)",
    "&amp;", "http://x", "名前", "ЁЙ", "İstanbul", "ß", "ΑΣ", "שלום", "مرحبا", "𝕬", "🦆", "👩\u200d👩\u200d👧",
    "e\u0301", "Å", "\u200bhidden", "\u202egnp", "\ufeffbom", "Z\u0351\u036b\u0343", "ﬁ", "ｆｕｌｌ", "´`^~", "x" * 200,
    "select", "a.b", "a/b", "a:b", "a,b", "a=b", "  outer  ",
)  # fmt: skip
REFUSED = (
    "", " ", "\u00a0", "\u3000", "\n", "a\tb", "a\nb", "a\rb", "a\0b", "a\x7f", "a\x1b[31m", "a\u2028b", "a\u2029b",
    "\ud800", "x" * 201,
)  # fmt: skip
