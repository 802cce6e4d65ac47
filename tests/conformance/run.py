"""Runs every vector file of a folder and prints how many cases passed, as one JSON document.

python tests/conformance/run.py --vectors DIR [--strict] [--explain]

Prints {file: {passed, failed, failures: [id]}}; exit code 0 when all passed, else 1. A case passes when everything
normative is right; with --strict, recommended codes and warnings have to be right, too. --explain says on stderr what
was expected and what was found. A case without "id" is named by the number of its line. A kind that nothing judges yet
fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.cases import read_cases, vector_files


def run(folder: Path, *, is_strict: bool = False, explains: bool = False) -> dict[str, dict[str, object]]:
    """File → passed, failed, failures."""
    report: dict[str, dict[str, object]] = {}
    for path in vector_files(folder):
        passed, failures = 0, []
        for case in read_cases(path):
            verdict = case.judge()
            differences = verdict.normative + (verdict.recommended if is_strict else [])
            if not differences:
                passed += 1
                continue
            failures.append(case.id)
            if explains:
                print(f"{path.name} {case.id}: {'; '.join(differences)}", file=sys.stderr)
        report[path.name] = {"passed": passed, "failed": len(failures), "failures": failures}
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, required=True, metavar="DIR")
    parser.add_argument("--strict", action="store_true", help="recommended codes and warnings count, too")
    parser.add_argument("--explain", action="store_true", help="say on stderr what differs")
    args = parser.parse_args(arguments)
    report = run(args.vectors, is_strict=args.strict, explains=args.explain)
    print(json.dumps(report, indent=1))
    return 0 if report and not any(result["failed"] for result in report.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
