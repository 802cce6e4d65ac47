"""A pre-flight as one page of HTML that can be kept and mailed: nothing is fetched, no content of a line is in it."""

from __future__ import annotations

from html import escape

from ingest_core.audience_manager.check_report import Problem
from ingest_core.audience_manager.fixing import FIXES
from ingest_core.audience_manager.preflight import Preflight, PreflightFile
from ingest_core.audience_manager.receipts import Counts

_WORDS = {"fine": "Can be sent", "ask": "Look at the warnings first", "blocked": "Not to be sent"}

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
section { border: 1px solid #8886; border-radius: .5rem; padding: .5rem 1rem; margin: 1rem 0 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; border-top: 1px solid #8883 }
td.n { text-align: right; font-variant-numeric: tabular-nums }
.fine { color: #0a8f6a } .ask { color: #b26a00 } .blocked { color: #c22f2f }
"""


def page(found: Preflight, when: str) -> str:
    """The whole document. ``when``: as people read it."""
    files = "\n".join(_file(one) for one in found.files)
    told = f"{_count(len(found.files), 'file')}, {escape(when)}."
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Pre-flight</title><style>{_STYLE}</style></head><body>
<h1>Pre-flight</h1>
<p class="{found.verdict}"><strong>{_WORDS[found.verdict]}</strong>. {told}</p>
{files}
{_receipts(found)}
</body></html>
"""


def _count(many: int, one: str) -> str:
    return f"{many:,} {one}" if many == 1 else f"{many:,} {one}s"


def _file(file: PreflightFile) -> str:
    check = file.check
    shares = [("Lines", f"{check.lines:,}"), ("Bytes", f"{check.bytes:,}")]
    shares += [(name.replace("_", " ").capitalize(), f"{count:,}") for name, count in check.by_category.items()]
    for label, share in (("Share of bad ids", file.bad_ids), ("Share that realises nothing", file.without_trait)):
        if share is not None:
            shares.append((label, f"{share:.1%}"))
    shares += [(f"am fix: {FIXES[code]}", _count(lines, "line")) for code, lines in file.fixes.items()]
    if file.parts > 1:
        shares.append(("Better in parts", f"{file.parts:,}"))
    rows = "".join(f"<tr><th>{escape(label)}</th><td class=n>{text}</td></tr>" for label, text in shares)
    problems = "".join(_problem(one) for one in [*check.problems, *file.remarks])
    said = f"<table>{problems}</table>" if problems else "<p>Nothing to say.</p>"
    return (
        f"<section><h2>{escape(check.file)}</h2><p class={file.verdict}><strong>{_WORDS[file.verdict]}</strong></p>"
        f"<table>{rows}</table>{said}</section>"
    )


def _problem(problem: Problem) -> str:
    at = [(place.line, place.column) for place in problem.places if place.line is not None]
    where = ", ".join(f"line {line:,}" + (f" column {column:,}" if column else "") for line, column in at)
    whys = "; ".join(dict.fromkeys(place.why for place in problem.places if place.why))
    told = " ".join(filter(None, (problem.message, problem.fix, f"({escape(whys)})" if whys else "", where)))
    level = "blocked" if problem.level == "error" else "ask"
    title = f"{escape(problem.title)} × {problem.count:,}" if problem.count > 1 else escape(problem.title)
    return f"<tr><th class={level}>{problem.level}: {title}</th><td>{told} <code>{problem.code}</code></td></tr>"


def _receipts(found: Preflight) -> str:
    parts = []
    for one in found.receipt.receipts if found.receipt else []:
        of = f"Data source {one.dpid}" + (f", traits of {one.target}" if one.target else "")
        rows = "".join(
            f"<tr><th>{name.replace('_', ' ').capitalize()}</th><td class=n>{getattr(one, name):,}</td></tr>"
            for name in Counts.model_fields
        )
        parts.append(f"<section><h2>The receipt would say: {escape(of)}</h2><table>{rows}</table></section>")
    return "\n".join(parts)
