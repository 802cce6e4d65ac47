"""A letter as the text and the HTML of one mail: the same in both, readable in any program, light and dark."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from ingest_core.ledger.outbox import Letter, LetterReason, Tone

LOOK: dict[Tone, tuple[str, str]] = {  # a colour that is readable on white and on black, and a word beside it
    "good": ("#079464", "Done"),
    "warning": ("#d9480f", "Needs a look"),
    "bad": ("#e03131", "Failed"),
    "info": ("#4263eb", "For your information"),
}
FONT = "-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
WIDEST = 600  # pixels
LONGEST_ALIGNED = 30  # characters of a value; longer ones stick out, and the others stay readable

_STYLE = """
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page{background:#12151c!important}.card{background:#1b202b!important;border-color:#323a4a!important}
.ink{color:#e8ebf2!important}.soft{color:#a6afc0!important}.line{border-color:#323a4a!important}
}
@media (max-width:480px){.card td.inner{padding:20px 18px!important}}
"""


def link_of(letter: Letter, base_url: str | None) -> str | None:
    """Where the letter leads; None where the app's address is not known."""
    if letter.path is None or base_url is None:
        return None
    return f"{base_url}/{quote(letter.path.lstrip('/'), safe='/?=&')}"


def as_text(letter: Letter, base_url: str | None, because: str) -> str:
    """The plain part."""
    parts = [letter.title, *letter.sentences]
    parts += _tables(letter.rows)
    if letter.reasons:
        told = [f"- {reason.title}: {reason.count:,}\n  {reason.fix}" for reason in letter.reasons]
        parts.append("\n".join(["Why rows were rejected", *told]))
    if link := link_of(letter, base_url):
        parts.append(f"{letter.action}:\n{link}")
    parts.append(f"-- \n{because}")
    return "\n\n".join(parts) + "\n"


def _tables(rows: tuple[tuple[str, str], ...]) -> list[str]:
    """Aligned figures, an empty line before each heading."""
    if not rows:
        return []
    wide = max(len(label) for label, _ in rows)
    far = max((len(value) for _, value in rows if len(value) <= LONGEST_ALIGNED), default=0)
    lines = [f"{label:<{wide}}  {value:>{far}}" if value else f"\n{label}" for label, value in rows]
    return ["\n".join(lines).lstrip("\n")]


def as_html(letter: Letter, base_url: str | None, because: str) -> str:
    """The HTML part: tables and inline styles, as mail programs want it; nothing is loaded from anywhere."""
    colour, word = LOOK[letter.tone]
    inner = [
        f'<div style="font-size:13px;font-weight:600;color:{colour}">{word}</div>',
        f'<h1 class="ink" style="margin:6px 0 0;font-size:20px;line-height:28px;color:#1c2434">'
        f"{escape(letter.title)}</h1>",
        *(_paragraph(sentence) for sentence in letter.sentences),
        _rows(letter.rows),
        _reasons(letter.reasons),
        _button(link_of(letter, base_url), letter.action),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(letter.subject)}</title><style>{_STYLE}</style></head>\n"
        f'<body class="page" style="margin:0;padding:0;background:#f5f6f9;font-family:{FONT}">'
        f'<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>'
        '<td align="center" style="padding:24px 12px">'
        f'<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" '
        f'style="max-width:{WIDEST}px;background:#ffffff;border:1px solid #e1e5ee;border-radius:8px">'
        f'<tr><td style="height:4px;line-height:4px;font-size:0;background:{colour};border-radius:8px 8px 0 0">&nbsp;'
        '</td></tr><tr><td class="inner" align="left" style="padding:24px 32px 28px">\n'
        + "\n".join(part for part in inner if part)
        + "\n</td></tr></table>"
        f'<p class="soft" style="max-width:{WIDEST}px;margin:16px auto 0;font-size:12px;line-height:18px;'
        f'color:#6b7486;text-align:left">{escape(because)}</p></td></tr></table></body></html>\n'
    )


def _paragraph(sentence: str) -> str:
    return (
        f'<p class="ink" style="margin:12px 0 0;font-size:15px;line-height:22px;color:#1c2434">{escape(sentence)}</p>'
    )


def _rows(rows: tuple[tuple[str, str], ...]) -> str:
    if not rows:
        return ""
    edge = "padding:7px 0;border-bottom:1px solid #e1e5ee;font-size:15px;line-height:20px"
    told = "\n".join(
        f'<tr><td colspan="2" class="ink" style="padding:18px 0 2px;font-size:16px;font-weight:600;color:#1c2434">'
        f"{escape(label)}</td></tr>"
        if not value
        else f'<tr><td class="soft line" style="{edge};color:#6b7486">{escape(label)}</td>'
        f'<td class="ink line" align="right" style="{edge};padding-left:16px;color:#1c2434;font-weight:600;'
        f'word-break:break-word">{escape(value)}</td></tr>'
        for label, value in rows
    )
    return (
        '<table width="100%" cellpadding="0" cellspacing="0" style="margin:18px 0 0;border-collapse:collapse">\n'
        f"{told}\n</table>"
    )


def _reasons(reasons: tuple[LetterReason, ...]) -> str:
    if not reasons:
        return ""
    told = "\n".join(
        f'<p class="ink" style="margin:10px 0 0;font-size:15px;line-height:20px;color:#1c2434">'
        f"<b>{escape(reason.title)}</b>: {reason.count:,}<br>"
        f'<span class="soft" style="color:#6b7486;font-size:14px">{escape(reason.fix)}</span></p>'
        for reason in reasons
    )
    return (
        '<h2 class="ink" style="margin:24px 0 0;font-size:16px;line-height:22px;color:#1c2434">'
        f"Why rows were rejected</h2>\n{told}"
    )


def _button(link: str | None, action: str) -> str:
    if link is None:
        return ""
    return (
        f'<p style="margin:24px 0 0"><a href="{escape(link)}" style="display:inline-block;background:#3b5bdb;'
        "color:#ffffff;font-size:15px;font-weight:600;line-height:20px;text-decoration:none;padding:10px 18px;"
        f'border-radius:8px">{escape(action)}</a></p>'
    )
