"""Writes docs/reasons.md from the catalogue in ingest_core/reasons.py.

python docs/generate_reasons.py            write the page
python docs/generate_reasons.py --check    only say whether it is current (exit code 1 when not)
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reasons.md"

HEAD = """\
# Why a row is rejected

A rejected row never stops the others. It comes back with its line number, its column and one of these codes, on
screen, in the receipt, in the e-mail and in the reject file. A row with several faults is one reject; its codes are
named in the order of this page. Which lines are counted how: [files.md](files.md#every-line-is-accounted-for).

This page is generated from the catalogue in `ingest_core/reasons.py`: `make docs`.

| Code | What it means | What to do |
|---|---|---|
"""


def make_page() -> str:
    """The whole page as Markdown."""
    sys.path.insert(0, str(ROOT))
    from ingest_core.reasons import REASONS

    rows = (
        f"| `{reason.code}` | **{reason.title}.** {cell(reason.explanation)} | {cell(reason.fix)} |\n"
        for reason in REASONS.values()
    )
    return HEAD + "".join(rows)


def cell(text: str) -> str:
    """Text that cannot end a table cell."""
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    page = make_page()
    if "--check" in arguments:
        is_current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        print("docs/reasons.md is current." if is_current else "docs/reasons.md is out of date: run make docs.")
        return 0 if is_current else 1
    PAGE.write_text(page, encoding="utf-8")
    print("Wrote docs/reasons.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
