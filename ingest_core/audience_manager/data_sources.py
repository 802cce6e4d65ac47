"""Whose ids are in a file: the shared namespaces and the form an id must have in each (spec §6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

UUID_DPID = 0
"""The namespace of Audience Manager's own ids (UUIDs)."""


@dataclass(frozen=True, slots=True)
class IdForm:
    """How an id is written. ``pattern`` is ASCII only, covers the whole id and means the same to ``re`` and RE2."""

    name: str
    pattern: str
    words: str

    def fits(self, identifier: str) -> bool:
        """Whether the whole id has this form."""
        return re.fullmatch(self.pattern, identifier) is not None


UUID_FORM = IdForm("uuid", "[0-9]{38}", "38 digits")
UPPER_FORM = IdForm("upper_guid", "[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", "a GUID in upper case (8-4-4-4-12)")
LOWER_FORM = IdForm("lower_guid", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a GUID in lower case (8-4-4-4-12)")
WORD_FORM = IdForm(
    "alphanumeric", "[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?", "up to 64 letters, digits and inner hyphens"
)
STRICT_WORD_FORM = IdForm("strict_alphanumeric", "[A-Za-z0-9]{1,64}", "up to 64 letters and digits")
HASH_FORM = IdForm("sha256", "[0-9a-f]{64}", "a SHA-256 hash: 64 hexadecimal digits in lower case")


@dataclass(frozen=True, slots=True)
class GlobalSource:
    """A data source that everybody shares: the ids of one kind of device."""

    dpid: int
    name: str
    platform: str
    form: IdForm
    example: str | None


_GLOBAL = (
    GlobalSource(20914, "GAID", "Android", LOWER_FORM, "e4fe9bde-caa0-47b6-908d-ffba3fa184f2"),
    GlobalSource(20915, "IDFA", "iOS", UPPER_FORM, "AEBE52E7-03EE-455A-B3C4-E57283966239"),
    GlobalSource(121963, "RIDA", "Roku", LOWER_FORM, "fcb2a29c-315a-5e6b-bcfd-d889ba19aada"),
    GlobalSource(389146, "MAID", "Windows 10", WORD_FORM, None),
    GlobalSource(488258, "Fire TV", "Amazon Fire TV", LOWER_FORM, "df07c7dc-cea7-4a89-b328-810ff5acb15d"),
    GlobalSource(963906, "TIFA", "Tizen", WORD_FORM, None),
    GlobalSource(1171485, "LGUDID", "webOS", LOWER_FORM, "095f142a-ace8-ac5d-b86a-92c8be18b197"),
    GlobalSource(1171489, "Vizio IFA", "Vizio", WORD_FORM, "7XCBNROQJQPYW"),
)

GLOBAL_SOURCES: dict[int, GlobalSource] = {source.dpid: source for source in _GLOBAL}
"""The eight global data sources by DPID."""


def is_global(dpid: int) -> bool:
    """Whether a DPID is one of the eight shared device namespaces."""
    return dpid in GLOBAL_SOURCES


def is_device(dpid: int) -> bool:
    """Whether ids of this DPID name devices: UUIDs or device advertising ids."""
    return dpid == UUID_DPID or dpid in GLOBAL_SOURCES


@dataclass(frozen=True, slots=True)
class IdRule:
    """What ids of one file or column must look like.

    ``kind``: *customer* ids have no form but must hold no colon and no personal data; *uuid* and *device* ids have one.
    ``dpid``: of the namespace where it is fixed, else None.
    """

    kind: Literal["customer", "uuid", "device"]
    form: IdForm | None = None
    dpid: int | None = None


CUSTOMER = IdRule("customer")
UUID = IdRule("uuid", UUID_FORM, UUID_DPID)


def id_rule(dpid: int, *, holds_uuids: bool = False, strict_alnum: bool = False) -> IdRule:
    """The rule for ids of a namespace (spec §6, "how a file's id type is found").

    ``holds_uuids``: the source's inbound id type is "Audience Manager ID". ``strict_alnum``: no hyphens in MAID, TIFA
    and Vizio ids (D-15).
    """
    source = GLOBAL_SOURCES.get(dpid)
    if source is not None:
        form = STRICT_WORD_FORM if strict_alnum and source.form is WORD_FORM else source.form
        return IdRule("device", form, dpid)
    return UUID if dpid == UUID_DPID or holds_uuids else CUSTOMER


_MAIL_DOMAIN = re.compile(r".\.[A-Za-z]{2}", re.DOTALL)
_AROUND_AT = re.compile(r"(?<=[^\s@])@([^\s@]+)")
_ENCODED_COLON = re.compile("%3a", re.IGNORECASE)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")

PHONE_PATTERN = r"\+[0-9]{8,15}|00[1-9][0-9]{7,14}|\+?\(?[0-9]{2,4}(?:[)/ .-]{1,2}[0-9]{2,4}){2,3}"
"""A whole id that is written like a telephone number."""

PHONE_VALUE_PATTERN = r"\+(?:[ ./()-]*[0-9]){8,15}[ ./()-]*"
"""A whole value that is an international telephone number: ``+`` and its digits, with the usual signs between them."""

ZEROS_PATTERN = "[0-]+"
"""A device id of zeros: tracking is switched off."""


def email_at(text: str) -> int | None:
    """Where an e-mail address is, as ``[^\\s@]+@[^\\s@]+\\.[A-Za-z]{2,}`` anywhere in it: the place of its ``@``.

    That expression looks at a text without ``@`` once per character; this one takes time in proportion to its length.
    """
    if "@" not in text:
        return None
    found = (match for match in _AROUND_AT.finditer(text) if _MAIL_DOMAIN.search(match[1]))
    return next((match.start() for match in found), None)


def colon_at(text: str) -> int | None:
    """Where a colon, plain or as ``%3A``, is in a customer id."""
    plain = text.find(":")
    encoded = _ENCODED_COLON.search(text)
    places = [place for place in (plain, encoded.start() if encoded else -1) if place >= 0]
    return min(places, default=None)


def escape_at(text: str) -> int | None:
    """Where a percent escape (``%20``) is."""
    found = _PERCENT.search(text)
    return found.start() if found else None


def lint_id(identifier: str, rule: IdRule) -> tuple[str, ...]:
    """Codes of what is accepted but looks wrong: escapes, handles, phone-like ids, ids of zeros only (spec §6, §17)."""
    found = []
    if rule.kind == "customer":
        if escape_at(identifier) is not None:
            found.append("id_has_escape")
        if "@" in identifier:
            found.append("id_has_at_sign")
        if re.fullmatch(PHONE_PATTERN, identifier):
            found.append("id_like_phone")
    elif re.fullmatch(ZEROS_PATTERN, identifier):
        found.append("id_all_zeros")
    return tuple(found)
