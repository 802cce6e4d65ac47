"""Writes docs/reasons.md and docs/audience-manager-codes.md from the catalogues of reasons.

python docs/generate_reasons.py            write the pages
python docs/generate_reasons.py --check    only say whether they are current (exit code 1 when not)
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest_core.reasons import Reason

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

HEAD = """\
# Why a row is rejected

A rejected row never stops the others. It comes back with its line number, its column and one of these codes, on
screen, in the receipt, in the e-mail and in the reject file. A row with several faults is one reject; its codes are
named in the order of this page. Which lines are counted how: [files.md](files.md#every-line-is-accounted-for).

This page is generated from the catalogue in `ingest_core/reasons.py`: `make docs`.

| Code | What it means | What to do |
|---|---|---|
"""


AM_HEAD = """\
# Codes of Audience Manager files

What `am check` says about a file, and why a receiver refuses it or one of its lines. The rules themselves are in
[audience-manager.md](audience-manager.md).

This page is generated from the catalogue in `ingest_core/audience_manager/reasons.py`: `make docs`.
"""
TABLE = "| Code | What it means | What to do |\n|---|---|---|\n"


def make_pages() -> dict[str, str]:
    """File name → the whole page as Markdown."""
    sys.path.insert(0, str(ROOT))
    from ingest_core.audience_manager import reasons as am
    from ingest_core.reasons import REASONS

    parts = {
        "Names": am.NAME_REASONS, "Files": am.FILE_REASONS, "Lines and rows": am.LINE_REASONS,
        "Warnings": am.WARNING_REASONS, "Left out of builds": am.BUILD_REASONS,
    }  # fmt: skip
    codes = "".join(f"\n## {title}\n\n{TABLE}{rows(reasons.values())}" for title, reasons in parts.items())
    return {"reasons.md": HEAD + rows(REASONS.values()), "audience-manager-codes.md": AM_HEAD + codes}


def rows(reasons: Iterable[Reason]) -> str:
    """One row of a table per reason."""
    return "".join(
        f"| `{reason.code}` | **{reason.title}.** {cell(reason.explanation)} | {cell(reason.fix)} |\n"
        for reason in reasons
    )


def cell(text: str) -> str:
    """Text that cannot end a table cell."""
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write or check; the exit code."""
    are_current = True
    for name, page in make_pages().items():
        path = DOCS / name
        if "--check" not in arguments:
            path.write_text(page, encoding="utf-8")
            print(f"Wrote docs/{name}.")
            continue
        is_current = path.is_file() and path.read_text(encoding="utf-8") == page
        are_current = are_current and is_current
        print(f"docs/{name} is {'current' if is_current else 'out of date: run make docs'}.")
    return 0 if are_current else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
