"""The address of an id synchronisation by HTTP (spec §8.5), read and not called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

from ingest_core.audience_manager.name_tail import DPID

_START = re.compile(r"https?://[^/?#\s]+/ibs:")
_ESCAPE = re.compile("%(?:[0-9A-Fa-f]{2})?")
_SEPARATOR = "%01"
_UUID_MACRO = "${DD_UUID}"


@dataclass(frozen=True, slots=True)
class Consent:
    """The two GDPR parameters, which come together."""

    applies: bool
    text: str


@dataclass(frozen=True, slots=True)
class HttpSync:
    """``ids``: (DPID, id), or (integration code, id) from ``d_cid_ic``, in the order of the address."""

    ids: tuple[tuple[int | str, str], ...]
    redirect: str | None = None
    consent: Consent | None = None

    def redirect_for(self, uuid: str) -> str | None:
        """Where to go on to, with the macro of the UUID filled in."""
        return None if self.redirect is None else self.redirect.replace(_UUID_MACRO, uuid)


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """Why a request is void: code and why."""

    code: str
    why: str


def parse_http_sync(url: str) -> HttpSync | HttpProblem:
    """What a request asks for. A malformed escape voids all of it. Never raises."""
    start = _START.match(url)
    if start is None:
        return HttpProblem("bad_url", "The address has to be https://HOST/ibs:…")
    pairs = [part.partition("=")[::2] for part in url[start.end() :].split("&") if part]
    if not all(_is_encoded(part) for text in chain(*pairs) for part in text.split(_SEPARATOR)):
        return HttpProblem("bad_encoding", "A percent escape is malformed, or what it stands for is no UTF-8.")
    first = dict(pairs[::-1])
    consent = _consent(first)
    if isinstance(consent, HttpProblem):
        return consent
    ids = _ids(pairs, first)
    if isinstance(ids, HttpProblem):
        return ids
    redirect = _decoded(first["redir"]) if first.get("redir") else None
    return HttpSync(tuple(ids), redirect, consent)


def _ids(pairs: list[tuple[str, str]], first: dict[str, str]) -> list[tuple[int | str, str]] | HttpProblem:
    given: list[tuple[str, str, bool]] = []
    for name, value in pairs:
        if name in ("d_cid", "d_cid_ic"):
            whose, _, rest = value.partition(_SEPARATOR)
            given.append((whose, rest.partition(_SEPARATOR)[0], name == "d_cid_ic"))
    has_plain = "dpid" in first or "dpuuid" in first
    if has_plain or not given:
        given.insert(0, (first.get("dpid", ""), first.get("dpuuid", ""), False))
    ids: list[tuple[int | str, str]] = []
    for raw_source, raw_id, is_code in given:
        source, identifier = _decoded(raw_source), _decoded(raw_id)
        if not (source.strip() if is_code else DPID.fullmatch(source)):
            return HttpProblem("bad_dpid", "The data source has to be a number, or a code in d_cid_ic.")
        if not identifier.strip():
            return HttpProblem("blank_id", "The id is missing or blank.")
        ids.append((source if is_code else int(source), identifier))
    return ids


def _consent(first: dict[str, str]) -> Consent | HttpProblem | None:
    applies, text = first.get("gdpr"), first.get("gdpr_consent")
    if applies is None and text is None:
        return None
    if applies not in ("0", "1") or not text:
        return HttpProblem("gdpr_pair", "gdpr (0 or 1) and gdpr_consent come together or not at all.")
    return Consent(applies == "1", _decoded(text))


def _is_encoded(value: str) -> bool:
    if any(len(escape) != 3 for escape in _ESCAPE.findall(value)):
        return False
    try:
        _decoded(value)
    except UnicodeError:
        return False
    return True


def _decoded(value: str) -> str:
    """Percent escapes as UTF-8; a plus sign is a plus sign."""
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), value.encode())
    return raw.decode()
